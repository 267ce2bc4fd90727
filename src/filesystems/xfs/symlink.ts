// A symlink's target: in the inode, or in blocks; under version 5 each run of those has a header of its own.

import { DamageError } from '../../errors.ts';
import type { BlockMap } from '../block-map.ts';
import type { MapContext } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { FORK_FORMATS, REMOTE_HEADER_BYTES, remoteHeader, SYMLINK_MAGIC } from './layout.ts';
import { readMapped } from './mapped-block.ts';
import { checkDescription, DESCRIPTIONS } from './self-description.ts';

/** What a link of the greatest length fills at most, in the smallest blocks with a header each. */
const MOST_BLOCKS = 3;

/** At most `sizeBytes` bytes. Throws DamageError, ReadError. */
export function readLinkTarget(inode: Inode, map: BlockMap, context: MapContext): Uint8Array {
  const size = inode.sizeBytes;
  if (inode.raw.format === FORK_FORMATS.local) return inode.dataFork.bytes.subarray(0, size);
  const target = new Uint8Array(size);
  let filled = 0;
  for (const run of map.runs) {
    if (filled >= size || run.logical >= MOST_BLOCKS) break;
    const length = Math.min(run.length, MOST_BLOCKS);
    const piece = pieceOf(inode, map, run.logical, length, filled, context).subarray(0, size - filled);
    target.set(piece, filled);
    filled += piece.length;
  }
  if (filled === size) return target;
  const what = `symlink inode ${inode.number}`;
  throw map.lost[0]?.error ?? new DamageError(what, inode.location, `${filled} bytes`, `${size} bytes`);
}

function pieceOf(
  inode: Inode,
  map: BlockMap,
  logical: number,
  length: number,
  offset: number,
  context: MapContext,
): Uint8Array {
  const { summed, metaUuid } = context.superblock;
  const { bytes, at } = readMapped(map, logical, length, context);
  if (!summed) return bytes;
  const what = `symlink inode ${inode.number}`;
  checkDescription(bytes, DESCRIPTIONS.remote, { what, at, owner: inode.number, uuid: metaUuid });
  const header = remoteHeader.at(bytes, 0, at);
  const sound = header.magic === SYMLINK_MAGIC && header.offset === offset;
  if (!sound || header.length > bytes.length - REMOTE_HEADER_BYTES) {
    throw new DamageError(`xfs_dsymlink_hdr of ${what}`, at, `${header.length} bytes from ${header.offset}`, offset);
  }
  return bytes.subarray(REMOTE_HEADER_BYTES, REMOTE_HEADER_BYTES + header.length);
}
