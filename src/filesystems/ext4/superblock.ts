// Reads the superblock, checks its geometry as the kernel does before it mounts, and states its facts.
// A broken primary is replaced by a backup that is sound; a wrong checksum alone is noted, and reading goes on.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { DamageError, ReadError, UnsupportedError } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import type { StructOf } from '../../struct/struct.ts';
import type { DamageLog } from './damage-log.ts';
import {
  COMPAT,
  INCOMPAT,
  OLD_INODE_BYTES,
  RO_COMPAT,
  STATE,
  SUPERBLOCK_AT,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_FLAGS,
  SUPERBLOCK_MAGIC,
  superblock,
  WIDE_DESCRIPTOR,
} from './layout.ts';

type RawSuperblock = StructOf<typeof superblock>;

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

/** The superblock's facts, all of them plain data. */
export interface Superblock extends Geometry {
  /** Byte offset in the volume of the copy that was read: 1024 unless the primary is broken. */
  readonly at: number;
  readonly raw: RawSuperblock;
  readonly compat: number;
  readonly incompat: number;
  readonly roCompat: number;
  /** As e2fsprogs names them; unknown bits as `compat-0x…`. */
  readonly features: readonly string[];
  /** none; group: CRC-16 of group descriptors only; metadata: CRC-32C of everything. */
  readonly checksums: 'none' | 'group' | 'metadata';
  /** Where metadata checksums start from. */
  readonly checksumSeed: number;
  readonly uuid: string;
  readonly label: string;
  readonly lastMounted: string;
  readonly clean: boolean;
  readonly hasErrors: boolean;
  readonly hasOrphans: boolean;
  readonly needsRecovery: boolean;
  readonly mountTimeNs: Nanoseconds | null;
  readonly writeTimeNs: Nanoseconds | null;
  readonly mkfsTimeNs: Nanoseconds | null;
  readonly lastCheckNs: Nanoseconds | null;
  readonly firstErrorNs: Nanoseconds | null;
  readonly lastErrorNs: Nanoseconds | null;
  readonly errorCount: number;
  readonly mountCount: number;
  readonly kilobytesWritten: number;
  readonly freeBlocks: number;
  readonly freeInodes: number;
  readonly journalInode: number;
  readonly journalUuid: string;
  readonly lastOrphan: number;
  /** 0 without the feature. */
  readonly orphanFileInode: number;
  /** Whether names were hashed with `char` unsigned. */
  readonly unsignedHash: boolean;
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
/** Block sizes of mke2fs and the first block of their group 1, where the first backup is. */
const FIRST_BACKUPS = [8193 * 1024, 16384 * 2048, 32768 * 4096, 65528 * 8192, 65528 * 16384, 65528 * 65536] as const;

/** Whether the magic of a superblock is there. */
export function detectExt(bytes: ByteSource): boolean {
  const magic = new Uint8Array(2);
  return bytes.read(magic, SUPERBLOCK_AT + 0x38) === 2 && ((magic[1] ?? 0) << 8) + (magic[0] ?? 0) === SUPERBLOCK_MAGIC;
}

/**
 * The primary superblock, or the first sound backup when the primary's geometry is broken (then `damage` has the reason).
 * Throws DamageError when there is none, UnsupportedError for features that would make the content misread, ReadError.
 */
export function readSuperblock(source: ByteSource, damage: DamageLog): Superblock {
  try {
    return checked(superblockAt(source, SUPERBLOCK_AT), source, damage);
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    const backup = firstBackup(source);
    if (backup === null) throw error;
    damage.add(error);
    return checked(backup, source, damage);
  }
}

function superblockAt(source: ByteSource, at: number): Superblock {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES);
  if (source.read(bytes, at) < SUPERBLOCK_BYTES) {
    throw new DamageError('ext4_super_block', at, `${source.size} bytes`, `${at + SUPERBLOCK_BYTES} bytes`);
  }
  return parseSuperblock(bytes, at, source.size);
}

function firstBackup(source: ByteSource): Superblock | null {
  for (const at of FIRST_BACKUPS) {
    try {
      const backup = superblockAt(source, at);
      if (
        superblockChecksumHolds(backup) &&
        (backup.firstDataBlock + backup.blocksPerGroup) * backup.blockSize === at
      ) {
        return backup;
      }
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    }
  }
  return null;
}

function checked(found: Superblock, source: ByteSource, damage: DamageLog): Superblock {
  if (!superblockChecksumHolds(found)) {
    damage.add(
      new DamageError('ext4_super_block checksum', found.at, found.raw.checksum, checksumOf(found), 'EBADMSG'),
    );
  }
  const needed = found.blocksCount * found.blockSize;
  if (needed > source.size) {
    damage.add(new DamageError('ext4_super_block s_blocks_count', found.at, needed, `at most ${source.size} bytes`));
  }
  return found;
}

