// Which blocks of a file are of which day: the file's block hashes against those of its past states. Hashes only; what an
// unknown block holds is for others to say. Unit: 4 KiB from the start of the file (model.ts, BlockHashes).

import { BLOCK_BYTES, type BlockHashes, type FindingRange, type RangeState } from '../model.ts';

/** XXH64, seed 0, of 4096 zero bytes; test/judge compares it with the hasher's own. */
export const ZERO_HASH = 0xac869b6f32d8bbdbn;

/** A past state's blocks, with the words that name it in a range's detail. */
export interface PastBlocks {
  readonly label: string;
  readonly blocks: BlockHashes;
}

/** States of consecutive blocks; `current`: as the newest state has them. */
export type BlockState = RangeState | 'current';

export interface BlockSpan {
  readonly from: number;
  readonly count: number;
  readonly state: BlockState;
  readonly label: string | null;
}

/**
 * @param newest what the file should be. @param older past states, newest first.
 * A block equal to both the newest state and an older one is current.
 */
export function blockSpans(seen: BlockHashes, newest: BlockHashes, older: readonly PastBlocks[]): BlockSpan[] {
  const spans: BlockSpan[] = [];
  const now = words(seen);
  const wanted = words(newest);
  const past = older.map(state => ({ label: state.label, blocks: words(state.blocks) }));
  for (let index = 0; index < now.length; index++) {
    const hash = now[index] ?? 0n;
    append(spans, index, hash === wanted[index] ? CURRENT : stateOf(hash, index, past));
  }
  return spans;
}

const CURRENT = { state: 'current', label: null } as const;

function stateOf(hash: bigint, index: number, past: readonly { label: string; blocks: BigUint64Array }[]) {
  const match = past.find(state => state.blocks[index] === hash);
  if (match !== undefined) return { state: 'stale', label: match.label } as const;
  return { state: hash === ZERO_HASH ? 'zero' : 'unknown', label: null } as const;
}

function append(spans: BlockSpan[], index: number, { state, label }: Pick<BlockSpan, 'state' | 'label'>): void {
  const last = spans.at(-1);
  if (last !== undefined && last.state === state && last.label === label) {
    spans[spans.length - 1] = { ...last, count: last.count + 1 };
  } else spans.push({ from: index, count: 1, state, label });
}

/** Spans other than current as byte ranges, cut at the file's end. */
export function rangesOf(spans: readonly BlockSpan[], sizeBytes: number): FindingRange[] {
  return spans.flatMap(span => {
    if (span.state === 'current') return [];
    const offset = span.from * BLOCK_BYTES;
    const length = Math.min(span.count * BLOCK_BYTES, sizeBytes - offset);
    return [{ offset, length, state: span.state, physical: null, detail: span.label }];
  });
}

/** Aligned copy where needed. */
export function words(blocks: BlockHashes): BigUint64Array {
  const aligned = blocks.byteOffset % 8 === 0 ? blocks : Uint8Array.from(blocks);
  return new BigUint64Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 8));
}
