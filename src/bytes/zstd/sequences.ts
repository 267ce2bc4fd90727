<<<<<<< HEAD
// The sequences section of a zstd block (RFC 8878, 3.1.1.3.2): "copy so many literals, then repeat so many bytes from so far back",
// packed by three codes. What comes out is checked where it is carried out, in execute.ts.

import { BackwardBits, broken, type Padded } from './bits.ts';
import { buildFseTable, type FseTable, nextBase, nextBits, readFseTable, singleSymbolTable, symbolOf } from './fse.ts';
=======
// The sequences section of a zstd block (RFC 8878, 3.1.1.3.2): pairs of "copy so many literals" and "repeat so many bytes from so
// far back". Every copy is checked against what there is before it is made.

import { BackwardBits, broken } from './bits.ts';
import { buildFseTable, type FseTable, readFseTable, singleSymbolTable } from './fse.ts';
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527

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
<<<<<<< HEAD
const MAX_OFFSET_BITS = 24;
=======
const MAX_OFFSET_CODE = 24;
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527

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

<<<<<<< HEAD
=======
/** The last three distances, kept from block to block of a frame. */
export type RepeatOffsets = [number, number, number];

>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
export interface SequencesHead {
  readonly count: number;
  readonly tables: SequenceTables;
  readonly bitsStart: number;
}

