// The hash of every unit of a volume, free ones too: XXH64 (seed 0) as of the blocks of a file. Zeros take no room.

import xxhash from 'xxhash-wasm';
import type { ByteSource } from '../bytes/byte-source.ts';
import { ReadError } from '../errors.ts';
import { BLOCK_BYTES } from '../model.ts';

const { h64Raw } = await xxhash();

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

  /** ZERO_UNIT for zeros, and beyond the end. */
  at(unit: number): bigint {
    const piece = this.#pieces[Math.floor(unit / PIECE_UNITS)] ?? null;
    return piece === null ? ZERO_UNIT : (piece[unit % PIECE_UNITS] ?? ZERO_UNIT);
  }

  /** Which of these hashes more than one unit has. */
  repeated(hashes: ReadonlySet<bigint>): Set<bigint> {
    const once = new Set<bigint>();
    const repeated = new Set<bigint>();
    for (const piece of this.#pieces) {
      for (const hash of piece ?? []) {
        if (!hashes.has(hash)) continue;
        if (once.has(hash)) repeated.add(hash);
        once.add(hash);
      }
    }
    return repeated;
  }
}

const CHUNK_BYTES = 1024 * 1024;
const chunk = new Uint8Array(CHUNK_BYTES);
const ZEROS = Buffer.alloc(BLOCK_BYTES);

/**
 * Hashes one piece of a volume; holes are not read. `onBytes` is told of every chunk, and ends the work by returning true:
 * then the result is undefined. Units that the medium refuses are UNREAD_UNIT. DamageError of a container propagates.
 */
export function hashPiece(
  volume: ByteSource,
  unitBytes: number,
  piece: number,
  onBytes: (bytes: number) => boolean,
): Piece | undefined {
  const from = piece * PIECE_UNITS * unitBytes;
  const end = Math.min(volume.size, from + PIECE_UNITS * unitBytes);
  const hashes = new BigUint64Array(Math.ceil((end - from) / unitBytes));
  let isZero = true;
  for (let at = from; at < end; ) {
    const data = Math.min(end, volume.nextData?.(at) ?? at);
    at = data - (data % unitBytes);
    if (at >= end) break;
    const length = Math.min(CHUNK_BYTES, end - at);
    const first = (at - from) / unitBytes;
    if (hashChunk(volume, at, length, unitBytes, hashes.subarray(first))) isZero = false;
    at += length;
    if (onBytes(length)) return undefined;
  }
  return isZero ? null : hashes;
}

/** False when all of it is zeros. */
function hashChunk(volume: ByteSource, at: number, length: number, unitBytes: number, into: BigUint64Array): boolean {
  const units = Math.ceil(length / unitBytes);
  if (readOrNot(volume, chunk.subarray(0, length), at)) {
    chunk.fill(0, length, units * unitBytes);
    for (let index = 0; index < units; index++) into[index] = hashUnit(chunk, index * unitBytes, unitBytes);
  } else {
    for (let index = 0; index < units; index++) into[index] = hashAlone(volume, at + index * unitBytes, unitBytes);
  }
  for (let index = 0; index < units; index++) if (into[index] !== ZERO_UNIT) return true;
  return false;
}

function hashAlone(volume: ByteSource, at: number, unitBytes: number): bigint {
  const unit = chunk.subarray(0, unitBytes);
  unit.fill(0);
  return readOrNot(volume, unit.subarray(0, Math.min(unitBytes, volume.size - at)), at)
    ? hashUnit(chunk, 0, unitBytes)
    : UNREAD_UNIT;
}

/** False when the medium refuses. */
function readOrNot(volume: ByteSource, into: Uint8Array, at: number): boolean {
  try {
    return volume.read(into, at) === into.length;
  } catch (error) {
    if (error instanceof ReadError) return false;
    throw error;
  }
}

function hashUnit(bytes: Uint8Array, at: number, unitBytes: number): bigint {
  if (ZEROS.compare(bytes, at, at + unitBytes, 0, unitBytes) === 0) return ZERO_UNIT;
  return h64Raw(bytes.subarray(at, at + unitBytes), 0n);
}
