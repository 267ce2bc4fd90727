// The block hashes of a file, run-length coded: zeros and other repetitions cost nine bytes a run.
// Form: items of varint(2 * count + repeated), then one hash (repeated) or `count` hashes. Hashes are eight bytes.

import { DamageError } from '../errors.ts';
import type { BlockHashes } from '../model.ts';
import { type Packer, Unpacker } from './packing.ts';

export const HASH_BYTES = 8;
/** What one array can hold: the hashes of a file of 2 TiB. */
export const MOST_BLOCKS = 2 ** 29 - 1;
/** A repetition shorter than this costs more as a run of its own. */
const LEAST_RUN = 3;
const NO_BLOCKS: BlockHashes = new Uint8Array(0);

/** Codes `hashes` (a multiple of eight bytes) onto the end of `into`. */
export function packBlockList(into: Packer, hashes: BlockHashes): void {
  if (hashes.length % HASH_BYTES !== 0) throw new RangeError(`block hashes of ${hashes.length} bytes`);
  let literalFrom = 0;
  let at = 0;
  while (at < hashes.length) {
    const runEnd = repetitionEnd(hashes, at);
    if (runEnd - at >= LEAST_RUN * HASH_BYTES) {
      packLiterals(into, hashes, literalFrom, at);
      into.varint(((runEnd - at) / HASH_BYTES) * 2 + 1);
      into.raw(hashes.subarray(at, at + HASH_BYTES));
      literalFrom = runEnd;
    }
    at = runEnd;
  }
  packLiterals(into, hashes, literalFrom, hashes.length);
}

function packLiterals(into: Packer, hashes: BlockHashes, start: number, end: number): void {
  if (start === end) return;
  into.varint(((end - start) / HASH_BYTES) * 2);
  into.raw(hashes.subarray(start, end));
}

/** Where the run of hashes equal to the one at `start` ends. */
function repetitionEnd(hashes: BlockHashes, start: number): number {
  let at = start + HASH_BYTES;
  while (at < hashes.length && hashes[at] === hashes[start]) {
    for (let i = 1; i < HASH_BYTES; i++) if (hashes[at + i] !== hashes[start + i]) return at;
    at += HASH_BYTES;
  }
  return at;
}

/** The hashes of coded bytes that repeat nothing, as a view of them; null when expanding is needed. DamageError. */
export function literalBlockList(coded: Buffer): BlockHashes | null {
  if (coded.length === 0) return NO_BLOCKS;
  const [first] = blockRuns(coded);
  if (first === undefined || first.times !== 1 || first.end !== coded.length) return null;
  return new Uint8Array(first.hashes.buffer, first.hashes.byteOffset, first.hashes.length);
}

/** The hashes of coded bytes; `most` bounds their number. DamageError where they do not fit. */
export function unpackBlockList(coded: Buffer, most: number): BlockHashes {
  const hashes = new Uint8Array(countBlocks(coded, most) * HASH_BYTES);
  let at = 0;
  for (const run of blockRuns(coded)) {
    const length = run.hashes.length * run.times;
    hashes.set(run.hashes, at);
    for (let done = run.hashes.length; done < length; done *= 2) {
      hashes.copyWithin(at + done, at, at + Math.min(done, length - done));
    }
    at += length;
  }
  return hashes;
}

/** How many blocks coded bytes stand for. DamageError when they are more than `most`. */
function countBlocks(coded: Buffer, most: number): number {
  let count = 0;
  for (const run of blockRuns(coded)) count += (run.hashes.length / HASH_BYTES) * run.times;
  if (count > most) throw new DamageError('block list', 0, count, `at most ${most} blocks`);
  return count;
}

/** Hashes that follow one another, all of them repeated so many times (more than once: a single hash). */
export interface BlockRun {
  readonly hashes: Buffer;
  readonly times: number;
  /** Where the run ends in the coded bytes. */
  readonly end: number;
}

/** The runs of coded bytes, without expanding them. */
export function* blockRuns(coded: Buffer): IterableIterator<BlockRun> {
  const unpacker = new Unpacker(coded);
  while (!unpacker.atEnd) {
    const head = unpacker.varint();
    const count = Math.floor(head / 2);
    const repeated = head % 2 === 1;
    const hashes = unpacker.raw(repeated ? HASH_BYTES : count * HASH_BYTES);
    yield { hashes, times: repeated ? count : 1, end: unpacker.position };
  }
}
