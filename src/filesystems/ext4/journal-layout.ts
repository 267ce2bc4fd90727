// The on-disk structures of the journal (jbd2), big-endian, and of fast commits within it, little-endian: offsets and names.
// Follows Documentation/filesystems/ext4/journal.rst and include/linux/jbd2.h, fs/ext4/fast_commit.h of Linux 6.18.

import { bytes, defineStruct, u8, u16, u32 } from '../../struct/struct.ts';

export const JOURNAL_MAGIC = 0xc03b3998;

export const blockHeader = defineStruct('journal_header_s', 'be', { magic: u32(0), type: u32(4), sequence: u32(8) });
export const BLOCK_HEADER_BYTES = 12;
export const BLOCK_TYPES = { descriptor: 1, commit: 2, superblockV1: 3, superblockV2: 4, revoke: 5 } as const;

export const journalSuperblock = defineStruct(
  'journal_superblock_s',
  'be',
  {
    magic: u32(0x00),
    type: u32(0x04),
    blockSize: u32(0x0c),
    maxLength: u32(0x10),
    first: u32(0x14),
    sequence: u32(0x18),
    start: u32(0x1c),
    error: u32(0x20),
    compat: u32(0x24),
    incompat: u32(0x28),
    roCompat: u32(0x2c),
    uuid: bytes(0x30, 16),
    checksumType: u8(0x50),
    fastCommitBlocks: u32(0x54),
    head: u32(0x58),
    checksum: u32(0xfc),
  },
  1024,
);
export const JOURNAL_SUPERBLOCK_BYTES = 1024;
export const JOURNAL_CHECKSUM_AT = 0xfc;
export const CHECKSUM_CRC32C = 4;

export const JOURNAL_COMPAT = { checksum: 1 } as const;
export const JOURNAL_INCOMPAT = {
  revoke: 0x1,
  '64bit': 0x2,
  asyncCommit: 0x4,
  checksumV2: 0x8,
  checksumV3: 0x10,
  fastCommit: 0x20,
} as const;

/** Tags follow a descriptor's header; how long one is depends on the features. */
export const TAG_FLAGS = { escaped: 1, sameUuid: 2, deleted: 4, last: 8 } as const;
export const TAG_UUID_BYTES = 16;
/** Last bytes of descriptor and revoke blocks when blocks carry checksums. */
export const BLOCK_TAIL_BYTES = 4;

export const commitHeader = defineStruct('commit_header', 'be', {
  magic: u32(0),
  type: u32(4),
  sequence: u32(8),
  checksumType: u8(0x0c),
  checksumSize: u8(0x0d),
  checksum: u32(0x10),
  secondsHigh: u32(0x30),
  secondsLow: u32(0x34),
  nanoseconds: u32(0x38),
});
export const COMMIT_CHECKSUM_AT = 0x10;
export const COMMIT_CRC32 = 1;
export const COMMIT_CRC32_BYTES = 4;

/** Length of a revoke block's used part, its header of 16 bytes included. */
export const REVOKE_COUNT_AT = 0x0c;
export const REVOKE_HEADER_BYTES = 16;

/** Where the superblock states no size of the fast commit area. */
export const DEFAULT_FAST_COMMIT_BLOCKS = 256;
/** Fewer blocks of ordinary log than this are not left. */
export const LEAST_LOG_BLOCKS = 1024;

export const FAST_COMMIT_TAGS = {
  addRange: 1,
  deleteRange: 2,
  create: 3,
  link: 4,
  unlink: 5,
  inode: 6,
  pad: 7,
  tail: 8,
  head: 9,
} as const;
export const fastCommitTag = defineStruct('ext4_fc_tl', 'le', { tag: u16(0), length: u16(2) });
export const FAST_COMMIT_TAG_BYTES = 4;
export const fastCommitHead = defineStruct('ext4_fc_head', 'le', { features: u32(0), sequence: u32(4) });
export const fastCommitTail = defineStruct('ext4_fc_tail', 'le', { sequence: u32(0), checksum: u32(4) });
/** The extent that follows the inode number is an ext4_extent. */
export const fastCommitRange = defineStruct('ext4_fc_add_range', 'le', { inode: u32(0) }, 16);
export const fastCommitHole = defineStruct('ext4_fc_del_range', 'le', {
  inode: u32(0),
  logical: u32(4),
  length: u32(8),
});
/** The name follows. */
export const fastCommitName = defineStruct('ext4_fc_dentry_info', 'le', { parent: u32(0), inode: u32(4) });
export const FAST_COMMIT_NAME_AT = 8;
/** The inode follows, as it lies in the table, perhaps cut short. */
export const fastCommitInode = defineStruct('ext4_fc_inode', 'le', { inode: u32(0) });
