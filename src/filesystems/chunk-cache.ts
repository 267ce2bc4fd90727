// Aligned pieces of a source, the last used ones kept, within a bound of bytes. Knows no file system.
// A piece is never written again once handed out: whoever holds it may keep it.

import type { ByteSource } from '../bytes/byte-source.ts';

export class ChunkCache {
  readonly #source: ByteSource;
  readonly #chunkBytes: number;
  readonly #most: number;
  readonly #chunks = new Map<number, Uint8Array>();
  #lastIndex = -1;
  #last: Uint8Array = new Uint8Array(0);

  constructor(source: ByteSource, chunkBytes: number, boundBytes: number) {
    this.#source = source;
    this.#chunkBytes = chunkBytes;
    this.#most = Math.max(1, Math.floor(boundBytes / chunkBytes));
  }

  /** The chunk of that index; shorter, perhaps empty, where the source ends. Throws what the source throws. */
  chunk(index: number): Uint8Array {
    if (index === this.#lastIndex) return this.#last;
    const chunk = this.#kept(index) ?? this.#read(index);
    this.#chunks.set(index, chunk);
    this.#lastIndex = index;
    this.#last = chunk;
    return chunk;
  }

  /** Taken out, so that setting it again makes it the youngest. */
  #kept(index: number): Uint8Array | undefined {
    const chunk = this.#chunks.get(index);
    if (chunk !== undefined) this.#chunks.delete(index);
    return chunk;
  }

  #read(index: number): Uint8Array {
    const chunk = new Uint8Array(this.#chunkBytes);
    const filled = this.#source.read(chunk, index * this.#chunkBytes);
    if (this.#chunks.size >= this.#most) {
      for (const oldest of this.#chunks.keys()) {
        this.#chunks.delete(oldest);
        break;
      }
    }
    return filled === chunk.length ? chunk : chunk.slice(0, filled);
  }
}
