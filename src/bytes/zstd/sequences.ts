// The sequences section of a zstd block (RFC 8878, 3.1.1.3.2): "copy so many literals, then repeat so many bytes from so far back",
// packed by three codes. What comes out is checked where it is carried out, in execute.ts.

import { BackwardBits, broken, type Padded } from './bits.ts';
import { buildFseTable, type FseTable, nextBase, nextBits, readFseTable, singleSymbolTable, symbolOf } from './fse.ts';

const LITERAL_LENGTH_BASE = Uint32Array.of(
  ...Array.from({ length: 16 }, (_, code) => code),
  ...[16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536],
);
const LITERAL_LENGTH_BITS = Uint8Array.of(
  ...Array.from({ length: 16 }, () => 0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const MATCH_LENGTH_BASE = Uint32Array.of(
  ...Array.from({ length: 32 }, (_, code) => code + 3),
  ...[35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539],
);
const MATCH_LENGTH_BITS = Uint8Array.of(
  ...Array.from({ length: 32 }, () => 0),
  ...[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
/** An offset code is the number of its bits; more than this is farther back than any window that we accept. */
const MAX_OFFSET_BITS = 24;

/** One of the three codes that a sequence is made of. */
interface Kind {
  readonly maxAccuracyLog: number;
  readonly maxSymbol: number;
  readonly predefined: FseTable;
}

const LITERAL_LENGTHS: Kind = {
  maxAccuracyLog: 9,
  maxSymbol: 35,
  predefined: buildFseTable(
    [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
    6,
  ),
};
const OFFSETS: Kind = {
  maxAccuracyLog: 8,
  maxSymbol: 31,
  predefined: buildFseTable(
    [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
    5,
  ),
};
const MATCH_LENGTHS: Kind = {
  maxAccuracyLog: 9,
  maxSymbol: 52,
  predefined: buildFseTable(
    [
      ...[1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      ...[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1],
    ],
    6,
  ),
};

export interface SequenceTables {
  readonly literalLengths: FseTable | null;
  readonly offsets: FseTable | null;
  readonly matchLengths: FseTable | null;
}

export const NO_TABLES: SequenceTables = { literalLengths: null, offsets: null, matchLengths: null };

export interface SequencesHead {
  readonly count: number;
  readonly tables: SequenceTables;
  readonly bitsStart: number;
}

/** Counts and tables of the section at `start`. Throws DamageError. */
export function readSequencesHead(input: Padded, start: number, end: number, previous: SequenceTables): SequencesHead {
  const { bytes } = input;
  const first = bytes[start] as number;
  if (start >= end) throw broken(start, 'the end of the block', 'a count of sequences');
  if (first === 0) return { count: 0, tables: previous, bitsStart: start + 1 };
  const second = bytes[start + 1] as number;
  const headBytes = first < 128 ? 1 : first < 255 ? 2 : 3;
  const count =
    first < 128
      ? first
      : first < 255
        ? (first - 128) * 256 + second
        : second + (bytes[start + 2] as number) * 256 + 0x7f00;
  const modes = bytes[start + headBytes] as number;
  let at = start + headBytes + 1;
  if (at > end || modes & 3) throw broken(start, 'reserved bits or the end of the block', 'modes of three tables');
  const next = (kind: Kind, mode: number, last: FseTable | null): FseTable => {
    const { table, end: tableEnd } = readTable(kind, mode, last, input, at, end);
    at = tableEnd;
    return table;
  };
  const literalLengths = next(LITERAL_LENGTHS, modes >> 6, previous.literalLengths);
  const offsets = next(OFFSETS, (modes >> 4) & 3, previous.offsets);
  const matchLengths = next(MATCH_LENGTHS, (modes >> 2) & 3, previous.matchLengths);
  return { count, tables: { literalLengths, offsets, matchLengths }, bitsStart: at };
}

function readTable(
  kind: Kind,
  mode: number,
  previous: FseTable | null,
  input: Padded,
  start: number,
  end: number,
): { table: FseTable; end: number } {
  if (mode === 0) return { table: kind.predefined, end: start };
  if (mode === 2) return readFseTable({ input, start, end, ...kind });
  if (mode === 3) {
    if (previous === null) throw broken(start, 'a repeated table', 'a table before it');
    return { table: previous, end: start };
  }
  const symbol = input.bytes[start] as number;
  if (start >= end || symbol > kind.maxSymbol) throw broken(start, `code ${symbol}`, `at most ${kind.maxSymbol}`);
  return { table: singleSymbolTable(symbol), end: start + 1 };
}

/** The last three distances, kept from block to block of a frame. */
export type RepeatOffsets = [number, number, number];

/** Literals, match and distance of each sequence: three numbers each. The count has 16 bits, from 0x7F00 on. */
const MAX_SEQUENCES = 0x7f00 + 0xffff;
const decoded = new Int32Array(3 * MAX_SEQUENCES);

/**
 * Decodes the bits [head.bitsStart, end). The result is good until the next call. Throws DamageError.
 * The bits of a sequence lie in the order distance, match, literals; then come those of the next states.
 */
export function decodeSequences(head: SequencesHead, input: Padded, end: number, repeats: RepeatOffsets): Int32Array {
  if (head.count === 0) return decoded.subarray(0, 0);
  const stream = new BackwardBits(input, head.bitsStart, end);
  const literalTable = head.tables.literalLengths ?? LITERAL_LENGTHS.predefined;
  const offsetTable = head.tables.offsets ?? OFFSETS.predefined;
  const matchTable = head.tables.matchLengths ?? MATCH_LENGTHS.predefined;
  let literalCell = literalTable.cells[stream.read(literalTable.accuracyLog)] as number;
  let offsetCell = offsetTable.cells[stream.read(offsetTable.accuracyLog)] as number;
  let matchCell = matchTable.cells[stream.read(matchTable.accuracyLog)] as number;
  const last = 3 * (head.count - 1);
  for (let at = 0; at <= last; at += 3) {
    const offsetBits = symbolOf(offsetCell);
    if (offsetBits > MAX_OFFSET_BITS) throw broken(head.bitsStart, `a distance of ${offsetBits} bits`, MAX_OFFSET_BITS);
    const distance = (1 << offsetBits) + stream.read(offsetBits);
    const matchCode = symbolOf(matchCell);
    const literalCode = symbolOf(literalCell);
    const match = (MATCH_LENGTH_BASE[matchCode] as number) + stream.read(MATCH_LENGTH_BITS[matchCode] as number);
    const literals =
      (LITERAL_LENGTH_BASE[literalCode] as number) + stream.read(LITERAL_LENGTH_BITS[literalCode] as number);
    decoded[at] = literals;
    decoded[at + 1] = match;
    decoded[at + 2] = distance > 3 ? remember(repeats, distance - 3, 2) : repeated(repeats, distance, literals);
    if (at < last) {
      literalCell = literalTable.cells[nextBase(literalCell) + stream.read(nextBits(literalCell))] as number;
      matchCell = matchTable.cells[nextBase(matchCell) + stream.read(nextBits(matchCell))] as number;
      offsetCell = offsetTable.cells[nextBase(offsetCell) + stream.read(nextBits(offsetCell))] as number;
    }
    if (stream.position < stream.first) break;
  }
  stream.finish();
  return decoded.subarray(0, last + 3);
}

/** Distances 1 to 3 name recent ones; without literals before them they mean the next ones on. */
function repeated(repeats: RepeatOffsets, distance: number, literals: number): number {
  const index = literals === 0 ? distance : distance - 1;
  if (index === 0) return repeats[0];
  return remember(repeats, index === 3 ? repeats[0] - 1 : (repeats[index] as number), index);
}

/** Puts a distance first; those that were before place `index` move up by one. */
function remember(repeats: RepeatOffsets, distance: number, index: number): number {
  if (index > 1) repeats[2] = repeats[1];
  repeats[1] = repeats[0];
  repeats[0] = distance;
  return distance;
}
