// The hash of every unit of a volume, free ones too: XXH64 (seed 0) as of the blocks of a file. Zeros take no room.

import { BLOCK_BYTES } from '../model.ts';

/** Stands for a unit of zeros, in place of their hash. */
export const ZERO_UNIT = 0n;
/** Stands for a unit that could not be read: it is equal to none. */
export const UNREAD_UNIT = 1n;

/** Units are hashed, kept and handed over in pieces of so many. */
export const PIECE_UNITS = 16_384;

/** Bytes a unit: 4 KiB, or the file system's block if that is smaller. */
export function unitBytesOf(blockBytes: number): number {
  return Math.min(blockBytes, BLOCK_BYTES);
}

/** Hashes of one piece; null: all of it is zeros. */
export type Piece = BigUint64Array<ArrayBuffer> | null;

/** The hashes of a volume, by piece. */
export class UnitHashes {
  readonly unitBytes: number;
  readonly units: number;
  readonly #pieces: readonly Piece[];

  /** @param pieces `units / PIECE_UNITS` of them, rounded up; the last one may be short. */
  constructor(unitBytes: number, units: number, pieces: readonly Piece[]) {
    this.unitBytes = unitBytes;
    this.units = units;
    this.#pieces = pieces;
  }

  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** ZERO_UNIT for zeros. Beyond the end nobody has read: UNREAD_UNIT. */
  at(unit: number): bigint {
    if (unit >= this.units) return UNREAD_UNIT;
    const piece = this.#pieces[Math.floor(unit / PIECE_UNITS)] ?? null;
    return piece === null ? ZERO_UNIT : (piece[unit % PIECE_UNITS] ?? ZERO_UNIT);
  }

  /** Every unit that has one of these hashes. */
  *unitsOf(hashes: ReadonlySet<bigint>): Iterable<[hash: bigint, unit: number]> {
    for (const [number, piece] of this.#pieces.entries()) {
      for (let index = 0; piece !== null && index < piece.length; index++) {
        const hash = piece[index] ?? ZERO_UNIT;
        if (hash !== ZERO_UNIT && hashes.has(hash)) yield [hash, number * PIECE_UNITS + index];
      }
    }
  }
}
