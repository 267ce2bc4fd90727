// Reads the superblock and states its facts.
// A broken primary is replaced by the copy of another group that is sound; a wrong checksum alone is noted, and reading goes on.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { readExactly } from '../../bytes/read-exactly.ts';
import { DamageError, ReadError, UnsupportedError } from '../../errors.ts';
import type { StructOf } from '../../struct/struct.ts';
import { formatUuid } from '../../volumes/uuid.ts';
import type { DamageLog } from '../damage-log.ts';
import { type Geometry, geometryOf } from './geometry.ts';
import {
  FEATURES2,
  INCOMPAT,
  RO_COMPAT,
  SUPERBLOCK_CHECKSUM_AT,
  SUPERBLOCK_MAGIC,
  superblock,
  VERSION_BITS,
  VERSION_NUMBER,
} from './layout.ts';
import { checksumOf } from './self-description.ts';

export type RawSuperblock = StructOf<typeof superblock>;

/** The superblock's facts. */
export interface Superblock extends Geometry {
  readonly raw: RawSuperblock;
  /** 4 or 5: version 5 has checksums. */
  readonly version: number;
  readonly summed: boolean;
  /** As xfs_info and mkfs.xfs name them; unknown read-only bits as `ro-compat-0x…`. */
  readonly features: readonly string[];
  /** Directory entries state types. */
  readonly typed: boolean;
  /** Chunks of inodes may have holes. */
  readonly sparseInodes: boolean;
  /** What every block of version 5 names: the uuid that the file system was made with. */
  readonly metaUuid: Uint8Array;
  /** As a user may have changed it. */
  readonly uuid: string | null;
  readonly label: string;
}

const KNOWN_INCOMPAT = Object.values(INCOMPAT).reduce((all, bit) => all | bit, 0);
const UNREAD_INCOMPAT = INCOMPAT.metadir | INCOMPAT.zoned;
const HEAD_BYTES = superblock.size;
/** How many groups mkfs makes: where the copy in the first of them may lie. */
const USUAL_GROUPS = [4, 2, 8, 16, 32, 64];

/**
 * The primary superblock, or a sound copy when the primary's geometry is broken (then `damage` has the reason).
 * Throws DamageError when there is none, UnsupportedError for features that would make the content misread, ReadError.
 */
export function readSuperblock(source: ByteSource, damage: DamageLog): Superblock {
  try {
    return checked(superblockAt(source, 0), source, damage);
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    const copy = firstCopy(source);
    if (copy === null) throw error;
    damage.add(error);
    return checked(copy, source, damage);
  }
}

function superblockAt(source: ByteSource, at: number): Superblock {
  const raw = superblock.at(readExactly(source, at, HEAD_BYTES, 'xfs_dsb'), 0, at);
  if (raw.magic !== SUPERBLOCK_MAGIC) throw new DamageError('xfs_dsb sb_magicnum', at, raw.magic, SUPERBLOCK_MAGIC);
  refuseUnsupported(raw);
  return { raw, ...geometryOf(raw, source.size), ...featuresOf(raw) };
}

/** A copy lies at the start of each group: the first one's place follows from the sizes of most file systems. */
function firstCopy(source: ByteSource): Superblock | null {
  for (const at of copyPlaces(source.size)) {
    try {
      const copy = superblockAt(source, at);
      const whole = readExactly(source, at, copy.sectorSize, 'xfs_dsb');
      if (copy.agBlocks * copy.blockSize === at && checksumHolds(copy, whole)) return copy;
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    }
  }
  return null;
}

function copyPlaces(sizeBytes: number): number[] {
  const places = USUAL_GROUPS.flatMap(groups => {
    return [4096, 1024, 512].flatMap(unit => {
      const share = sizeBytes / unit / groups;
      return [Math.floor(share) * unit, Math.ceil(share) * unit];
    });
  });
  return [...new Set(places)].filter(at => at > 0);
}

function checked(found: Superblock, source: ByteSource, damage: DamageLog): Superblock {
  const at = found.raw.origin;
  const whole = readExactly(source, at, found.sectorSize, 'xfs_dsb');
  if (!checksumHolds(found, whole)) {
    const expected = checksumOf(whole, SUPERBLOCK_CHECKSUM_AT);
    damage.add(new DamageError('xfs_dsb checksum', at, found.raw.checksum, expected));
  }
  const needed = found.blocksCount * found.blockSize;
  if (needed > source.size)
    damage.add(new DamageError('xfs_dsb sb_dblocks', at, needed, `at most ${source.size} bytes`));
  return found;
}

function checksumHolds(found: Superblock, sector: Uint8Array): boolean {
  return !found.summed || found.raw.checksum === checksumOf(sector, SUPERBLOCK_CHECKSUM_AT);
}

function refuseUnsupported(raw: RawSuperblock): void {
  const version = raw.version & VERSION_NUMBER;
  if (version !== 4 && version !== 5) throw new UnsupportedError(`XFS: version ${version}`);
  if (!(raw.version & VERSION_BITS.dirv2)) throw new UnsupportedError('XFS: directories of version 1');
  if (version === 4) return;
  const unknown = (raw.incompat & ~KNOWN_INCOMPAT) >>> 0;
  if (unknown !== 0) throw new UnsupportedError(`XFS: unknown incompatible features 0x${unknown.toString(16)}`);
  const unread = raw.incompat & UNREAD_INCOMPAT;
  if (unread !== 0) throw new UnsupportedError(`XFS: ${namesOf(unread, INCOMPAT, '').join(', ')}`);
}

function featuresOf(raw: RawSuperblock) {
  const version = raw.version & VERSION_NUMBER;
  const summed = version === 5;
  const features2 = raw.version & VERSION_BITS.morebits ? raw.features2 | raw.badFeatures2 : 0;
  const incompat = summed ? raw.incompat : 0;
  const old = namesOf(raw.version & ~VERSION_NUMBER & ~VERSION_BITS.morebits, VERSION_BITS, '');
  const newer = summed ? [...namesOf(raw.roCompat, RO_COMPAT, 'ro-compat'), ...namesOf(incompat, INCOMPAT, '')] : [];
  return {
    version,
    summed,
    features: [...new Set([...old, ...namesOf(features2, FEATURES2, 'features2'), ...newer])],
    typed: (incompat & INCOMPAT.ftype) !== 0 || (features2 & FEATURES2.ftype) !== 0,
    sparseInodes: (incompat & INCOMPAT.spinodes) !== 0,
    metaUuid: incompat & INCOMPAT.meta_uuid ? raw.metaUuid : raw.uuid,
    uuid: formatUuid(raw.uuid),
    label: raw.label,
  };
}

/** Names of the bits that are set, and of the unknown ones together where `kind` says what they are. */
function namesOf(mask: number, names: Readonly<Record<string, number>>, kind: string): string[] {
  const known = Object.entries(names).filter(([, bit]) => mask & bit);
  const rest = (mask & ~known.reduce((all, [, bit]) => all | bit, 0)) >>> 0;
  return [...known.map(([name]) => name), ...(rest === 0 || kind === '' ? [] : [`${kind}-0x${rest.toString(16)}`])];
}