/** Counts and tables of the section at `start`. Throws DamageError. */
<<<<<<< HEAD
export function readSequencesHead(input: Padded, start: number, end: number, previous: SequenceTables): SequencesHead {
  const { bytes } = input;
=======
export function readSequencesHead(
  bytes: Uint8Array,
  start: number,
  end: number,
  previous: SequenceTables,
): SequencesHead {
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
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
<<<<<<< HEAD
    const { table, end: tableEnd } = readTable(kind, mode, last, input, at, end);
=======
    const { table, end: tableEnd } = readTable(kind, mode, last, bytes, at, end);
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
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
<<<<<<< HEAD
  input: Padded,
=======
  bytes: Uint8Array,
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
  start: number,
  end: number,
): { table: FseTable; end: number } {
  if (mode === 0) return { table: kind.predefined, end: start };
<<<<<<< HEAD
  if (mode === 2) return readFseTable({ input, start, end, ...kind });
=======
  if (mode === 2) return readFseTable({ bytes, start, end, ...kind });
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
  if (mode === 3) {
    if (previous === null) throw broken(start, 'a repeated table', 'a table before it');
    return { table: previous, end: start };
  }
<<<<<<< HEAD
  const symbol = input.bytes[start] as number;
=======
  const symbol = bytes[start] as number;
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
  if (start >= end || symbol > kind.maxSymbol) throw broken(start, `code ${symbol}`, `at most ${kind.maxSymbol}`);
  return { table: singleSymbolTable(symbol), end: start + 1 };
}

<<<<<<< HEAD
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
=======
/** Where a block's output goes: frameStart <= at <= end of `bytes`; distances reach back to frameStart. */
export interface Output {
  readonly bytes: Uint8Array;
  readonly frameStart: number;
  at: number;
}

/** Carries out the sequences in bits [head.bitsStart, end) and appends the literals that are left. Throws DamageError. */
export function runSequences(
  head: SequencesHead,
  bytes: Uint8Array,
  end: number,
  literals: Uint8Array,
  offsets: RepeatOffsets,
  output: Output,
): void {
  let used = 0;
  if (head.count > 0) {
    const steps = new SequenceReader(head.tables, new BackwardBits(bytes, head.bitsStart, end), offsets);
    for (let left = head.count; left > 0; left--) {
      steps.next(left === 1);
      if (used + steps.literals > literals.length)
        throw broken(head.bitsStart, 'a sequence beyond the literals', 'fewer');
      copyLiterals(literals, used, steps.literals, output);
      used += steps.literals;
      copyMatch(output, steps.offset, steps.match, head.bitsStart);
    }
    steps.finish();
  }
  if (output.at + literals.length - used > output.bytes.length) throw tooMuch(head.bitsStart, output);
  copyLiterals(literals, used, literals.length - used, output);
}

/** Short runs are the rule: a loop beats the set-up of a block copy. Room for them is checked with the match that follows. */
function copyLiterals(literals: Uint8Array, from: number, count: number, output: Output): void {
  const { bytes, at } = output;
  if (count > 32) bytes.set(literals.subarray(from, from + Math.min(count, bytes.length - at)), at);
  else for (let index = 0; index < count; index++) bytes[at + index] = literals[from + index] as number;
  output.at = at + count;
}

function copyMatch(output: Output, offset: number, length: number, place: number): void {
  const { bytes, at, frameStart } = output;
  if (at + length > bytes.length) throw tooMuch(place, output);
  if (offset > at - frameStart || offset === 0)
    throw broken(place, `a distance of ${offset}`, `1 to ${at - frameStart}`);
  if (length > 32 && offset >= length) bytes.copyWithin(at, at - offset, at - offset + length);
  else if (length > 32 && offset === 1) bytes.fill(bytes[at - 1] as number, at, at + length);
  else for (let index = at; index < at + length; index++) bytes[index] = bytes[index - offset] as number;
  output.at = at + length;
}

export function tooMuch(place: number, output: Output) {
  return broken(place, 'more plain data', `at most ${output.bytes.length} bytes`);
}

/** Decodes one sequence after the other. */
class SequenceReader {
  literals = 0;
  match = 0;
  offset = 0;
  readonly #stream: BackwardBits;
  readonly #literalLengths: FseTable;
  readonly #offsets: FseTable;
  readonly #matchLengths: FseTable;
  readonly #repeats: RepeatOffsets;
  #literalState: number;
  #offsetState: number;
  #matchState: number;

  constructor(tables: SequenceTables, stream: BackwardBits, repeats: RepeatOffsets) {
    this.#stream = stream;
    this.#repeats = repeats;
    this.#literalLengths = tables.literalLengths ?? LITERAL_LENGTHS.predefined;
    this.#offsets = tables.offsets ?? OFFSETS.predefined;
    this.#matchLengths = tables.matchLengths ?? MATCH_LENGTHS.predefined;
    this.#literalState = stream.read(this.#literalLengths.accuracyLog);
    this.#offsetState = stream.read(this.#offsets.accuracyLog);
    this.#matchState = stream.read(this.#matchLengths.accuracyLog);
  }

  next(last: boolean): void {
    const stream = this.#stream;
    const offsetCode = this.#offsets.symbol[this.#offsetState] as number;
    const matchCode = this.#matchLengths.symbol[this.#matchState] as number;
    const literalCode = this.#literalLengths.symbol[this.#literalState] as number;
    if (offsetCode > MAX_OFFSET_CODE)
      throw broken(stream.first >> 3, `a distance of ${offsetCode} bits`, MAX_OFFSET_CODE);
    const distance = 2 ** offsetCode + stream.read(offsetCode);
    this.match = (MATCH_LENGTH_BASE[matchCode] as number) + stream.read(MATCH_LENGTH_BITS[matchCode] as number);
    this.literals =
      (LITERAL_LENGTH_BASE[literalCode] as number) + stream.read(LITERAL_LENGTH_BITS[literalCode] as number);
    this.offset = this.#resolve(distance);
    if (last) return;
    this.#literalState = step(this.#literalLengths, this.#literalState, stream);
    this.#matchState = step(this.#matchLengths, this.#matchState, stream);
    this.#offsetState = step(this.#offsets, this.#offsetState, stream);
    if (stream.position < stream.first) stream.finish();
  }

  finish(): void {
    this.#stream.finish();
  }

  /** Distances 1 to 3 name recent ones; without literals before them they mean the next ones on. */
  #resolve(distance: number): number {
    const repeats = this.#repeats;
    const [first, second, third] = repeats;
    if (distance > 3) {
      repeats[2] = second;
      repeats[1] = first;
      repeats[0] = distance - 3;
      return distance - 3;
    }
    const index = distance - (this.literals === 0 ? 0 : 1);
    if (index === 0) return first;
    const offset = index === 1 ? second : index === 2 ? third : first - 1;
    if (index > 1) repeats[2] = second;
    repeats[1] = first;
    repeats[0] = offset;
    return offset;
  }
}

function step(table: FseTable, state: number, stream: BackwardBits): number {
  return (table.base[state] as number) + stream.read(table.bits[state] as number);
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
}
