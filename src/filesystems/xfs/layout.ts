// The on-disk structures of XFS, versions 4 and 5: offsets, names, magic numbers. Big-endian, but for checksums.
// Follows libxfs/xfs_format.h and xfs_da_format.h of Linux 6.18 and "XFS Algorithms & Data Structures", 3rd edition.

import { bytes, defineStruct, i32, littleEndian, n64, text, u8, u16, u32, u64 } from '../../struct/struct.ts';

export const SUPERBLOCK_MAGIC = 0x58465342;
export const superblock = defineStruct('xfs_dsb', 'be', {
  magic: u32(0),
  blockSize: u32(4),
  blocks: n64(8),
  realtimeBlocks: n64(16),
  uuid: bytes(32, 16),
  logStart: n64(48),
  rootInode: n64(56),
  bitmapInode: u64(64),
  summaryInode: u64(72),
  agBlocks: u32(84),
  agCount: u32(88),
  logBlocks: u32(96),
  version: u16(100),
  sectorSize: u16(102),
  inodeSize: u16(104),
  inodesPerBlock: u16(106),
  label: text(108, 12),
  blockLog: u8(120),
  sectorLog: u8(121),
  inodeLog: u8(122),
  inodesPerBlockLog: u8(123),
  agBlocksLog: u8(124),
  inProgress: u8(126),
  inodeCount: n64(128),
  freeInodes: n64(136),
  freeBlocks: n64(144),
  userQuotaInode: u64(160),
  groupQuotaInode: u64(168),
  inodeAlignment: u32(180),
  directoryBlockLog: u8(192),
  logSectorLog: u8(193),
  logSectorSize: u16(194),
  logUnit: u32(196),
  features2: u32(200),
  badFeatures2: u32(204),
  compat: u32(208),
  roCompat: u32(212),
  incompat: u32(216),
  logIncompat: u32(220),
  checksum: littleEndian(u32(224)),
  sparseAlignment: u32(228),
  projectQuotaInode: u64(232),
  lsn: u64(240),
  metaUuid: bytes(248, 16),
});
export const SUPERBLOCK_CHECKSUM_AT = 224;

/** Of the version word. */
export const VERSION_NUMBER = 0xf;
export const VERSION_BITS = {
  attr: 0x0010,
  nlink: 0x0020,
  quota: 0x0040,
  align: 0x0080,
  dalign: 0x0100,
  logv2: 0x0400,
  sector: 0x0800,
  extflg: 0x1000,
  dirv2: 0x2000,
  'ascii-ci': 0x4000,
  morebits: 0x8000,
} as const;
export const FEATURES2 = {
  lazycount: 0x2,
  attr2: 0x8,
  parent: 0x10,
  projid32: 0x80,
  crc: 0x100,
  ftype: 0x200,
} as const;
export const RO_COMPAT = { finobt: 1, rmapbt: 2, reflink: 4, inobtcount: 8 } as const;
export const INCOMPAT = {
  ftype: 0x1,
  spinodes: 0x2,
  meta_uuid: 0x4,
  bigtime: 0x8,
  needsrepair: 0x10,
  nrext64: 0x20,
  exchange: 0x40,
  parent: 0x80,
  metadir: 0x100,
  zoned: 0x200,
} as const;

/** The headers of an allocation group: sectors 0 to 3 of its first blocks. */
export const AGF_MAGIC = 0x58414746;
export const agf = defineStruct('xfs_agf', 'be', {
  magic: u32(0),
  version: u32(4),
  number: u32(8),
  length: u32(12),
  byBlockRoot: u32(16),
  bySizeRoot: u32(20),
  reverseMapRoot: u32(24),
  byBlockLevels: u32(28),
  bySizeLevels: u32(32),
  reverseMapLevels: u32(36),
  freeListFirst: u32(40),
  freeListLast: u32(44),
  freeListCount: u32(48),
  freeBlocks: u32(52),
  longest: u32(56),
  uuid: bytes(64, 16),
  reverseMapBlocks: u32(80),
  referenceCountBlocks: u32(84),
  referenceCountRoot: u32(88),
  referenceCountLevels: u32(92),
  lsn: u64(208),
  checksum: littleEndian(u32(216)),
});

export const AGI_MAGIC = 0x58414749;
export const UNLINKED_BUCKETS = 64;
export const agi = defineStruct('xfs_agi', 'be', {
  magic: u32(0),
  version: u32(4),
  number: u32(8),
  length: u32(12),
  inodes: u32(16),
  root: u32(20),
  levels: u32(24),
  freeInodes: u32(28),
  unlinked: bytes(40, 4 * UNLINKED_BUCKETS),
  uuid: bytes(296, 16),
  checksum: littleEndian(u32(312)),
  lsn: u64(320),
  freeRoot: u32(328),
  freeLevels: u32(332),
});

/** Version 5; before, the list fills the whole sector. */
export const AGFL_MAGIC = 0x5841464c;
export const AGFL_HEADER_BYTES = 36;
export const agfl = defineStruct('xfs_agfl', 'be', {
  magic: u32(0),
  number: u32(4),
  uuid: bytes(8, 16),
  lsn: u64(24),
  checksum: littleEndian(u32(32)),
});

