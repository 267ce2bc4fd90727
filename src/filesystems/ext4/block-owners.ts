// Who owns which blocks: the file system's own structures, group by group, and every inode in use, in the order of numbers.
// What a block map of an image is made from. Nothing is read of the blocks themselves.

import { DamageError, ReadError } from '../../errors.ts';
import type { BlockRole, OwnedRun } from '../../model.ts';
import type { BlockMap } from '../block-map.ts';
import type { Inode } from './inode.ts';
import { inodesInUse } from './inode-scan.ts';
import { INCOMPAT, INODE_FLAGS, RESIZE_INODE } from './layout.ts';
import type { Superblock } from './superblock.ts';
import type { Ext4Volume } from './volume.ts';

/** All owned runs: the structures of each group, then the inodes'. Damage on the way is in the volume's log. */
export function* ownedBlocks(volume: Ext4Volume): Iterable<OwnedRun> {
  yield* structureBlocks(volume);
  for (const inode of inodesInUse(volume)) yield* blocksOf(volume, inode);
}

/** The file system's own blocks. Journal, quota files and the like belong to inodes. */
export function* structureBlocks(volume: Ext4Volume): Iterable<OwnedRun> {
  const { superblock, groups } = volume;
  const own = (role: BlockRole, group: number, physical: number, length: number): OwnedRun => {
    return { role, inode: 0, generation: 0, logical: group, physical, length, unwritten: false };
  };
  for (let number = 0; number < groups.count; number++) {
    const head = groups.headBlocks(number);
    let block = groups.firstBlock(number);
    // Under bigalloc with blocks of 1 KiB, the superblock is the second block of group 0.
    if (number === 0 && superblock.firstDataBlock === 0 && superblock.blockSize === 1024) block++;
    if (head.superblock > 0) yield own('superblock', number, block, 1);
    block += head.superblock;
    if (head.descriptors > 0) yield own('group-descriptors', number, block, head.descriptors);
    block += head.descriptors;
    if (head.reserved > 0) yield own('reserved-descriptors', number, block, head.reserved);
    yield* tablesOf(volume, number, own);
  }
  const mmp = superblock.raw.mmpBlock;
  if (superblock.incompat & INCOMPAT.mmp && mmp > 0) yield own('multi-mount-protection', 0, mmp, 1);
}

function* tablesOf(
  { groups, damage }: Ext4Volume,
  number: number,
  own: (role: BlockRole, group: number, physical: number, length: number) => OwnedRun,
): Iterable<OwnedRun> {
  try {
    const { blockBitmap, inodeBitmap, inodeTable } = groups.group(number);
    yield own('block-bitmap', number, blockBitmap, 1);
    yield own('inode-bitmap', number, inodeBitmap, 1);
    yield own('inode-table', number, inodeTable, groups.tableBlocks);
  } catch (error) {
    damage.keep(error);
  }
}

/** What one inode owns: its content, the blocks of its block map, its block of attributes. */
function* blocksOf(volume: Ext4Volume, inode: Inode): Iterable<OwnedRun> {
  const { number } = inode;
  const { generation } = inode.raw;
  const map = mapOf(volume, inode);
  const role = roleOf(inode, volume.superblock);
  // The resize inode's "file" is the room for descriptors, which the groups have: its own is one block of pointers.
  const isResize = number === RESIZE_INODE;
  if (!isResize) for (const run of map.runs) yield { role, inode: number, generation, ...run };
  const nodes = isResize ? map.nodes.slice(0, 1) : map.nodes;
  const single = { inode: number, generation, logical: 0, length: 1, unwritten: false };
  for (const physical of nodes) yield { ...single, role: 'block-map', physical };
  if (inode.attributeBlock !== 0) yield { ...single, role: 'attributes', physical: inode.attributeBlock };
}

function mapOf(volume: Ext4Volume, inode: Inode): BlockMap {
  try {
    return volume.wholeBlockMap(inode);
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    volume.damage.add(error);
    return { runs: [], lost: [], nodes: [] };
  }
}

function roleOf(inode: Inode, superblock: Superblock): BlockRole {
  const { raw, journalInode, orphanFileInode } = superblock;
  if (inode.type === 'directory') return 'directory';
  if (inode.type === 'symlink') return 'symlink';
  if (inode.number === journalInode) return 'journal';
  if (inode.number === orphanFileInode) return 'orphan-file';
  if ([raw.userQuotaInode, raw.groupQuotaInode, raw.projectQuotaInode].includes(inode.number)) return 'quota';
  return inode.has(INODE_FLAGS.eaInode) ? 'attribute-value' : 'data';
}
