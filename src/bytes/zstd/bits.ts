// The bit streams of zstd (RFC 8878): written forwards, and mostly read backwards from a final marker bit.

import { DamageError } from '../../errors.ts';

/** Zeros around the compressed bytes, so that four may be looked at wherever a bit is. */
export const PADDING = 8;

/** Broken zstd data: `at` counts in the padded bytes; the error's in the compressed ones. */
export function broken(at: number, found: string | number, expected: string | number): DamageError {
  return new DamageError('zstd data', at - PADDING, found, expected);
}

/** Position of the highest set bit of a value below 2^32; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** 32 bits at a byte position. Bytes beyond the array count as zero. */
export function load32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Reads up to 25 bits at a time, from the end of bytes [start, end) towards their start. */
export class BackwardBits {
  readonly bytes: Uint8Array;
  /** Bits that are left, counted from the start of the array; below `first`, more were read than there are. */
  position: number;
  readonly first: number;

  /** Throws DamageError unless the last byte carries the marker bit. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw broken(end, 'a bit stream without its marker', 'a marker bit');
    this.bytes = bytes;
    this.first = start * 8;
    this.position = (end - 1) * 8 + highestBit(last);
  }

  read(count: number): number {
    this.position -= count;
    return (load32(this.bytes, this.position >> 3) >>> (this.position & 7)) & ((1 << count) - 1);
  }

  /** Throws DamageError unless every bit was read, and none beyond. */
  finish(): void {
    if (this.position !== this.first) {
      throw broken(this.first >> 3, `${this.position - this.first} bits left of a stream`, 0);
    }
  }
}
