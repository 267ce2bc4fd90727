// Where the bytes of a qcow2 disk are: the walk through an L1 table and its L2 tables. It reads no data and decompresses nothing.

import type { ByteSource } from '../byte-source.ts';
import { damage } from '../damage.ts';
import { bytesPerL1Entry, type Qcow2Header, type TablePlace } from './header.ts';
import { COMPRESSED_HIGH, COPIED_HIGH, OFFSET_MASK_HIGH, OFFSET_MASK_LOW, SUBCLUSTERS, ZERO_LOW } from './layout.ts';
import { TableWindow } from './table-window.ts';

/** A stretch of the disk whose bytes are found in one way. */
export interface Run {
  /** data: at `host`; compressed: one cluster, from `host` on; zero: zeros; unallocated: the backing file's, or zeros. */
  kind: 'data' | 'compressed' | 'zero' | 'unallocated';
  length: number;
  /** Offset in the file that holds the data (the image itself, or its data file). */
  host: number;
  /** Compressed: how many bytes of the image may belong to it; where the cluster begins on the disk. */
  hostLength: number;
  clusterStart: number;
}

export interface ClusterMapOptions {
  readonly header: Qcow2Header;
  /** The active table or a snapshot's. */
  readonly l1: TablePlace;
  /** The image file, cached: for the tables. */
  readonly tables: ByteSource;
  /** Length of the file that holds the data. */
  readonly dataBytes: number;
}

export class ClusterMap {
  readonly #header: Qcow2Header;
  readonly #l1: TablePlace;
  readonly #file: ByteSource;
  readonly #dataBytes: number;
  readonly #l1Window: TableWindow;
  readonly #l2Window: TableWindow;
  readonly #bytesPerL2: number;
  readonly #entryBytes: number;
  readonly #pieceBytes: number;
  #l1Index = -1;
  #l2Offset = 0;

  constructor({ header, l1, tables, dataBytes }: ClusterMapOptions) {
    this.#header = header;
    this.#l1 = l1;
    this.#file = tables;
    this.#dataBytes = dataBytes;
    this.#l1Window = new TableWindow(tables, 'qcow2 L1 table');
    this.#l2Window = new TableWindow(tables, 'qcow2 L2 table');
    this.#bytesPerL2 = bytesPerL1Entry(header);
    this.#entryBytes = header.extendedL2 ? 16 : 8;
    this.#pieceBytes = header.extendedL2 ? header.clusterBytes / SUBCLUSTERS : header.clusterBytes;
  }

  /**
   * The run at `at`, followed until it ends or reaches `enough` bytes; it may be longer, and reach beyond the disk's end.
   * Throws DamageError for an impossible entry, ReadError.
   */
  runAt(at: number, enough: number): Run {
    const run = this.#pieceAt(at);
    while (run.length < enough && run.kind !== 'compressed') {
      const next = this.#pieceAt(at + run.length);
      if (next.kind !== run.kind || (run.kind === 'data' && next.host !== run.host + run.length)) break;
      run.length += next.length;
    }
    return run;
  }

