// Reads the superblock and states its facts.
// A broken primary is replaced by a backup that is sound; a wrong checksum alone is noted, and reading goes on.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { DamageError, ReadError } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import type { DamageLog } from '../damage-log.ts';
import { type Geometry, geometryOf, type RawSuperblock, refuseUnsupported, wrongField } from './geometry.ts';
import {
  COMPAT,
  INCOMPAT,
  RO_COMPAT,
  STATE,
  SUPERBLOCK_AT,
  SUPERBLOCK_BYTES,
  SUPERBLOCK_FLAGS,
  SUPERBLOCK_MAGIC,
  superblock,
} from './layout.ts';

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
  /** Whether names were hashed with `char` unsigned; null: as the machine has it that hashed them. */
  readonly unsignedHash: boolean | null;
}

/** Block sizes of mke2fs and the first block of their group 1, where the first backup is. */
const FIRST_BACKUPS = [8193 * 1024, 16384 * 2048, 32768 * 4096, 65528 * 8192, 65528 * 16384, 65528 * 65536] as const;

/** Whether the magic of a superblock is there. */
export function detectExt4(bytes: ByteSource): boolean {
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

function superblockChecksumHolds(found: Superblock): boolean {
  return found.checksums !== 'metadata' || found.raw.checksum === checksumOf(found);
}

/** @param at where the bytes were found. Throws DamageError, UnsupportedError. */
function parseSuperblock(bytes: Uint8Array, at: number, sourceBytes: number): Superblock {
  const raw = superblock.at(bytes, 0, at);
  if (raw.magic !== SUPERBLOCK_MAGIC) throw wrongField(raw, 's_magic', 0x38, raw.magic, SUPERBLOCK_MAGIC);
  refuseUnsupported(raw);
  return { at, raw, ...geometryOf(raw, sourceBytes), ...featuresOf(raw), ...historyOf(raw) };
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
    unsignedHash: hasUnsignedHash(raw.flags),
  };
}

function hasUnsignedHash(flags: number): boolean | null {
  if ((flags & SUPERBLOCK_FLAGS.unsignedHash) !== 0) return true;
  return (flags & SUPERBLOCK_FLAGS.signedHash) !== 0 ? false : null;
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
