// A volume's map against that of an older day, on maps of a few units written by hand.

import { describe, expect, it } from 'vitest';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import type { BlockWitness } from '../../src/judge/block-witness.ts';
import type { OwnedRun } from '../../src/model.ts';
import { BlockComparison } from '../../src/run/compare-blocks.ts';
import { handMadeMap, run } from '../digest/hand-made-map.ts';
import { directory, file } from '../judge/path-case-of.ts';

const OFFSET = 32_256;

/** What the maps say of inode 12, generation 1. */
function compared(then: [string, OwnedRun[]], now: [string, OwnedRun[]], unitBytes = 4096, sizeBytes = 8 * unitBytes) {
  const bytes = memoryBytes('volume', new Uint8Array(16 * unitBytes).fill(1));
  const volume = { isAllocated: () => true, bytes, offset: OFFSET };
  const maps = [handMadeMap(...now, unitBytes), handMadeMap(...then, unitBytes)] as const;
  const comparison = new BlockComparison('g1', ...maps, volume);
  return comparison.witness('/f', file(22, '', { sizeBytes, stat: { generation: 1 } }).stat);
}

const words = (witness: BlockWitness | null) =>
  witness?.spans.map(({ offset, length, state }) => `${state} ${offset}+${length}`);

describe('each block of a file', () => {
  it('is told by where it was and what its place held', () => {
    const then: [string, OwnedRun[]] = ['m a b c zero x', [run(12, 0, 1, 2)]];
    const now: [string, OwnedRun[]] = ['m a B C zero x', [run(12, 0, 1, 5)]];
    expect(words(compared(then, now))).toEqual([
      'unchanged 0+4096',
      'changed 4096+4096',
      'landed 8192+4096',
      'never-landed-zeros 12288+4096',
      'never-landed 16384+4096',
    ]);
  });

  it('lies where it lies in the container, in units of the map', () => {
    const witness = compared(['m a b', []], ['m a b', [run(12, 3, 1, 2)]], 1024);
    expect(witness?.spans).toMatchObject([
      { offset: 3072, length: 2048, physical: OFFSET + 1024, state: 'never-landed', formerOwner: null },
    ]);
  });

  it('counts only up to the end of the file', () => {
    expect(words(compared(['m a b', []], ['m A B', [run(12, 0, 1, 2)]], 4096, 4096))).toEqual(['landed 0+4096']);
  });

  it('that could not be read at either time is never the same', () => {
    const now: [string, OwnedRun[]] = ['m unread unread', [run(12, 0, 1, 2)]];
    expect(words(compared(['m unread b', []], now))).toEqual(['landed 0+8192']);
  });

  it('beyond the end of the older map is not known to be as it was', () => {
    expect(words(compared(['m a', []], ['m a zero zero', [run(12, 0, 2, 2)]]))).toEqual(['landed 0+8192']);
  });

  it('that was allocated and never written is none', () => {
    const now: [string, OwnedRun[]] = ['m a b', [run(12, 0, 1, 1), run(12, 1, 2, 1, { unwritten: true })]];
    expect(words(compared(['m a b', []], now))).toEqual(['never-landed 0+4096']);
  });

  it('of another generation of the inode was another file’s', () => {
    const then: [string, OwnedRun[]] = ['m a', [run(12, 0, 1, 1, { generation: 7 })]];
    expect(compared(then, ['m a', [run(12, 0, 1, 1)]])?.spans).toMatchObject([
      { state: 'never-landed', formerOwner: 'inode 12 (data)' },
    ]);
  });
});

describe('a file', () => {
  it('has the same blocks only if it has them all', () => {
    const then: [string, OwnedRun[]] = ['m a b c', [run(12, 0, 1, 3)]];
    expect(compared(then, then)?.sameBlocks).toBe(true);
    expect(compared(then, ['m a b c', [run(12, 0, 1, 2)]])?.sameBlocks).toBe(false);
    expect(compared(then, ['m a b c d', [run(12, 0, 1, 4)]])?.sameBlocks).toBe(false);
  });

  it('in many extents is followed through all of them', () => {
    const runs = [run(12, 0, 5, 1), run(12, 1, 3, 1), run(12, 4, 1, 2), run(12, 7, 4, 1)];
    const disk: [string, OwnedRun[]] = ['m a b c d e', runs];
    expect(words(compared(disk, disk))).toEqual([
      'unchanged 0+4096',
      'unchanged 4096+4096',
      'unchanged 16384+8192',
      'unchanged 28672+4096',
    ]);
  });

  it('without a generation number, or without blocks of its own, has no witness', () => {
    const map = handMadeMap('m', []);
    const volume = { isAllocated: () => true, bytes: memoryBytes('volume', new Uint8Array(4096)), offset: 0 };
    const comparison = new BlockComparison('g1', map, map, volume);
    expect(comparison.witness('/f', file(22, '').stat)).toBeNull();
    const link = file(22, '', { type: 'symlink', stat: { generation: 1 } });
    expect(comparison.witness('/l', link.stat)).toBeNull();
    expect(comparison.witness('/d', directory(22, { generation: 1 }).stat)?.spans).toEqual([]);
  });
});
