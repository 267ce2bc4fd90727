// The bit streams of zstd (RFC 8878): written forwards, and mostly read backwards from a final marker bit.

import { DamageError } from '../../errors.ts';

<<<<<<< HEAD
/** Zeros around the compressed bytes: four can be looked at wherever a bit is, also shortly beyond either end. */
export const PADDING = 16;

/** Compressed bytes between zeros. Offsets in the functions of this folder count in the padded bytes. */
export interface Padded {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

export function pad(compressed: Uint8Array): Padded {
  const bytes = new Uint8Array(compressed.length + 2 * PADDING);
  bytes.set(compressed, PADDING);
  return { bytes, view: new DataView(bytes.buffer) };
}
=======
/** Zeros around the compressed bytes, so that four may be looked at wherever a bit is. */
export const PADDING = 8;
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527

/** Broken zstd data: `at` counts in the padded bytes; the error's in the compressed ones. */
export function broken(at: number, found: string | number, expected: string | number): DamageError {
  return new DamageError('zstd data', at - PADDING, found, expected);
}

/** Position of the highest set bit of a value below 2^32; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

<<<<<<< HEAD
/** Reads up to 25 bits at a time, from the end of bytes [start, end) towards their start. */
export class BackwardBits {
  readonly view: DataView;
  /** Bits that are left, counted from the start of the padded bytes; below `first`, more were read than there are. */
=======
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
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
  position: number;
  readonly first: number;

  /** Throws DamageError unless the last byte carries the marker bit. */
<<<<<<< HEAD
  constructor({ bytes, view }: Padded, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw broken(end, 'a bit stream without its marker', 'a marker bit');
    this.view = view;
=======
  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw broken(end, 'a bit stream without its marker', 'a marker bit');
    this.bytes = bytes;
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
    this.first = start * 8;
    this.position = (end - 1) * 8 + highestBit(last);
  }

<<<<<<< HEAD
  /** The caller checks `position` before it has run beyond the padding. */
  read(count: number): number {
    this.position -= count;
    return bitsAt(this.view, this.position) & ((1 << count) - 1);
=======
  read(count: number): number {
    this.position -= count;
    return (load32(this.bytes, this.position >> 3) >>> (this.position & 7)) & ((1 << count) - 1);
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
  }

  /** Throws DamageError unless every bit was read, and none beyond. */
  finish(): void {
    if (this.position !== this.first) {
      throw broken(this.first >> 3, `${this.position - this.first} bits left of a stream`, 0);
    }
  }
}
<<<<<<< HEAD

/** At least 25 bits from a bit position on, the lowest first. */
export function bitsAt(view: DataView, position: number): number {
  return view.getInt32(position >> 3, true) >>> (position & 7);
}
=======
>>>>>>> 85d91daeb127973c0d3e79b99da6a815ac487527
