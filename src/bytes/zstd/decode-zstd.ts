// Zstandard (RFC 8878) into a buffer of known size: for the compressed clusters of disk images. Written for hostile input: memory is
// what the caller gives, time is bounded by the two lengths. No dictionaries; content checksums are skipped, not verified.

import { u16le, u32le } from '../../struct/integers.ts';
import { broken, PADDING, type Padded, pad } from './bits.ts';
import { executeSequences, type Output, tooMuch } from './execute.ts';
import type { HuffmanTable } from './huffman.ts';
import { MAX_BLOCK_BYTES, readLiterals } from './literals.ts';
import { decodeSequences, NO_TABLES, type RepeatOffsets, readSequencesHead, type SequenceTables } from './sequences.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const RAW_BLOCK = 0;
const REPEATED_BLOCK = 1;
const RESERVED_BLOCK = 3;
const room = pad(new Uint8Array(MAX_BLOCK_BYTES));

/**
 * Decodes frames from the start of `compressed` until `into` is full; what follows them is ignored.
 * Throws DamageError, its `at` an offset in `compressed`.
 */
export function decodeZstd(compressed: Uint8Array, into: Uint8Array): void {
  const input = pad(compressed);
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  const end = PADDING + compressed.length;
  let filled = 0;
  for (let at = PADDING; filled < into.length; ) {
    if (at + 8 > end) throw broken(at, 'the end of the compressed bytes', `${into.length - filled} bytes more`);
    const magic = u32le(input.bytes, at);
    if (magic - (magic % 16) === SKIPPABLE_MAGIC) {
      at += 8 + u32le(input.bytes, at + 4);
      continue;
    }
    if (magic !== MAGIC) throw broken(at, `magic ${magic.toString(16)}`, MAGIC.toString(16));
    const output = { bytes: into, view, frameStart: filled, at: filled };
    at = decodeFrame(input, at + 4, end, output);
    filled = output.at;
  }
}

/** Returns where the frame ends. `at`: its header, after the magic. */
function decodeFrame(input: Padded, at: number, end: number, output: Output): number {
  const { bytes } = input;
  const descriptor = bytes[at] as number;
  if (descriptor & 0x0b) throw broken(at, 'a dictionary or reserved bits', 'none');
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeAt = at + (singleSegment ? 1 : 2);
  const sizeBytes = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const declared = contentSize(bytes, sizeAt, sizeBytes);
  const blocksEnd = new BlockDecoder(input, end, output).decodeAll(sizeAt + sizeBytes);
  const produced = output.at - output.frameStart;
  if (declared !== null && declared !== produced) throw broken(at, `${produced} bytes`, `${declared} bytes`);
  return blocksEnd + (descriptor & 0x04 ? 4 : 0);
}

/** Null when the frame does not tell. */
function contentSize(bytes: Uint8Array, at: number, length: number): number | null {
  if (length === 0) return null;
  if (length === 1) return bytes[at] as number;
  if (length === 2) return u16le(bytes, at) + 256;
  return u32le(bytes, at) + (length === 8 ? u32le(bytes, at + 4) * 2 ** 32 : 0);
}

/** The blocks of one frame: what one leaves to the next. */
class BlockDecoder {
  readonly #input: Padded;
  readonly #end: number;
  readonly #output: Output;
  readonly #offsets: RepeatOffsets = [1, 4, 8];
  #tables: SequenceTables = NO_TABLES;
  #huffman: HuffmanTable | null = null;

  constructor(input: Padded, end: number, output: Output) {
    this.#input = input;
    this.#end = end;
    this.#output = output;
  }

  /** Returns where the last block ends. */
  decodeAll(start: number): number {
    const { bytes } = this.#input;
    for (let at = start; ; ) {
      if (at + 3 > this.#end) throw broken(at, 'the end of the compressed bytes', 'a block');
      const header = u16le(bytes, at) + (bytes[at + 2] as number) * 65536;
      const type = (header >> 1) & 3;
      const size = header >> 3;
      const blockEnd = at + 3 + (type === REPEATED_BLOCK ? 1 : size);
      if (blockEnd > this.#end || type === RESERVED_BLOCK)
        throw broken(at, `a block of ${size} bytes, type ${type}`, 'less');
      this.#decode(type, at + 3, size);
      if (header & 1) return blockEnd;
      at = blockEnd;
    }
  }

  #decode(type: number, start: number, size: number): void {
    const output = this.#output;
    if (type > REPEATED_BLOCK) {
      this.#decodeCompressed(start, start + size);
      return;
    }
    if (output.at + size > output.bytes.length) throw tooMuch(start, output);
    if (type === RAW_BLOCK) output.bytes.set(this.#input.bytes.subarray(start, start + size), output.at);
    else output.bytes.fill(this.#input.bytes[start] as number, output.at, output.at + size);
    output.at += size;
  }

  #decodeCompressed(start: number, end: number): void {
    const literals = readLiterals(this.#input, start, end, this.#huffman, room);
    const head = readSequencesHead(this.#input, literals.end, end, this.#tables);
    const sequences = decodeSequences(head, this.#input, end, this.#offsets);
    executeSequences(sequences, literals, this.#output, literals.end);
    this.#huffman = literals.table;
    this.#tables = head.tables;
  }
}
