// The hashes of a piece of a block map, coded: runs that are as in the base, zeros, one hash repeated, or hash by hash.
// Zeros at the end need not be there: every piece is held as PIECE_UNITS hashes.

import { PIECE_UNITS } from '../digest/unit-hashes.ts';
import { DamageError } from '../errors.ts';
import { type Packer, Unpacker } from './packing.ts';
import { type PieceCoding, packHead, unpackHead } from './piece-coding.ts';

export type HashPiece = BigUint64Array<ArrayBuffer>;

const SAME = 0;
const LITERAL = 1;
const REPEATED = 2;
const ZEROS = 3;
const HASH_BYTES = 8;
/** A shorter repetition costs more as a run of its own. */
const LEAST_REPEATED = 2;

export const hashCoding: PieceCoding<HashPiece> = {
  empty: () => new BigUint64Array(PIECE_UNITS),
  pack: packHashes,
  apply: applyHashes,
};

/** A piece with zeros up to its full length. */
export function wholePiece(hashes: HashPiece): HashPiece {
  if (hashes.length === PIECE_UNITS) return hashes;
  const whole = hashCoding.empty();
  whole.set(hashes);
  return whole;
}

function packHashes(into: Packer, hashes: HashPiece, base: HashPiece): void {
  const [words, old] = [wordsOf(hashes), wordsOf(base)];
  let literalFrom = 0;
  for (let at = 0; at < PIECE_UNITS; ) {
    const same = sameEnd(words, old, at);
    const end = same > at ? same : repetitionEnd(words, at);
    if (same > at || end - at >= LEAST_REPEATED || isZero(words, at)) {
      packLiterals(into, hashes, literalFrom, at);
      literalFrom = end;
      if (same > at) packSame(into, end - at, end);
      else packRepeated(into, hashes, at, end - at);
    }
    at = end;
  }
  packLiterals(into, hashes, literalFrom, PIECE_UNITS);
}

/** What is as in the base up to the end need not be said. */
function packSame(into: Packer, count: number, end: number): void {
  if (end < PIECE_UNITS) packHead(into, SAME, count);
}

function packRepeated(into: Packer, hashes: HashPiece, at: number, count: number): void {
  const isOfZeros = hashes[at] === 0n;
  packHead(into, isOfZeros ? ZEROS : REPEATED, count);
  if (!isOfZeros) into.raw(bytesOf(hashes).subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

function packLiterals(into: Packer, hashes: HashPiece, start: number, end: number): void {
  if (start === end) return;
  packHead(into, LITERAL, end - start);
  into.raw(bytesOf(hashes).subarray(start * HASH_BYTES, end * HASH_BYTES));
}

/** Comparing halves of hashes keeps bigints out of the loops. */
function wordsOf(hashes: HashPiece): Int32Array {
  return new Int32Array(hashes.buffer, hashes.byteOffset, hashes.length * 2);
}

function bytesOf(hashes: HashPiece): Uint8Array {
  return new Uint8Array(hashes.buffer, hashes.byteOffset, hashes.byteLength);
}

function sameEnd(words: Int32Array, old: Int32Array, start: number): number {
  let at = start * 2;
  while (at < words.length && words[at] === old[at] && words[at + 1] === old[at + 1]) at += 2;
  return at / 2;
}

function repetitionEnd(words: Int32Array, start: number): number {
  const [low, high] = [words[start * 2], words[start * 2 + 1]];
  let at = start * 2 + 2;
  while (at < words.length && words[at] === low && words[at + 1] === high) at += 2;
  return at / 2;
}

function isZero(words: Int32Array, at: number): boolean {
  return words[at * 2] === 0 && words[at * 2 + 1] === 0;
}

function applyHashes(coded: Buffer, hashes: HashPiece): HashPiece {
  const bytes = bytesOf(hashes);
  const from = new Unpacker(coded);
  for (let at = 0; !from.atEnd; ) {
    const { kind, count } = unpackHead(from);
    if (count > PIECE_UNITS - at) throw new DamageError('hashes', from.position, count, `at most ${PIECE_UNITS - at}`);
    const end = at + count;
    if (kind === LITERAL) bytes.set(from.raw(count * HASH_BYTES), at * HASH_BYTES);
    if (kind === REPEATED) hashes.fill(from.raw(HASH_BYTES).readBigUInt64LE(), at, end);
    if (kind === ZEROS) hashes.fill(0n, at, end);
    at = end;
  }
  return hashes;
}
