// Huffman coded literals of zstd (RFC 8878, 4.2): the tree's description, and streams decoded by one table lookup a byte.

import { BackwardBits, bitsAt, broken, highestBit, type Padded } from './bits.ts';
import { decodeAlternating, readFseTable } from './fse.ts';

const MAX_BITS = 11;
const MAX_WEIGHTS = 255;
const MAX_WEIGHT_ACCURACY = 6;

export interface HuffmanTable {
  readonly maxBits: number;
  /** By the next maxBits bits: the literal in the low byte, its code's length above it. */
  readonly codes: Uint16Array;
}

/** The table described at `start`, and where the bytes after the description begin. Throws DamageError. */
export function readHuffmanTable(input: Padded, start: number, end: number): { table: HuffmanTable; end: number } {
  const head = input.bytes[start] as number;
  const bodyBytes = head < 128 ? head : (head - 126) >> 1;
  const bodyEnd = start + 1 + bodyBytes;
  if (bodyEnd > end) throw broken(start, 'the end of the block', 'a Huffman tree');
  const weights =
    head < 128 ? packedWeights(input, start + 1, bodyEnd) : plainWeights(input.bytes, start + 1, head - 127);
  return { table: buildTable(weights, start), end: bodyEnd };
}

function packedWeights(input: Padded, start: number, end: number): number[] {
  const limits = { maxAccuracyLog: MAX_WEIGHT_ACCURACY, maxSymbol: MAX_BITS };
  const { table, end: streamStart } = readFseTable({ input, start, end, ...limits });
  return decodeAlternating(table, new BackwardBits(input, streamStart, end), MAX_WEIGHTS);
}

function plainWeights(bytes: Uint8Array, start: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const pair = bytes[start + (index >> 1)] as number;
    return index & 1 ? pair & 15 : pair >> 4;
  });
}

/** The last symbol's weight is not stored: it fills the tree up. */
function buildTable(weights: number[], at: number): HuffmanTable {
  const used = weights.reduce((sum, weight) => sum + (weight > 0 ? 2 ** (weight - 1) : 0), 0);
  const maxBits = highestBit(used) + 1;
  const left = 2 ** maxBits - used;
  const complete = used > 0 && maxBits <= MAX_BITS && left === 2 ** highestBit(left);
  if (!complete) throw broken(at, `Huffman weights that add up to ${used}`, 'a complete tree');
  weights.push(highestBit(left) + 1);
  const codes = new Uint16Array(2 ** maxBits);
  const next = rankStarts(weights, maxBits);
  for (const [literal, weight] of weights.entries()) {
    if (weight === 0) continue;
    const from = next[weight] as number;
    const to = from + 2 ** (weight - 1);
    codes.fill(((maxBits + 1 - weight) << 8) | literal, from, to);
    next[weight] = to;
  }
  return { maxBits, codes };
}

/** Where the codes of each weight begin in the table: the longest come first. */
function rankStarts(weights: readonly number[], maxBits: number): number[] {
  const counts = new Array<number>(maxBits + 1).fill(0);
  for (const weight of weights) counts[weight] = (counts[weight] as number) + 1;
  const starts = [0];
  let start = 0;
  for (let weight = 1; weight <= maxBits; weight++) {
    starts.push(start);
    start += (counts[weight] as number) * 2 ** (weight - 1);
  }
  return starts;
}

/** Decodes one stream, bytes [start, end), into `into`, which it must fill exactly. Throws DamageError. */
export function decodeHuffman(table: HuffmanTable, input: Padded, start: number, end: number, into: Uint8Array): void {
  const stream = new BackwardBits(input, start, end);
  const { view, first } = stream;
  const { codes, maxBits } = table;
  const mask = codes.length - 1;
  let { position } = stream;
  let at = 0;
  // Two codes, at most 22 bits, from one look at the stream.
  for (const last = into.length - 1; at < last && position >= first; at += 2) {
    const bits = bitsAt(view, position - 2 * maxBits);
    const one = codes[(bits >>> maxBits) & mask] as number;
    const two = codes[(bits >>> (maxBits - (one >> 8))) & mask] as number;
    into[at] = one;
    into[at + 1] = two;
    position -= (one >> 8) + (two >> 8);
  }
  if (at < into.length && position >= first) {
    const code = codes[bitsAt(view, position - maxBits) & mask] as number;
    into[at] = code;
    position -= code >> 8;
  }
  stream.position = position;
  stream.finish();
}
