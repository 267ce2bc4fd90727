// Goes through the inode tables in their order. Slots that cannot be read are in the volume's damage, and left out.

import { DamageError } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import { u32le } from '../../struct/integers.ts';
import type { Inode } from './inode.ts';
import { ORPHAN_MAGIC, ORPHAN_TAIL_BYTES } from './layout.ts';
import type { Ext4Volume } from './volume.ts';

/** One group's inode table. */
export interface InodeTable {
  readonly group: number;
  readonly firstInode: number;
  /** Slots that were ever used, as the group's descriptor says. */
  readonly usedSlots: number;
  /** In blocks of the volume. */
  readonly physical: number;
  readonly length: number;
}

/** Where the inode tables are; groups whose descriptors cannot be had are left out. */
export function* inodeTables(volume: Ext4Volume): Iterable<InodeTable> {
  const { inodesPerGroup } = volume.superblock;
  for (let number = 0; number < volume.groups.count; number++) {
    try {
      const { inodesUninitialised, unusedInodes, inodeTable } = volume.groups.group(number);
      const usedSlots = inodesUninitialised ? 0 : Math.max(0, inodesPerGroup - unusedInodes);
      const firstInode = number * inodesPerGroup + 1;
      yield { group: number, firstInode, usedSlots, physical: inodeTable, length: volume.groups.tableBlocks };
    } catch (error) {
      volume.damage.keep(error);
    }
  }
}

/** Every slot that was ever used; unchecked. */
function* rawInodes(volume: Ext4Volume): Iterable<Inode> {
  for (const { firstInode, usedSlots } of inodeTables(volume)) {
    for (let index = 0; index < usedSlots; index++) {
      const inode = slot(volume, firstInode + index);
      if (inode !== null) yield inode;
    }
  }
}

/** Inodes with links and a mode, reserved ones too; unchecked. */
export function* inodesInUse(volume: Ext4Volume): Iterable<Inode> {
  for (const inode of rawInodes(volume)) if (inode.inUse) yield inode;
}

/** Slots of inodes that were deleted: what is left of them. ext4 clears the block map, ext2 leaves it. */
export function* deletedInodes(volume: Ext4Volume): Iterable<Inode> {
  for (const inode of rawInodes(volume)) if (inode.raw.links === 0 && inode.raw.dtime !== 0) yield inode;
}

/** The latest change that any inode in use tells of; null when there is none. */
export function newestCtime(volume: Ext4Volume): Nanoseconds | null {
  let newest: Nanoseconds | null = null;
  let newestSeconds = Number.NEGATIVE_INFINITY;
  for (const inode of inodesInUse(volume)) {
    // Seconds first: they decide for nearly all, without making a bigint.
    const seconds = inode.ctimeSeconds;
    if (seconds < newestSeconds) continue;
    newestSeconds = seconds;
    if (newest === null || inode.ctimeNs > newest) newest = inode.ctimeNs;
  }
  return newest;
}

/**
 * Inodes that were being deleted or cut short when the volume was last in use: a mount would finish that. From the list that
 * starts in the superblock and the orphan file.
 */
export function orphans(volume: Ext4Volume): number[] {
  return [...new Set([...listedOrphans(volume), ...filedOrphans(volume)])];
}

/** A chain through the inodes' deletion times. */
function listedOrphans(volume: Ext4Volume): number[] {
  const found = new Set<number>();
  let next = volume.superblock.lastOrphan;
  while (next !== 0 && !found.has(next)) {
    const inode = slot(volume, next);
    if (inode === null) break;
    found.add(next);
    next = inode.raw.dtime;
  }
  return [...found];
}

function filedOrphans(volume: Ext4Volume): number[] {
  const { orphanFileInode, inodesCount } = volume.superblock;
  const inode = orphanFileInode === 0 ? null : slot(volume, orphanFileInode);
  if (inode === null) return [];
  const found: number[] = [];
  for (const { physical, bytes } of orphanBlocks(volume, inode)) {
    const end = bytes.length - ORPHAN_TAIL_BYTES;
    const seed = volume.checksums.inodeSeed(inode.number, inode.raw.generation);
    const mismatch = volume.checksums.orphanBlock(seed, physical, bytes, end);
    if (u32le(bytes, end) !== ORPHAN_MAGIC || mismatch !== null) {
      const at = physical * volume.blockSize;
      volume.damage.add(
        new DamageError('orphan file block', at, 'a wrong magic or checksum', 'the right ones', 'EBADMSG'),
      );
      continue;
    }
    for (let at = 0; at < end; at += 4) {
      const number = u32le(bytes, at);
      if (number !== 0 && number <= inodesCount) found.push(number);
    }
  }
  return found;
}

function* orphanBlocks(volume: Ext4Volume, inode: Inode): Iterable<{ physical: number; bytes: Uint8Array }> {
  try {
    for (const { physical, length } of volume.blockMap(inode).runs) {
      for (let block = physical; block < physical + length; block++)
        yield { physical: block, bytes: volume.readBlock(block) };
    }
  } catch (error) {
    volume.damage.keep(error);
  }
}

function slot(volume: Ext4Volume, number: number): Inode | null {
  try {
    return volume.rawInode(number);
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}
