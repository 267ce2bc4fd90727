import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/model.ts';
import { NO_COLOURS } from '../../src/report/palette.ts';
import type { Report } from '../../src/report/report.ts';
import { renderSummary } from '../../src/report/summary.ts';
import { incidentReport } from './incident.ts';
import { findingOf, reportOf, VOLUME } from './sample-report.ts';

const summaryOf = (report: Report): string => renderSummary(report).join('\n');

describe('the headline', () => {
  const withSummary = (overrides: Partial<Report['summary']>, unvouched: number, complete = true): Report => {
    const base = reportOf([]);
    return {
      ...base,
      run: { ...base.run, complete },
      summary: { ...base.summary, ...overrides },
      coverage: { ...base.coverage, unvouched },
    };
  };

  test.each<[string, Report, string]>([
    [
      'all vouched for',
      withSummary({ vouched: 110 }, 0),
      'NO DAMAGE FOUND. 100 % of all paths agree with a reference.',
    ],
    ['nearly all', withSummary({ vouched: 9999 }, 1), 'NO DAMAGE FOUND. 99.9 % of all paths agree with a reference.'],
    [
      'nearly none',
      withSummary({ vouched: 1 }, 9999),
      'NO DAMAGE FOUND. less than 0.1 % of all paths agree with a reference.',
    ],
    ['no reference at all', withSummary({}, 110), 'NO DAMAGE SEEN, but nothing could vouch for what the files hold.'],
    ['interrupted', withSummary({ vouched: 5 }, 105, false), 'NO DAMAGE FOUND in what was scanned.'],
    [
      'one suspect',
      reportOf([findingOf({ path: '/a', verdict: 'suspect', confidence: 'possible' })]),
      'NO DAMAGE FOUND FOR SURE, but 1 path is worth a look.',
    ],
    ['one likely', reportOf([findingOf({ path: '/a' })]), 'DAMAGE FOUND: 1 path is damaged, very likely.'],
    [
      'all proven',
      reportOf([findingOf({ path: '/a', confidence: 'proven' })]),
      'DAMAGE FOUND: 1 path is damaged, beyond doubt.',
    ],
    [
      'altered, even if proven, is a hint',
      reportOf([findingOf({ path: '/a', verdict: 'altered', confidence: 'proven' })]),
      'NO DAMAGE FOUND FOR SURE, but 1 path is worth a look.',
    ],
  ])('%s', (_, report, sentence) => {
    expect(renderSummary(report)).toContain(sentence);
  });

  test('a scan that is not whole says so', () => {
    expect(summaryOf(withSummary({ vouched: 5 }, 105, false))).toContain('NOT EVERYTHING WAS SCANNED');
    expect(summaryOf(withSummary({ vouched: 5 }, 105, true))).not.toContain('NOT EVERYTHING');
  });
});

