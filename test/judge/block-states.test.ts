// Which blocks are of which day, and how they become byte ranges.

import { describe, expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import { BlockHasher } from '../../src/digest/block-hash.ts';
import { blockSpans, rangesOf, words, ZERO_HASH } from '../../src/judge/block-states.ts';
import { blocksOf } from './path-case-of.ts';

const sized = (words: string, sizeBytes = words.split(' ').length * 4096) => ({
  blocks: blocksOf(words.split(' ')),
  sizeBytes,
});
const older = (words: string, sizeBytes?: number) => ({ label: 'as in g0', ...sized(words, sizeBytes) });
const brief = (spans: ReturnType<typeof blockSpans>) =>
  spans.map(({ from, count, state }) => `${state} ${from}+${count}`);

describe('the blocks of a file', () => {
  it('are current where they equal the newest state, also where an older one has them too', () => {
    expect(brief(blockSpans(sized('a b'), sized('a b'), [older('a x')]))).toEqual(['current 0+2']);
  });

  it('are stale where an older state has them at that place only', () => {
    expect(blockSpans(sized('a b c'), sized('a x y'), [older('d b c')])).toEqual([
      { from: 0, count: 1, state: 'current', label: null },
      { from: 1, count: 2, state: 'stale', label: 'as in g0' },
    ]);
  });

  it('are unknown where no state has them at that place', () => {
    expect(brief(blockSpans(sized('b a'), sized('a b'), [older('c d')]))).toEqual(['unknown 0+2']);
  });

  it('are zero where nothing had zeros', () => {
    expect(brief(blockSpans(sized('a zero zero d'), sized('a b c d'), []))).toEqual([
      'current 0+1',
      'zero 1+2',
      'current 3+1',
    ]);
  });

  it('are current where the newest state has zeros', () => {
    expect(brief(blockSpans(sized('a zero'), sized('a zero'), []))).toEqual(['current 0+2']);
  });

  it('are garbage where a state’s last block runs on with zeros past that state’s end', () => {
    expect(brief(blockSpans(sized('a b', 8192), sized('a b', 5000), []))).toEqual(['current 0+1', 'garbage 1+1']);
    expect(brief(blockSpans(sized('a b', 5000), sized('a b', 5000), []))).toEqual(['current 0+2']);
  });
});

describe('ranges', () => {
  it('leave out what is current, and end with the file', () => {
    const spans = blockSpans(sized('a x y', 9000), sized('a b c', 9000), []);
    expect(rangesOf(spans, 9000)).toEqual([
      { offset: 4096, length: 4904, state: 'unknown', physical: null, detail: null },
    ]);
  });
});

describe('the hash of a zero block', () => {
  it('is XXH64 of 4096 zero bytes', async () => {
    const { h64Raw } = await xxhash();
    expect(h64Raw(new Uint8Array(4096), 0n)).toBe(ZERO_HASH);
    const hasher = new BlockHasher();
    hasher.add(new Uint8Array(4096));
    expect([...words(hasher.finish())]).toEqual([ZERO_HASH]);
  });
});
