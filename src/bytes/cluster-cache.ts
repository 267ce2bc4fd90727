// Decompressed clusters, the least recently used of which go first. One for all images of a chain, with a fixed bound.

import type { ByteSource } from './byte-source.ts';

const CAPACITY_BYTES = 4 * 1024 * 1024;

export class ClusterCache {
  /** By host offset, for each image file: in order of use, the oldest first. */
  readonly #clusters = new Map<string, Uint8Array>();
  readonly #files = new Map<ByteSource, number>();
  #bytes = 0;

  /** The cluster at `host` of `file`, made by `make` if it is not there. */
  get(file: ByteSource, host: number, make: () => Uint8Array): Uint8Array {
    const key = `${this.#number(file)}:${host}`;
    const known = this.#clusters.get(key);
    if (known !== undefined) this.#clusters.delete(key);
    const cluster = known ?? make();
    this.#clusters.set(key, cluster);
    if (known === undefined) this.#makeRoom(cluster.length);
    return cluster;
  }

  #number(file: ByteSource): number {
    const number = this.#files.get(file) ?? this.#files.size;
    this.#files.set(file, number);
    return number;
  }

  #makeRoom(added: number): void {
    this.#bytes += added;
    for (const [key, cluster] of this.#clusters) {
      if (this.#bytes <= CAPACITY_BYTES || this.#clusters.size === 1) return;
      this.#clusters.delete(key);
      this.#bytes -= cluster.length;
    }
  }
}
