// The day that each block of a file is of. Content is words, one for each block of 4 KiB; g0 is older than g1.

import { describe, expect, it } from 'vitest';
import { blockDays } from '../../src/judge/block-days.ts';
import type { BlockWitness, PlacedSpan, PlaceState } from '../../src/judge/block-witness.ts';
import type { ContentSeen } from '../../src/model.ts';
import { type CaseParts, directory, file, pathCase, seenOf } from './path-case-of.ts';

const KIB4 = 4096;

/** `from+count day` of each span, or the generation in place of the day. */
function days(parts: CaseParts): string[] | null {
  const found = blockDays(pathCase(parts));
  if (found === null) return null;
  return found.spans.map(({ from, count, day, generation }) => `${from}+${count} ${generation?.id ?? day}`);
}

function witness(
  reference: string,
  spans: readonly [from: number, count: number, state: PlaceState][],
  unitBytes = KIB4,
) {
  const placed = spans.map(
    ([from, count, state]): PlacedSpan => ({
      offset: from * unitBytes,
      length: count * unitBytes,
      physical: from * unitBytes,
      state,
      formerOwner: null,
      isClaimedTwice: false,
    }),
  );
  return {
    reference,
    unitBytes,
    formerly: null,
    spans: placed,
    sameBlocks: false,
    isAllocated: null,
    isInodeRewritten: null,
    mayHoldZeros: true,
  } satisfies BlockWitness;
}

/** Blocks are not kept of a file that is as expected. */
function withoutBlocks(content: ContentSeen | null): ContentSeen | null {
  return content === null ? null : { ...content, blocks: null };
}

describe('by what generations hold', () => {
  const was = [file(10, 'a b c d'), file(20, 'A b C d')];

  it('tells the newest state, an older one, zeros, and what nobody knows', () => {
    expect(days({ was, is: file(20, 'A b c zero x') })).toEqual(['0+2 g1', '2+1 g0', '3+1 zeros', '4+1 unknown']);
  });

  it('takes a block that both have for the newest state’s', () => {
    expect(days({ was, is: file(20, 'a b') })).toEqual(['0+1 g0', '1+1 g1']);
  });

  it('tells of a file that is as a generation has it, even without its blocks', () => {
    const seen = seenOf(was[1] ?? file(20, ''));
    expect(days({ was, seen: { ...seen, content: withoutBlocks(seen.content) } })).toEqual(['0+4 g1']);
    const older = seenOf(was[0] ?? file(10, ''));
    expect(days({ was, seen: { ...older, content: withoutBlocks(older.content) } })).toEqual(['0+4 g0']);
  });

  it('does not take zeros that go on past the end of a state for its block', () => {
    const short = file(20, 'A b', { sizeBytes: KIB4 + 100 });
    expect(days({ was: [short], is: file(21, 'A b c') })).toEqual(['0+1 g1', '1+2 unknown']);
  });

  it('tells what cannot be read', () => {
    const seen = seenOf(file(20, 'A b x d'));
    const content = seen.content === null ? null : { ...seen.content, unreadable: [{ offset: 2 * KIB4, length: 10 }] };
    expect(days({ was, seen: { ...seen, content } })).toEqual(['0+2 g1', '2+1 unreadable', '3+1 g1']);
  });
});

describe('by places on the disk', () => {
  const is = file(22, 'n1 n2 n3 n4 n5 n6');

  it('tells what never landed, what was written since, holes and what is as it was', () => {
    const spans = witness('g1', [
      [0, 1, 'unchanged'],
      [1, 1, 'changed'],
      [2, 1, 'landed'],
      [3, 1, 'never-landed'],
      [4, 1, 'never-landed-zeros'],
    ]);
    expect(days({ was: [file(20, 'o1 o2')], is, blocks: [spans] })).toEqual([
      '0+1 g1',
      '1+2 written',
      '3+1 lost',
      '4+1 zeros',
      '5+1 hole',
    ]);
  });

  it('believes the hash of a generation before the place', () => {
    const spans = witness('g1', [[0, 6, 'never-landed']]);
    expect(days({ was: [file(20, 'o1 n2')], is, blocks: [spans] })).toEqual(['0+1 lost', '1+1 g1', '2+4 lost']);
  });

  it('knows by an older map what went back since the newest', () => {
    const newest = witness('g1', [[0, 6, 'changed']]);
    const older = witness('g0', [
      [1, 2, 'never-landed'],
      [4, 2, 'landed'],
    ]);
    expect(days({ was: [null, file(20, 'o1')], is, blocks: [newest, older] })).toEqual([
      '0+1 written',
      '1+2 lost',
      '3+3 written',
    ]);
  });

  it('tells units smaller than the blocks of hashes, and directories', () => {
    const spans = witness(
      'g1',
      [
        [0, 3, 'unchanged'],
        [3, 1, 'never-landed'],
      ],
      1024,
    );
    const parts = { was: [directory(20)], blocks: [spans] };
    expect(days({ ...parts, is: directory(22, { sizeBytes: KIB4 }) })).toEqual(['0+3 g1', '3+1 lost']);
  });
});

describe('nothing is told', () => {
  it('of what is not there, is empty, or no reference knows', () => {
    expect(days({ was: [file(20, 'a')], is: null })).toBe(null);
    expect(days({ was: [file(20, 'a')], is: file(21, '') })).toBe(null);
    expect(days({ is: file(21, 'a') })).toBe(null);
    expect(days({ was: [directory(20)], is: directory(22, { sizeBytes: KIB4 }) })).toBe(null);
  });
});
