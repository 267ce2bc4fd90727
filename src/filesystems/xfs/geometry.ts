// The sizes and counts that a superblock states, checked as the kernel checks them before it mounts; and where things lie by
// their numbers. Blocks are counted from the volume's start here: the file system's own numbers have gaps between groups.

import { DamageError } from '../../errors.ts';
import type { RawSuperblock } from './superblock.ts';

export interface Geometry {
  readonly blockSize: number;
  readonly sectorSize: number;
  readonly blocksCount: number;
  readonly agBlocks: number;
  readonly agCount: number;
  /** Numbers of one group's blocks: 2^agBlocksLog, of which agBlocks are there. */
  readonly agNumbers: number;
  readonly inodeSize: number;
  readonly inodesPerBlock: number;
  readonly directoryBlockSize: number;
  readonly rootInode: number;
  /** First block of the log, from the volume's start; null for a log on another device. */
  readonly logStart: number | null;
  readonly logBlocks: number;
}

const LARGEST_BLOCK = 65536;
const LARGEST_SECTOR = 32768;
const LARGEST_INODE = 2048;
const SMALLEST_INODE = 256;
const SMALLEST_SECTOR = 512;
const SMALLEST_GROUP_BLOCKS = 64;
/** What follows loops over groups. A cut-off image may claim what does not fit, up to this. */
const ANY_SOURCE = 2 ** 32;

function wrong(raw: RawSuperblock, field: string, at: number, found: number, expected: string | number): DamageError {
  return new DamageError(`xfs_dsb ${field}`, raw.origin + at, found, expected);
}

/** @param sourceBytes bounds what the counts may claim. Throws DamageError. */
export function geometryOf(raw: RawSuperblock, sourceBytes: number): Geometry {
  checkSizes(raw);
  checkGroups(raw, sourceBytes);
  const sizes = {
    blockSize: raw.blockSize,
    sectorSize: raw.sectorSize,
    blocksCount: raw.blocks,
    agBlocks: raw.agBlocks,
    agCount: raw.agCount,
    agNumbers: 2 ** raw.agBlocksLog,
    inodeSize: raw.inodeSize,
    inodesPerBlock: raw.inodesPerBlock,
    directoryBlockSize: raw.blockSize * 2 ** raw.directoryBlockLog,
    rootInode: raw.rootInode,
    logBlocks: raw.logBlocks,
  };
  return { ...sizes, logStart: raw.logStart === 0 ? null : linearBlock(sizes, raw.logStart) };
}

function checkSizes(raw: RawSuperblock): void {
  const check = (field: string, at: number, found: number, least: number, most: number) => {
    if (isPowerOfTwo(found) && found >= least && found <= most) return;
    throw wrong(raw, field, at, found, `a power of two, ${least} to ${most}`);
  };
  check('sb_blocksize', 4, raw.blockSize, SMALLEST_SECTOR, LARGEST_BLOCK);
  check('sb_sectsize', 102, raw.sectorSize, SMALLEST_SECTOR, Math.min(LARGEST_SECTOR, raw.blockSize));
  check('sb_inodesize', 104, raw.inodeSize, SMALLEST_INODE, Math.min(LARGEST_INODE, raw.blockSize));
  const perBlock = raw.blockSize / raw.inodeSize;
  if (raw.inodesPerBlock !== perBlock) throw wrong(raw, 'sb_inopblock', 106, raw.inodesPerBlock, perBlock);
  if (raw.blockLog !== Math.log2(raw.blockSize)) throw wrong(raw, 'sb_blocklog', 120, raw.blockLog, 'its log2');
  if (raw.inodesPerBlockLog !== Math.log2(perBlock))
    throw wrong(raw, 'sb_inopblog', 123, raw.inodesPerBlockLog, Math.log2(perBlock));
  if (raw.blockSize * 2 ** raw.directoryBlockLog > LARGEST_BLOCK)
    throw wrong(raw, 'sb_dirblklog', 192, raw.directoryBlockLog, `blocks of at most ${LARGEST_BLOCK} bytes`);
}

function checkGroups(raw: RawSuperblock, sourceBytes: number): void {
  if (raw.agBlocks < SMALLEST_GROUP_BLOCKS)
    throw wrong(raw, 'sb_agblocks', 84, raw.agBlocks, `${SMALLEST_GROUP_BLOCKS} or more`);
  const log = Math.ceil(Math.log2(raw.agBlocks));
  if (raw.agBlocksLog !== log) throw wrong(raw, 'sb_agblklog', 124, raw.agBlocksLog, log);
  const most = Math.max(sourceBytes, ANY_SOURCE) / (SMALLEST_GROUP_BLOCKS * raw.blockSize);
  if (raw.agCount < 1 || raw.agCount > most) throw wrong(raw, 'sb_agcount', 88, raw.agCount, `1 to ${most}`);
  const least = (raw.agCount - 1) * raw.agBlocks;
  const whole = raw.agCount * raw.agBlocks;
  if (raw.blocks <= least || raw.blocks > whole || raw.blocks * raw.blockSize > Number.MAX_SAFE_INTEGER)
    throw wrong(raw, 'sb_dblocks', 8, raw.blocks, `${least + 1} to ${whole}`);
}

type Groups = Pick<Geometry, 'agBlocks' | 'agCount' | 'agNumbers' | 'blocksCount'>;

/** The block, from the volume's start, that a block number of the file system stands for. Throws DamageError for one that is none. */
export function linearBlock(geometry: Groups, number: number): number {
  const { agNumbers, agBlocks, agCount, blocksCount } = geometry;
  const group = Math.floor(number / agNumbers);
  const inGroup = number % agNumbers;
  const linear = group * agBlocks + inGroup;
  if (group < agCount && inGroup < agBlocks && linear < blocksCount) return linear;
  throw new DamageError('block number', 0, number, `a block of the ${agCount} groups`);
}

/** Blocks of a group: the last one may be shorter. */
export function groupBlocks({ agBlocks, agCount, blocksCount }: Groups, group: number): number {
  return group === agCount - 1 ? blocksCount - group * agBlocks : agBlocks;
}

/** Byte offset of an inode by its number. Throws DamageError for one that is none. */
export function inodePlace(geometry: Geometry, number: number): number {
  const { inodesPerBlock, blockSize, inodeSize } = geometry;
  if (!(Number.isSafeInteger(number) && number > 0)) throw new DamageError('inode number', 0, number, '1 or more');
  const block = linearBlock(geometry, Math.floor(number / inodesPerBlock));
  return block * blockSize + (number % inodesPerBlock) * inodeSize;
}

/** The number of an inode by its group's number and its number there. */
export function inodeNumber({ agNumbers, inodesPerBlock }: Geometry, group: number, inGroup: number): number {
  return group * agNumbers * inodesPerBlock + inGroup;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
