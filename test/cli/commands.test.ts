import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/command-line.ts';
import type { RunFunctions } from '../../src/cli/run-functions.ts';
import { DEFAULT_SCAN } from '../../src/cli/scan-options.ts';
import { DamageError, UsageError } from '../../src/errors.ts';
import type { Explanation } from '../../src/report/explanation.ts';
import type { Report } from '../../src/report/report.ts';
import type { BaselineOptions, ScanOptions, ScanOutcome } from '../../src/run/options.ts';
import { schemaErrors } from '../report/report-validator.ts';
import { findingOf, reportOf, statOf, VOLUME } from '../report/sample-report.ts';
import { captureOutput, type TestWorld, testWorld } from './test-world.ts';

let here = '';
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-commands-'));
  mkdirSync(join(here, 'target'));
});
afterEach(() => rmSync(here, { recursive: true }));

/** The directory of the tests stands for target and store: --force, or everything would be refused. */
const inside = (run: Partial<RunFunctions>, overrides: Partial<TestWorld> = {}): TestWorld =>
  testWorld(run, { cwd: here, ...overrides });

interface Scanned {
  readonly options: ScanOptions[];
  readonly closed: boolean[];
  readonly scan: RunFunctions['scan'];
}

function scanning(report: Report): Scanned {
  const options: ScanOptions[] = [];
  const closed: boolean[] = [];
  const outcome: ScanOutcome = { report, close: keep => closed.push(keep) };
  return {
    options,
    closed,
    scan: async given => {
      options.push(given);
      return outcome;
    },
  };
}

const testIdentity = { device: '1', inode: '2', sizeBytes: 0, mtimeNs: '0' };
const partial = (report: Report): Report => ({ ...report, run: { ...report.run, complete: false } });
const clean = reportOf([]);
const damaged = reportOf([findingOf({ path: '/etc/passwd' })]);