function checksumOf(found: Superblock): number {
  return rawCrc32c(-1, found.raw.bytes, found.raw.at, found.raw.at + 0x3fc);
}

export function superblockChecksumHolds(found: Superblock): boolean {
  return found.checksums !== 'metadata' || found.raw.checksum === checksumOf(found);
}

/** @param at where the bytes were found. Throws DamageError, UnsupportedError. */
export function parseSuperblock(bytes: Uint8Array, at: number, sourceBytes: number): Superblock {
  const raw = superblock.at(bytes, 0, at);
  if (raw.magic !== SUPERBLOCK_MAGIC) throw wrong(raw, 's_magic', 0x38, raw.magic, SUPERBLOCK_MAGIC);
  refuseUnsupported(raw);
  return { at, raw, ...geometryOf(raw, sourceBytes), ...featuresOf(raw), ...historyOf(raw) };
}

function wrong(
  raw: RawSuperblock,
  field: string,
  offset: number,
  found: number,
  expected: string | number,
): DamageError {
  return new DamageError(`ext4_super_block ${field}`, raw.origin + offset, found, expected);
}

function refuseUnsupported(raw: RawSuperblock): void {
  const unknown = (raw.incompat & ~KNOWN_INCOMPAT) >>> 0;
  if (unknown !== 0) throw new UnsupportedError(`ext4: unknown incompatible features 0x${unknown.toString(16)}`);
  if (raw.incompat & INCOMPAT.journal_dev) throw new UnsupportedError('ext4: an external journal, no file system');
  if (raw.incompat & INCOMPAT.compression) throw new UnsupportedError('ext4: compressed with e2compr');
  if (raw.roCompat & RO_COMPAT.metadata_csum && raw.checksumType !== 1) {
    throw new UnsupportedError(`ext4: unknown checksum type ${raw.checksumType}`);
  }
}

function geometryOf(raw: RawSuperblock, sourceBytes: number): Geometry {
  const blockSize = blockSizeOf(raw);
  const clusterBlocks = clusterBlocksOf(raw);
  const wide = (raw.incompat & INCOMPAT['64bit']) !== 0;
  const blocksCount = raw.blocksCountLow + (wide ? raw.blocksCountHigh * 2 ** 32 : 0);
  const sizes = { blockSize, clusterBlocks, blocksCount, firstDataBlock: raw.firstDataBlock };
  checkGroups(raw, blockSize, clusterBlocks);
  const groupCount = groupCountOf(raw, blocksCount, sourceBytes);
  if (raw.firstDataBlock >= blocksCount)
    throw wrong(raw, 's_first_data_block', 0x14, raw.firstDataBlock, `< ${blocksCount}`);
  const old = raw.revision === 0;
  const inodeSize = old ? OLD_INODE_BYTES : raw.inodeSize;
  if (inodeSize < OLD_INODE_BYTES || inodeSize > blockSize || !isPowerOfTwo(inodeSize)) {
    throw wrong(raw, 's_inode_size', 0x58, inodeSize, `a power of two, 128 to ${blockSize}`);
  }
  const firstInode = old ? SMALLEST_FIRST_INODE : raw.firstInode;
  if (firstInode < SMALLEST_FIRST_INODE) throw wrong(raw, 's_first_ino', 0x54, firstInode, '11 or more');
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
  if (raw.logBlockSize > LARGEST_LOG_BLOCK) throw wrong(raw, 's_log_block_size', 0x18, raw.logBlockSize, '0 to 6');
  return 1024 << raw.logBlockSize;
}

function clusterBlocksOf(raw: RawSuperblock): number {
  if (!(raw.roCompat & RO_COMPAT.bigalloc)) return 1;
  const log = raw.logClusterSize;
  if (log < raw.logBlockSize || log > LARGEST_LOG_CLUSTER) {
    throw wrong(raw, 's_log_cluster_size', 0x1c, log, `${raw.logBlockSize} to ${LARGEST_LOG_CLUSTER}`);
  }
  const blocks = 1 << (log - raw.logBlockSize);
  if (raw.blocksPerGroup !== raw.clustersPerGroup * blocks) {
    throw wrong(raw, 's_blocks_per_group', 0x20, raw.blocksPerGroup, raw.clustersPerGroup * blocks);
  }
  return blocks;
}

function checkGroups(raw: RawSuperblock, blockSize: number, clusterBlocks: number): void {
  const bits = blockSize * 8;
  const clusters = clusterBlocks === 1 ? raw.blocksPerGroup : raw.clustersPerGroup;
  if (clusters === 0 || clusters > bits)
    throw wrong(raw, 's_blocks_per_group', 0x20, raw.blocksPerGroup, `1 to ${bits}`);
  if (raw.inodesPerGroup === 0 || raw.inodesPerGroup > bits) {
    throw wrong(raw, 's_inodes_per_group', 0x28, raw.inodesPerGroup, `1 to ${bits}`);
  }
}

