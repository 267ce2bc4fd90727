// The bit streams of zstd (RFC 8878): written forwards, and mostly read backwards from a final marker bit.

import { DamageError } from '../../errors.ts';

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

/** Broken zstd data: `at` counts in the padded bytes; the error's in the compressed ones. */
export function broken(at: number, found: string | number, expected: string | number): DamageError {
  return new DamageError('zstd data', at - PADDING, found, expected);
}

/** Position of the highest set bit of a value below 2^32; -1 for 0. */
export function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}

/** Reads up to 25 bits at a time, from the end of bytes [start, end) towards their start. */
export class BackwardBits {
  readonly view: DataView;
  /** Bits that are left, counted from the start of the padded bytes; below `first`, more were read than there are. */
  position: number;
  readonly first: number;

  /** Throws DamageError unless the last byte carries the marker bit. */
  constructor({ bytes, view }: Padded, start: number, end: number) {
    const last = end > start ? (bytes[end - 1] as number) : 0;
    if (last === 0) throw broken(end, 'a bit stream without its marker', 'a marker bit');
    this.view = view;
    this.first = start * 8;
    this.position = (end - 1) * 8 + highestBit(last);
  }

  /** The caller checks `position` before it has run beyond the padding. */
  read(count: number): number {
    this.position -= count;
    return bitsAt(this.view, this.position) & ((1 << count) - 1);
  }

  /** Throws DamageError unless every bit was read, and none beyond. */
  finish(): void {
    if (this.position !== this.first) {
      throw broken(this.first >> 3, `${this.position - this.first} bits left of a stream`, 0);
    }
  }
}

/** At least 25 bits from a bit position on, the lowest first. */
export function bitsAt(view: DataView, position: number): number {
  return view.getInt32(position >> 3, true) >>> (position & 7);
}
