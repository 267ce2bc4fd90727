// Goes through the inodes by the groups' inode trees, in the order of numbers. What cannot be read is in the volume's damage,
// and left out.

import type { Nanoseconds } from '../../model.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import { inodeNumber } from './geometry.ts';
import { treeBlocks } from './group-tree.ts';
import type { Inode } from './inode.ts';
import {
  INODE_RECORD_BYTES,
  INODES_PER_CHUNK,
  INODES_PER_HOLE_BIT,
  inodeRecord,
  NULL_INODE,
  UNLINKED_BUCKETS,
} from './layout.ts';
import type { XfsVolume } from './volume.ts';

/** 64 inodes that were allocated together, some of which may not be there. */
export interface InodeChunk {
  readonly group: number;
  /** Number of the first inode, in the file system. */
  readonly first: number;
  readonly freeCount: number;
  /** Whether the inode at an index of 0 to 63 is there. */
  exists(index: number): boolean;
  isFree(index: number): boolean;
}

/** All chunks of a group; none of a group whose header or tree cannot be had. */
export function* inodeChunks(volume: XfsVolume, group: number): Iterable<InodeChunk> {
  const root = rootOf(volume, group);
  if (root === null) return;
  for (const { level, bytes, first, count } of treeBlocks(volume, root)) {
    for (let index = 0; level === 0 && index < count; index++) {
      yield chunkAt(volume, group, bytes, first + index * INODE_RECORD_BYTES);
    }
  }
}

function rootOf(volume: XfsVolume, group: number) {
  try {
    const { root, levels } = volume.groups.inodes(group);
    return { group, kind: 'inodes', root, levels } as const;
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}

function chunkAt({ superblock }: XfsVolume, group: number, bytes: Uint8Array, at: number): InodeChunk {
  const { sparseInodes } = superblock;
  const { first: firstAt, holes: holesAt, count: countAt, freeHigh, freeLow } = inodeRecord.fields;
  const holes = sparseInodes ? u16be(bytes, at + holesAt.offset) : 0;
  const high = u32be(bytes, at + freeHigh.offset);
  const low = u32be(bytes, at + freeLow.offset);
  return {
    group,
    first: inodeNumber(superblock, group, u32be(bytes, at + firstAt.offset)),
    freeCount: sparseInodes ? (bytes[at + countAt.offset + 1] as number) : u32be(bytes, at + holesAt.offset),
    exists: index => ((holes >>> Math.floor(index / INODES_PER_HOLE_BIT)) & 1) === 0,
    isFree: index => ((index < 32 ? low >>> index : high >>> (index - 32)) & 1) === 1,
  };
}

/** Every inode that is there and, as its group's tree says, free or not; unchecked. */
function* rawInodes(volume: XfsVolume, free: boolean): Iterable<Inode> {
  for (let group = 0; group < volume.groups.count; group++) {
    for (const chunk of inodeChunks(volume, group)) {
      for (let index = 0; index < INODES_PER_CHUNK; index++) {
        const wanted = chunk.isFree(index) === free && chunk.exists(index);
        const inode = wanted ? slot(volume, chunk.first + index) : null;
        if (inode !== null) yield inode;
      }
    }
  }
}

/** Inodes that their group's tree says are in use, the file system's own too; unchecked. */
export function* inodesInUse(volume: XfsVolume): Iterable<Inode> {
  yield* rawInodes(volume, false);
}

/** Free inodes that were in use once: type, size and extents are cleared, times and generation are those of the deletion. */
export function* deletedInodes(volume: XfsVolume): Iterable<Inode> {
  for (const inode of rawInodes(volume, true)) if (inode.raw.changeSeconds !== 0) yield inode;
}

/** The latest change that any inode in use tells of; null when there is none. */
export function newestCtime(volume: XfsVolume): Nanoseconds | null {
  let newest: Nanoseconds | null = null;
  for (const inode of inodesInUse(volume)) {
    const { ctimeNs } = inode;
    if (newest === null || ctimeNs > newest) newest = ctimeNs;
  }
  return newest;
}

/** Inodes that were open without a name when the volume was last in use: a mount would delete them. From the groups' lists. */
export function orphans(volume: XfsVolume): number[] {
  const found = new Set<number>();
  for (let group = 0; group < volume.groups.count; group++) {
    for (const first of unlinkedHeads(volume, group)) followUnlinked(volume, group, first, found);
  }
  return [...found];
}

function unlinkedHeads(volume: XfsVolume, group: number): number[] {
  try {
    const { unlinked } = volume.groups.inodes(group);
    const heads = Array.from({ length: UNLINKED_BUCKETS }, (_, bucket) => u32be(unlinked, 4 * bucket));
    return heads.filter(head => head !== NULL_INODE);
  } catch (error) {
    volume.damage.keep(error);
    return [];
  }
}

function followUnlinked(volume: XfsVolume, group: number, first: number, found: Set<number>): void {
  for (let next = first; next !== NULL_INODE; ) {
    const number = inodeNumber(volume.superblock, group, next);
    const inode = found.has(number) ? null : slot(volume, number);
    if (inode === null) return;
    found.add(number);
    next = inode.raw.nextUnlinked;
  }
}

function slot(volume: XfsVolume, number: number): Inode | null {
  try {
    return volume.rawInode(number);
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}
