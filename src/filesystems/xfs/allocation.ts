// Which blocks are free and which inodes in use, as the groups' trees say. A group's trees are read when it is asked for.

import { u32be } from '../../struct/integers.ts';
import { inodeNumber, inodePlace } from './geometry.ts';
import { treeBlocks } from './group-tree.ts';
import { type InodeChunk, inodeChunks } from './inode-scan.ts';
import { INODES_PER_CHUNK } from './layout.ts';
import type { XfsVolume } from './volume.ts';

/** In blocks, from the volume's start. */
export interface FreeRun {
  readonly physical: number;
  readonly length: number;
}

export interface FreeSpace {
  /** Ascending. */
  readonly runs: readonly FreeRun[];
  /** False where a part of the tree could not be had. */
  readonly isWhole: boolean;
}

const MOST_GROUPS = 64;
const RECORD_BYTES = 8;

export class Allocation {
  readonly #volume: XfsVolume;
  readonly #free = new Map<number, FreeSpace>();
  readonly #chunks = new Map<number, readonly InodeChunk[]>();

  constructor(volume: XfsVolume) {
    this.#volume = volume;
  }

  /** Free space of a group. What cannot be read of its tree is in the volume's damage too. */
  freeSpace(group: number): FreeSpace {
    return kept(this.#free, group, () => readFreeSpace(this.#volume, group));
  }

  /** Blocks kept for the groups' trees are in use. Null where the group's tree is broken, and for a block that is none. */
  isBlockInUse(block: number): boolean | null {
    const { blocksCount, agBlocks } = this.#volume.superblock;
    if (!(block >= 0 && block < blocksCount)) return null;
    const { runs, isWhole } = this.freeSpace(Math.floor(block / agBlocks));
    const run = runs[lastNotAfter(runs, block)];
    const isFree = run !== undefined && block < run.physical + run.length;
    return isFree || isWhole ? !isFree : null;
  }

  /** False for inodes that were never allocated. Throws DamageError for a number that is none. */
  isInodeInUse(inode: number): boolean {
    const { superblock } = this.#volume;
    inodePlace(superblock, inode);
    const perGroup = inodeNumber(superblock, 1, 0);
    const group = Math.floor(inode / perGroup);
    const chunks = kept(this.#chunks, group, () => [...inodeChunks(this.#volume, group)]);
    const chunk = chunks.find(({ first }) => first <= inode && inode < first + INODES_PER_CHUNK);
    if (chunk === undefined) return false;
    const index = inode - chunk.first;
    return chunk.exists(index) && !chunk.isFree(index);
  }
}

function readFreeSpace(volume: XfsVolume, group: number): FreeSpace {
  const runs: FreeRun[] = [];
  const root = rootOf(volume, group);
  if (root === null) return { runs, isWhole: false };
  const first = volume.groups.firstBlock(group);
  let isWhole = true;
  const onLoss = () => {
    isWhole = false;
  };
  for (const leaf of treeBlocks(volume, root, onLoss)) {
    for (let index = 0; leaf.level === 0 && index < leaf.count; index++) {
      const at = leaf.first + index * RECORD_BYTES;
      runs.push({ physical: first + u32be(leaf.bytes, at), length: u32be(leaf.bytes, at + 4) });
    }
  }
  runs.sort((left, right) => left.physical - right.physical);
  return { runs, isWhole };
}

function rootOf(volume: XfsVolume, group: number) {
  try {
    const { byBlockRoot, byBlockLevels } = volume.groups.freeSpace(group);
    return { group, kind: 'byBlock', root: byBlockRoot, levels: byBlockLevels } as const;
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}

/** Index of the last run that starts at or before a block; -1 when there is none. */
function lastNotAfter(runs: readonly FreeRun[], block: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((runs[middle] as FreeRun).physical <= block) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function kept<T>(known: Map<number, T>, group: number, read: () => T): T {
  const found = known.get(group);
  if (found !== undefined) return found;
  if (known.size >= MOST_GROUPS) known.clear();
  const made = read();
  known.set(group, made);
  return made;
}