describe('scan', () => {
  test('asks for what the options say', async () => {
    const scanned = scanning(clean);
    const world = inside(scanned);
    const argv =
      'scan target --force --store s.db --window 2014-06-02..2014-06-07 --baseline nightly --reference dpkg:/x:y --scanner a,b --scanner c --include *.db --include {a,b} --exclude /proc --metadata-only --cross-mounts --jobs 3 --resume never --fail-on stale --host vm042';
    expect(await runCommandLine(argv.split(' '), world)).toBe(0);
    expect(scanned.options).toEqual([
      {
        target: {
          kind: 'directory',
          name: 'vm042',
          path: join(here, 'target'),
          snapshot: null,
          identity: { device: '1', inode: join(here, 'target'), sizeBytes: 0, mtimeNs: '0' },
        },
        window: { fromNs: 1_401_667_200_000_000_000n, toNs: 1_402_185_599_999_999_999n },
        store: { path: join(here, 's.db') },
        baseline: 'nightly',
        before: [],
        references: [{ kind: 'dpkg', path: '/x:y' }],
        include: ['*.db', '{a,b}'],
        exclude: ['/proc'],
        scanners: ['a', 'b', 'c'],
        metadataOnly: true,
        crossMounts: true,
        jobs: 3,
        resume: 'never',
        failOn: [{ verdict: 'stale', confidence: 'possible' }],
        stripeBytes: null,
        suspectExtents: [],
      },
    ]);
  });

  test('a terminal that does not know its width gets lines of 80 columns', async () => {
    const stdout = captureOutput({ isTTY: true, columns: 0 });
    const world = { ...inside(scanning(clean)), stdout };
    expect(await runCommandLine(['scan', 'target', '--force'], world)).toBe(0);
    expect(stdout.text()).toContain('No suspect time was given (--window): nothing can be ruled out by its age.\n');
    expect(stdout.text()).toContain('Compared with nothing: no package database, no baseline was found or given.\n');
  });

  test('has these defaults', async () => {
    const scanned = scanning(clean);
    expect(await runCommandLine(['scan', 'target', '--force'], inside(scanned))).toBe(0);
    expect(scanned.options[0]).toMatchObject({
      ...DEFAULT_SCAN,
      store: { path: '/nowhere/home/.local/state/lostwrite/store.db' },
      jobs: 4,
    });
    expect(scanned.options[0]?.target.name).toBe('target');
    expect(scanned.options[0]?.failOn).toHaveLength(6);
  });

  test('takes options from the configuration in the current directory, the command line first', async () => {
    writeFileSync(join(here, 'lostwrite.config.yaml'), 'jobs: 2\nhost: vm7\nforce: true\nmetadataOnly: true\n');
    const scanned = scanning(clean);
    expect(await runCommandLine(['scan', 'target', '--jobs', '5', '--no-metadata-only'], inside(scanned))).toBe(0);
    expect(scanned.options[0]).toMatchObject({ jobs: 5, metadataOnly: false, target: { name: 'vm7' } });
  });

  test.each([
    ['clean', clean, [], 0],
    ['findings', damaged, [], 1],
    ['not whole', partial(clean), [], 3],
    ['not whole, with findings', partial(damaged), [], 3],
    ['not whole, allowed', partial(clean), ['--allow-partial'], 0],
    ['not whole, allowed, with findings', partial(damaged), ['--allow-partial'], 1],
  ])('%s: the exit code, and nothing is kept for resuming', async (_, report, options, code) => {
    const scanned = scanning(report);
    expect(await runCommandLine(['scan', 'target', '--force', ...options], inside(scanned))).toBe(code);
    expect(scanned.closed).toEqual([false]);
  });

  test('prints the summary to standard output and the report to its file', async () => {
    const world = inside(scanning(damaged));
    expect(await runCommandLine(['scan', 'target', '--force', '--json', 'r.json'], world)).toBe(1);
    const report: unknown = JSON.parse(readFileSync(join(here, 'r.json'), 'utf8'));
    expect(schemaErrors(report)).toEqual([]);
    expect(world.stdout.text()).toContain('DAMAGE FOUND: 1 path is damaged, very likely.\n');
    expect(world.stdout.text()).toContain(`Every finding:       ${here}/r.json\n`);
    expect(world.stderr.text()).toBe('');
  });

  test('the hint for explain repeats the options that explain needs as well', async () => {
    const world = inside(scanning(damaged));
    const argv = 'scan target --window 2014-06-02.. --store s.db --baseline a --reference dpkg:/x --jobs 2 --force';
    await runCommandLine(argv.split(' '), world);
    expect(world.stdout.text()).toContain(
      'lostwrite explain target PATH --window 2014-06-02.. --store s.db --baseline a --reference dpkg:/x --force\n',
    );
  });

  test('--json - takes standard output for the report, the summary goes to standard error', async () => {
    const world = inside(scanning(damaged));
    expect(await runCommandLine(['scan', 'target', '--force', '--json', '-'], world)).toBe(1);
    expect(schemaErrors(JSON.parse(world.stdout.text()))).toEqual([]);
    expect(world.stderr.text()).toContain('DAMAGE FOUND');
  });

  test('--quiet prints nothing', async () => {
    const world = inside(scanning(damaged));
    expect(await runCommandLine(['scan', 'target', '--force', '--quiet'], world)).toBe(1);
    expect(world.stdout.text() + world.stderr.text()).toBe('');
  });

  test.each([
    ['a terminal', { isTTY: true }, {}, true],
    ['a terminal, NO_COLOR', { isTTY: true }, { NO_COLOR: '1' }, false],
    ['a terminal, empty NO_COLOR', { isTTY: true }, { NO_COLOR: '' }, true],
    ['a dumb terminal', { isTTY: true }, { TERM: 'dumb' }, false],
    ['no terminal', {}, {}, false],
  ])('%s: colours', async (_, terminal, env, coloured) => {
    const world = inside(scanning(damaged), { stdout: captureOutput(terminal), env });
    await runCommandLine(['scan', 'target', '--force'], world);
    expect(world.stdout.text().includes('\x1b[31m')).toBe(coloured);
  });

  test('a report that cannot be written: the summary all the same, one line, 2, and the records stay', async () => {
    const scanned = scanning(damaged);
    const world = inside(scanned);
    expect(await runCommandLine(['scan', 'target', '--force', '--json', '/dev/full'], world)).toBe(2);
    expect(world.stderr.text()).toBe('lostwrite: cannot write the report /dev/full: no space left on the device\n');
    expect(world.stdout.text()).toContain('DAMAGE FOUND');
    expect(world.stdout.text()).not.toContain('/dev/full');
    expect(scanned.closed).toEqual([true]);
  });

  test('Ctrl-C ends the run with what it has: the report says not whole, 3, and the records stay', async () => {
    const closed: boolean[] = [];
    const world = inside({
      scan: async (_, hooks) => {
        world.interrupt();
        expect(hooks.signal.aborted).toBe(true);
        return { report: partial(damaged), close: keep => closed.push(keep) };
      },
    });
    expect(await runCommandLine(['scan', 'target', '--force'], world)).toBe(3);
    expect(closed).toEqual([true]);
    expect(world.exits).toEqual([]);
    expect(world.stdout.text()).toContain('NOT EVERYTHING WAS SCANNED');
    expect(world.stderr.text()).toBe(
      'Stopping: what was found so far is being reported. Press Ctrl-C again to leave at once.\n',
    );
  });

  test('a second Ctrl-C leaves at once', async () => {
    const world = inside({
      scan: async () => {
        world.interrupt();
        world.interrupt();
        return { report: clean, close: () => undefined };
      },
    });
    await runCommandLine(['scan', 'target', '--force'], world);
    expect(world.exits).toEqual([3]);
  });

  test.each([
    [new UsageError('the store is locked'), 'lostwrite: the store is locked\n'],
    [new DamageError('superblock', 56, 1, 2), 'lostwrite: superblock at 56: found 1, expected 2\n'],
    [
      new TypeError('x is undefined'),
      'lostwrite: x is undefined\nlostwrite: this is a bug in lostwrite; please report it with the command and what --verbose prints\n',
    ],
  ])('%s is told without a stack trace, exit code 2', async (error, text) => {
    const world = inside({
      scan: async () => {
        throw error;
      },
    });
    expect(await runCommandLine(['scan', 'target', '--force'], world)).toBe(2);
    expect(world.stderr.text()).toBe(text);
  });
});