describe('the summary of an incident', () => {
  const lines = renderSummary(incidentReport(), { reportFile: '/root/vm042.json' });
  const after = (line: string, count: number): string[] => lines.slice(lines.indexOf(line) + 1).slice(0, count);

  test('says what was scanned, against what, and for which time', () => {
    expect(lines.slice(0, 5)).toEqual([
      'lostwrite 0.1.0: vm042 (/mnt/vm042), ext4',
      'Scanned 182,340 files and 20,113 directories; 41.2 GiB read in 12 min 31 s.',
      'Compared with dpkg (41,240 paths), baseline nightly of 2014-06-01 02:00:00 UTC',
      '(182,001 paths).',
      'Suspect time: 2014-06-02 00:00 to 2014-06-07 24:00 UTC',
    ]);
  });

  test('counts each verdict by confidence, the worst first, within 80 columns', () => {
    const at = lines.findIndex(line => line.trimStart().startsWith('proven'));
    expect(lines.slice(at, at + 8)).toEqual([
      '                proven   likely possible',
      '  unreadable         1        -        -   disk or metadata refuses the bytes',
      '  garbage            1        1        -   holds bytes that never were its own',
      '  stale              1        -        -   went back to an older state',
      '  missing            -       39        -   should be there, and is not',
      '  resurrected        -        -        1   had been deleted, and is back',
      '  altered            -        -        1   differs: damage, or a later change?',
      '  suspect            -        -      310   at risk, and nothing could check it',
    ]);
  });

  test('lists the worst first, what a missing directory explains as a count', () => {
    const listed = lines.filter(line => /^ +\d+\. /.test(line)).map(line => line.trim());
    expect(listed).toEqual([
      '1. /var/spool/queue.bin',
      '2. /usr/bin/openssl',
      '3. /srv/app/data/café orders.db',
      '4. /usr/lib/libssl.so.1.0.0',
      '5. /srv/app/media/2014/06',
      '6. /var/lib/app/state.json',
      '7. /srv/app/tmp/\\x1b[2J\\nevil\\xff\\\\name',
      '8. /etc/cron.d/backup',
    ]);
    expect(lines).toContain('      37 paths below went with it.');
  });

  test('says of each why, how much, and what to do', () => {
    expect(after('   2. /usr/bin/openssl', 4)).toEqual([
      '      garbage, proven: Its MD5 digest is not that of package openssl 1.0.1e-2,',
      '      and 4096 bytes at byte 8192 are zeros although the file was written there.',
      '      Harmed: 4 KiB at byte 8192.',
      '      -> Reinstall the package openssl.',
    ]);
  });

  test('gathers the remedies: one command for all packages, hints left alone', () => {
    expect(after('What to do', 10)).toEqual([
      '  Reinstall 2 packages:',
      '    apt-get install --reinstall libssl1.0.0 openssl',
      '    (puts 2 paths right)',
      '  Restore from a backup that has the expected state: 40 paths',
      '    /srv/app/data/café orders.db',
      '    /srv/app/media/2014/06',
      '    /var/spool/queue.bin',
      '    and 37 more',
      '  Copy back from where its content was found: 1 path',
      '    /var/lib/app/state.json',
    ]);
  });

  test('tells what remains unknown, and where', () => {
    expect(after('What nobody could vouch for', 5)).toEqual([
      '  No reference vouches for 12,440 of 182,340 paths (6.8 %): a lost write there',
      '  may go unseen.',
      '  310 paths at risk (suspect): changed in the suspect time, or may have been.',
      '  Somebody who knows them must look. Most are below:',
      '        310  /srv/app',
    ]);
    expect(after('What was not examined', 5)).toEqual([
      '  no permission: root may look into these (4)',
      '    /home/anna/.ssh',
      '    /home/bob/mail',
      '    /home/eve',
      '    and 1 more',
    ]);
    expect(after('Trouble on the way (1)', 2)).toEqual([
      '  /var/lib/dpkg/info/perl.md5sums',
      '    bad-line: line 17 is no digest and path: 12 bytes of noise',
    ]);
  });

  test('ends with the next step, and the headline again', () => {
    expect(lines.slice(-6)).toEqual([
      'All about one path:  lostwrite explain /mnt/vm042 PATH',
      'Every finding:       /root/vm042.json',
      '',
      'DAMAGE FOUND: 43 paths are damaged, 3 of them beyond doubt. 2 more are worth a',
      'look.',
      'NOT EVERYTHING WAS SCANNED: what was left out may be damaged as well.',
    ]);
  });

  test('colours only what it is told to colour', () => {
    const bad = (text: string): string => `<bad>${text}</bad>`;
    const coloured = renderSummary(incidentReport(), { palette: { ...NO_COLOURS, bad } });
    expect(coloured).toContain(
      '      <bad>unreadable, proven</bad>: Reading 65536 bytes at byte 131072 fails with EIO.',
    );
  });
});

