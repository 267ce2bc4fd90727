// The literals section of a zstd block (RFC 8878, 3.1.1.3.1): raw, one repeated byte, or Huffman coded in one stream or four.

import { bitsAt, broken, type Padded } from './bits.ts';
import { decodeHuffman, type HuffmanTable, readHuffmanTable } from './huffman.ts';

export const MAX_BLOCK_BYTES = 128 * 1024;
const RAW = 0;
const REPEATED = 1;
const TREELESS = 3;

export interface Literals {
  /** Bytes [start, start + length) of a buffer of the caller's or of the input, with some more behind them. */
  readonly view: DataView;
  readonly start: number;
  readonly length: number;
  /** Where the sequences section begins. */
  readonly end: number;
  /** For a later block that has none of its own. */
  readonly table: HuffmanTable | null;
}

/** @param room for MAX_BLOCK_BYTES. Throws DamageError. */
export function readLiterals(
  input: Padded,
  start: number,
  end: number,
  previous: HuffmanTable | null,
  room: Padded,
): Literals {
  const head = input.bytes[start] as number;
  const type = head & 3;
  const format = (head >> 2) & 3;
  if (type === RAW || type === REPEATED) return plainLiterals(input, start, end, previous, room);
  const headBytes = format < 2 ? 3 : format + 2;
  const sizeBits = format < 2 ? 10 : format * 4 + 6;
  const mask = 2 ** sizeBits - 1;
  const size = bitsAt(input.view, start * 8 + 4) & mask;
  const packed = bitsAt(input.view, start * 8 + 4 + sizeBits) & mask;
  const sectionEnd = start + headBytes + packed;
  if (sectionEnd > end || size > MAX_BLOCK_BYTES) throw broken(start, `${size} literals in ${packed} bytes`, 'fewer');
  const tree =
    type === TREELESS
      ? { table: previous, end: start + headBytes }
      : readHuffmanTable(input, start + headBytes, sectionEnd);
  if (tree.table === null) throw broken(start, 'literals without a tree', 'a tree before them');
  const into = room.bytes.subarray(0, size);
  if (format === 0) decodeHuffman(tree.table, input, tree.end, sectionEnd, into);
  else decodeFour(tree.table, input, tree.end, sectionEnd, into);
  return { view: room.view, start: 0, length: size, end: sectionEnd, table: tree.table };
}

function plainLiterals(
  { bytes, view }: Padded,
  start: number,
  end: number,
  table: HuffmanTable | null,
  room: Padded,
): Literals {
  const head = bitsAt(view, start * 8) & 0xffffff;
  const format = (head >> 2) & 3;
  const headBytes = format === 3 ? 3 : format === 1 ? 2 : 1;
  const size = headBytes === 1 ? (head & 0xff) >> 3 : (headBytes === 2 ? head & 0xffff : head) >> 4;
  const stored = (head & 3) === RAW ? size : 1;
  const sectionEnd = start + headBytes + stored;
  if (sectionEnd > end || size > MAX_BLOCK_BYTES)
    throw broken(start, `${size} literals`, `${end - start} bytes at most`);
  if ((head & 3) === RAW) return { view, start: start + headBytes, length: size, end: sectionEnd, table };
  room.bytes.fill(bytes[start + headBytes] as number, 0, size);
  return { view: room.view, start: 0, length: size, end: sectionEnd, table };
}

/** Four streams; the lengths of the first three come before them. */
function decodeFour(table: HuffmanTable, input: Padded, start: number, end: number, into: Uint8Array): void {
  const quarter = (into.length + 3) >> 2;
  let at = start + 6;
  for (let stream = 0; stream < 4; stream++) {
    const streamEnd = stream === 3 ? end : at + input.view.getUint16(start + stream * 2, true);
    if (streamEnd > end || at > streamEnd) throw broken(start, 'a literal stream beyond its section', 'one within it');
    const from = Math.min(into.length, stream * quarter);
    const to = stream === 3 ? into.length : Math.min(into.length, from + quarter);
    decodeHuffman(table, input, at, streamEnd, into.subarray(from, to));
    at = streamEnd;
  }
}