describe('baseline', () => {
  const generation = {
    atNs: 1_401_588_000_000_000_000n,
    capturedNs: 1_401_588_001_500_000_000n,
    target: '/srv',
    entries: 1234,
    files: 1000,
    bytes: 5_000_000,
    mapBytes: 2_097_152,
  };

  test('create captures, and says what', async () => {
    const asked: BaselineOptions[] = [];
    const world = inside({
      createBaseline: async options => {
        asked.push(options);
        return { atNs: generation.atNs, entries: 1234, files: 1000, bytes: 5_000_000, skipped: 1, complete: false };
      },
    });
    const argv = 'baseline create target --name n --at 2014-06-01T02:00Z --force --store s.db --jobs 2 --exclude *.tmp';
    expect(await runCommandLine(argv.split(' '), world)).toBe(3);
    expect(asked).toMatchObject([
      {
        target: { path: join(here, 'target'), name: 'target' },
        store: { path: join(here, 's.db') },
        name: 'n',
        atNs: 1_401_588_000_000_000_000n,
        include: [],
        exclude: ['*.tmp'],
        crossMounts: false,
        jobs: 2,
      },
    ]);
    expect(world.stdout.text()).toBe(
      'Baseline n, state of 2014-06-01 02:00:00 UTC: 1,234 paths, 1,000 files, 4.8 MiB.\n1 path could not be captured.\nThe capture is not whole.\n',
    );
  });

  test('list and show print tables', async () => {
    const world = inside({
      listBaselines: async () => [
        { name: 'nightly\x1b', generations: 30, firstAtNs: 0n, lastAtNs: 1_401_588_000_000_000_000n },
        { name: 'x', generations: 1, firstAtNs: 1n, lastAtNs: 1n },
      ],
      showBaseline: async () => [generation],
    });
    expect(await runCommandLine(['baseline', 'list'], world)).toBe(0);
    expect(await runCommandLine(['baseline', 'show', 'x'], world)).toBe(0);
    expect(world.stdout.text().split('\n')).toEqual([
      'NAME         GENERATIONS  OLDEST STATE                       NEWEST STATE',
      'nightly\\x1b           30  1970-01-01 00:00:00 UTC            2014-06-01 02:00:00 UTC',
      'x                      1  1970-01-01 00:00:00.000000001 UTC  1970-01-01 00:00:00.000000001 UTC',
      'STATE OF              PATHS  FILES     SIZE  BLOCK MAP  CAPTURED                   TARGET',
      '2014-06-01T02:00:00Z  1,234  1,000  4.8 MiB      2 MiB  2014-06-01 02:00:01.5 UTC  /srv',
      '',
    ]);
  });

  test('list and show print JSON with --json, and say when there is nothing', async () => {
    const world = inside({ listBaselines: async () => [], showBaseline: async () => [generation] });
    await runCommandLine(['baseline', 'list'], world);
    await runCommandLine(['baseline', 'list', '--json'], world);
    await runCommandLine(['baseline', 'show', 'x', '--json'], world);
    const [sentence, list, show] = world.stdout.text().split('\n');
    expect(sentence).toBe('There is no baseline yet: lostwrite baseline create TARGET --name NAME makes one.');
    expect(JSON.parse(list ?? '')).toEqual({ format: 'lostwrite-baselines', version: 1, baselines: [] });
    expect(JSON.parse(show ?? '')).toEqual({
      format: 'lostwrite-baseline',
      version: 1,
      name: 'x',
      generations: [
        {
          at: '2014-06-01T02:00:00Z',
          capturedAt: '2014-06-01T02:00:01.5Z',
          target: '/srv',
          entries: 1234,
          files: 1000,
          bytes: 5_000_000,
          blockMap: { bytesInStore: 2_097_152 },
        },
      ],
    });
  });

  const later = { ...generation, atNs: generation.atNs + 3_600_000_000_000n };
  const nextDay = { ...generation, atNs: generation.atNs + 86_400_000_000_000n };

  test.each<[string, readonly bigint[] | null, string]>([
    ['x', null, 'Dropped 3 generations of baseline x.'],
    ['x@2014-06-01T03:00:00Z', [later.atNs], 'Dropped 1 generation of baseline x.'],
    ['x@2014-06-02', [nextDay.atNs], 'Dropped 1 generation of baseline x.'],
  ])('drop %s', async (what, dropped, line) => {
    const asked: unknown[] = [];
    const world = inside({
      showBaseline: async () => [generation, later, nextDay],
      dropBaseline: async (_, name, atNs) => {
        asked.push([name, atNs]);
      },
    });
    expect(await runCommandLine(['baseline', 'drop', what], world)).toBe(0);
    expect(asked).toEqual([['x', dropped]]);
    expect(world.stdout.text()).toBe(`${line}\n`);
  });

  test.each([
    [
      'x@2014-06-01',
      'baseline x has 2 generations of 2014-06-01: name one of 2014-06-01T02:00:00Z, 2014-06-01T03:00:00Z',
    ],
    ['x@2014-06-03', 'baseline x has no generation of 2014-06-03'],
    ['x@', '"x@": expected NAME or NAME@TIME'],
    ['@2014-06-01', '"@2014-06-01": expected NAME or NAME@TIME'],
  ])('drop %s is refused', async (what, message) => {
    const world = inside({ showBaseline: async () => [generation, later, nextDay] });
    expect(await runCommandLine(['baseline', 'drop', what], world)).toBe(2);
    expect(world.stderr.text()).toBe(`lostwrite: ${message}\n`);
  });
});

