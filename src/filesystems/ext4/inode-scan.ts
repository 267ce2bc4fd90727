// Goes through the inode tables in their order.

import type { Inode } from './inode.ts';
import type { Ext4Volume } from './volume.ts';

/** Inodes with links and a mode, reserved ones too; those that cannot be read are in the volume's damage. */
export function* inodesInUse(volume: Ext4Volume): Iterable<Inode> {
  for (const inode of rawInodes(volume)) if (inode.inUse) yield inode;
}

/** Every slot that was ever used, as the groups' counts say; unchecked. */
export function* rawInodes(volume: Ext4Volume): Iterable<Inode> {
  for (let group = 0; group < volume.groups.count; group++) yield* rawInodesOf(volume, group);
}

/** The slots of one group. */
export function* rawInodesOf(volume: Ext4Volume, group: number): Iterable<Inode> {
  const first = group * volume.superblock.inodesPerGroup + 1;
  const count = usedSlots(volume, group);
  for (let index = 0; index < count; index++) {
    const inode = slot(volume, first + index);
    if (inode !== null) yield inode;
  }
}

function usedSlots(volume: Ext4Volume, group: number): number {
  const { inodesPerGroup } = volume.superblock;
  try {
    const { inodesUninitialised, unusedInodes } = volume.groups.group(group);
    return inodesUninitialised ? 0 : Math.max(0, inodesPerGroup - unusedInodes);
  } catch (error) {
    volume.damage.keep(error);
    return 0;
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
