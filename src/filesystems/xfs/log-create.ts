// Makes the inodes that a transaction allocated: they are not logged one by one.

import { DamageError } from '../../errors.ts';
import { groupBlocks, inodeNumber } from './geometry.ts';
import { INODE_MAGIC, NEXT_UNLINKED_AT, NULL_INODE } from './layout.ts';
import { stampInode } from './log-buffer.ts';
import { createItem } from './log-layout.ts';
import { type ReplayDisk, SECTOR_BYTES } from './replay-disk.ts';
import type { Superblock } from './superblock.ts';

/** Chunks of 64 inodes of the greatest size, many times over. */
const MOST_BLOCKS = 4096;
const V3 = 3;
const V2 = 2;
/** Inodes are written in pieces of this size, or of a block if that is larger: so much is cancelled at a time. */
const CLUSTER_BYTES = 8192;

/** Throws DamageError for inodes that are not in a group. */
export function replayCreated(
  logged: Uint8Array,
  disk: ReplayDisk,
  superblock: Superblock,
  isCancelled: (sector: number, count: number) => boolean,
): void {
  const { group, block, length, inodeSize, generation } = createItem.at(logged);
  const { agCount, agBlocks, blockSize } = superblock;
  const inside = group < agCount && length <= MOST_BLOCKS && block + length <= groupBlocks(superblock, group);
  if (!inside || inodeSize !== superblock.inodeSize) {
    throw new DamageError('xfs_icreate_log', 0, `${length} blocks from ${block} of group ${group}`, 'those of a group');
  }
  const first = group * agBlocks + block;
  const perBlock = blockSize / SECTOR_BYTES;
  if (isCreationCancelled(first, length, superblock, isCancelled)) return;
  for (let index = 0; index < length; index++) {
    const number = inodeNumber(superblock, group, (block + index) * superblock.inodesPerBlock);
    disk.write((first + index) * perBlock, freshInodes(number, generation, superblock));
  }
}

/** Whether inodes made there were freed later. Clusters have grown with inode sizes and versions: any size that the kernel has used counts. */
export function isCreationCancelled(
  first: number,
  length: number,
  { blockSize, inodeSize }: Superblock,
  isCancelled: (sector: number, count: number) => boolean,
): boolean {
  const perBlock = blockSize / SECTOR_BYTES;
  const sizes = new Set(
    [CLUSTER_BYTES, CLUSTER_BYTES * (inodeSize / 256), blockSize].map(size => Math.max(size, blockSize)),
  );
  for (const size of sizes) {
    const blocks = size / blockSize;
    for (let index = 0; index < length; index += blocks) {
      if (isCancelled((first + index) * perBlock, size / SECTOR_BYTES)) return true;
    }
  }
  return false;
}

/** A block of free inodes. */
export function freshInodes(firstNumber: number, generation: number, superblock: Superblock): Uint8Array {
  const { blockSize, inodeSize, summed, metaUuid } = superblock;
  const bytes = new Uint8Array(blockSize);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < blockSize; at += inodeSize) {
    view.setUint16(at, INODE_MAGIC);
    view.setUint8(at + 4, summed ? V3 : V2);
    view.setUint32(at + 92, generation);
    view.setUint32(at + NEXT_UNLINKED_AT, NULL_INODE);
    if (!summed) continue;
    view.setBigUint64(at + 152, BigInt(firstNumber + at / inodeSize));
    bytes.set(metaUuid, at + 160);
    stampInode(bytes, at, inodeSize);
  }
  return bytes;
}
