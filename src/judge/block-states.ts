// Which blocks of a file are of which day: the file's block hashes against those of its past states. Hashes only; what an
// unknown block holds is for others to say. Unit: 4 KiB from the start of the file (model.ts, BlockHashes).

import { BLOCK_BYTES, type BlockHashes, type FindingRange, type RangeState } from '../model.ts';

/** XXH64, seed 0, of 4096 zero bytes; test/judge compares it with the hasher's own. */
export const ZERO_HASH = 0xac869b6f32d8bbdbn;

/** A past state's blocks, and its size in bytes. */
export interface SizedBlocks {
  readonly blocks: BlockHashes;
  readonly sizeBytes: number;
}

/** With the words that name the state in a range's detail. */
export interface PastBlocks extends SizedBlocks {
  readonly label: string;
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
 * A block equal to both the newest state and an older one is current. A block that runs on with zeros past a state's end
 * has that state's hash, and is not its block: nothing ever wrote those zeros.
 */
export function blockSpans(seen: SizedBlocks, newest: SizedBlocks, older: readonly PastBlocks[]): BlockSpan[] {
  const spans: BlockSpan[] = [];
  const now = words(seen.blocks);
  const current = opened(newest, 'current', null);
  const past = older.map(state => opened(state, 'stale', state.label));
  for (let index = 0; index < now.length; index++) {
    const hash = now[index] ?? 0n;
    const end = Math.min(seen.sizeBytes, (index + 1) * BLOCK_BYTES);
    append(spans, index, stateOf(hash, index, end, [current, ...past]));
  }
  return spans;
}

interface OpenedState {
  readonly state: BlockState;
  readonly label: string | null;
  readonly sizeBytes: number;
  readonly blocks: BigUint64Array;
}

function opened({ blocks, sizeBytes }: SizedBlocks, state: BlockState, label: string | null): OpenedState {
  return { state, label, sizeBytes, blocks: words(blocks) };
}

const RUNS_ON = 'a block of this file that runs on with zeros past its end';

function stateOf(
  hash: bigint,
  index: number,
  end: number,
  states: readonly OpenedState[],
): Pick<BlockSpan, 'state' | 'label'> {
  const alike = states.filter(each => each.blocks[index] === hash);
  const match = alike.find(each => each.sizeBytes >= end);
  if (match !== undefined) return { state: match.state, label: match.label };
  if (hash === ZERO_HASH) return { state: 'zero', label: null };
  return alike.length > 0 ? { state: 'garbage', label: RUNS_ON } : { state: 'unknown', label: null };
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
