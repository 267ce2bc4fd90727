// How on-disk structures are declared: each field's offset is written once, and the type of what is read follows from it.
// Knows byte orders and bounds; what the fields mean, and which values are sane, is for the reader of the format.

import { DamageError } from '../errors.ts';
import { n64be, n64le, u16be, u16le, u32be, u32le, u64be, u64le } from './integers.ts';

export type ByteOrder = 'le' | 'be';

/** One field: `T` is the type of its value. Made by u8, u16, ... below. */
export interface Field<T> {
  readonly offset: number;
  readonly length: number;
  /** Null: the structure's own. */
  readonly order: ByteOrder | null;
  /** A getter for the views of a structure. */
  readonly getter: (name: string, at: number, order: ByteOrder) => (this: StructView) => T;
}

/** Where a structure was found. The fields are read when asked for, from `bytes`: copy what must outlive a reused buffer. */
export interface StructView {
  readonly bytes: Uint8Array;
  /** Offset of the structure in `bytes`. */
  readonly at: number;
  /** Offset of `bytes` in what it was read from: only for messages. */
  readonly origin: number;
}

/** A structure's fields by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** A structure in place: one property a field. */
export type View<F extends Fields> = StructView & {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** The view's type of a declared structure: `StructOf<typeof groupDescriptor>`. */
export type StructOf<S> = S extends Struct<infer F> ? View<F> : never;

export interface Struct<F extends Fields> {
  /** The name in the format's own document. */
  readonly name: string;
  /** Bytes that must be there. */
  readonly size: number;
  readonly fields: F;
  /**
   * The structure at `at` of `bytes`. `origin` is where `bytes` begin in their source, for messages.
   * Throws DamageError when fewer than `size` bytes are left.
   */
  at(bytes: Uint8Array, at?: number, origin?: number): View<F>;
}

/**
 * Declares a structure. `size` defaults to the end of the last field.
 * `defineStruct('jbd2_header', 'be', { magic: u32(0), type: u32(4), sequence: u32(8) })`
 */
export function defineStruct<const F extends Fields>(
  name: string,
  order: ByteOrder,
  fields: F,
  size = endOf(fields),
): Struct<F> {
  class DeclaredView implements StructView {
    readonly bytes: Uint8Array;
    readonly at: number;
    readonly origin: number;
    constructor(bytes: Uint8Array, at: number, origin: number) {
      this.bytes = bytes;
      this.at = at;
      this.origin = origin;
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    const get = field.getter(`${name}.${key}`, field.offset, field.order ?? order);
    Object.defineProperty(DeclaredView.prototype, key, { get, enumerable: true });
  }
  return {
    name,
    size,
    fields,
    at(bytes, at = 0, origin = 0) {
      if (!(at >= 0 && at + size <= bytes.length)) {
        throw new DamageError(name, origin + at, `${Math.max(0, bytes.length - at)} bytes`, `${size} bytes`);
      }
      return new DeclaredView(bytes, at, origin) as unknown as View<F>;
    },
  };
}

function endOf(fields: Fields): number {
  return Math.max(...Object.values(fields).map(field => field.offset + field.length));
}

/** The same field, little-endian whatever the structure is. */
export function littleEndian<T>(field: Field<T>): Field<T> {
  return { ...field, order: 'le' };
}

// Each kind has one function literal for each byte order: the engine inlines such a read (2 ns), a call through a table it does not.

export function u8(offset: number): Field<number> {
  const get = (at: number) =>
    function (this: StructView) {
      return this.bytes[this.at + at] as number;
    };
  return { offset, length: 1, order: null, getter: (_name, at) => get(at) };
}

export function u16(offset: number): Field<number> {
  const le = (at: number) =>
    function (this: StructView) {
      return u16le(this.bytes, this.at + at);
    };
  const be = (at: number) =>
    function (this: StructView) {
      return u16be(this.bytes, this.at + at);
    };
  return { offset, length: 2, order: null, getter: (_name, at, order) => (order === 'le' ? le(at) : be(at)) };
}

export function u32(offset: number): Field<number> {
  const le = (at: number) =>
    function (this: StructView) {
      return u32le(this.bytes, this.at + at);
    };
  const be = (at: number) =>
    function (this: StructView) {
      return u32be(this.bytes, this.at + at);
    };
  return { offset, length: 4, order: null, getter: (_name, at, order) => (order === 'le' ? le(at) : be(at)) };
}

/** Two's complement. */
export function i32(offset: number): Field<number> {
  const le = (at: number) =>
    function (this: StructView) {
      return u32le(this.bytes, this.at + at) | 0;
    };
  const be = (at: number) =>
    function (this: StructView) {
      return u32be(this.bytes, this.at + at) | 0;
    };
  return { offset, length: 4, order: null, getter: (_name, at, order) => (order === 'le' ? le(at) : be(at)) };
}

/** For what uses all 64 bits: flags, times, sequence numbers. */
export function u64(offset: number): Field<bigint> {
  const le = (at: number) =>
    function (this: StructView) {
      return u64le(this.bytes, this.at + at);
    };
  const be = (at: number) =>
    function (this: StructView) {
      return u64be(this.bytes, this.at + at);
    };
  return { offset, length: 8, order: null, getter: (_name, at, order) => (order === 'le' ? le(at) : be(at)) };
}

/** 64 bits that must fit a number (offsets, sizes, counts): reading a greater value throws DamageError. */
export function n64(offset: number): Field<number> {
  const get = (name: string, at: number, read: typeof n64le) =>
    function (this: StructView) {
      const value = read(this.bytes, this.at + at);
      if (value <= Number.MAX_SAFE_INTEGER) return value;
      throw new DamageError(name, this.origin + this.at + at, value, 'at most 2^53 - 1');
    };
  return {
    offset,
    length: 8,
    order: null,
    getter: (name, at, order) => get(name, at, order === 'le' ? n64le : n64be),
  };
}

/** Bytes in place, not a copy. */
export function bytes(offset: number, length: number): Field<Uint8Array> {
  const get = (at: number) =>
    function (this: StructView) {
      return this.bytes.subarray(this.at + at, this.at + at + length);
    };
  return { offset, length, order: null, getter: (_name, at) => get(at) };
}

/** Text of at most `length` bytes up to its first NUL, one character a byte (latin1). */
export function text(offset: number, length: number): Field<string> {
  const get = (at: number) =>
    function (this: StructView) {
      const start = this.at + at;
      const nul = this.bytes.subarray(start, start + length).indexOf(0);
      return latin1(this.bytes, start, nul < 0 ? length : nul);
    };
  return { offset, length, order: null, getter: (_name, at) => get(at) };
}

/** Bytes as a string of one character a byte. */
export function latin1(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString('latin1');
}
