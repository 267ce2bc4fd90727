// Places of files on a disk whose volume starts at 1 MiB; units of 4 KiB.

import { describe, expect, it } from 'vitest';
import { BlockOwners, packOwners } from '../../src/digest/block-owners.ts';
import type { FindingRange, OwnedRun, Stat } from '../../src/model.ts';
import { HitExtents } from '../../src/run/hit-extents.ts';
import { VolumePlaces } from '../../src/run/volume-places.ts';
import { findingOf } from '../judge/finding-of.ts';

const MIB = 2 ** 20;
const KIB4 = 4096;

const run = (
  inode: number,
  logical: number,
  physical: number,
  length: number,
  more: Partial<OwnedRun> = {},
): OwnedRun => ({
  role: 'data',
  inode,
  generation: 7,
  logical,
  physical,
  length,
  unwritten: false,
  ...more,
});

const stat = (inode: bigint, generation = 7): Stat => ({
  type: 'file',
  mode: 0o644,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  links: 1,
  inode,
  generation,
  mtimeNs: 0n,
  ctimeNs: 0n,
  crtimeNs: null,
  blocks512: null,
});

const RUNS: OwnedRun[] = [
  run(0, 3, 0, 2, { role: 'inode-table', generation: 0 }),
  run(12, 0, 100, 2),
  run(12, 2, 50, 1),
  run(12, 0, 60, 1, { role: 'block-map' }),
  run(13, 0, 101, 4),
];

const places = new VolumePlaces(new BlockOwners(packOwners(RUNS, 1)), KIB4, { offset: MIB, length: 8 * MIB });

const observed = (inode: bigint, generation?: number) => ({
  sizeBytes: 0,
  digest: null,
  stat: stat(inode, generation),
});
const range = (offset: number, length: number, physical: number | null = null): FindingRange => ({
  offset,
  length,
  state: 'garbage',
  physical,
  detail: null,
});

describe('a finding', () => {
  it('of a whole file lies where its content lies, ascending on the disk', () => {
    expect(places.placed(findingOf('rule', { observed: observed(12n) })).places).toEqual([
      { offset: MIB + 50 * KIB4, length: KIB4 },
      { offset: MIB + 100 * KIB4, length: 2 * KIB4 },
    ]);
  });

  it('of ranges lies where these lie, and each range says where it begins', () => {
    const finding = findingOf('rule', { observed: observed(12n), ranges: [range(KIB4 + 10, KIB4)] });
    const placed = places.placed(finding);
    expect(placed.ranges[0]?.physical).toBe(MIB + 101 * KIB4 + 10);
    expect(placed.places).toEqual([
      { offset: MIB + 50 * KIB4, length: 10 },
      { offset: MIB + 101 * KIB4 + 10, length: KIB4 - 10 },
    ]);
  });

  it('of a hole has no place, and keeps what was known', () => {
    const placed = places.placed(findingOf('rule', { observed: observed(12n), ranges: [range(40 * KIB4, 5, 99)] }));
    expect([placed.ranges[0]?.physical, placed.places]).toEqual([99, []]);
  });

  it('of another generation of the inode has no place', () => {
    expect(places.placed(findingOf('rule', { observed: observed(12n, 8) })).places).toEqual([]);
  });

  it.each([
    ['that is missing', { verdict: 'missing' }],
    ['of metadata alone', { metadataOnly: true }],
    ['without an inode', { observed: null }],
  ] as const)('%s is not placed', (_what, parts) => {
    const finding = findingOf('rule', { observed: observed(12n), ...parts });
    expect(places.placed(finding)).toBe(finding);
  });
});

describe('the owners within a range of the disk', () => {
  it('are cut to it, ascending, two of one block both', () => {
    const found = places.ownersWithin({ offset: MIB + 101 * KIB4, length: KIB4 + 1 });
    expect(found.map(({ run: { inode }, offset, length }) => [inode, offset - MIB, length])).toEqual([
      [12, 101 * KIB4, KIB4],
      [13, 101 * KIB4, KIB4 + 1],
    ]);
  });

  it('are the file system’s own at its start, and nobody before it', () => {
    expect(
      places.ownersWithin({ offset: 0, length: MIB + 1 }).map(({ run: { role }, length }) => [role, length]),
    ).toEqual([['inode-table', 1]]);
    expect(places.ownersWithin({ offset: 0, length: MIB })).toEqual([]);
  });
});

describe('hit extents', () => {
  const finding = (path: string, confidence: 'likely' | 'possible', offset: number, length = KIB4) =>
    findingOf('rule', { path, confidence, places: [{ offset, length }], observed: observed(12n) });

  it('are the stripes with more than hints, with the hints there', () => {
    const hits = new HitExtents(MIB, []);
    for (const each of [
      finding('/a', 'possible', 3 * MIB),
      finding('/b', 'likely', 3.5 * MIB, MIB),
      finding('/c', 'possible', 7 * MIB),
    ])
      hits.add(each);
    expect(hits.list().map(({ offset, findings, paths }) => [offset, findings, paths.map(({ path }) => path)])).toEqual(
      [
        [3 * MIB, 2, ['/a', '/b']],
        [4 * MIB, 1, ['/b']],
      ],
    );
  });

  it('are suspect extents whatever is in them; suspicion and alteration are no damage', () => {
    const hits = new HitExtents(null, [{ offset: 3 * MIB, length: 10 }]);
    hits.add(findingOf('rule', { path: '/s', verdict: 'suspect', places: [{ offset: 3 * MIB, length: 1 }] }));
    hits.add(findingOf('rule', { path: '/t', verdict: 'altered', places: [{ offset: 3 * MIB, length: 1 }] }));
    expect(hits.list()).toEqual([
      { offset: 3 * MIB, length: 10, suspect: true, findings: 0, paths: [], inodes: new Set() },
    ]);
    hits.add(finding('/d', 'possible', 3 * MIB + 9));
    expect(hits.list()[0]).toMatchObject({
      findings: 1,
      paths: [{ volume: 0, path: '/d' }],
      inodes: new Set(['0:12']),
    });
  });

  it('name sixteen of many', () => {
    const hits = new HitExtents(MIB, []);
    for (let number = 0; number < 20; number++) hits.add(finding(`/${number}`, 'likely', 0));
    expect(hits.list()[0]).toMatchObject({ findings: 20 });
    expect(hits.list()[0]?.paths.map(({ path }) => path)).toEqual(
      Array.from({ length: 16 }, (_, index) => `/${index}`),
    );
  });
});