test('a generation of a baseline reads as words, wherever it is named', () => {
  const detail =
    'The content is that of baseline:web 1@2014-06-01T02:00:00Z, not of baseline:web 1@2014-06-02T02:00:00.5Z.';
  const evidence = [{ scanner: 'baseline', rule: 'older-content', supports: true, detail }];
  const lines = renderSummary(reportOf([findingOf({ path: '/a', evidence })]), { columns: 200 });
  const text = lines.join(' ').replace(/\s+/g, ' ');
  expect(text).toContain(
    'The content is that of baseline web 1 of 2014-06-01 02:00:00 UTC, not of baseline web 1 of 2014-06-02 02:00:00 UTC.',
  );
});

test('a sentence that begins with a reference begins with a capital', () => {
  const detail = 'baseline:web@2014-06-01T02:00:00Z has it, and it is gone.';
  const evidence = [{ scanner: 'baseline', rule: 'gone', supports: true, detail }];
  expect(renderSummary(reportOf([findingOf({ path: '/a', evidence })]))).toContain(
    '      stale, likely: Baseline web of 2014-06-01 02:00:00 UTC has it, and it is',
  );
});

test('of a target with several volumes, every path is told with its own', () => {
  const volumes = [VOLUME, { ...VOLUME, index: 1, label: 'da\nta' }, { ...VOLUME, index: 2, filesystem: 'swap' }];
  const skipped = [{ volume: 1, path: '/pipe', reason: 'special' }] as const;
  const report = reportOf([findingOf({ path: '/a' }), findingOf({ path: '/a', volume: 1 })], {
    target: { kind: 'image', name: 'vm', path: 'vm', container: 'raw', volumes },
    coverage: { byReference: new Map(), unvouched: 0, skipped },
  });
  const lines = renderSummary(report);
  expect(lines[0]).toBe('lostwrite 0.1.0: vm, 3 volumes, ext4, swap');
  expect(lines.filter(line => line.includes(' /'))).toEqual([
    '   1. /a (volume 0)',
    '   2. /a (volume 1, "da\\nta")',
    '    /a (volume 0)',
    '    /a (volume 1, "da\\nta")',
    '    /pipe (volume 1, "da\\nta")',
  ]);
});

test('the hint for explain repeats target and options, each as one word of a shell', () => {
  const explainWords = ['vm 1.qcow2@monday', '--baseline', "it's"];
  expect(renderSummary(incidentReport(), { explainWords })).toContain(
    "All about one path:  lostwrite explain $'vm 1.qcow2@monday' PATH --baseline $'it\\'s'",
  );
});

test('nothing leads back to a target that is gone', () => {
  const text = renderSummary(incidentReport(), { targetPasses: true }).join('\n');
  expect(text).not.toContain('lostwrite explain');
  expect(text).not.toContain('scan again');
});

test('a scan that was stopped says what it did, and how to go on where it can', () => {
  const errors = [{ path: '/', code: 'interrupted', message: 'the scan was stopped.' }];
  const report = reportOf([], { errors });
  const lines = renderSummary({ ...report, run: { ...report.run, complete: false } }, { resumes: true });
  expect(lines).toContain('Listed 100 files and 10 directories; 4 KiB read in 12 min 31 s.');
  expect(lines).toContain('NOT EVERYTHING WAS SCANNED: what was left out may be damaged as well.');
  expect(lines.slice(-3)).toEqual([
    '  interrupted: the scan was stopped.',
    '',
    'To go on from here:  the same command again',
  ]);
  expect(renderSummary(report).join('\n')).not.toContain('the same command again');
  expect(renderSummary(reportOf([]), { resumes: true }).join('\n')).not.toContain('the same command again');
});

