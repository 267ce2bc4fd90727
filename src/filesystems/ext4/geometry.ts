// The sizes and counts that a superblock states, checked as the kernel checks them before it mounts.

import { DamageError, UnsupportedError } from '../../errors.ts';
import type { StructOf } from '../../struct/struct.ts';
import { INCOMPAT, OLD_INODE_BYTES, RO_COMPAT, type superblock, WIDE_DESCRIPTOR } from './layout.ts';

export type RawSuperblock = StructOf<typeof superblock>;

export interface Geometry {
  readonly blockSize: number;
  /** Blocks of an allocation unit: 1 without bigalloc. */
  readonly clusterBlocks: number;
  readonly blocksCount: number;
  readonly firstDataBlock: number;
  readonly blocksPerGroup: number;
  readonly clustersPerGroup: number;
  readonly inodesPerGroup: number;
  readonly inodesCount: number;
  readonly groupCount: number;
  readonly inodeSize: number;
  readonly descriptorSize: number;
  /** First inode number that is not reserved. */
  readonly firstInode: number;
}

const KNOWN_INCOMPAT = Object.values(INCOMPAT).reduce((all, bit) => all | bit, 0);
const LARGEST_LOG_BLOCK = 6;
const LARGEST_LOG_CLUSTER = 20;
const SMALLEST_FIRST_INODE = 11;
const SMALLEST_DESCRIPTOR = 32;
const LARGEST_DESCRIPTOR = 1024;
/** 256 TiB in groups of 128 MiB: far more than ext4 is used for. */
const MOST_GROUPS = 2 ** 21;
/** A group has at least its bitmaps and a block of inodes. A cut-off image may claim what does not fit, up to `ANY_SOURCE`. */
const LEAST_GROUP = 1024;
const ANY_SOURCE = 2 ** 27;

export function wrongField(
  raw: RawSuperblock,
  field: string,
  offset: number,
  found: number,
  expected: string | number,
): DamageError {
  return new DamageError(`ext4_super_block ${field}`, raw.origin + offset, found, expected);
}

/** Throws UnsupportedError for features that would make the content misread. */
export function refuseUnsupported(raw: RawSuperblock): void {
  const unknown = (raw.incompat & ~KNOWN_INCOMPAT) >>> 0;
  if (unknown !== 0) throw new UnsupportedError(`ext4: unknown incompatible features 0x${unknown.toString(16)}`);
  if (raw.incompat & INCOMPAT.journal_dev) throw new UnsupportedError('ext4: an external journal, no file system');
  if (raw.incompat & INCOMPAT.compression) throw new UnsupportedError('ext4: compressed with e2compr');
  if (raw.roCompat & RO_COMPAT.metadata_csum && raw.checksumType !== 1) {
    throw new UnsupportedError(`ext4: unknown checksum type ${raw.checksumType}`);
  }
}

/** @param sourceBytes bounds what the counts may claim. Throws DamageError. */
export function geometryOf(raw: RawSuperblock, sourceBytes: number): Geometry {
  const blockSize = blockSizeOf(raw);
  const clusterBlocks = clusterBlocksOf(raw);
  const wide = (raw.incompat & INCOMPAT['64bit']) !== 0;
  const blocksCount = raw.blocksCountLow + (wide ? raw.blocksCountHigh * 2 ** 32 : 0);
  const sizes = { blockSize, clusterBlocks, blocksCount, firstDataBlock: raw.firstDataBlock };
  checkGroups(raw, blockSize, clusterBlocks);
  const groupCount = groupCountOf(raw, blocksCount, sourceBytes);
  if (raw.firstDataBlock >= blocksCount)
    throw wrongField(raw, 's_first_data_block', 0x14, raw.firstDataBlock, `< ${blocksCount}`);
  const old = raw.revision === 0;
  const inodeSize = old ? OLD_INODE_BYTES : raw.inodeSize;
  if (inodeSize < OLD_INODE_BYTES || inodeSize > blockSize || !isPowerOfTwo(inodeSize)) {
    throw wrongField(raw, 's_inode_size', 0x58, inodeSize, `a power of two, 128 to ${blockSize}`);
  }
  const firstInode = old ? SMALLEST_FIRST_INODE : raw.firstInode;
  if (firstInode < SMALLEST_FIRST_INODE) throw wrongField(raw, 's_first_ino', 0x54, firstInode, '11 or more');
  return {
    ...sizes,
    blocksPerGroup: raw.blocksPerGroup,
    clustersPerGroup: clusterBlocks === 1 ? raw.blocksPerGroup : raw.clustersPerGroup,
    inodesPerGroup: raw.inodesPerGroup,
    inodesCount: raw.inodesCount,
    groupCount,
    inodeSize,
    descriptorSize: wide ? descriptorSizeOf(raw) : SMALLEST_DESCRIPTOR,
    firstInode,
  };
}

function blockSizeOf(raw: RawSuperblock): number {
  if (raw.logBlockSize > LARGEST_LOG_BLOCK) throw wrongField(raw, 's_log_block_size', 0x18, raw.logBlockSize, '0 to 6');
  return 1024 << raw.logBlockSize;
}

function clusterBlocksOf(raw: RawSuperblock): number {
  if (!(raw.roCompat & RO_COMPAT.bigalloc)) return 1;
  const log = raw.logClusterSize;
  if (log < raw.logBlockSize || log > LARGEST_LOG_CLUSTER) {
    throw wrongField(raw, 's_log_cluster_size', 0x1c, log, `${raw.logBlockSize} to ${LARGEST_LOG_CLUSTER}`);
  }
  const blocks = 1 << (log - raw.logBlockSize);
  if (raw.blocksPerGroup !== raw.clustersPerGroup * blocks) {
    throw wrongField(raw, 's_blocks_per_group', 0x20, raw.blocksPerGroup, raw.clustersPerGroup * blocks);
  }
  return blocks;
}

function checkGroups(raw: RawSuperblock, blockSize: number, clusterBlocks: number): void {
  const bits = blockSize * 8;
  const clusters = clusterBlocks === 1 ? raw.blocksPerGroup : raw.clustersPerGroup;
  if (clusters === 0 || clusters > bits)
    throw wrongField(raw, 's_blocks_per_group', 0x20, raw.blocksPerGroup, `1 to ${bits}`);
  if (raw.inodesPerGroup === 0 || raw.inodesPerGroup > bits) {
    throw wrongField(raw, 's_inodes_per_group', 0x28, raw.inodesPerGroup, `1 to ${bits}`);
  }
}

/** What follows loops over the groups: a count that the source has no room for is none. */
function groupCountOf(raw: RawSuperblock, blocksCount: number, sourceBytes: number): number {
  const count = Math.ceil((blocksCount - raw.firstDataBlock) / raw.blocksPerGroup);
  if (count < 1 || count > MOST_GROUPS || count * LEAST_GROUP > Math.max(sourceBytes, ANY_SOURCE)) {
    throw wrongField(raw, 's_blocks_count', 0x04, blocksCount, `what ${sourceBytes} bytes can hold`);
  }
  if (count * raw.inodesPerGroup !== raw.inodesCount) {
    throw wrongField(raw, 's_inodes_count', 0x00, raw.inodesCount, count * raw.inodesPerGroup);
  }
  return count;
}

function descriptorSizeOf(raw: RawSuperblock): number {
  const size = raw.descriptorSize;
  if (size < WIDE_DESCRIPTOR || size > LARGEST_DESCRIPTOR || !isPowerOfTwo(size)) {
    throw wrongField(raw, 's_desc_size', 0xfe, size, 'a power of two, 64 to 1024');
  }
  return size;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
