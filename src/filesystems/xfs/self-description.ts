// Where blocks of version 5 say what they are: checksum, file system, owner, place, and the log's sequence number (LSN) of
// their last change. Knows magic numbers and offsets; which owner is the right one, the caller knows.

import { DamageError } from '../../errors.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import { n64be, u16be, u32be, u32le, u64be } from '../../struct/integers.ts';
import {
  AGF_MAGIC,
  AGFL_MAGIC,
  AGI_MAGIC,
  BTREE_MAGICS,
  DA_MAGICS,
  DIRECTORY_MAGICS,
  REMOTE_MAGIC,
  SUPERBLOCK_MAGIC,
  SYMLINK_MAGIC,
} from './layout.ts';

/** Byte offsets in the block; null: it does not say. */
export interface SelfDescription {
  /** The structure's name. */
  readonly name: string;
  readonly checksumAt: number;
  readonly uuidAt: number;
  readonly lsnAt: number;
  /** Its own number, in 512 bytes. */
  readonly blockAt: number | null;
  readonly ownerAt: number | null;
  /** Bytes of the owner: a group's number has 4, an inode's 8. */
  readonly ownerBytes: 4 | 8;
}

const inGroup = { name: 'xfs_btree_block', checksumAt: 52, uuidAt: 32, lsnAt: 24, blockAt: 16, ownerAt: 48 } as const;
const header = { blockAt: null, ownerAt: null, ownerBytes: 4 } as const;

export const DESCRIPTIONS = {
  superblock: { name: 'xfs_dsb', checksumAt: 224, uuidAt: 32, lsnAt: 240, ...header },
  agf: { name: 'xfs_agf', checksumAt: 216, uuidAt: 64, lsnAt: 208, ...header },
  agi: { name: 'xfs_agi', checksumAt: 312, uuidAt: 296, lsnAt: 320, ...header },
  agfl: { name: 'xfs_agfl', checksumAt: 32, uuidAt: 8, lsnAt: 24, ...header },
  groupTree: { ...inGroup, ownerBytes: 4 },
  extentTree: {
    name: 'xfs_btree_block',
    checksumAt: 64,
    uuidAt: 40,
    lsnAt: 32,
    blockAt: 24,
    ownerAt: 56,
    ownerBytes: 8,
  },
  directory: {
    name: 'xfs_dir3_blk_hdr',
    checksumAt: 4,
    uuidAt: 24,
    lsnAt: 16,
    blockAt: 8,
    ownerAt: 40,
    ownerBytes: 8,
  },
  da: { name: 'xfs_da3_blkinfo', checksumAt: 12, uuidAt: 32, lsnAt: 24, blockAt: 16, ownerAt: 48, ownerBytes: 8 },
  remote: {
    name: 'xfs_attr3_rmt_hdr',
    checksumAt: 12,
    uuidAt: 16,
    lsnAt: 48,
    blockAt: 40,
    ownerAt: 32,
    ownerBytes: 8,
  },
} as const satisfies Record<string, SelfDescription>;

const BY_MAGIC = new Map<number, SelfDescription>([
  [SUPERBLOCK_MAGIC, DESCRIPTIONS.superblock],
  [AGF_MAGIC, DESCRIPTIONS.agf],
  [AGI_MAGIC, DESCRIPTIONS.agi],
  [AGFL_MAGIC, DESCRIPTIONS.agfl],
  [BTREE_MAGICS.byBlock[1], DESCRIPTIONS.groupTree],
  [BTREE_MAGICS.bySize[1], DESCRIPTIONS.groupTree],
  [BTREE_MAGICS.inodes[1], DESCRIPTIONS.groupTree],
  [BTREE_MAGICS.freeInodes[1], DESCRIPTIONS.groupTree],
  [BTREE_MAGICS.reverseMap[1], DESCRIPTIONS.groupTree],
  [BTREE_MAGICS.referenceCount[1], DESCRIPTIONS.groupTree],
  [BTREE_MAGICS.blockMap[1], DESCRIPTIONS.extentTree],
  [DIRECTORY_MAGICS.block[1], DESCRIPTIONS.directory],
  [DIRECTORY_MAGICS.data[1], DESCRIPTIONS.directory],
  [DIRECTORY_MAGICS.free[1], DESCRIPTIONS.directory],
  [REMOTE_MAGIC, DESCRIPTIONS.remote],
  [SYMLINK_MAGIC, DESCRIPTIONS.remote],
]);

