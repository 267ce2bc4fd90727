// Bytes that are there already, as a source.

import type { ByteSource } from '../../bytes/byte-source.ts';

export class BytesInMemory implements ByteSource {
  readonly name: string;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name: string) {
    this.#bytes = bytes;
    this.name = name;
  }

  get size(): number {
    return this.#bytes.length;
  }

  read(into: Uint8Array, at: number): number {
    const piece = this.#bytes.subarray(at, at + into.length);
    into.set(piece);
    return piece.length;
  }
}
