// What the merged summary of a sweep adds up, and how it reads.

import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/model.ts';
import { mergeTargets } from '../../src/report/merge-targets.ts';
import type { ReportExtent } from '../../src/report/report.ts';
import type { SweptTarget, WireSweep } from '../../src/report/sweep-schema.ts';
import { renderSweepSummary } from '../../src/report/sweep-summary.ts';
import { scannedFacts } from '../../src/report/swept-target.ts';
import { sweepSchemaErrors } from './report-validator.ts';
import { findingOf, reportOf } from './sample-report.ts';

const BASH = { kind: 'package', name: 'bash', version: '5.2-1' } as const;
const ZLIB = { kind: 'package', name: 'zlib1g', version: null } as const;

function swept(name: string, findings: readonly Finding[], more: Partial<SweptTarget> = {}): SweptTarget {
  const report = reportOf(findings);
  const given = { path: `/images/${name}`, kind: 'image', owner: null, ticket: null, priority: null } as const;
  return { ...given, name, ...scannedFacts(report), attempts: 1, report: `${name}.json`, ...more };
}

const FAILED: Partial<SweptTarget> = {
  state: 'failed',
  reasons: ['no such file'],
  attempts: 2,
  figures: null,
  worst: [],
};

function sweepOf(targets: readonly SweptTarget[]): WireSweep {
  const { complete, ...merged } = mergeTargets(targets);
  const run = { startedAt: '2014-06-08T00:00:00Z', finishedAt: '2014-06-08T00:12:31Z', complete, file: 'vms.yaml' };
  return { format: 'lostwrite-sweep', version: 1, tool: { name: 'lostwrite', version: '9.9.9' }, run, ...merged };
}

const PLATFORM = [
  swept('calm', []),
  swept('web1', [
    findingOf({ path: '/bin/bash', verdict: 'garbage', confidence: 'proven', owner: BASH }),
    findingOf({ path: '/bin/rbash', verdict: 'stale', confidence: 'likely', owner: BASH }),
    findingOf({ path: '/etc/fstab', verdict: 'altered', confidence: 'likely' }),
  ]),
  swept(
    'web2',
    [findingOf({ path: '/bin/bash', owner: BASH }), findingOf({ path: '/lib/z', confidence: 'possible', owner: ZLIB })],
    {
      owner: 'web team',
      priority: 1,
    },
  ),
  swept('db', [findingOf({ path: '/srv/x', verdict: 'suspect', confidence: 'possible' })], {
    owner: 'db\x1b[31m team',
    state: 'partial',
    reasons: ['volume 1: xfs is not read'],
  }),
  swept('gone', [], { ...FAILED, owner: 'web team', ticket: 'OPS-17' }),
];

describe('the merged summary', () => {
  const sweep = sweepOf(PLATFORM);

  test('is valid', () => {
    expect(sweepSchemaErrors(sweep)).toEqual([]);
  });

  test('adds up its targets', () => {
    const { files, reported, proven, hints, suspects, verdicts } = sweep.summary.figures;
    const each = reportOf([]).summary.files;
    expect(sweep.summary).toMatchObject({ targets: 5, whole: 3, partial: 1, failed: 1, notStarted: 0, damaged: 2 });
    expect({ files, reported, proven, hints, suspects }).toEqual({
      files: each * 4,
      reported: 3,
      proven: 1,
      hints: 2,
      suspects: 1,
    });
    expect(verdicts).toEqual({ ...verdicts, ...sumOfVerdicts() });
    expect(sweep.run.complete).toBe(false);
  });

  test('has the worst first, and what was not scanned before what is calm', () => {
    expect(sweep.targets.map(({ name }) => name)).toEqual(['web1', 'web2', 'db', 'gone', 'calm']);
  });

  test('counts by owner and by package', () => {
    expect(sweep.byOwner).toEqual([
      { owner: null, targets: 2, damaged: 1, notWhole: 0, reported: 2, proven: 1 },
      { owner: 'web team', targets: 2, damaged: 1, notWhole: 1, reported: 1, proven: 0 },
      { owner: 'db\x1b[31m team', targets: 1, damaged: 0, notWhole: 1, reported: 0, proven: 0 },
    ]);
    expect(sweep.byPackage).toEqual([{ name: 'bash', targets: 2, reported: 3 }]);
  });

  test('reads well, and steers no terminal', () => {
    expect(renderSweepSummary(sweep, { directory: '/out', file: '_sweep.json' }).join('\n')).toMatchInlineSnapshot(`
      "lostwrite 9.9.9: sweep of 5 targets (vms.yaml)
      3 scanned whole, 1 in part, 1 failed; 400 files, 16 KiB read in 12 min 31 s.

      DAMAGE FOUND in 2 of 5 targets: 3 paths are damaged, 1 of them beyond doubt.
      NOT EVERYTHING WAS SCANNED: what was left out may be damaged as well.

      The worst first
        target  owner            damaged  proven  hints  suspect  the worst
        web1    -                      2       1      1        -  /bin/bash (garbage, proven)
        web2    web team               1       -      1        -  /bin/bash (stale, likely)
        db      db\\x1b[31m team        -       -      -        1  -

      By owner
        owner            targets  damaged  not whole  damaged paths
        (nobody named)         2        1          -              2
        web team               2        1          1              1
        db\\x1b[31m team        1        -          1              -

      By package
        package  targets  damaged paths
        bash           2              3

      Not scanned, or not whole (2)
        db, db\\x1b[31m team
          in part: volume 1: xfs is not read
        gone, web team, OPS-17
          failed: no such file (tried twice)

      Reports:  /out
      Merged:   _sweep.json there

      DAMAGE FOUND in 2 of 5 targets: 3 paths are damaged, 1 of them beyond doubt.
      NOT EVERYTHING WAS SCANNED: what was left out may be damaged as well."
    `);
  });
});