describe('demo', () => {
  const scene = {
    target: { kind: 'directory', name: 'demo', path: '/demo', snapshot: null, identity: testIdentity },
    window: { fromNs: 0n, toNs: 1n },
    store: { path: null },
    baseline: 'nightly',
    damaged: new Set(['/etc/passwd']),
  } as const;
  const staged: RunFunctions['withDemo'] = async (_directory, _hooks, use) => use(scene);

  test('that found damage in what could be scanned ends with 0, and scans with the defaults', async () => {
    const scanned = scanning(partial(damaged));
    const world = inside({ ...scanned, withDemo: staged });
    expect(await runCommandLine(['demo'], world)).toBe(0);
    const { target, window, store, baseline } = scene;
    const options = { ...DEFAULT_SCAN, target, window, store, baseline, jobs: 4, resume: 'never' };
    expect(scanned.options).toEqual([options]);
    expect(world.stdout.text()).toContain('The scan reported 1 of them, and 0 others.\n');
  });

  test('without root says why it is not sure, and how many of its hints are right', async () => {
    const hints = [
      findingOf({ path: '/etc/passwd', confidence: 'possible' }),
      findingOf({ path: '/etc/shadow', confidence: 'possible' }),
      findingOf({ path: '/etc/group', verdict: 'suspect' }),
    ];
    const damagedPaths = new Set(['/etc/passwd', '/etc/group']);
    const world = inside({
      ...scanning(reportOf(hints)),
      withDemo: async (_directory, _hooks, use) => use({ ...scene, damaged: damagedPaths }),
    });
    expect(await runCommandLine(['demo'], world)).toBe(0);
    expect(world.stdout.text()).toContain(
      [
        'What really happened: 2 paths were damaged.',
        'The scan reported 0 of them, and 0 others.',
        'It calls 1 more of them worth a look.',
        'Without root this demo can only overwrite files, as any program does, and the',
      ].join('\n'),
    );
  });

  test('that was interrupted while it scanned ends with 3, and says so once', async () => {
    const world = inside({
      withDemo: staged,
      scan: async () => {
        world.interrupt();
        return { report: partial(damaged), close: () => undefined };
      },
    });
    expect(await runCommandLine(['demo'], world)).toBe(3);
    expect(world.stderr.text().match(/Stopping/g)).toHaveLength(1);
    expect(world.exits).toEqual([]);
  });

  test('that was interrupted while it was made ends with 3 before it scans', async () => {
    const world = inside({
      withDemo: async (directory, hooks, use) => {
        world.interrupt();
        return staged(directory, hooks, use);
      },
    });
    expect(await runCommandLine(['demo'], world)).toBe(3);
  });

  test('that could not be made ends with 2', async () => {
    const world = inside({ withDemo: () => Promise.reject(new UsageError('no room')) });
    expect(await runCommandLine(['demo'], world)).toBe(2);
    expect(world.stderr.text()).toBe('lostwrite: no room\n');
  });
});

