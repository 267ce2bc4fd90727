// The block maps of generations: lists of pieces, of hashes by number and of owners by range of inodes. Equal pieces are
// shared between the generations of a baseline, others are told by their difference from a neighbour's.

import type { BlockMap } from '../digest/block-map.ts';
import { BlockOwners, type OwnerColumns } from '../digest/block-owners.ts';
import { PIECE_UNITS, type Piece, UnitHashes } from '../digest/unit-hashes.ts';
import { DamageError } from '../errors.ts';
import type { Connection, Statement } from './connection.ts';
import { hashCoding, wholePiece } from './hash-pieces.ts';
import type { MapPieces, NamedPiece } from './map-pieces.ts';
import { ownerCoding } from './owner-pieces.ts';
import { OwnerRows, rowsOf } from './owner-rows.ts';
import { MapChecksum, type PieceKind, PieceList } from './piece-list.ts';
import { damagedStore } from './store-failure.ts';

/** The inodes whose runs are one piece. */
const PIECE_INODES = 8192;
/** Pieces that are written together with the list of all so far. */
const TOGETHER = 32;
/** In the place of the checksum while there are further pieces to come. */
const NOT_WHOLE = -1;
const LARGEST_PIECE_BYTES = PIECE_UNITS * 8;

/** Which volume of which generation. */
export interface MapPlace {
  readonly generation: number;
  readonly volume: number;
}

export interface MappedVolume {
  readonly volume: number;
  readonly unitBytes: number;
  /** What its map took in the store when it was kept. */
  readonly addedBytes: number;
}

type MapRow = [unitBytes: number, units: number, crc: number, pieces: Buffer];

/** A piece that is to be kept. */
interface Part {
  readonly kind: PieceKind;
  readonly number: number;
  keep(known: readonly number[]): NamedPiece | null;
}

export class BlockMaps {
  readonly #connection: Connection;
  readonly #pieces: MapPieces;
  readonly #row: Statement<MapRow>;
  readonly #put: Statement<[]>;
  readonly #volumes: Statement<[volume: number, unitBytes: number, addedBytes: number]>;
  readonly #lists: Statement<[volume: number, pieces: Buffer]>;
  readonly #remove: Statement<[]>;