/** Of magic numbers at offset 8, in 16 bits. */
const DA_MAGIC_NUMBERS: readonly number[] = Object.values(DA_MAGICS).map(([, summed]) => summed);

/** Shorter pieces describe nothing. */
const LEAST_BYTES = 64;

/** What a block of version 5 is by its magic number; null for data, inodes and what is older than version 5. */
export function describeBlock(bytes: Uint8Array): SelfDescription | null {
  if (bytes.length < LEAST_BYTES) return null;
  const known = BY_MAGIC.get(u32be(bytes, 0));
  if (known !== undefined)
    return known.checksumAt + 4 <= bytes.length && known.lsnAt + 8 <= bytes.length ? known : null;
  return DA_MAGIC_NUMBERS.includes(u16be(bytes, 8)) ? DESCRIPTIONS.da : null;
}

/** The LSN that a block of version 5 carries; null where it carries none. `-1` (all bits) is none: never logged. */
export function lsnOfBlock(bytes: Uint8Array): bigint | null {
  const description = describeBlock(bytes);
  return description === null ? null : u64be(bytes, description.lsnAt);
}

const NO_CHECKSUM = new Uint8Array(4);

/** CRC-32C of bytes [start, end) with the field at `checksumAt` (from `start`) as zeros. */
export function checksumOf(bytes: Uint8Array, checksumAt: number, start = 0, end = bytes.length): number {
  const before = rawCrc32c(-1, bytes, start, start + checksumAt);
  const field = rawCrc32c(before, NO_CHECKSUM);
  return ~rawCrc32c(field, bytes, start + checksumAt + 4, end) >>> 0;
}

/** What a block of version 5 should say of itself. */
export interface Rightful {
  /** For messages: `directory block 3 of inode 128`. */
  readonly what: string;
  /** Byte offset in the volume. */
  readonly at: number;
  /** Null: any. */
  readonly owner: number | null;
  readonly uuid: Uint8Array;
}

/**
 * Throws DamageError for a wrong checksum, and for another file system's, another owner's or another place's block. All have the
 * code EUCLEAN: XFS says no other of its metadata, not even of a checksum.
 */
export function checkDescription(bytes: Uint8Array, description: SelfDescription, rightful: Rightful): void {
  const { checksumAt, uuidAt, blockAt, ownerAt, ownerBytes } = description;
  const fail = (field: string, found: string | number, expected: string | number) => {
    throw new DamageError(`${description.name} ${field} of ${rightful.what}`, rightful.at, found, expected);
  };
  const stored = u32le(bytes, checksumAt);
  const computed = checksumOf(bytes, checksumAt);
  if (stored !== computed) fail('checksum', stored, computed);
  if (!sameBytes(bytes, uuidAt, rightful.uuid)) {
    fail('uuid', hex(bytes.subarray(uuidAt, uuidAt + 16)), hex(rightful.uuid));
  }
  if (blockAt !== null && n64be(bytes, blockAt) !== rightful.at / 512) {
    fail('block number', n64be(bytes, blockAt), rightful.at / 512);
  }
  if (ownerAt === null || rightful.owner === null) return;
  const owner = ownerBytes === 4 ? u32be(bytes, ownerAt) : n64be(bytes, ownerAt);
  if (owner !== rightful.owner) fail('owner', owner, rightful.owner);
}

/** Whether `expected` stands at `at`. */
export function sameBytes(bytes: Uint8Array, at: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index++) if (bytes[at + index] !== expected[index]) return false;
  return true;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