const UNKNOWN: Omit<Explanation, 'volume'> = { seen: null, expected: [], observations: [], finding: null, days: null };

describe('explain', () => {
  test('tells everything, of the path as it was shown', async () => {
    const asked: string[] = [];
    const world = inside({
      explain: async (_, path) => {
        asked.push(path);
        const explanation: Explanation = {
          volume: 0,
          seen: {
            direntType: 'file',
            stat: statOf({ sizeBytes: 5, mtimeNs: 1n, inode: 12n, generation: 7 }),
            linkTarget: null,
            fault: null,
            content: {
              state: 'read',
              sizeBytes: 5,
              digests: { md5: 'ab' },
              blocks: null,
              unreadable: [{ offset: 4096, length: 512 }],
              fault: null,
            },
          },
          expected: [
            {
              reference: 'dpkg',
              path,
              type: null,
              sizeBytes: null,
              digests: { md5: 'cd' },
              blocks: null,
              linkTarget: null,
              stat: null,
              owner: { kind: 'package', name: 'bash', version: '5.2' },
              editable: false,
              installedAtNs: null,
              remedy: null,
            },
          ],
          observations: [
            { scanner: 'slack', rule: 'tail', path, supports: true, detail: 'Bytes after the end.', ranges: [] },
          ],
          days: null,
          finding: findingOf({
            path,
            verdict: 'garbage',
            evidence: [{ scanner: 'packages', rule: 'digest-differs', supports: true, detail: 'Another digest.' }],
            remedy: { action: 'reinstall', detail: 'Reinstall bash.', command: 'apt-get install --reinstall bash' },
          }),
        };
        return { volumes: [VOLUME], explanations: [explanation] };
      },
    });
    expect(await runCommandLine(['explain', 'target', 'usr//bin/./b\\xff', '--force'], world)).toBe(0);
    expect(asked).toEqual(['/usr/bin/b\xff']);
    expect(world.stdout.text().split('\n')).toEqual([
      '/usr/bin/b\\xff in target',
      'garbage, likely: holds bytes that never were its own',
      'Suspect time: the path was changed in it; its directory was not changed in it',
      '  for: Another digest. (packages: digest-differs)',
      '  -> Reinstall bash.',
      '     apt-get install --reinstall bash',
      '',
      'Now',
      '  file, 5 bytes, mode 0644, owner 0:0, inode 12 generation 7',
      '  modified 1970-01-01 00:00:00.000000001 UTC, changed 1970-01-01 00:00:00 UTC',
      '  md5:ab',
      '  unreadable: 512 bytes at 4096',
      '',
      'According to dpkg',
      '  of package bash 5.2',
      '  it exists',
      '  md5:cd',
      '',
      'Noticed',
      '  Bytes after the end. (slack: tail)',
      '',
    ]);
  });

  test('of a path that several volumes have, tells of each', async () => {
    const volumes = [VOLUME, { ...VOLUME, index: 2, label: 'data' }];
    const explanations = [0, 2].map(volume => ({ volume, ...UNKNOWN }));
    const world = inside({ explain: async () => ({ volumes, explanations }) });
    expect(await runCommandLine(['explain', 'target', '/a', '--force'], world)).toBe(0);
    const text = ['No finding: nothing that is known speaks for damage.', '', 'Now', '  not there'];
    expect(world.stdout.text().split('\n')).toEqual([
      '/a in target (volume 0)',
      ...text,
      '',
      '/a in target (volume 2, "data")',
      ...text,
      '',
    ]);
  });

  test('of a path that nothing knows is refused', async () => {
    const world = inside({ explain: async () => ({ volumes: [VOLUME], explanations: [] }) });
    expect(await runCommandLine(['explain', 'target', '/a', '--force'], world)).toBe(2);
    expect(world.stderr.text()).toContain('/a: neither the target nor any reference knows this path\n');
    expect(await runCommandLine(['explain', 'target', '/\ufffd'], world)).toBe(2);
    expect(world.stderr.text()).toContain(
      'knows this path; write a byte that is not UTF-8 as \\xff, as the summary does\n',
    );
  });

  test.each([
    [['--baseline', 'nightly'], ''],
    [[], 'Baselines of this target were not compared (nightly, old): add --baseline nightly\n'],
  ])('with %j, says which baselines of the target it could not use', async (options, said) => {
    writeFileSync(join(here, 's.db'), '');
    const series = { generations: 1, firstAtNs: 0n, lastAtNs: 0n };
    const generation = { atNs: 0n, capturedNs: 0n, entries: 1, files: 1, bytes: 1, mapBytes: null };
    const world = inside({
      explain: async () => ({ volumes: [], explanations: [{ volume: 0, ...UNKNOWN }] }),
      listBaselines: async () => ['nightly', 'old', 'other'].map(name => ({ name, ...series })),
      showBaseline: async (_, name) => [{ ...generation, target: name === 'other' ? 'srv' : 'target' }],
    });
    await runCommandLine(['explain', 'target', '/a', '--force', '--store', 's.db', ...options], world);
    expect(world.stderr.text()).toBe(said);
  });

  test('of a path that leaves the target is refused', async () => {
    const world = inside({});
    expect(await runCommandLine(['explain', 'target', '/../x', '--force'], world)).toBe(2);
    expect(world.stderr.text()).toBe('lostwrite: /../x: a path within the target has no ".."\n');
  });
});