  constructor(connection: Connection, pieces: MapPieces) {
    this.#connection = connection;
    this.#pieces = pieces;
    this.#row = connection.prepare(
      'SELECT unit_bytes, units, crc, pieces FROM block_map WHERE generation = ? AND volume = ?',
    );
    this.#put = connection.prepare(
      `INSERT OR REPLACE INTO block_map (generation, volume, unit_bytes, units, added_bytes, crc, pieces)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#volumes = connection.prepare(
      'SELECT volume, unit_bytes, added_bytes FROM block_map WHERE generation = ? ORDER BY volume',
    );
    this.#lists = connection.prepare('SELECT volume, pieces FROM block_map WHERE generation = ?');
    this.#remove = connection.prepare('DELETE FROM block_map WHERE generation = ?');
  }

  /**
   * Keeps a map piece by piece as it is iterated. `neighbours` are generations, nearest in time, whose pieces may be shared.
   * What is written is always listed: an end before the end leaves nothing that cannot be found again.
   */
  *keep(place: MapPlace, map: BlockMap, neighbours: readonly number[]): IterableIterator<void> {
    const { unitBytes, units } = map.hashes;
    const shape = { volume: place.volume, unitBytes, units };
    const known = neighbours.flatMap(generation => this.#listOf({ ...place, generation }, unitBytes) ?? []);
    const list = new PieceList();
    const checksum = new MapChecksum(shape);
    let addedBytes = 0;
    const put = (crc: number): void => {
      const packed = list.pack();
      this.#put.run(place.generation, place.volume, unitBytes, units, addedBytes + packed.length, crc, packed);
    };
    for (const parts of together(partsOf(map, this.#pieces))) {
      this.#connection.write(parts.length * LARGEST_PIECE_BYTES, () => {
        for (const { kind, number, keep } of parts) {
          const kept = keep(known.flatMap(each => each[kind].get(number) ?? []));
          if (kept === null) continue;
          list[kind].set(number, kept.id);
          checksum.add(kind, number, kept.crc);
          addedBytes += kept.addedBytes;
        }
        put(NOT_WHOLE);
      });
      yield;
    }
    this.#connection.write(0, () => put(checksum.value));
  }

  /** A map as it was kept; null when there is none. UsageError for damage. */
  read(place: MapPlace): BlockMap | null {
    const row = this.#row.get(place.generation, place.volume);
    if (row === undefined) return null;
    return this.#undamaged(place, () => this.#read(place, row));
  }

  /** The maps of a generation, which has so many of them, by volume. UsageError when one is not there. */
  volumes(generation: number, count: number): MappedVolume[] {
    const volumes = this.#volumes
      .all(generation)
      .map(([volume, unitBytes, addedBytes]) => ({ volume, unitBytes, addedBytes }));
    if (volumes.length === count) return volumes;
    const detail = `generation ${generation} has ${volumes.length} block maps instead of ${count}`;
    throw damagedStore(this.#connection.path, detail);
  }

  /** Removes the maps of `dropped`, and the pieces that no map of `kept` needs. Call it within a write. */
  remove(dropped: readonly number[], kept: readonly number[]): void {
    const [lost, needed] = [this.#needed(dropped), this.#needed(kept)];
    for (const generation of dropped) this.#remove.run(generation);
    for (const id of lost) if (!needed.has(id)) this.#pieces.remove(id);
  }

  #needed(generations: readonly number[]): Set<number> {
    const ids = generations.flatMap(generation =>
      this.#lists
        .all(generation)
        .flatMap(([volume, packed]) => [...this.#unpacked({ generation, volume }, packed).ids()]),
    );
    return this.#pieces.needed(ids);
  }

  /** Null when there is none, or one that is divided otherwise. */
  #listOf(place: MapPlace, unitBytes: number): PieceList | null {
    const row = this.#row.get(place.generation, place.volume);
    return row === undefined || row[0] !== unitBytes ? null : this.#unpacked(place, row[3]);
  }

  #unpacked(place: MapPlace, packed: Buffer): PieceList {
    return this.#undamaged(place, () => PieceList.unpack(packed));
  }

  #read(place: MapPlace, [unitBytes, units, crc, packed]: MapRow): BlockMap {
    const list = PieceList.unpack(packed);
    const checksum = new MapChecksum({ volume: place.volume, unitBytes, units });
    const pieces: Piece[] = [];
    for (const [number, id] of list.hashes) {
      const { content, crc: pieceCrc } = this.#pieces.content(id, hashCoding);
      checksum.add('hashes', number, pieceCrc);
      const left = units - number * PIECE_UNITS;
      if (left <= 0) throw new DamageError('block map', number, 'a piece', `${units} units`);
      while (pieces.length < number) pieces.push(null);
      pieces.push(left < PIECE_UNITS ? content.slice(0, left) : content);
    }
    const owners = new OwnerRows();
    for (const [number, id] of list.owners) {
      const { content, crc: pieceCrc } = this.#pieces.content(id, ownerCoding);
      checksum.add('owners', number, pieceCrc);
      owners.add(content);
    }
    if (checksum.value !== crc) throw this.#damage(place, ' fails its checksum');
    return { hashes: new UnitHashes(unitBytes, units, pieces), owners: new BlockOwners(owners.columns) };
  }

  #undamaged<T>(place: MapPlace, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      throw this.#damage(place, `: ${error.message}`);
    }
  }

  #damage({ generation, volume }: MapPlace, detail: string): Error {
    return damagedStore(
      this.#connection.path,
      `the block map of volume ${volume} of generation ${generation}${detail}`,
    );
  }
}

/** A map in parts, in the order of the list. */
function* partsOf({ hashes, owners }: BlockMap, pieces: MapPieces): IterableIterator<Part> {
  for (const [number, piece] of hashes.pieces.entries()) {
    if (piece === null) continue;
    yield { kind: 'hashes', number, keep: known => pieces.keep(wholePiece(piece), hashCoding, known) };
  }
  for (const { number, runs } of byInodes(owners.columns)) {
    yield { kind: 'owners', number, keep: known => pieces.keep(runs, ownerCoding, known) };
  }
}

/** RangeError when columns are not in the order of inodes. */
function* byInodes(columns: OwnerColumns): IterableIterator<{ readonly number: number; readonly runs: OwnerColumns }> {
  const { inode } = columns;
  const numberOf = (at: number): number => Math.floor((inode[at] ?? 0) / PIECE_INODES);
  let before = -1;
  for (let first = 0; first < inode.length; ) {
    const number = numberOf(first);
    if (number <= before) throw new RangeError(`owner ${inode[first]} comes out of order`);
    let end = first + 1;
    while (end < inode.length && numberOf(end) === number) end++;
    yield { number, runs: rowsOf(columns, first, end) };
    [before, first] = [number, end];
  }
}

function* together(parts: Iterable<Part>): IterableIterator<readonly Part[]> {
  let some: Part[] = [];
  for (const part of parts) {
    if (some.push(part) < TOGETHER) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
