// Which pieces make a block map: their ids by number, of hashes and of owners, packed as differences, and one checksum
// over what the map says of itself and the checksums of all pieces.

import { crc32 } from 'node:zlib';
import { Packer, Unpacker } from './packing.ts';

export const PIECE_KINDS = ['hashes', 'owners'] as const;
export type PieceKind = (typeof PIECE_KINDS)[number];

/** What a map is of, as a map divides it. */
export interface MapShape {
  readonly volume: number;
  readonly unitBytes: number;
  readonly units: number;
}

const CRC_BYTES = 4;

/** Ids of one kind, ascending by number. */
type Ids = Map<number, number>;

export class PieceList {
  readonly hashes: Ids = new Map();
  readonly owners: Ids = new Map();

  /** DamageError. */
  static unpack(packed: Buffer): PieceList {
    const list = new PieceList();
    const from = new Unpacker(packed);
    for (const kind of PIECE_KINDS) {
      let [number, id] = [-1, 0];
      for (let left = from.varint(); left > 0; left--) {
        number += from.varint() + 1;
        id += from.signedVarint();
        list[kind].set(number, id);
      }
    }
    return list;
  }

  pack(): Buffer {
    const packer = new Packer();
    for (const kind of PIECE_KINDS) {
      packer.varint(this[kind].size);
      let [number, id] = [-1, 0];
      for (const [nextNumber, nextId] of this[kind]) {
        packer.varint(nextNumber - number - 1);
        packer.signedVarint(nextId - id);
        [number, id] = [nextNumber, nextId];
      }
    }
    return packer.view();
  }

  /** All of them. */
  *ids(): IterableIterator<number> {
    for (const kind of PIECE_KINDS) yield* this[kind].values();
  }
}

/** The checksum of a map, carried on from piece to piece. */
export class MapChecksum {
  #crc: number;

  constructor({ volume, unitBytes, units }: MapShape) {
    this.#crc = crc32(`${volume} ${unitBytes} ${units}`);
  }

  get value(): number {
    return this.#crc;
  }

  add(kind: PieceKind, number: number, crc: number): void {
    const bytes = Buffer.alloc(CRC_BYTES);
    bytes.writeUInt32LE(crc);
    this.#crc = crc32(bytes, crc32(`${kind} ${number}`, this.#crc));
  }
}
