// What lies after an end: bytes after the file's own, zeros after another file's. With the kernel: test/run/former-ends.test.ts.

import { expect } from 'vitest';
import { foreignEndsOf } from '../../../scanners/former-ends.ts';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import type { Entry, Filesystem } from '../../../src/filesystems/filesystem.ts';
import { FormerEndCollector, type MetEnd } from '../../../src/filesystems/former-ends.ts';
import type { BlockWitness } from '../../../src/judge/block-witness.ts';
import type { Observation, Stat } from '../../../src/model.ts';
import { blockWitness, formerlyOf } from '../block-witness-of.ts';
import { accusation, file, LATE_WINDOW, pathCase, ranges } from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const SLACK = 'bytes-after-end';
const FOREIGN = 'ends-as-another-file';

const afterEnd = (sizeBytes: number): Observation => ({
  scanner: 'slack',
  rule: SLACK,
  path: '/d/f',
  supports: true,
  detail: 'After the end of the file, its last block goes on with 96 bytes that are not zero.',
  ranges: [{ offset: sizeBytes + 4, length: 96 }],
});
const slackOf = (sizeBytes: number, blocks: readonly BlockWitness[]) => {
  const is = file(22, '', { sizeBytes, stat: { generation: 1 } });
  return pathCase({ is, blocks, observations: [afterEnd(sizeBytes)], window: LATE_WINDOW });
};

const BLOCK = 4096;
/** Inode 12 of generation 1 has blocks 10 to 12 of the volume. */
const STAT: Stat = file(22, '', { sizeBytes: 2 * BLOCK + 3000, stat: { inode: 12n, generation: 1 } }).stat;
const ENTRY: Entry = { path: '/d/f', stat: STAT, direntType: 'file', device: 0n, mountPoint: false };
const OTHER: MetEnd = { inode: 20, generation: 7, block: 11, bytes: 700 };

interface Disk {
  /** Bytes with content in each of the three blocks; zeros follow. */
  readonly used: readonly number[];
  readonly ends: readonly MetEnd[];
  /** Whether the file may share blocks, and which others have, by the log. */
  readonly shares?: boolean;
  readonly sharing?: readonly MetEnd[];
}

function seen({ used, ends, shares = false, sharing = [] }: Disk) {
  const disk = new Uint8Array(16 * BLOCK);
  for (const [index, length] of used.entries()) disk.fill(1, (10 + index) * BLOCK, (10 + index) * BLOCK + length);
  const nothing = { owned: () => [], isAllocated: () => true, inodeAt: () => null };
  const blocks = { blockBytes: BLOCK, bytes: memoryBytes('disk', disk), mayShareBlocks: () => shares, ...nothing };
  const extents = () => [{ logical: 0, physical: 10 * BLOCK, length: 3 * BLOCK, unwritten: false }];
  const refuse = () => expect.unreachable();
  const others = { root: ENTRY, list: refuse, open: refuse, readLink: refuse, close: refuse };
  const filesystem: Filesystem = { kind: 'xfs', blocks, extents, ...others };
  const collector = new FormerEndCollector();
  for (const end of ends) collector.note(end);
  for (const end of sharing) collector.noteSharing(end);
  const observations = foreignEndsOf(filesystem, ENTRY, STAT, collector.finish());
  return pathCase({ is: file(22, '', { sizeBytes: STAT.sizeBytes }), observations, window: LATE_WINDOW });
}

export const END_TESTS: readonly RuleTests[] = [
  {
    rule: SLACK,
    accuses: {
      'without any map: what the file was is not known': () => {
        expect(accusation(SLACK, slackOf(5000, []))).toBe('garbage likely');
        expect(ranges(SLACK, slackOf(5000, []))).toEqual(['unknown 4096+904']);
      },
      'a file that the map knew longer, its last block written since': () =>
        expect(accusation(SLACK, slackOf(5000, [blockWitness('unchanged changed')]))).toBe('stale likely'),
      'a file that the map knew no longer than it is': () =>
        expect(accusation(SLACK, slackOf(5000, [blockWitness('unchanged unchanged', formerlyOf(4500))]))).toBe(
          'stale likely',
        ),
    },
    innocent: {
      'blocks that were never written, and content that ends elsewhere (verity, encrypted, inline): exempt': () =>
        expect(accusation(SLACK, pathCase({ is: file(22, '', { sizeBytes: 5000 }), window: LATE_WINDOW }))).toBeNull(),
      'a file that was cut short, and whose last block is as before: what is left of it is right, `possible`': () =>
        expect(accusation(SLACK, slackOf(5000, [blockWitness('unchanged unchanged')]))).toBe('stale possible'),
    },
  },
  {
    rule: FOREIGN,
    accuses: {
      'a block in the midst of the file': () => {
        const known = seen({ used: [BLOCK, 700, 3000], ends: [OTHER] });
        expect(accusation(FOREIGN, known)).toBe('garbage likely');
        expect(ranges(FOREIGN, known)).toEqual(['foreign 4096+4096']);
      },
      'its last block, up to its own end': () =>
        expect(ranges(FOREIGN, seen({ used: [BLOCK, BLOCK, 40], ends: [{ ...OTHER, block: 12, bytes: 40 }] }))).toEqual(
          ['foreign 8192+3000'],
        ),
      'a block that an earlier file of its number had': () =>
        expect(
          accusation(FOREIGN, seen({ used: [BLOCK, 700, 3000], ends: [{ ...OTHER, inode: 12, generation: 0 }] })),
        ).toBe('garbage likely'),
      'not a block that goes on after that end, or ends before it': () => {
        expect(accusation(FOREIGN, seen({ used: [BLOCK, 701, 3000], ends: [OTHER] }))).toBeNull();
        expect(accusation(FOREIGN, seen({ used: [BLOCK, 699, 3000], ends: [OTHER] }))).toBeNull();
      },
      'not by zeros so few that content may end so': () =>
        expect(accusation(FOREIGN, seen({ used: [BLOCK, 4090, 3000], ends: [{ ...OTHER, bytes: 4090 }] }))).toBeNull(),
    },
    innocent: {
      'blocks in common with another file (`cp --reflink`), and grown since: exempt where both have shared blocks':
        () => {
          const disk = { used: [BLOCK, 700, 3000], ends: [OTHER] };
          expect(accusation(FOREIGN, seen({ ...disk, shares: true, sharing: [OTHER] }))).toBeNull();
          expect(accusation(FOREIGN, seen({ ...disk, shares: true }))).toBe('garbage likely');
          expect(accusation(FOREIGN, seen({ ...disk, sharing: [OTHER] }))).toBe('garbage likely');
          const own = { ...OTHER, inode: 12, generation: 1 };
          expect(accusation(FOREIGN, seen({ ...disk, shares: true, ends: [OTHER, own] }))).toBeNull();
        },
      'the file’s own end of another time, before it grew by a hole or zeros (`truncate`): exempt': () =>
        expect(
          accusation(FOREIGN, seen({ used: [BLOCK, 700, 3000], ends: [{ ...OTHER, inode: 12, generation: 1 }] })),
        ).toBeNull(),
      'blocks that two files exchanged (defragmentation): the file’s own end was there then, exempt': () =>
        expect(
          accusation(
            FOREIGN,
            seen({ used: [BLOCK, 700, 3000], ends: [OTHER, { ...OTHER, inode: 12, generation: 1 }] }),
          ),
        ).toBeNull(),
    },
  },
];