  /** From `at` to the end of its L2 table's reach if there is no table, of its cluster or its subcluster. */
  #pieceAt(at: number): Run {
    const index = Math.floor(at / this.#bytesPerL2);
    const withinL2 = at - index * this.#bytesPerL2;
    const l2Offset = this.#l2At(index);
    if (l2Offset === 0) return run('unallocated', this.#bytesPerL2 - withinL2);
    const cluster = Math.floor(withinL2 / this.#header.clusterBytes);
    const within = withinL2 - cluster * this.#header.clusterBytes;
    return this.#pieceOf(l2Offset + cluster * this.#entryBytes, at, within);
  }

  /** Offset of an L2 table; 0: none. */
  #l2At(index: number): number {
    if (index >= this.#l1.entries) return 0;
    if (index === this.#l1Index) return this.#l2Offset;
    const at = this.#l1.offset + index * 8;
    this.#l1Window.moveTo(at);
    const offset = offsetOf(this.#l1Window);
    if (offset !== 0) this.#checkOwn('qcow2 L1 entry', at, offset, this.#header.clusterBytes, this.#file.size);
    this.#l1Index = index;
    this.#l2Offset = offset;
    return offset;
  }

  #pieceOf(entryAt: number, at: number, within: number): Run {
    const window = this.#l2Window;
    window.moveTo(entryAt);
    if (window.high & COMPRESSED_HIGH) return this.#compressed(entryAt, at, within);
    const offset = this.#dataOffset(entryAt, at - within);
    const length = this.#pieceBytes - (within % this.#pieceBytes);
    if (this.#header.extendedL2) return this.#subcluster(entryAt, offset, within, length);
    if (window.low & ZERO_LOW) return this.#zero(entryAt, length);
    return offset === null ? run('unallocated', length) : run('data', length, offset + within);
  }

  /** Null: no cluster. An offset of 0 is one only in a data file. */
  #dataOffset(entryAt: number, clusterStart: number): number | null {
    const window = this.#l2Window;
    const offset = offsetOf(window);
    if (this.#header.dataFile === null) {
      if (offset === 0) return null;
      // A zero cluster's preallocation is never read: it may lie beyond the end of the file.
      const read = this.#header.extendedL2 || (window.low & ZERO_LOW) === 0;
      this.#checkOwn('qcow2 L2 entry', entryAt, offset, 1, read ? this.#dataBytes : Number.POSITIVE_INFINITY);
      return offset;
    }
    if (offset === 0 && (window.high & COPIED_HIGH) === 0) return null;
    if (offset === clusterStart) return offset;
    throw damage(
      this.#file,
      'qcow2 L2 entry',
      entryAt,
      offset,
      `${clusterStart}, the disk's own offset, in a data file`,
    );
  }

  #zero(entryAt: number, length: number): Run {
    if (this.#header.version > 2) return run('zero', length);
    throw damage(this.#file, 'qcow2 L2 entry', entryAt, 'a zero flag', 'none in version 2');
  }

  #subcluster(entryAt: number, offset: number | null, within: number, length: number): Run {
    const window = this.#l2Window;
    window.moveTo(entryAt + 8);
    const bit = 2 ** Math.floor(within / this.#pieceBytes);
    const allocated = (window.low & bit) !== 0;
    const zero = (window.high & bit) !== 0;
    if (allocated && (zero || offset === null)) {
      const found = zero ? 'a subcluster both allocated and zero' : 'an allocated subcluster';
      throw damage(this.#file, 'qcow2 L2 bitmap', entryAt + 8, found, zero ? 'one of both' : 'none without a cluster');
    }
    if (zero) return run('zero', length);
    return allocated && offset !== null ? run('data', length, offset + within) : run('unallocated', length);
  }

  /** The sector count and the offset share 62 bits; where they part depends on the cluster size. */
  #compressed(entryAt: number, at: number, within: number): Run {
    const { clusterBits, clusterBytes, dataFile } = this.#header;
    if (dataFile !== null)
      throw damage(this.#file, 'qcow2 L2 entry', entryAt, 'a compressed cluster', 'none in a data file');
    const highBits = 62 - (clusterBits - 8) - 32;
    const { high, low } = this.#l2Window;
    const host = (high & (2 ** highBits - 1)) * 2 ** 32 + low;
    const sectors = ((high & 0x3fffffff) >>> highBits) + 1;
    const hostLength = Math.min(sectors * 512 - (host % 512), this.#dataBytes - host);
    this.#checkPlace('qcow2 L2 entry', entryAt, host, this.#dataBytes);
    return { kind: 'compressed', length: clusterBytes - within, host, hostLength, clusterStart: at - within };
  }

  /** An offset in the image of something that fills `bytes` at least and begins on a cluster. */
  #checkOwn(what: string, entryAt: number, offset: number, bytes: number, end: number): void {
    const { clusterBytes } = this.#header;
    if (offset % clusterBytes !== 0) throw damage(this.#file, what, entryAt, offset, `a multiple of ${clusterBytes}`);
    this.#checkPlace(what, entryAt, offset, end - bytes + 1);
  }

  /** Below `end`, and in none of the tables that the header names. */
  #checkPlace(what: string, entryAt: number, offset: number, end: number): void {
    if (offset >= end) throw damage(this.#file, what, entryAt, offset, `less than ${end}`);
    const { clusterBytes, refcountTable } = this.#header;
    if (offset < clusterBytes) throw damage(this.#file, what, entryAt, offset, 'an offset beyond the header');
    if (isWithin(offset, this.#l1.offset, this.#l1.entries * 8)) {
      throw damage(this.#file, what, entryAt, offset, 'an offset outside the L1 table');
    }
    if (isWithin(offset, refcountTable.offset, refcountTable.clusters * clusterBytes)) {
      throw damage(this.#file, what, entryAt, offset, 'an offset outside the refcount table');
    }
  }
}

function run(kind: Run['kind'], length: number, host = 0): Run {
  return { kind, length, host, hostLength: 0, clusterStart: 0 };
}

/** Bits 9 to 55. Beyond 2^53 the number is rounded, and larger than any file. */
function offsetOf(entry: TableWindow): number {
  return (entry.high & OFFSET_MASK_HIGH) * 2 ** 32 + ((entry.low & OFFSET_MASK_LOW) >>> 0);
}

function isWithin(offset: number, start: number, bytes: number): boolean {
  return offset >= start && offset < start + bytes;
}
