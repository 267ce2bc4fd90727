// A disk that a container keeps in pieces: one table lookup says where a piece lies, or that it is zeros. The table is the
// format's; joining pieces, filling zeros and reading through to a parent are here.

import type { ByteSource } from './byte-source.ts';

/** A stretch of the disk whose bytes are found in one way. */
export interface Piece {
  /** data: at `host`; packed: in what `unpack` gives; zero: zeros; absent: the parent's, or zeros. */
  readonly kind: 'data' | 'packed' | 'zero' | 'absent';
  /** Bytes from the asked place on; never 0. */
  readonly length: number;
  /** data: offset in the file. packed: where the packed form begins. */
  readonly host: number;
}

/** The table of a container. */
export interface DiskMap {
  /** What is at `at` of the disk. Throws DamageError for an impossible entry, ReadError. */
  pieceAt(at: number): Piece;
  /** The plain bytes of a packed piece from byte `at` of the disk on. Throws DamageError. */
  unpack?(piece: Piece, at: number): Uint8Array;
}

export interface MappedParts {
  readonly name: string;
  readonly sizeBytes: number;
  readonly map: DiskMap;
  /** Holds the data pieces. */
  readonly data: ByteSource;
  readonly parent?: ByteSource | null;
}

export class MappedBytes implements ByteSource {
  readonly size: number;
  readonly name: string;
  readonly #map: DiskMap;
  readonly #data: ByteSource;
  readonly #parent: ByteSource | null;

  constructor({ name, sizeBytes, map, data, parent }: MappedParts) {
    this.name = name;
    this.size = sizeBytes;
    this.#map = map;
    this.#data = data;
    this.#parent = parent ?? null;
  }

  read(into: Uint8Array, at: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.size - at));
    for (let filled = 0; filled < wanted; ) {
      const piece = this.#joined(at + filled, wanted - filled);
      const part = into.subarray(filled, Math.min(wanted, filled + piece.length));
      this.#fill(part, piece, at + filled);
      filled += part.length;
    }
    return wanted;
  }

  /** From the table alone, and from the parent where nothing covers it. */
  nextData(at: number): number {
    let parentData = at;
    while (at < this.size) {
      const piece = this.#map.pieceAt(at);
      if (piece.kind === 'data' || piece.kind === 'packed') return at;
      const end = Math.min(this.size, at + piece.length);
      if (piece.kind === 'absent') {
        if (parentData <= at) parentData = this.#nextInParent(at);
        if (parentData < end) return Math.max(at, parentData);
      }
      at = end;
    }
    return this.size;
  }

  /** Data that follows itself in the file is one piece: one read of it. */
  #joined(at: number, enough: number): Piece {
    const first = this.#map.pieceAt(at);
    let { length } = first;
    while (first.kind === 'data' && length < enough && at + length < this.size) {
      const next = this.#map.pieceAt(at + length);
      if (next.kind !== 'data' || next.host !== first.host + length) break;
      length += next.length;
    }
    return length === first.length ? first : { ...first, length };
  }

  #nextInParent(at: number): number {
    const parent = this.#parent;
    if (parent === null || at >= parent.size) return this.size;
    const next = parent.nextData?.(at) ?? at;
    return next < parent.size ? next : this.size;
  }

  #fill(into: Uint8Array, piece: Piece, at: number): void {
    const parent = this.#parent;
    if (piece.kind === 'data') fillFrom(this.#data, into, piece.host);
    else if (piece.kind === 'packed') {
      const plain = this.#map.unpack?.(piece, at) ?? new Uint8Array(0);
      const count = Math.min(into.length, plain.length);
      into.set(plain.subarray(0, count));
      into.fill(0, count);
    } else if (piece.kind === 'absent' && parent !== null) fillFrom(parent, into, at);
    else into.fill(0);
  }
}

/** Beyond the end of the source are zeros: a parent may be shorter, and the last block of a file too. */
function fillFrom(source: ByteSource, into: Uint8Array, at: number): void {
  const count = at < source.size ? source.read(into, at) : 0;
  if (count < into.length) into.fill(0, count);
}
