// A part of a source as a source of its own: a partition, a logical volume's run.

import { DamageError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

/** Bytes [offset, offset + size) of `source`, which is not closed with it. Throws DamageError when the source is shorter. */
export function slice(source: ByteSource, offset: number, size: number, name: string): ByteSource {
  if (!(offset >= 0 && size >= 0 && offset + size <= source.size)) {
    throw new DamageError(name, offset, `${size} bytes`, `at most ${Math.max(0, source.size - offset)} bytes`);
  }
  return new SliceBytes(source, offset, size, name);
}

class SliceBytes implements ByteSource {
  readonly size: number;
  readonly name: string;
  readonly nextData?: (at: number) => number;
  readonly #source: ByteSource;
  readonly #offset: number;

  constructor(source: ByteSource, offset: number, size: number, name: string) {
    this.#source = source;
    this.#offset = offset;
    this.size = size;
    this.name = name;
    const below = source.nextData?.bind(source);
    if (below) this.nextData = at => (at >= size ? size : Math.min(size, below(offset + at) - offset));
  }

  read(into: Uint8Array, at: number): number {
    const left = this.size - at;
    if (left <= 0) return 0;
    return this.#source.read(into.length <= left ? into : into.subarray(0, left), this.#offset + at);
  }
}