describe('extents of the host', () => {
  const extent = (index: number, findings: number, suspect = false): ReportExtent => ({
    offset: index * 4_194_304,
    length: 4_194_304,
    suspect,
    findings,
    paths: [],
    residents: 0,
    others: [],
    structures: [],
    freeBytes: 0,
    outsideBytes: 0,
  });
  const facts = (extents: readonly ReportExtent[]) => scannedFacts({ ...reportOf([]), extents });

  test('of a target are those with damage, the worst of them by what they hold', () => {
    const many = Array.from({ length: 30 }, (_, index) => extent(index, index));
    const { damagedExtents, extents } = facts([...many, extent(99, 0, true)]);
    expect([damagedExtents, extents.length]).toEqual([29, 20]);
    expect(extents[0]).toEqual({ offset: 29 * 4_194_304, length: 4_194_304, findings: 29 });
  });

  test('are merged worst first, and shown', () => {
    const one = swept('one', [], facts([extent(3, 2), extent(1, 2), extent(0, 1)]));
    const sweep = sweepOf([one, swept('two', [], facts([extent(7, 5)])), swept('gone', [], FAILED)]);
    expect(sweepSchemaErrors(sweep)).toEqual([]);
    expect(sweep.byExtent.map(({ target, offset, findings }) => [target, offset / 4_194_304, findings])).toEqual([
      ['two', 7, 5],
      ['one', 1, 2],
      ['one', 3, 2],
      ['one', 0, 1],
    ]);
    const lines = renderSweepSummary(sweep, { directory: '/out', file: '_sweep.json' });
    const at = lines.indexOf('By extent of the host');
    expect(lines.slice(at, at + 3)).toEqual([
      'By extent of the host',
      '  target   from byte   size  paths',
      '  two     29,360,128  4 MiB      5',
    ]);
    const crowd = swept('crowd', [], facts(Array.from({ length: 25 }, (_, index) => extent(index, 1))));
    expect(renderSweepSummary(sweepOf([crowd]), { directory: '/out', file: '_sweep.json' })).toContain(
      '  and 15 more extents: the targets’ reports name them',
    );
  });
});

function sumOfVerdicts(): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { figures } of PLATFORM) {
    for (const [verdict, count] of Object.entries(figures?.verdicts ?? {})) sum[verdict] = (sum[verdict] ?? 0) + count;
  }
  return sum;
}

const VOUCHED = swept('a', []);
const { figures } = VOUCHED;
if (figures !== null) figures.vouched = 7;

describe('the headline of a sweep', () => {
  const headline = (targets: readonly SweptTarget[]): string | undefined =>
    renderSweepSummary(sweepOf(targets), { directory: '/out', file: '_sweep.json' })[3];

  test.each([
    ['NO DAMAGE FOUND.', [VOUCHED]],
    ['NO DAMAGE FOUND in what was scanned.', [VOUCHED, swept('b', [], FAILED)]],
    [
      'NO DAMAGE FOUND FOR SURE, but 1 path is worth a look.',
      [swept('a', [findingOf({ path: '/x', verdict: 'altered' })])],
    ],
    ['DAMAGE FOUND in 1 of 1 target: 1 path is damaged, very likely.', [swept('a', [findingOf({ path: '/x' })])]],
    ['NO DAMAGE SEEN, but nothing could vouch for what the files hold.', [swept('a', [], FAILED)]],
  ])('%s', (words, targets) => {
    expect(headline(targets)).toBe(words);
  });
});
