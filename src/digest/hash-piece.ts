// Reads and hashes one piece of a volume: XXH64 (seed 0) of every unit, by the workers.

import xxhash from 'xxhash-wasm';
import type { ByteSource } from '../bytes/byte-source.ts';
import { ReadError } from '../errors.ts';
import { BLOCK_BYTES } from '../model.ts';
import { PIECE_UNITS, type Piece, UNREAD_UNIT, ZERO_UNIT } from './unit-hashes.ts';

const { h64Raw } = await xxhash();

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