/** What follows loops over the groups: a count that the source has no room for is none. */
function groupCountOf(raw: RawSuperblock, blocksCount: number, sourceBytes: number): number {
  const count = Math.ceil((blocksCount - raw.firstDataBlock) / raw.blocksPerGroup);
  if (count < 1 || count > MOST_GROUPS || count * LEAST_GROUP > Math.max(sourceBytes, ANY_SOURCE)) {
    throw wrong(raw, 's_blocks_count', 0x04, blocksCount, `what ${sourceBytes} bytes can hold`);
  }
  if (count * raw.inodesPerGroup !== raw.inodesCount) {
    throw wrong(raw, 's_inodes_count', 0x00, raw.inodesCount, count * raw.inodesPerGroup);
  }
  return count;
}

function descriptorSizeOf(raw: RawSuperblock): number {
  const size = raw.descriptorSize;
  if (size < WIDE_DESCRIPTOR || size > LARGEST_DESCRIPTOR || !isPowerOfTwo(size)) {
    throw wrong(raw, 's_desc_size', 0xfe, size, 'a power of two, 64 to 1024');
  }
  return size;
}

function featuresOf(raw: RawSuperblock) {
  const metadata = (raw.roCompat & RO_COMPAT.metadata_csum) !== 0;
  const seeded = (raw.incompat & INCOMPAT.metadata_csum_seed) !== 0;
  const group = (raw.roCompat & RO_COMPAT.uninit_bg) !== 0;
  const checksums: Superblock['checksums'] = metadata ? 'metadata' : group ? 'group' : 'none';
  return {
    compat: raw.compat,
    incompat: raw.incompat,
    roCompat: raw.roCompat,
    features: [
      ...namesOf(raw.compat, COMPAT, 'compat'),
      ...namesOf(raw.incompat, INCOMPAT, 'incompat'),
      ...namesOf(raw.roCompat, RO_COMPAT, 'ro-compat'),
    ],
    checksums,
    checksumSeed: seeded ? raw.checksumSeed : rawCrc32c(-1, raw.uuid),
    unsignedHash: (raw.flags & SUPERBLOCK_FLAGS.unsignedHash) !== 0,
  };
}

function namesOf(mask: number, names: Readonly<Record<string, number>>, kind: string): string[] {
  const known = Object.entries(names).filter(([, bit]) => mask & bit);
  const rest = (mask & ~known.reduce((all, [, bit]) => all | bit, 0)) >>> 0;
  const unknown = rest === 0 ? [] : [`${kind}-0x${rest.toString(16)}`];
  return [...known.map(([name]) => name), ...unknown];
}

function historyOf(raw: RawSuperblock) {
  return {
    uuid: formatUuid(raw.uuid),
    label: raw.volumeName,
    lastMounted: raw.lastMounted,
    clean: (raw.state & STATE.clean) !== 0 && !(raw.incompat & INCOMPAT.needs_recovery),
    hasErrors: (raw.state & STATE.errors) !== 0,
    hasOrphans: (raw.state & STATE.orphans) !== 0,
    needsRecovery: (raw.incompat & INCOMPAT.needs_recovery) !== 0,
    mountTimeNs: timeNs(raw.mountTime, raw.mountTimeHigh),
    writeTimeNs: timeNs(raw.writeTime, raw.writeTimeHigh),
    mkfsTimeNs: timeNs(raw.mkfsTime, raw.mkfsTimeHigh),
    lastCheckNs: timeNs(raw.lastCheck, raw.lastCheckHigh),
    firstErrorNs: timeNs(raw.firstErrorTime, raw.firstErrorTimeHigh),
    lastErrorNs: timeNs(raw.lastErrorTime, raw.lastErrorTimeHigh),
    errorCount: raw.errorCount,
    mountCount: raw.mountCount,
    kilobytesWritten: raw.kilobytesWritten,
    freeBlocks: raw.freeBlocksLow + (raw.incompat & INCOMPAT['64bit'] ? raw.freeBlocksHigh * 2 ** 32 : 0),
    freeInodes: raw.freeInodes,
    journalInode: raw.compat & COMPAT.has_journal ? raw.journalInode : 0,
    journalUuid: formatUuid(raw.journalUuid),
    lastOrphan: raw.lastOrphan,
    orphanFileInode: raw.compat & COMPAT.orphan_file ? raw.orphanFileInode : 0,
  };
}

/** Null for a time that was never set. */
function timeNs(low: number, high: number): Nanoseconds | null {
  return low === 0 && high === 0 ? null : BigInt(low + high * 2 ** 32) * 1_000_000_000n;
}

/** 8-4-4-4-12 hex digits. */
export function formatUuid(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export function isPowerOfTwo(value: number): boolean {
  return value > 0 && Number.isInteger(Math.log2(value));
}
