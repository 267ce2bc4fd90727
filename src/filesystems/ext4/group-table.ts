// Group descriptors: where they lie under each layout, their checksums, and the locations that they state.
// Descriptors are read when asked for. One whose locations cannot be is looked up in the backup tables.

import { DamageError } from '../../errors.ts';
import type { DamageLog } from '../damage-log.ts';
import type { Checksums } from './checksums.ts';
import { COMPAT, GROUP_FLAGS, groupDescriptor, INCOMPAT, RO_COMPAT, WIDE_DESCRIPTOR } from './layout.ts';
import type { Superblock } from './superblock.ts';

export interface Group {
  readonly number: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  /** First block of the inode table. */
  readonly inodeTable: number;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly usedDirectories: number;
  /** Inodes at the table's end that were never used; 0 where checksums do not vouch for the count. */
  readonly unusedInodes: number;
  readonly inodesUninitialised: boolean;
  readonly blocksUninitialised: boolean;
  readonly blockBitmapChecksum: number;
  readonly inodeBitmapChecksum: number;
}

type ReadBlock = (block: number) => Uint8Array;

export class GroupTable {
  readonly #superblock: Superblock;
  readonly #checksums: Checksums;
  readonly #damage: DamageLog;
  readonly #readBlock: ReadBlock;
  readonly #groups: Group[] = [];
  readonly #perBlock: number;
  /** Blocks of one group's inode table. */
  readonly tableBlocks: number;

  constructor(superblock: Superblock, checksums: Checksums, damage: DamageLog, readBlock: ReadBlock) {
    this.#superblock = superblock;
    this.#checksums = checksums;
    this.#damage = damage;
    this.#readBlock = readBlock;
    this.#perBlock = superblock.blockSize / superblock.descriptorSize;
    this.tableBlocks = Math.ceil((superblock.inodesPerGroup * superblock.inodeSize) / superblock.blockSize);
  }

  get count(): number {
    return this.#superblock.groupCount;
  }

  /** Throws DamageError when neither the descriptor nor a backup states possible locations; ReadError. */
  group(number: number): Group {
    const known = this.#groups[number];
    if (known !== undefined) return known;
    const group = this.#readGroup(number);
    this.#groups[number] = group;
    return group;
  }

  firstBlock(group: number): number {
    return this.#superblock.firstDataBlock + group * this.#superblock.blocksPerGroup;
  }