describe('trouble that has no path', () => {
  const errorsOf = (...errors: readonly (readonly [code: string, message: string])[]) =>
    renderSummary(reportOf([], { errors: errors.map(([code, message]) => ({ path: '/', code, message })) }));

  test('of volumes and tables is told one by one', () => {
    const lines = errorsOf(
      ['volume-not-examined', 'volume 1: btrfs is not read'],
      ['volume-not-examined', 'volume 4: luks is not read'],
      ['gpt-backup-used', 'the first copy is damaged'],
    );
    expect(lines.slice(lines.indexOf('Trouble on the way (3)') + 1)).toEqual([
      '  volume-not-examined: volume 1: btrfs is not read',
      '  volume-not-examined: volume 4: luks is not read',
      '  gpt-backup-used: the first copy is damaged',
    ]);
  });

  test('of broken structures is told volume by volume', () => {
    const lines = errorsOf(
      ['EBADMSG', 'volume 0: a block'],
      ['EUCLEAN', 'volume 0: another'],
      ['EBADMSG', 'volume 1: a block'],
    );
    expect(lines.slice(lines.indexOf('Trouble on the way (3)') + 1)).toEqual([
      '  EBADMSG: volume 0: a block',
      '    and 1 more there',
      '  EBADMSG: volume 1: a block',
    ]);
  });
});

describe('hints', () => {
  const command = 'apt-get install --reinstall openssl';
  const remedy = { action: 'reinstall', detail: 'Reinstall the package openssl.', command } as const;
  const altered = findingOf({ path: '/usr/bin/openssl', verdict: 'altered', remedy });

  test('alone have a remedy too, for who did not change them on purpose', () => {
    const lines = renderSummary(reportOf([altered, findingOf({ path: '/a', verdict: 'suspect' })]));
    const at = lines.indexOf('What to do, unless these changes were meant');
    expect(lines.slice(at + 1, at + 4)).toEqual([
      '  Reinstall 1 package:',
      `    ${command}`,
      '    (puts 1 path right)',
    ]);
    expect(lines).toContain('      -> Unless the change was meant: Reinstall the package openssl.');
  });

  test('beside damage have theirs apart from it', () => {
    const lines = renderSummary(reportOf([altered, findingOf({ path: '/a' })]));
    expect(lines.slice(lines.indexOf('What to do'), lines.indexOf('What to do') + 7)).toEqual([
      'What to do',
      '  Restore from a backup that has the expected state: 1 path',
      '    /a',
      '',
      'What to do about the rest, unless these changes were meant',
      '  Reinstall 1 package:',
      `    ${command}`,
    ]);
  });
});

