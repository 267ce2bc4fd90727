// The rows of segments: a generation is a sequence of them, each the numbers of some hundred entries in key order,
// coded as differences: an entry shared with another generation costs one or two bytes.

import { crc32 } from 'node:zlib';
import type { Connection, Statement } from './connection.ts';
import type { Entries, StoredEntry } from './entries.ts';
import { Packer, Unpacker } from './packing.ts';
import { damagedStore } from './store-failure.ts';

/** Entries a segment: what a reader holds at once, and what looking up one path reads. */
export const SEGMENT_ENTRIES = 512;

export interface SegmentStart {
  readonly volume: number;
  readonly key: string;
}

export interface Segment {
  readonly volume: number;
  readonly entries: readonly StoredEntry[];
}

/** The checksum of a segment of `volume`, carried on from record to record. */
export function segmentCrc(volume: number, packed: Uint8Array, before: number | null): number {
  return crc32(packed, before ?? volume);
}

export class Segments {
  readonly #connection: Connection;
  readonly #entries: Entries;
  readonly #insert: Statement<[]>;
  readonly #row: Statement<[volume: number, crc: number, entries: Buffer]>;
  readonly #start: Statement<[volume: number, firstKey: Buffer]>;
  readonly #ids: Statement<[position: number, entries: Buffer]>;
  readonly #remove: Statement<[]>;

  constructor(connection: Connection, entries: Entries) {
    this.#connection = connection;
    this.#entries = entries;
    this.#insert = connection.prepare(
      'INSERT INTO segment (generation, position, volume, first_key, crc, entries) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#row = connection.prepare('SELECT volume, crc, entries FROM segment WHERE generation = ? AND position = ?');
    this.#start = connection.prepare('SELECT volume, first_key FROM segment WHERE generation = ? AND position = ?');
    this.#ids = connection.prepare(
      'SELECT position, entries FROM segment WHERE generation = ? AND position > ? ORDER BY position LIMIT 64',
    );
    this.#remove = connection.prepare('DELETE FROM segment WHERE generation = ?');
  }

  /** Call it within a write. */
  insert(generation: number, position: number, start: SegmentStart, crc: number, ids: readonly number[]): void {
    const key = Buffer.from(start.key, 'latin1');
    this.#insert.run(generation, position, start.volume, key, crc, codeIds(ids));
  }

  /** Removes all of a generation. Call it within a write. */
  remove(generation: number): void {
    this.#remove.run(generation);
  }

  /** A segment with its entries. UsageError where it is not there or fails its checksum. */
  read(generation: number, position: number): Segment {
    const row = this.#row.get(generation, position);
    if (row === undefined) throw this.#missing(generation, position);
    const [volume, expected, coded] = row;
    const entries = this.#entries.read(decodeIds(coded));
    let crc: number | null = null;
    for (const entry of entries) crc = segmentCrc(volume, entry.packed, crc);
    if (crc !== expected) throw this.#damage(generation, position, 'fails its checksum');
    return { volume, entries };
  }

  /** The numbers of a generation's entries, a segment at a time; finished or not. */
  *ids(generation: number): IterableIterator<number[]> {
    let last = -1;
    for (;;) {
      const rows = this.#ids.all(generation, last);
      if (rows.length === 0) return;
      for (const [position, coded] of rows) {
        yield decodeIds(coded);
        last = position;
      }
    }
  }

  /** The position of the segment that would hold this key: the last that starts at or before it; -1: none does. */
  find(generation: number, segments: number, volume: number, key: string): number {
    let low = -1;
    let high = segments - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#startsAfter(generation, middle, volume, key)) high = middle - 1;
      else low = middle;
    }
    return low;
  }

  #startsAfter(generation: number, position: number, volume: number, key: string): boolean {
    const row = this.#start.get(generation, position);
    if (row === undefined) throw this.#missing(generation, position);
    if (row[0] !== volume) return row[0] > volume;
    return row[1].toString('latin1') > key;
  }

  #missing(generation: number, position: number): Error {
    return this.#damage(generation, position, 'is not there');
  }

  #damage(generation: number, position: number, detail: string): Error {
    return damagedStore(this.#connection.path, `segment ${position} of generation ${generation} ${detail}`);
  }
}

function codeIds(ids: readonly number[]): Buffer {
  const packer = new Packer();
  let before = 0;
  for (const id of ids) {
    packer.signedVarint(id - before);
    before = id;
  }
  return packer.view();
}

function decodeIds(coded: Buffer): number[] {
  const unpacker = new Unpacker(coded);
  const ids: number[] = [];
  let id = 0;
  while (!unpacker.atEnd) {
    id += unpacker.signedVarint();
    ids.push(id);
  }
  return ids;
}
