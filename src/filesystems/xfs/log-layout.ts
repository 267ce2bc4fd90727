// The on-disk structures of the log: records are big-endian, what is logged has the order of the machine that wrote it (little
// here). Follows libxfs/xfs_log_format.h of Linux 6.18.

import { bytes, defineStruct, i32, littleEndian, n64, u8, u16, u32, u64 } from '../../struct/struct.ts';

/** The log is counted in blocks of this size, whatever the file system's are. */
export const LOG_BLOCK_BYTES = 512;
export const RECORD_MAGIC = 0xfeedbabe;
/** Of which the first words of the record's blocks are kept in one header block. */
export const HEADER_COVERS_BYTES = 32768;
export const CYCLE_WORDS = 64;
export const CYCLE_WORDS_AT = 44;
export const MORE_CYCLE_WORDS_AT = 4;
export const LARGEST_RECORD_BYTES = 262144;
/** Records that may be under way at once: what lies that far before the end may have holes after a crash. */
export const MOST_UNDER_WAY = 8;
export const FORMAT_LITTLE_ENDIAN = 1;

export const recordHeader = defineStruct(
  'xlog_rec_header',
  'be',
  {
    magic: u32(0),
    cycle: u32(4),
    version: u32(8),
    length: u32(12),
    lsn: u64(16),
    tailLsn: u64(24),
    checksum: littleEndian(u32(32)),
    previous: u32(36),
    operations: u32(40),
    format: u32(300),
    uuid: bytes(304, 16),
    size: u32(320),
  },
  LOG_BLOCK_BYTES,
);
export const RECORD_CHECKSUM_AT = 32;
/** What the checksum takes of a header: on 64-bit machines, on 32-bit ones, and of each further header block. */
export const CHECKED_HEADER_BYTES = [328, 324] as const;
export const CHECKED_MORE_BYTES = 260;

export const operation = defineStruct(
  'xlog_op_header',
  'be',
  { id: u32(0), length: u32(4), client: u8(8), flags: u8(9) },
  12,
);
export const CLIENTS: readonly number[] = [0x69, 0xaa];
export const OPERATION_FLAGS = { start: 1, commit: 2, continues: 4, continued: 8, end: 0x10, unmount: 0x20 } as const;

export const TRANSACTION_MAGIC = 0x5452414e;
export const TRANSACTION_HEADER_BYTES = 16;

export const ITEM_TYPES = { inode: 0x123b, buffer: 0x123c, quota: 0x123d, quotaOff: 0x123e, create: 0x123f } as const;
/** What is announced; the type that says it is done is one more. */
export const INTENTS: Readonly<Record<number, string>> = {
  4662: 'extents to be freed',
  4672: 'reverse mappings to be updated',
  4674: 'reference counts to be updated',
  4676: 'mappings to be updated',
  4678: 'attributes to be set',
  4680: 'mappings to be exchanged',
  4682: 'realtime extents to be freed',
  4684: 'realtime reverse mappings to be updated',
  4686: 'realtime reference counts to be updated',
};
export const MOST_REGIONS = 16384;

/** Every item begins so. */
export const itemHead = defineStruct('xfs_log_item', 'le', { type: u16(0), regions: u16(2) });
/** Of an intent, and of what says that it is done. */
export const intent = defineStruct('xfs_efi_log_format', 'le', { type: u16(0), id: u64(8) });

export const bufferItem = defineStruct('xfs_buf_log_format', 'le', {
  type: u16(0),
  regions: u16(2),
  flags: u16(4),
  length: u16(6),
  block: n64(8),
  mapWords: u32(16),
});
export const BUFFER_MAP_AT = 20;
export const BUFFER_CHUNK_BYTES = 128;
export const BUFFER_FLAGS = { inodes: 1, cancel: 2, quota: 0x4 | 0x8 | 0x10 } as const;

export const inodeItem = defineStruct('xfs_inode_log_format', 'le', {
  type: u16(0),
  regions: u16(2),
  fields: u32(4),
  number: n64(16),
  device: u32(24),
  block: n64(40),
  length: i32(48),
  offset: i32(52),
});
/** As 32-bit machines wrote it: without the padding before the number. */
export const narrowInodeItem = defineStruct('xfs_inode_log_format_32', 'le', {
  type: u16(0),
  regions: u16(2),
  fields: u32(4),
  number: n64(12),
  device: u32(20),
  block: n64(36),
  length: i32(44),
  offset: i32(48),
});
export const INODE_FIELDS = {
  data: 0x2,
  extents: 0x4,
  root: 0x8,
  device: 0x10,
  attributeData: 0x40,
  attributeExtents: 0x80,
  attributeRoot: 0x100,
  owner: 0x200,
  attributeOwner: 0x400,
} as const;
/** Offset and length of the fields of an inode's core, which is logged in the machine's byte order. */
export const CORE_FIELDS: readonly (readonly [offset: number, length: 1 | 2 | 4 | 8])[] = [
  [0, 2],
  [2, 2],
  [4, 1],
  [5, 1],
  [8, 4],
  [12, 4],
  [16, 4],
  [20, 2],
  [22, 2],
  [56, 8],
  [64, 8],
  [72, 4],
  [82, 1],
  [83, 1],
  [84, 4],
  [88, 2],
  [90, 2],
  [92, 4],
];
/** In version 3. */
export const CORE_V3_FIELDS: typeof CORE_FIELDS = [
  [104, 8],
  [120, 8],
  [128, 4],
  [152, 8],
];
export const CORE_TIMES = [32, 40, 48] as const;
export const CORE_BIRTH_TIME = 144;
export const CORE_UUID_AT = 160;
export const CORE_LSN_AT = 112;
/** An old inode's core ends where the next unlinked inode is named. */
export const OLD_CORE_BYTES = 96;

export const createItem = defineStruct('xfs_icreate_log', 'be', {
  group: u32(4),
  block: u32(8),
  count: u32(12),
  inodeSize: u32(16),
  length: u32(20),
  generation: u32(24),
});
