// Who owns which blocks: the groups' headers, trees and chunks of inodes, the log, then every inode in use, in the order of
// numbers. Blocks that several files share have several owners. Nothing is read of the blocks of files.

import type { BlockRole, OwnedRun } from '../../model.ts';
import { type BlockMap, EMPTY_MAP } from '../block-map.ts';
import { groupBlocks } from './geometry.ts';
import { type GroupTreeKind, treeBlocks } from './group-tree.ts';
import { groupTrees } from './group-trees.ts';
import type { Inode } from './inode.ts';
import { type InodeChunk, inodeChunks, inodesInUse } from './inode-scan.ts';
import { INODES_PER_CHUNK } from './layout.ts';
import type { XfsVolume } from './volume.ts';

const HEADER_SECTORS = 4;

const ROLE_OF_TREE: Readonly<Record<GroupTreeKind, BlockRole>> = {
  byBlock: 'free-space-tree',
  bySize: 'free-space-tree',
  inodes: 'inode-tree',
  freeInodes: 'inode-tree',
  reverseMap: 'reverse-map-tree',
  referenceCount: 'reference-count-tree',
};

/** All owned runs: the structures of each group, then the inodes'. Damage on the way is in the volume's log. */
export function* ownedBlocks(volume: XfsVolume): Iterable<OwnedRun> {
  for (let group = 0; group < volume.groups.count; group++) yield* structureBlocks(volume, group);
  const { logStart, logBlocks } = volume.superblock;
  if (logStart !== null) yield own('journal', 0, logStart, logBlocks);
  for (const inode of inodesInUse(volume)) yield* blocksOf(volume, inode);
}

function own(role: BlockRole, group: number, physical: number, length: number): OwnedRun {
  return { role, inode: 0, generation: 0, logical: group, physical, length, unwritten: false };
}

function* structureBlocks(volume: XfsVolume, group: number): Iterable<OwnedRun> {
  const { superblock, groups, blockSize } = volume;
  const first = groups.firstBlock(group);
  const headers = Math.min(
    Math.ceil((HEADER_SECTORS * superblock.sectorSize) / blockSize),
    groupBlocks(superblock, group),
  );
  yield own('superblock', group, first, 1);
  if (headers > 1) yield own('group-descriptors', group, first + 1, headers - 1);
  for (const block of freeListOf(volume, group)) yield own('free-list', group, first + block, 1);
  for (const root of groupTrees(volume, group)) {
    for (const { block } of treeBlocks(volume, root)) yield own(ROLE_OF_TREE[root.kind], group, block, 1);
  }
  yield* chunkBlocks(volume, group);
}

function freeListOf(volume: XfsVolume, group: number): number[] {
  try {
    return volume.groups.freeList(group);
  } catch (error) {
    volume.damage.keep(error);
    return [];
  }
}

/** With blocks larger than a chunk, several chunks share one. */
function* chunkBlocks(volume: XfsVolume, group: number): Iterable<OwnedRun> {
  const { agNumbers, inodesPerBlock, agBlocks } = volume.superblock;
  let last = -1;
  for (const chunk of inodeChunks(volume, group)) {
    const inGroup = chunk.first - group * agNumbers * inodesPerBlock;
    for (let index = 0; index < INODES_PER_CHUNK; index += Math.min(inodesPerBlock, INODES_PER_CHUNK)) {
      const block = Math.floor((inGroup + index) / inodesPerBlock);
      if (block === last || block >= agBlocks || !hasAny(chunk, index, inodesPerBlock)) continue;
      yield own('inode-table', group, group * agBlocks + block, 1);
      last = block;
    }
  }
}

/** Holes are as large as blocks at least, so one inode of a block tells of all. */
function hasAny(chunk: InodeChunk, first: number, count: number): boolean {
  for (let index = first; index < Math.min(first + count, INODES_PER_CHUNK); index++) {
    if (chunk.exists(index)) return true;
  }
  return false;
}

/** What one inode owns: its content, its attributes, and the trees that tell where those lie. */
function* blocksOf(volume: XfsVolume, inode: Inode): Iterable<OwnedRun> {
  const { number } = inode;
  const { generation } = inode.raw;
  const data = mapOf(volume, () => volume.blockMap(inode));
  const attributes = mapOf(volume, () => volume.attributeMap(inode));
  const role = roleOf(volume, inode);
  if (!inode.isRealtime) for (const run of data.runs) yield { role, inode: number, generation, ...run };
  for (const run of attributes.runs) yield { role: 'attributes', inode: number, generation, ...run };
  const single = { inode: number, generation, logical: 0, length: 1, unwritten: false };
  for (const physical of [...data.nodes, ...attributes.nodes]) yield { ...single, role: 'block-map', physical };
}

function mapOf(volume: XfsVolume, read: () => BlockMap): BlockMap {
  try {
    return read();
  } catch (error) {
    volume.damage.keep(error);
    return EMPTY_MAP;
  }
}

function roleOf({ superblock }: XfsVolume, inode: Inode): BlockRole {
  const { userQuotaInode, groupQuotaInode, projectQuotaInode } = superblock.raw;
  if (inode.type === 'directory') return 'directory';
  if (inode.type === 'symlink') return 'symlink';
  const number = BigInt(inode.number);
  const isQuota = [userQuotaInode, groupQuotaInode, superblock.summed ? projectQuotaInode : 0n].includes(number);
  return isQuota ? 'quota' : 'data';
}
