// Where the grains of a sparse extent are: a directory of tables, each entry a sector. Compressed grains are unpacked here.

import { inflateSync } from 'node:zlib';
import { errorCode } from '../../errors.ts';
import type { ByteSource } from '../byte-source.ts';
import type { ClusterCache } from '../cluster-cache.ts';
import { damage } from '../damage.ts';
import type { DiskMap, Piece } from '../mapped-bytes.ts';
import { readStruct } from '../read-exactly.ts';
import { TableEntries } from '../table-entries.ts';
import { ENTRY_ZERO, grainMarker, SECTOR_BYTES } from './layout.ts';
import type { SparseHeader } from './sparse-header.ts';

export interface GrainMapParts {
  /** The extent's file as it is, and through a cache for its tables. */
  readonly file: ByteSource;
  readonly tables: ByteSource;
  readonly header: SparseHeader;
  /** Shared by all extents and parents. */
  readonly plainGrains: ClusterCache;
}

export class GrainMap implements DiskMap {
  readonly #parts: GrainMapParts;
  readonly #directory: TableEntries;
  readonly #table: TableEntries;

  constructor(parts: GrainMapParts) {
    this.#parts = parts;
    this.#directory = new TableEntries(parts.tables, 'VMDK grain directory');
    this.#table = new TableEntries(parts.tables, 'VMDK grain table');
  }

  pieceAt(at: number): Piece {
    const { grainBytes, entriesPerTable, directory, directoryEntries } = this.#parts.header;
    const bytesPerTable = grainBytes * entriesPerTable;
    const index = Math.floor(at / bytesPerTable);
    const within = at - index * bytesPerTable;
    const table = index < directoryEntries ? this.#directory.u32le(directory + index * 4) * SECTOR_BYTES : 0;
    if (table === 0) return { kind: 'absent', length: bytesPerTable - within, host: 0 };
    const grain = Math.floor(within / grainBytes);
    return this.#grain(table + grain * 4, within - grain * grainBytes);
  }

  unpack(piece: Piece, at: number): Uint8Array {
    const { file, header, plainGrains } = this.#parts;
    const plain = plainGrains.get(file, piece.host, () => this.#inflate(piece.host));
    return plain.subarray(at % header.grainBytes);
  }

  #grain(entryAt: number, within: number): Piece {
    const { file, header } = this.#parts;
    const length = header.grainBytes - within;
    const sector = this.#table.u32le(entryAt);
    if (sector === 0) return { kind: 'absent', length, host: 0 };
    if (sector === ENTRY_ZERO && header.zeroGrains) return { kind: 'zero', length, host: 0 };
    const host = sector * SECTOR_BYTES;
    if (host >= file.size) throw damage(file, 'VMDK grain table', entryAt, sector, 'a sector within the file');
    return header.compressed ? { kind: 'packed', length, host } : { kind: 'data', length, host: host + within };
  }

  /** A grain as long as the others, or shorter at the end of the disk. */
  #inflate(host: number): Uint8Array {
    const { file, header } = this.#parts;
    const start = host + (header.markers ? grainMarker.size : 4);
    const packedBytes = header.markers ? readStruct(file, grainMarker, host).packedBytes : readLength(file, host);
    const most = Math.min(2 * header.grainBytes, file.size - start);
    if (packedBytes > most)
      throw damage(file, 'vmdk_grain_marker.packedBytes', host + 8, packedBytes, `at most ${most}`);
    const packed = new Uint8Array(packedBytes);
    file.read(packed, start);
    const plain = inflate(packed, header.grainBytes);
    if (typeof plain !== 'string') return plain;
    throw damage(file, 'VMDK compressed grain', host, plain, `up to ${header.grainBytes} bytes of zlib data`);
  }
}

const lengthWord = new Uint8Array(4);

function readLength(file: ByteSource, at: number): number {
  file.read(lengthWord, at);
  return new DataView(lengthWord.buffer).getUint32(0, true);
}

/** The plain bytes, or a phrase for what was found instead. */
function inflate(packed: Uint8Array, grainBytes: number): Uint8Array | string {
  try {
    return inflateSync(packed, { maxOutputLength: grainBytes });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'a zlib stream of more than a grain';
    if (code?.startsWith('Z_')) return `a broken zlib stream (${code})`;
    throw error;
  }
}
