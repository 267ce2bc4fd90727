// Integers, times and byte strings as packed bytes. Knows nothing of what they stand for.
// Integers are varints (seven bits a byte, low bits first), so that one wire form serves numbers and bigints alike.

import { DamageError } from '../errors.ts';

const INITIAL_BYTES = 4096;
/** Seven varint bytes are 49 bits: still exact in a double. */
const EXACT_SCALE = 2 ** 49;

/** Appends to a buffer that grows; `start` marks where the current piece begins. */
export class Packer {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #end = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#end;
  }

  clear(): void {
    this.#end = 0;
  }

  /** Goes back to an earlier length. */
  truncate(length: number): void {
    this.#end = length;
  }

  /** A view, valid until the next write. */
  view(start = 0, end = this.#end): Buffer {
    return this.#bytes.subarray(start, end);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#end++] = value;
  }

  /** Overwrites a byte written earlier. */
  patch(at: number, value: number): void {
    if (at >= this.#end) throw new RangeError(`no byte at ${at} yet`);
    this.#bytes[at] = value;
  }

  /** A whole number from 0 to 2^53-1. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`cannot pack ${value}`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#end++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#end++] = rest;
  }

  /** A bigint of at least 0, of any size. */
  bigVarint(value: bigint): void {
    if (value < 0n) throw new RangeError(`cannot pack ${value}`);
    let rest = value;
    while (rest > Number.MAX_SAFE_INTEGER) {
      this.byte(Number(rest % 128n) + 128);
      rest /= 128n;
    }
    this.varint(Number(rest));
  }

  /** A bigint of any size and sign. */
  signedBigVarint(value: bigint): void {
    this.bigVarint(value < 0n ? -value * 2n - 1n : value * 2n);
  }

  /** A whole number from -2^52 to 2^52-1. */
  signedVarint(value: number): void {
    this.varint(value < 0 ? -value * 2 - 1 : value * 2);
  }

  /** A whole number from 0 to 2^32-1, in four bytes. */
  uint32(value: number): void {
    this.#reserve(4);
    this.#end = this.#bytes.writeUInt32LE(value, this.#end);
  }

  /** A bigint of 64 bits with sign, in eight bytes. */
  int64(value: bigint): void {
    this.#reserve(8);
    this.#end = this.#bytes.writeBigInt64LE(value, this.#end);
  }

  /** Raw bytes, without their length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#end);
    this.#end += value.length;
  }

  /** Raw bytes given as hex, without their length. */
  hex(value: string): void {
    this.#reserve(value.length / 2);
    this.#end += this.#bytes.write(value, this.#end, 'hex');
  }

  /** A string of one byte a character, after its length. */
  latin1(value: string): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#end += this.#bytes.write(value, this.#end, 'latin1');
  }

  /** A string as UTF-8, after its length. */
  text(value: string): void {
    const bytes = Buffer.from(value, 'utf8');
    this.varint(bytes.length);
    this.raw(bytes);
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#end + count));
    this.#bytes.copy(grown, 0, 0, this.#end);
    this.#bytes = grown;
  }
}

/** Reads what Packer wrote; DamageError at anything that does not fit into the bytes. */
export class Unpacker {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    return this.#bytes[this.#take(1)] ?? 0;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) break;
      scale *= 128;
      if (scale > Number.MAX_SAFE_INTEGER) throw this.#damage('a long number', 'a whole number');
    }
    if (value > Number.MAX_SAFE_INTEGER) throw this.#damage(value, 'a whole number');
    return value;
  }

  bigVarint(): bigint {
    let value = 0;
    let scale = 1;
    while (scale < EXACT_SCALE) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) return BigInt(value);
      scale *= 128;
    }
    return BigInt(value) + this.#highPart();
  }

  signedBigVarint(): bigint {
    const value = this.bigVarint();
    return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
  }

  signedVarint(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64LE(this.#take(8));
  }

  /** A view into the bytes. */
  raw(length: number): Buffer {
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  hex(byteLength: number): string {
    const start = this.#take(byteLength);
    return this.#bytes.toString('hex', start, start + byteLength);
  }

  /** All that is left, as a view. */
  rest(): Buffer {
    return this.raw(this.#bytes.length - this.#at);
  }

  latin1(): string {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.toString('latin1', start, start + length);
  }

  text(): string {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  #highPart(): bigint {
    let value = 0n;
    let shift = 49n;
    for (;;) {
      const byte = this.byte();
      value += BigInt(byte % 128) << shift;
      if (byte < 128) return value;
      shift += 7n;
    }
  }

  #take(count: number): number {
    const start = this.#at;
    if (count > this.#bytes.length - start) throw this.#damage(this.#bytes.length - start, `${count} bytes`);
    this.#at += count;
    return start;
  }

  #damage(found: string | number, expected: string): DamageError {
    return new DamageError('packed bytes', this.#at, found, expected);
  }
}
