// Builds what a block map says of one file, in few words: a state for each block of 4 KiB, `hole` where it has none.

import type { BlockWitness, PlacedSpan, PlaceState } from '../../src/judge/block-witness.ts';
import { BLOCK_BYTES } from '../../src/model.ts';
import { day } from './path-case-of.ts';

/** Where its first block lies; the others follow. */
const FIRST_PHYSICAL = 1_048_576;

/** As of g1, of an inode that it knew with two blocks, written on day 16. */
export function blockWitness(states: string, parts: Partial<BlockWitness> = {}): BlockWitness {
  const spans = spansOf(states.split(' '));
  const formerly = { sizeBytes: 2 * BLOCK_BYTES, mtimeNs: day(16), ctimeNs: day(16) };
  const sameBlocks = spans.every(({ state }) => state === 'unchanged' || state === 'changed');
  const [isAllocated, isInodeRewritten] = [true, null];
  return {
    reference: 'g1',
    unitBytes: BLOCK_BYTES,
    formerly,
    spans,
    sameBlocks,
    isAllocated,
    isInodeRewritten,
    mayHoldZeros: true,
    ...parts,
  };
}

function spansOf(states: readonly string[]): PlacedSpan[] {
  const spans: PlacedSpan[] = [];
  for (const [index, state] of states.entries()) {
    const last = spans.at(-1);
    const offset = index * BLOCK_BYTES;
    if (state === 'hole') continue;
    if (last?.state === state && last.offset + last.length === offset) {
      spans[spans.length - 1] = { ...last, length: last.length + BLOCK_BYTES };
    } else spans.push(spanAt(offset, state as PlaceState));
  }
  return spans;
}

function spanAt(offset: number, state: PlaceState): PlacedSpan {
  return {
    offset,
    length: BLOCK_BYTES,
    physical: FIRST_PHYSICAL + offset,
    state,
    formerOwner: null,
    isClaimedTwice: false,
  };
}

export function formerlyOf(sizeBytes: number): Partial<BlockWitness> {
  return { formerly: { sizeBytes, mtimeNs: day(16), ctimeNs: day(16) } };
}