/** Magic numbers of B+tree blocks, without and with checksums; which trees lie within a group. */
export const BTREE_MAGICS = {
  byBlock: [0x41425442, 0x41423342],
  bySize: [0x41425443, 0x41423343],
  inodes: [0x49414254, 0x49414233],
  freeInodes: [0x46494254, 0x46494233],
  reverseMap: [0, 0x524d4233],
  referenceCount: [0, 0x52334643],
  blockMap: [0x424d4150, 0x424d4133],
} as const;
export type TreeKind = keyof typeof BTREE_MAGICS;
export const SHORT_BLOCK_BYTES = { plain: 16, summed: 56 } as const;
export const LONG_BLOCK_BYTES = { plain: 24, summed: 72 } as const;
export const btreeBlock = defineStruct('xfs_btree_block', 'be', { magic: u32(0), level: u16(4), records: u16(6) }, 16);
/** The deepest that a tree of 2^32 blocks of 512 bytes gets, and more. */
export const DEEPEST_TREE = 12;

/** A root of a file's extent tree lies in its inode. */
export const extentRoot = defineStruct('xfs_bmdr_block', 'be', { level: u16(0), records: u16(2) });
export const EXTENT_ROOT_BYTES = 4;
export const EXTENT_BYTES = 16;

export const INODE_MAGIC = 0x494e;
export const inode = defineStruct(
  'xfs_dinode',
  'be',
  {
    magic: u16(0),
    mode: u16(2),
    version: u8(4),
    format: u8(5),
    oldLinks: u16(6),
    uid: u32(8),
    gid: u32(12),
    links: u32(16),
    projectLow: u16(20),
    projectHigh: u16(22),
    manyExtents: n64(24),
    flushCount: u16(30),
    accessSeconds: i32(32),
    accessNanoseconds: u32(36),
    modifySeconds: i32(40),
    modifyNanoseconds: u32(44),
    changeSeconds: i32(48),
    changeNanoseconds: u32(52),
    size: u64(56),
    blocks: n64(64),
    extentSize: u32(72),
    extents: u32(76),
    attributeExtents: u16(80),
    forkOffset: u8(82),
    attributeFormat: u8(83),
    flags: u16(90),
    generation: u32(92),
    nextUnlinked: u32(96),
  },
  100,
);
/** What follows in inodes of version 3. */
export const inodeV3 = defineStruct('xfs_dinode', 'be', {
  checksum: littleEndian(u32(100)),
  changeCount: u64(104),
  lsn: u64(112),
  flags2High: u32(120),
  flags2: u32(124),
  birthSeconds: i32(144),
  birthNanoseconds: u32(148),
  number: u64(152),
  uuid: bytes(160, 16),
});
export const INODE_CORE_BYTES = { old: 100, v3: 176 } as const;
export const INODE_CHECKSUM_AT = 100;
export const NEXT_UNLINKED_AT = 96;
export const NULL_INODE = 0xffffffff;
export const MODE_TYPE = 0o170000;
export const INODE_FLAGS = { realtime: 1 } as const;
export const INODE_FLAGS2 = { reflink: 2, bigtime: 8, manyExtents: 16, metadata: 32 } as const;
/** What a fork holds: a device number, data itself, extents, the root of a tree of them. */
export const FORK_FORMATS = { device: 0, local: 1, extents: 2, btree: 3 } as const;
/** Times of `bigtime` count nanoseconds from here. */
export const BIGTIME_EPOCH_SECONDS = -(2 ** 31);

/** Inodes are allocated by 64. */
export const INODES_PER_CHUNK = 64;
export const INODE_RECORD_BYTES = 16;
export const inodeRecord = defineStruct('xfs_inobt_rec', 'be', {
  first: u32(0),
  freeCount: u32(4),
  /** With sparse chunks: a bit for each four inodes that are not there, and the count of those that are. */
  holes: u16(4),
  count: u8(6),
  freeHigh: u32(8),
  freeLow: u32(12),
});
export const INODES_PER_HOLE_BIT = 4;

export const DIRECTORY_MAGICS = {
  block: [0x58443242, 0x58444233],
  data: [0x58443244, 0x58444433],
  free: [0x58443246, 0x58444633],
} as const;
/** Of a block's info, at offset 8: nodes and leaves of directories and attributes. */
export const DA_MAGICS = {
  node: [0xfebe, 0x3ebe],
  attributeLeaf: [0xfbee, 0x3bee],
  directoryLeaf: [0xd2f1, 0x3df1],
  directoryLeafOfMany: [0xd2ff, 0x3dff],
} as const;
export const DIRECTORY_DATA_HEADER_BYTES = { plain: 16, summed: 64 } as const;
/** Leaves and free-space blocks of a directory begin at these byte offsets of it. */
export const DIRECTORY_LEAF_AT = 2 ** 35;
export const DIRECTORY_TAIL_BYTES = 8;
export const DIRECTORY_LEAF_ENTRY_BYTES = 8;
export const DIRECTORY_FREE_TAG = 0xffff;

export const daInfo = defineStruct('xfs_da_blkinfo', 'be', { next: u32(0), previous: u32(4), magic: u16(8) }, 12);
export const daNode = { plain: 16, summed: 64, countAt: { plain: 12, summed: 56 } } as const;
export const ATTRIBUTE_LEAF_HEADER_BYTES = { plain: 32, summed: 80 } as const;
export const ATTRIBUTE_FLAGS = { local: 1, root: 2, secure: 4, parent: 8, incomplete: 0x80 } as const;

/** Blocks of remote values and of symlinks under version 5. */
export const REMOTE_MAGIC = 0x5841524d;
export const SYMLINK_MAGIC = 0x58534c4d;
export const REMOTE_HEADER_BYTES = 56;
export const remoteHeader = defineStruct('xfs_attr3_rmt_hdr', 'be', {
  magic: u32(0),
  offset: u32(4),
  length: u32(8),
  checksum: littleEndian(u32(12)),
  uuid: bytes(16, 16),
  owner: u64(32),
  block: u64(40),
  lsn: u64(48),
});

/** Longest symlink. */
export const LONGEST_LINK = 1024;