  blockCount(group: number): number {
    return Math.min(this.#superblock.blocksPerGroup, this.#superblock.blocksCount - this.firstBlock(group));
  }

  /** Whether the group begins with a copy of the superblock. */
  hasSuperblock(group: number): boolean {
    const { compat, roCompat, raw } = this.#superblock;
    if (group === 0) return true;
    if (compat & COMPAT.sparse_super2) return group === raw.backupGroups0 || group === raw.backupGroups1;
    if (group === 1 || !(roCompat & RO_COMPAT.sparse_super)) return true;
    return isPowerOf(group, 3) || isPowerOf(group, 5) || isPowerOf(group, 7);
  }

  /** Blocks at the group's start that hold the superblock's copy, descriptors, and room for more of them. */
  headBlocks(group: number): { readonly superblock: number; readonly descriptors: number; readonly reserved: number } {
    const { firstMetaGroup, reservedGdtBlocks } = this.#superblock.raw;
    const copy = this.hasSuperblock(group) ? 1 : 0;
    const metaGroup = Math.floor(group / this.#perBlock);
    if (!this.#isMeta(metaGroup)) {
      const tables = Math.ceil(this.count / this.#perBlock);
      const descriptors = this.#superblock.incompat & INCOMPAT.meta_bg ? Math.min(tables, firstMetaGroup) : tables;
      return { superblock: copy, descriptors: copy * descriptors, reserved: copy * reservedGdtBlocks };
    }
    const inMeta = group % this.#perBlock;
    const holds = inMeta === 0 || inMeta === 1 || inMeta === this.#perBlock - 1;
    return { superblock: copy, descriptors: holds ? 1 : 0, reserved: 0 };
  }

  /** Block that holds a group's descriptor. */
  descriptorBlock(group: number): number {
    const { blockSize, firstDataBlock } = this.#superblock;
    const metaGroup = Math.floor(group / this.#perBlock);
    if (!this.#isMeta(metaGroup)) return Math.floor(1024 / blockSize) + 1 + metaGroup;
    const first = metaGroup * this.#perBlock;
    // With blocks of 1 KiB the boot block comes before the superblock; under bigalloc it is counted in group 0.
    const boot = first === 0 && blockSize === 1024 && firstDataBlock === 0 ? 1 : 0;
    return this.firstBlock(first) + (this.hasSuperblock(first) ? 1 : 0) + boot;
  }

  #isMeta(metaGroup: number): boolean {
    return (this.#superblock.incompat & INCOMPAT.meta_bg) !== 0 && metaGroup >= this.#superblock.raw.firstMetaGroup;
  }

  #readGroup(number: number): Group {
    const block = this.descriptorBlock(number);
    const found = this.#decode(number, this.#readBlock(block));
    this.#checkDescriptor(number, block);
    if (this.#possible(found)) return found;
    const { blockSize, descriptorSize } = this.#superblock;
    const at = block * blockSize + (number % this.#perBlock) * descriptorSize;
    const wrong = new DamageError(
      'ext4_group_desc',
      at,
      `inode table ${found.inodeTable}`,
      'blocks of the file system',
    );
    this.#damage.add(wrong);
    const backup = this.#backup(number);
    if (backup === null) throw wrong;
    return backup;
  }

  #checkDescriptor(number: number, block: number): void {
    const { blockSize, descriptorSize } = this.#superblock;
    const at = (number % this.#perBlock) * descriptorSize;
    const mismatch = this.#checksums.group(number, this.#readBlock(block), at);
    if (mismatch === null) return;
    const { found, expected } = mismatch;
    this.#damage.add(new DamageError('ext4_group_desc checksum', block * blockSize + at, found, expected, 'EBADMSG'));
  }

  #backup(number: number): Group | null {
    for (const block of this.#backupBlocks(number)) {
      const found = this.#backupIn(block, number);
      if (found !== null) return found;
    }
    return null;
  }

  #backupIn(block: number, number: number): Group | null {
    try {
      const bytes = this.#readBlock(block);
      const at = (number % this.#perBlock) * this.#superblock.descriptorSize;
      const found = this.#decode(number, bytes);
      return this.#possible(found) && this.#checksums.group(number, bytes, at) === null ? found : null;
    } catch (error) {
      this.#damage.keep(error);
      return null;
    }
  }

  #backupBlocks(number: number): number[] {
    const metaGroup = Math.floor(number / this.#perBlock);
    const holders = this.#isMeta(metaGroup)
      ? [metaGroup * this.#perBlock + 1, (metaGroup + 1) * this.#perBlock - 1]
      : [1, 3, 5, 7, 9, this.#superblock.raw.backupGroups0, this.#superblock.raw.backupGroups1];
    return holders
      .filter(holder => holder > 0 && holder < this.count && this.headBlocks(holder).descriptors > 0)
      .map(holder => {
        const { superblock } = this.headBlocks(holder);
        return this.firstBlock(holder) + superblock + (this.#isMeta(metaGroup) ? 0 : metaGroup);
      });
  }

  #decode(number: number, block: Uint8Array): Group {
    const { descriptorSize, checksums } = this.#superblock;
    const raw = groupDescriptor.at(block, (number % this.#perBlock) * descriptorSize);
    const wide = descriptorSize >= WIDE_DESCRIPTOR;
    const high32 = (value: number) => (wide ? value * 2 ** 32 : 0);
    const high16 = (value: number) => (wide ? value * 2 ** 16 : 0);
    const vouched = checksums !== 'none';
    return {
      number,
      blockBitmap: raw.blockBitmapLow + high32(raw.blockBitmapHigh),
      inodeBitmap: raw.inodeBitmapLow + high32(raw.inodeBitmapHigh),
      inodeTable: raw.inodeTableLow + high32(raw.inodeTableHigh),
      freeBlocks: raw.freeBlocksLow + high16(raw.freeBlocksHigh),
      freeInodes: raw.freeInodesLow + high16(raw.freeInodesHigh),
      usedDirectories: raw.usedDirectoriesLow + high16(raw.usedDirectoriesHigh),
      unusedInodes: vouched ? raw.unusedInodesLow + high16(raw.unusedInodesHigh) : 0,
      inodesUninitialised: vouched && (raw.flags & GROUP_FLAGS.inodesUninitialised) !== 0,
      blocksUninitialised: vouched && (raw.flags & GROUP_FLAGS.blocksUninitialised) !== 0,
      blockBitmapChecksum: raw.blockBitmapChecksumLow + high16(raw.blockBitmapChecksumHigh),
      inodeBitmapChecksum: raw.inodeBitmapChecksumLow + high16(raw.inodeBitmapChecksumHigh),
    };
  }

  /** The kernel refuses to mount otherwise: everything inside the volume, or without flex_bg inside the group. */
  #possible(group: Group): boolean {
    const flexible = (this.#superblock.incompat & INCOMPAT.flex_bg) !== 0;
    const first = flexible ? this.#superblock.firstDataBlock : this.firstBlock(group.number);
    const end = flexible ? this.#superblock.blocksCount : first + this.blockCount(group.number);
    const inside = (block: number, length: number) => block >= first && block + length <= end;
    return inside(group.blockBitmap, 1) && inside(group.inodeBitmap, 1) && inside(group.inodeTable, this.tableBlocks);
  }
}

function isPowerOf(value: number, base: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}