describe('many findings', () => {
  test('twenty are listed, and the title says of how many', () => {
    const findings = Array.from({ length: 1500 }, (_, at) => findingOf({ path: `/d${at}/f` }));
    const lines = renderSummary(reportOf(findings));
    expect(lines).toContain('The worst 20 of 1,500');
    expect(lines.filter(line => /^ +\d+\. /.test(line))).toHaveLength(20);
  });

  test('those that fare alike in one directory are one entry', () => {
    const unreadable = { verdict: 'unreadable', confidence: 'proven' } as const;
    const lines = renderSummary(
      reportOf([
        findingOf({ path: '/d/a', type: 'directory', ...unreadable }),
        findingOf({ path: '/d/a/x', verdict: 'missing', causePath: '/d/a' }),
        ...['b', 'c\n', 'd', 'e', 'f', 'g'].map(name => findingOf({ path: `/d/${name}`, ...unreadable })),
        findingOf({ path: '/d/h' }),
        findingOf({ path: '/e/i', ...unreadable }),
      ]),
    );
    expect(lines.filter(line => /^ +\d+\. /.test(line))).toEqual(['   1. /d/a', '   2. /e/i', '   3. /d/h']);
    expect(lines).toContain('      and 6 others beside it: b, c\\n, d, e, f, ...');
    expect(lines).toContain('The findings, worst first');
  });

  test('the title tells entries from the paths that they stand for', () => {
    const alone = Array.from({ length: 30 }, (_, at) => findingOf({ path: `/d${at}/f` }));
    const crowd = Array.from({ length: 5 }, (_, at) => findingOf({ path: `/a/f${at}`, confidence: 'proven' }));
    const lines = renderSummary(reportOf([...crowd, ...alone]));
    expect(lines).toContain('The worst 20, which stand for 24 of 35 paths');
  });

  const packaged = (name: string, command = `apt-get install --reinstall ${name}`): Finding =>
    findingOf({
      path: `/usr/${Buffer.from(name).toString('hex')}`,
      owner: { kind: 'package', name, version: null },
      remedy: { action: 'reinstall', detail: 'reinstall it.', command },
    });

  test('two hundred packages fill five commands; the rest is counted', () => {
    const names = Array.from({ length: 260 }, (_, at) => `p${String(at).padStart(3, '0')}`);
    const lines = renderSummary(reportOf(names.map(name => packaged(name))));
    const commands = lines.filter(line => line.startsWith('    apt-get '));
    expect(commands.map(line => line.trim().split(' ').length - 3)).toEqual([40, 40, 40, 40, 40]);
    expect(lines).toContain('    and 60 more packages: the report names them');
  });

  test('a package stands in one command: that which also brings missing configuration files, if it must', () => {
    const missing = 'apt-get install --reinstall -o Dpkg::Options::=--force-confmiss';
    const report = reportOf([
      packaged('one'),
      packaged('both'),
      { ...packaged('both', `${missing} both`), path: '/etc/both.conf', verdict: 'missing' },
      { ...packaged('both'), path: '/usr/zzz' },
    ]);
    const lines = renderSummary(report);
    const at = lines.indexOf('What to do');
    expect(lines.slice(at + 1, at + 6)).toEqual([
      '  Reinstall 1 package:',
      '    apt-get install --reinstall one',
      '  Reinstall 1 package:',
      `    ${missing} both`,
      '    (puts 4 paths right)',
    ]);
  });

  test('a package name that a shell would act upon never enters a common command', () => {
    const report = reportOf([packaged('good'), packaged('$(reboot)'), packaged('-oX=1'), packaged('a;b')]);
    expect(renderSummary(report)).toContain('    apt-get install --reinstall good');
  });
});

describe('hostile names', () => {
  const bytes = fc.uint8Array({ maxLength: 12 }).map(array => Buffer.from(array).toString('latin1'));
  const steering = fc.constantFrom('\x1b[2J', '\n', '\r', '\x00', '\u009b31m', '\u202e', '\u2028', '\x7f', '\xc2\x9b');
  const text = fc.array(fc.oneof(fc.string(), steering), { maxLength: 4 }).map(parts => parts.join(''));
  const path = fc.tuple(bytes, steering, bytes).map(parts => `/${parts.join('')}`);
  const action = fc.constantFrom('reinstall' as const, 'restore' as const);
  const finding = fc.record({
    path,
    text,
    action,
    confidence: fc.constantFrom('proven' as const, 'possible' as const),
  });

  test('no byte of theirs steers the terminal, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(finding, { minLength: 1, maxLength: 3 }), path, text, (parts, name, words) => {
        const findings = parts.map(part =>
          findingOf({
            path: part.path,
            confidence: part.confidence,
            foundAt: part.text.length > 5 ? part.path : null,
            owner: { kind: 'package', name: part.text, version: part.text },
            evidence: [{ scanner: 's', rule: 'r', supports: true, detail: part.text }],
            remedy: { action: part.action, detail: part.text, command: `apt-get install ${part.text}` },
          }),
        );
        const base = reportOf([...findings, findingOf({ path: name, verdict: 'suspect', confidence: 'possible' })]);
        const lines = renderSummary(
          {
            ...base,
            target: { ...base.target, name: words, path: words },
            references: [{ id: words, kind: 'packages', files: 1, atNs: null, vouches: 'content', complete: false }],
            coverage: { ...base.coverage, skipped: [{ volume: 0, path: name, reason: 'permission' }] },
            errors: [{ path: name, code: words, message: words }],
          },
          { reportFile: words },
        );
        expect(lines.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/);
      }),
      { numRuns: 300, seed: 3 },
    );
  });
});
