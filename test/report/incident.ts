// What a scan of a Debian machine after a real storage incident looks like: for judging the summary by eye, and its lines.

import type { Finding, Skipped } from '../../src/model.ts';
import type { Report } from '../../src/report/report.ts';
import { findingOf, reportOf } from './sample-report.ts';

const packaged = (path: string, name: string, detail: string, overrides: Partial<Finding> = {}): Finding =>
  findingOf({
    path,
    verdict: 'garbage',
    owner: { kind: 'package', name, version: '1.0-1' },
    evidence: [{ scanner: 'packages', rule: 'digest-differs', supports: true, detail }],
    remedy: {
      action: 'reinstall',
      detail: `Reinstall the package ${name}.`,
      command: `apt-get install --reinstall ${name}`,
    },
    ...overrides,
  });

const lost = Array.from({ length: 37 }, (_, at) =>
  findingOf({
    path: `/srv/app/media/2014/06/img-${1000 + at}.jpg`,
    verdict: 'missing',
    causePath: '/srv/app/media/2014/06',
    evidence: [
      { scanner: 'baseline', rule: 'path-gone', supports: true, detail: 'The baseline of 2014-06-01 lists it.' },
    ],
  }),
);

const suspects = Array.from({ length: 310 }, (_, at) =>
  findingOf({ path: `/srv/app/log/${at}.log`, verdict: 'suspect', confidence: 'possible' }),
);

const FINDINGS: readonly Finding[] = [
  findingOf({ path: '/etc/cron.d/backup', verdict: 'altered', confidence: 'possible' }),
  packaged(
    '/usr/bin/openssl',
    'openssl',
    'Its MD5 digest is not that of package openssl 1.0.1e-2, and 4096 bytes at byte 8192 are zeros although the file was written there.',
    {
      confidence: 'proven',
      ranges: [{ offset: 8192, length: 4096, state: 'zero', physical: null, detail: null }],
    },
  ),
  packaged('/usr/lib/libssl.so.1.0.0', 'libssl1.0.0', 'Its MD5 digest is not that of package libssl1.0.0 1.0.1e-2.', {
    ranges: [
      { offset: 8192, length: 4096, state: 'garbage', physical: null, detail: null },
      { offset: 65_536, length: 12_288, state: 'garbage', physical: null, detail: null },
    ],
  }),
  findingOf({
    path: '/srv/app/data/caf\xc3\xa9 orders.db',
    verdict: 'stale',
    confidence: 'proven',
    evidence: [
      {
        scanner: 'baseline',
        rule: 'older-generation',
        supports: true,
        detail:
          'It equals the generation of 2014-06-01, while the one of 2014-06-05 is known and its ctime is that of 2014-06-05.',
      },
    ],
    remedy: { action: 'restore', detail: 'Restore the generation of 2014-06-05 from its backup.', command: null },
  }),
  ...suspects,
  findingOf({
    path: '/srv/app/media/2014/06',
    type: 'directory',
    verdict: 'missing',
    evidence: [
      {
        scanner: 'baseline',
        rule: 'path-gone',
        supports: true,
        detail: 'The baseline of 2014-06-01 lists this directory; its parent was not changed since.',
      },
    ],
  }),
  ...lost,
  findingOf({ path: '/srv/app/tmp/\x1b[2J\nevil\xff\\name', verdict: 'resurrected', confidence: 'possible' }),
  findingOf({
    path: '/var/lib/app/state.json',
    verdict: 'missing',
    foundAt: '/lost+found/#1312',
    evidence: [
      {
        scanner: 'tree',
        rule: 'found-by-inode',
        supports: true,
        detail: 'Its inode has no name any more but lost+found holds it.',
      },
    ],
  }),
  findingOf({
    path: '/var/spool/queue.bin',
    verdict: 'unreadable',
    confidence: 'proven',
    evidence: [
      {
        scanner: 'content',
        rule: 'read-failed',
        supports: true,
        detail: 'Reading 65536 bytes at byte 131072 fails with EIO.',
      },
    ],
    ranges: [{ offset: 131_072, length: 65_536, state: 'unreadable', physical: null, detail: null }],
  }),
];

const skipped: readonly Skipped[] = [
  ...['/home/anna/.ssh', '/home/bob/mail', '/home/eve', '/root'].map(
    path => ({ volume: 0, path, reason: 'permission' }) as const,
  ),
  { volume: 0, path: '/run/dbus/socket', reason: 'special' },
];

export function incidentReport(overrides: Partial<Report> = {}): Report {
  const base = reportOf(FINDINGS);
  return {
    ...base,
    run: { ...base.run, complete: false },
    window: { fromNs: 1_401_667_200_000_000_000n, toNs: 1_402_185_599_999_999_999n },
    references: [
      { id: 'dpkg', kind: 'packages', files: 41_240, atNs: null, vouches: 'content', complete: false },
      {
        id: 'baseline:nightly@2014-06-01T02:00:00Z',
        kind: 'baseline',
        files: 182_001,
        atNs: 1_401_588_000_000_000_000n,
        vouches: 'not-garbage',
        complete: true,
      },
    ],
    summary: {
      ...base.summary,
      files: 182_340,
      directories: 20_113,
      bytesRead: 44_238_123_008,
      vouched: 169_900,
      atRisk: 4122,
    },
    coverage: { byReference: new Map([['dpkg', 41_230]]), unvouched: 12_440, skipped },
    errors: [
      {
        path: '/var/lib/dpkg/info/perl.md5sums',
        code: 'bad-line',
        message: 'line 17 is no digest and path: 12 bytes of noise',
      },
    ],
    ...overrides,
  };
}
