// Makes the block map of one volume of an image: pieces are hashed by the workers, owners told by one of them.

import type { BlockMap } from '../digest/block-map.ts';
import { BlockOwners } from '../digest/block-owners.ts';
import { PIECE_UNITS, type Piece, UnitHashes, unitBytesOf } from '../digest/unit-hashes.ts';
import type { VolumeBlocks } from '../filesystems/filesystem.ts';
import type { TargetSpec } from '../model.ts';
import type { Pool } from '../pool.ts';
import type { Opening } from '../tree/open-target.ts';

export interface MappedVolume {
  readonly target: TargetSpec;
  readonly volume: number;
  readonly opening: Opening;
}

/** The block map of a generation. */
export interface GenerationMap {
  /** The reference's id. */
  readonly id: string;
  load(): BlockMap;
}

/** Pieces under way per worker: one at work, one waiting. */
const UNDER_WAY = 2;

/** Null when the run was cancelled before it was whole. */
export async function mapVolume(pool: Pool, mapped: MappedVolume, blocks: VolumeBlocks): Promise<BlockMap | null> {
  const { target, volume, opening } = mapped;
  const owners = pool.owners({ target, volume, opening });
  const [pieces, columns] = await Promise.all([hashPieces(pool, mapped, piecesOf(blocks)), owners]);
  if (pieces === null) return null;
  const unitBytes = unitBytesOf(blocks.blockBytes);
  const units = Math.ceil(blocks.bytes.size / unitBytes);
  return { hashes: new UnitHashes(unitBytes, units, pieces), owners: new BlockOwners(columns) };
}

/** Numbers of the pieces that are not holes. */
function* piecesOf({ bytes, blockBytes }: VolumeBlocks): Iterable<number> {
  const pieceBytes = PIECE_UNITS * unitBytesOf(blockBytes);
  for (let at = 0; at < bytes.size; at = (Math.floor(at / pieceBytes) + 1) * pieceBytes) {
    at = bytes.nextData?.(at) ?? at;
    if (at < bytes.size) yield Math.floor(at / pieceBytes);
  }
}

async function hashPieces(pool: Pool, mapped: MappedVolume, numbers: Iterable<number>): Promise<Piece[] | null> {
  const pieces: Piece[] = [];
  const underWay = new Set<Promise<void>>();
  for (const piece of numbers) {
    if (pool.cancelled) break;
    while (pieces.length <= piece) pieces.push(null);
    const { target, volume, opening } = mapped;
    const task = pool
      .hash({ target, volume, opening, piece })
      .then(hashed => {
        pieces[piece] = hashed ?? null;
      })
      .finally(() => underWay.delete(task));
    underWay.add(task);
    if (underWay.size >= pool.jobs * UNDER_WAY) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  return pool.cancelled ? null : pieces;
}