describe('a wrong command line', () => {
  test.each([
    [[], 'say what to do, for example: lostwrite scan /    (lostwrite --help tells more)'],
    [['scan'], 'scan: an argument is missing (lostwrite scan --help)'],
    [['scan', 'target', 'target'], 'target: a directory is scanned by itself: run it once for each TARGET'],
    [['scan', 'none'], 'none: no such file or directory'],
    [['scan', 'target', '--html', 'x'], 'unknown: --html (lostwrite scan --help lists what there is)'],
    [['scan', 'target', '--backup=x'], 'unknown: --backup (lostwrite scan --help lists what there is)'],
    [
      ['scan', 'target', '--stripe', '4X'],
      '--stripe: "4X": expected a size from 16K to 1G in whole sectors, e.g. 4M or 512K',
    ],
    [
      ['scan', 'target', '--stripe', '4M'],
      '--stripe: a mounted tree does not show where its files lie on the disk; scan the image',
    ],
    [
      ['scan', 'target', '--suspect-extents', 'x'],
      '--suspect-extents: a mounted tree does not show where its files lie on the disk; scan the image',
    ],
    [['scan', 'target', '--no-window'], 'unknown: --no-window (lostwrite scan --help lists what there is)'],
    [['scan', 'target', '--no-json'], 'unknown: --no-json (lostwrite scan --help lists what there is)'],
    [['scan', 'target', '--crossMounts'], 'unknown: --crossMounts (lostwrite scan --help lists what there is)'],
    [['scan', 'target', '-j', '2'], 'unknown: -j (lostwrite scan --help lists what there is)'],
    [['scan', 'target', '--json'], '--json needs a value'],
    [['scan', 'target', '--json='], '--json: the value is empty'],
    [['scan', 'target', '--jobs', '0'], '--jobs: "0" is no whole number from 1 to 1024'],
    [['scan', 'target', '--jobs', '-1'], '--jobs: "-1" is no whole number from 1 to 1024'],
    [['scan', 'target', '--jobs', '2', '--jobs', '3'], '--jobs was given 2 times'],
    [['scan', 'target', '--resume', 'maybe'], '--resume: "maybe": expected auto or never'],
    [['scan', 'target', '--quiet=maybe'], '--quiet takes no value'],
    [['scan', 'target', '--quiet', '--verbose'], '--quiet and --verbose contradict each other'],
    [['scan', 'target', '--scanner', 'a,,b'], '--scanner: an entry of the list is empty'],
    [['scan', 'target', '--reference', 'rpm:/x'], '--reference: "rpm": no such kind; there is dpkg'],
    [['scan', 'target', '--reference', 'dpkg'], '--reference: "dpkg": expected KIND:PATH'],
    [
      ['scan', 'target', '--json', 'none/r.json'],
      expect.stringMatching(/^cannot write the report .*\/none\/r\.json: no such file or directory$/),
    ],
    [
      ['scan', 'target', '--config', 'none.json'],
      expect.stringMatching(/^cannot read the configuration .*none\.json: no such file or directory$/),
    ],
    [['frobnicate'], 'unknown: frobnicate (lostwrite --help lists what there is)'],
    [['recover', 'target'], 'unknown: recover, target (lostwrite --help lists what there is)'],
    [['baseline'], 'say what to do with baselines: create, list, show or drop'],
    [['baseline', 'import', 'f'], 'unknown: import, f (lostwrite baseline --help lists what there is)'],
    [['baseline', 'create', 'target'], '--name is missing'],
    [
      ['baseline', 'create', 'target', '--name', 'a@b'],
      '"a@b" is no name for a baseline: it is empty, or has an @ or control characters',
    ],
    [
      ['baseline', 'create', 'target', '--name', 'n', '--at', 'noon'],
      expect.stringMatching(/^--at: "noon" is no time: expected a date/),
    ],
    [['baseline', 'drop'], 'baseline drop: an argument is missing (lostwrite baseline drop --help)'],
    [['scan', 'target', '--window', 'a\nb\x1b[2J'], expect.stringMatching(/^--window: "a\\nb\\x1b\[2J" is no time/)],
  ])('%j: one line, exit code 2', async (argv, message) => {
    const world = inside({});
    expect(await runCommandLine(argv, world)).toBe(2);
    const [line = '', ...rest] = world.stderr.text().split('\n');
    expect(line.startsWith('lostwrite: ')).toBe(true);
    expect(line.slice('lostwrite: '.length)).toEqual(message);
    expect(rest).toEqual(['']);
    expect(world.stdout.text()).toBe('');
  });
});

describe('help', () => {
  test.each([[['--help']], [['scan', '--help']], [['baseline', 'create', '--help']], [['explain', '--help']]])(
    '%j goes to standard output, without a yargs type in it',
    async argv => {
      const world = inside({});
      expect(await runCommandLine(argv, world)).toBe(0);
      expect(world.stdout.text()).toMatch(/^lostwrite /);
      expect(world.stdout.text()).not.toMatch(/\[(string|array|boolean|required)\]/);
      expect(world.stderr.text()).toBe('');
    },
  );

  test('--version is the version alone', async () => {
    const world = inside({});
    expect(await runCommandLine(['--version'], world)).toBe(0);
    expect(world.stdout.text()).toBe('9.9.9\n');
  });
});
