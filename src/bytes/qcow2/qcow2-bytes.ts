// The disk inside a qcow2 image, or inside one of its snapshots, as plain bytes. Knows nothing of how the other files of a chain
// are found: they are given.

import type { ByteSource } from '../byte-source.ts';
import type { ClusterCache } from '../cluster-cache.ts';
import { damage } from '../damage.ts';
import { ClusterMap, type Run } from './cluster-map.ts';
import { decompressCluster } from './decompress.ts';
import type { Qcow2Header, TablePlace } from './header.ts';

export interface Qcow2Parts {
  readonly name: string;
  readonly header: Qcow2Header;
  readonly sizeBytes: number;
  /** The active L1 table, or a snapshot's. */
  readonly l1: TablePlace;
  /** The image file as it is, and through a cache for its tables. */
  readonly file: ByteSource;
  readonly tables: ByteSource;
  /** Holds the data clusters: the image file itself, or its external data file. */
  readonly data: ByteSource;
  readonly backing: ByteSource | null;
  /** Shared by all images of a chain. */
  readonly plainClusters: ClusterCache;
}

export class Qcow2Bytes implements ByteSource {
  readonly size: number;
  readonly name: string;
  readonly #parts: Qcow2Parts;
  readonly #map: ClusterMap;

  constructor(parts: Qcow2Parts) {
    this.size = parts.sizeBytes;
    this.name = parts.name;
    this.#parts = parts;
    const { header, l1, tables } = parts;
    this.#map = new ClusterMap({ header, l1, tables, dataBytes: parts.data.size });
  }

  read(into: Uint8Array, at: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.size - at));
    for (let filled = 0; filled < wanted; ) {
      const run = this.#map.runAt(at + filled, wanted - filled);
      const part = into.subarray(filled, Math.min(wanted, filled + run.length));
      this.#fill(part, run, at + filled);
      filled += part.length;
    }
    return wanted;
  }

  /** From the tables alone, and from the backing file where nothing covers it. */
  nextData(at: number): number {
    let backingData = at;
    while (at < this.size) {
      const run = this.#map.runAt(at, 1);
      if (run.kind === 'data' || run.kind === 'compressed') return at;
      const end = Math.min(this.size, at + run.length);
      if (run.kind === 'unallocated') {
        if (backingData <= at) backingData = this.#nextInBacking(at);
        if (backingData < end) return Math.max(at, backingData);
      }
      at = end;
    }
    return this.size;
  }

  #nextInBacking(at: number): number {
    const { backing } = this.#parts;
    if (backing === null || at >= backing.size) return this.size;
    const next = backing.nextData?.(at) ?? at;
    return next < backing.size ? next : this.size;
  }

  #fill(into: Uint8Array, run: Run, at: number): void {
    const { data, backing } = this.#parts;
    if (run.kind === 'data') fillFrom(data, into, run.host);
    else if (run.kind === 'compressed') {
      const start = at - run.clusterStart;
      into.set(this.#plainCluster(run).subarray(start, start + into.length));
    } else if (run.kind === 'unallocated' && backing !== null) fillFrom(backing, into, at);
    else into.fill(0);
  }

  #plainCluster({ host, hostLength }: Run): Uint8Array {
    const { file, header, plainClusters } = this.#parts;
    return plainClusters.get(file, host, () => {
      const compressed = new Uint8Array(hostLength);
      const count = file.read(compressed, host);
      const plain = decompressCluster(header.compression, compressed.subarray(0, count), header.clusterBytes);
      if (typeof plain !== 'string') return plain;
      throw damage(
        file,
        'qcow2 compressed cluster',
        host,
        plain,
        `${header.clusterBytes} bytes of ${header.compression} data`,
      );
    });
  }
}

/** Beyond the end of the source are zeros: a backing file may be shorter, and the last cluster of an image file too. */
function fillFrom(source: ByteSource, into: Uint8Array, at: number): void {
  const count = at < source.size ? source.read(into, at) : 0;
  if (count < into.length) into.fill(0, count);
}
