// Inodes are read and checked by clusters of several blocks (fs/xfs/libxfs/xfs_ialloc.c, xfs_ialloc_setup_geometry): where one
// place of a cluster holds no inode at all, in use or free, the kernel refuses every inode of it (xfs_inode_buf_verify).

import { DamageError } from '../../errors.ts';
import { u16be } from '../../struct/integers.ts';
import type { Inode } from './inode.ts';
import { INODE_MAGIC } from './layout.ts';
import type { Superblock } from './superblock.ts';

/** XFS_INODE_BIG_CLUSTER_SIZE; in version 5 it grows with the inodes, where they are aligned so. */
const CLUSTER_BYTES = 8192;
const SMALLEST_INODE = 256;
/** Clusters whose answer is kept. */
const KEPT_AT_MOST = 65536;

export class InodeClusters {
  readonly #superblock: Superblock;
  readonly #rawInode: (number: number) => Inode;
  readonly #blocks: number;
  readonly #broken = new Map<number, DamageError | null>();

  constructor(superblock: Superblock, rawInode: (number: number) => Inode) {
    this.#superblock = superblock;
    this.#rawInode = rawInode;
    this.#blocks = clusterBlocks(superblock);
  }

  /** Throws DamageError where another inode of the cluster is none; ReadError. */
  check(number: number): void {
    const first = this.#firstOf(number);
    let broken = this.#broken.get(first);
    if (broken === undefined) {
      if (this.#broken.size >= KEPT_AT_MOST) this.#broken.clear();
      broken = this.#findBroken(first);
      this.#broken.set(first, broken);
    }
    if (broken !== null) throw broken;
  }

  /** Number of the cluster's first inode. */
  #firstOf(number: number): number {
    const { inodesPerBlock, agNumbers, raw } = this.#superblock;
    const block = Math.floor(number / inodesPerBlock);
    const inAlignment = (block % agNumbers) % Math.max(1, raw.inodeAlignment);
    return (block - (inAlignment % this.#blocks)) * inodesPerBlock;
  }

  #findBroken(first: number): DamageError | null {
    const { inodesPerBlock, inodeSize, summed } = this.#superblock;
    for (let block = 0; block < this.#blocks; block++) {
      const { bytes, at, origin } = this.#rawInode(first + block * inodesPerBlock).raw;
      for (let index = 0; index < inodesPerBlock; index++) {
        const slot = at + index * inodeSize;
        const version = bytes[slot + 4] ?? 0;
        if (u16be(bytes, slot) === INODE_MAGIC && (summed ? version === 3 : version === 1 || version === 2)) continue;
        const what = `xfs_dinode ${first + block * inodesPerBlock + index} di_magic`;
        return new DamageError(what, origin + index * inodeSize, u16be(bytes, slot), INODE_MAGIC);
      }
    }
    return null;
  }
}

/** 1 where clusters do not begin at multiples of their size: then nothing is asked of neighbours in other blocks. */
function clusterBlocks({ blockSize, inodeSize, summed, raw }: Superblock): number {
  const grown = (CLUSTER_BYTES * inodeSize) / SMALLEST_INODE;
  const isGrown = summed && raw.inodeAlignment >= grown / blockSize;
  const blocks = Math.max(1, (isGrown ? grown : CLUSTER_BYTES) / blockSize);
  return raw.inodeAlignment >= blocks ? blocks : 1;
}
