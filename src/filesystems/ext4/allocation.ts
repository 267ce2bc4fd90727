// Which blocks and inodes the bitmaps say are in use. Bitmaps are read when asked for, their checksums checked once.

import { DamageError } from '../../errors.ts';
import type { Mismatch } from './checksums.ts';
import type { Group } from './group-table.ts';
import type { Ext4Volume } from './volume.ts';

/** One bit a cluster (a block without bigalloc) or an inode, lowest bit first; valid while the volume is. */
export interface Bitmap {
  readonly bits: Uint8Array;
  /** Bits that mean something. */
  readonly count: number;
  /** Whether its checksum, which the group's descriptor holds, is right; true where there is none. */
  readonly holds: boolean;
  /** False where the group was never used: then the bits follow from the layout, and nothing was read. */
  readonly stored: boolean;
}

const MOST_BITMAPS = 256;

export class Allocation {
  readonly #volume: Ext4Volume;
  readonly #blockBitmaps = new Map<number, Bitmap>();
  readonly #inodeBitmaps = new Map<number, Bitmap>();

  constructor(volume: Ext4Volume) {
    this.#volume = volume;
  }

  /** As the bitmap has it, right or not. Throws DamageError for a block that is none, or a group that cannot be had; ReadError. */
  isBlockInUse(block: number): boolean {
    const { firstDataBlock, blocksPerGroup, clusterBlocks } = this.#volume.superblock;
    if (block < firstDataBlock) return true;
    const index = Math.floor(((block - firstDataBlock) % blocksPerGroup) / clusterBlocks);
    return bitAt(this.#bitmapOf(block).bits, index);
  }

  /** Whether the checksum of the block's bitmap is right. Throws like isBlockInUse. */
  isBlockKnown(block: number): boolean {
    return block < this.#volume.superblock.firstDataBlock || this.#bitmapOf(block).holds;
  }

  #bitmapOf(block: number): Bitmap {
    const { firstDataBlock, blocksCount, blocksPerGroup } = this.#volume.superblock;
    if (!(block < blocksCount)) throw new DamageError('block number', 0, block, `below ${blocksCount}`);
    return this.blockBitmap(Math.floor((block - firstDataBlock) / blocksPerGroup));
  }

  /** Throws like isBlockInUse. */
  isInodeInUse(inode: number): boolean {
    const { inodesCount, inodesPerGroup } = this.#volume.superblock;
    if (!(inode >= 1 && inode <= inodesCount)) throw new DamageError('inode number', 0, inode, `1 to ${inodesCount}`);
    const group = Math.floor((inode - 1) / inodesPerGroup);
    return bitAt(this.inodeBitmap(group).bits, (inode - 1) % inodesPerGroup);
  }

  blockBitmap(number: number): Bitmap {
    return kept(this.#blockBitmaps, number, () => {
      const group = this.#volume.groups.group(number);
      const count = Math.ceil(this.#volume.groups.blockCount(number) / this.#volume.superblock.clusterBlocks);
      if (group.blocksUninitialised) return { bits: this.#unusedGroup(number), count, holds: true, stored: false };
      const bits = this.#volume.readBlock(group.blockBitmap);
      const mismatch = this.#volume.checksums.blockBitmap(bits, group.blockBitmapChecksum);
      return { bits, count, holds: this.#noted('block bitmap', group, group.blockBitmap, mismatch), stored: true };
    });
  }

  inodeBitmap(number: number): Bitmap {
    return kept(this.#inodeBitmaps, number, () => {
      const group = this.#volume.groups.group(number);
      const count = this.#volume.superblock.inodesPerGroup;
      if (group.inodesUninitialised) {
        return { bits: new Uint8Array(this.#volume.blockSize), count, holds: true, stored: false };
      }
      const bits = this.#volume.readBlock(group.inodeBitmap);
      const mismatch = this.#volume.checksums.inodeBitmap(bits, group.inodeBitmapChecksum);
      return { bits, count, holds: this.#noted('inode bitmap', group, group.inodeBitmap, mismatch), stored: true };
    });
  }

  #noted(what: string, group: Group, block: number, mismatch: Mismatch): boolean {
    if (mismatch === null) return true;
    const { found, expected } = mismatch;
    const at = block * this.#volume.blockSize;
    this.#volume.damage.add(new DamageError(`${what} of group ${group.number}`, at, found, expected, 'EBADMSG'));
    return false;
  }

  /** A group that no file was ever put into: only the file system's own blocks are in use. */
  #unusedGroup(number: number): Uint8Array {
    const { groups, superblock, blockSize } = this.#volume;
    const bits = new Uint8Array(blockSize);
    const first = groups.firstBlock(number);
    const mark = (block: number, length: number) => {
      for (let at = Math.max(block, first); at < Math.min(block + length, first + superblock.blocksPerGroup); at++) {
        const index = Math.floor((at - first) / superblock.clusterBlocks);
        bits[index >>> 3] = (bits[index >>> 3] ?? 0) | (1 << (index & 7));
      }
    };
    const head = groups.headBlocks(number);
    mark(first, head.superblock + head.descriptors + head.reserved);
    const { blockBitmap, inodeBitmap, inodeTable } = groups.group(number);
    mark(blockBitmap, 1);
    mark(inodeBitmap, 1);
    mark(inodeTable, groups.tableBlocks);
    return bits;
  }
}

function bitAt(bits: Uint8Array, index: number): boolean {
  return (((bits[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1;
}

function kept(bitmaps: Map<number, Bitmap>, number: number, read: () => Bitmap): Bitmap {
  const known = bitmaps.get(number);
  if (known !== undefined) return known;
  if (bitmaps.size >= MOST_BITMAPS) bitmaps.clear();
  const bitmap = read();
  bitmaps.set(number, bitmap);
  return bitmap;
}
