// Finite state entropy of zstd (RFC 8878, 4.1): reading a distribution, and the decoding table that follows from it.

import { type BackwardBits, bitsAt, broken, highestBit, type Padded } from './bits.ts';

/** A decoding table, one cell a state. */
export interface FseTable {
  readonly accuracyLog: number;
  /** The symbol in the low byte; above it, how many bits the next state takes, and what is added to them (16 bits). */
  readonly cells: Uint32Array;
}

/** From state to state: `nextBase(cell) + read(nextBits(cell))`. */
export const symbolOf = (cell: number) => cell & 0xff;
export const nextBits = (cell: number) => (cell >>> 8) & 0xff;
export const nextBase = (cell: number) => cell >>> 16;

/** A distribution's place in the compressed bytes, and its limits. */
export interface FseSource {
  readonly input: Padded;
  readonly start: number;
  readonly end: number;
  readonly maxAccuracyLog: number;
  readonly maxSymbol: number;
}

/** The table, and where the bytes after its description begin. Throws DamageError. */
export function readFseTable(source: FseSource): { table: FseTable; end: number } {
  const { input, start, end, maxAccuracyLog, maxSymbol } = source;
  const accuracyLog = ((input.bytes[start] as number) & 15) + 5;
  if (start >= end || accuracyLog > maxAccuracyLog) throw broken(start, `accuracy log ${accuracyLog}`, maxAccuracyLog);
  const counts: number[] = [];
  let position = start * 8 + 4;
  const peek = () => bitsAt(input.view, position);
  for (let remaining = 1 << accuracyLog; remaining > 0; ) {
    const width = highestBit(remaining + 1) + 1;
    const half = (1 << (width - 1)) - 1;
    const threshold = (1 << width) - 2 - remaining;
    let value = peek() & ((1 << width) - 1);
    if ((value & half) < threshold) value &= half;
    else if (value > half) value -= threshold;
    position += (peek() & half) < threshold ? width - 1 : width;
    counts.push(value - 1);
    remaining -= Math.abs(value - 1);
    for (let repeat = value === 1 ? 3 : 0; repeat === 3; ) {
      repeat = peek() & 3;
      position += 2;
      for (let zero = 0; zero < repeat; zero++) counts.push(0);
    }
    if (remaining < 0 || counts.length > maxSymbol + 1 || position > end * 8) {
      throw broken(start, 'a distribution that does not add up', `${1 << accuracyLog} states`);
    }
  }
  return { table: buildFseTable(counts, accuracyLog), end: Math.ceil(position / 8) };
}

/** @param counts states of each symbol; -1: "less than one". They add up to 2^accuracyLog. */
export function buildFseTable(counts: readonly number[], accuracyLog: number): FseTable {
  const size = 1 << accuracyLog;
  const symbols = spreadSymbols(counts, size);
  const next = counts.map(Math.abs);
  const cells = new Uint32Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const number = next[symbol] as number;
    next[symbol] = number + 1;
    const bits = accuracyLog - highestBit(number);
    cells[state] = (((number << bits) - size) << 16) | (bits << 8) | symbol;
  }
  return { accuracyLog, cells };
}

function spreadSymbols(counts: readonly number[], size: number): Uint8Array {
  const symbol = new Uint8Array(size);
  let high = size;
  for (const [own, count] of counts.entries()) if (count === -1) symbol[--high] = own;
  const step = (size >> 1) + (size >> 3) + 3;
  let state = 0;
  for (const [own, count] of counts.entries()) {
    for (let placed = 0; placed < count; placed++) {
      symbol[state] = own;
      do state = (state + step) & (size - 1);
      while (state >= high);
    }
  }
  return symbol;
}

/** The table of a single symbol: its only state reads no bits. */
export function singleSymbolTable(symbol: number): FseTable {
  return { accuracyLog: 0, cells: Uint32Array.of(symbol) };
}

/** Two states that take turns until the stream runs dry: how Huffman weights are packed. At most `limit` symbols. */
export function decodeAlternating({ accuracyLog, cells }: FseTable, stream: BackwardBits, limit: number): number[] {
  const states = [stream.read(accuracyLog), stream.read(accuracyLog)];
  const cellOf = (turn: number) => cells[states[turn] as number] as number;
  const symbols: number[] = [];
  for (let turn = 0; symbols.length < limit; turn ^= 1) {
    const cell = cellOf(turn);
    symbols.push(symbolOf(cell));
    states[turn] = nextBase(cell) + stream.read(nextBits(cell));
    if (stream.position >= stream.first) continue;
    symbols.push(symbolOf(cellOf(turn ^ 1)));
    break;
  }
  return symbols;
}
