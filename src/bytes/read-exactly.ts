// Reading structures from a source: all the bytes, or a typed error that says which structure is cut short and where.

import { DamageError } from '../errors.ts';
import type { Fields, Struct, View } from '../struct/struct.ts';
import type { ByteSource } from './byte-source.ts';

/**
 * A fresh buffer of `length` bytes from `at` on. The caller has bounded `length`; `structure` is for the message.
 * Throws DamageError when the source ends before, ReadError as the source does.
 */
export function readExactly(source: ByteSource, at: number, length: number, structure: string): Uint8Array {
  const into = new Uint8Array(length);
  const count = source.read(into, at);
  if (count === length) return into;
  throw new DamageError(`${source.name}: ${structure}`, at, `${count} bytes`, `${length} bytes`);
}

/** The declared structure at `at`, over a buffer of its own. Throws as readExactly does. */
export function readStruct<F extends Fields>(source: ByteSource, struct: Struct<F>, at: number): View<F> {
  return struct.at(readExactly(source, at, struct.size, struct.name), 0, at);
}
