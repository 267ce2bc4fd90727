// The on-disk structures of ext2, ext3 and ext4: offsets and names only, all little-endian.
// Follows Documentation/filesystems/ext4 of Linux 6.18 and lib/ext2fs/ext2_fs.h of e2fsprogs 1.47; what is checked, and what
// the fields mean, is for the readers beside this file.

import { bytes, defineStruct, i32, n64, text, u8, u16, u32 } from '../../struct/struct.ts';

/** Byte offset of the primary superblock in the volume. */
export const SUPERBLOCK_AT = 1024;
export const SUPERBLOCK_BYTES = 1024;
export const SUPERBLOCK_MAGIC = 0xef53;

export const superblock = defineStruct(
  'ext4_super_block',
  'le',
  {
    inodesCount: u32(0x00),
    blocksCountLow: u32(0x04),
    freeBlocksLow: u32(0x0c),
    freeInodes: u32(0x10),
    firstDataBlock: u32(0x14),
    logBlockSize: u32(0x18),
    logClusterSize: u32(0x1c),
    blocksPerGroup: u32(0x20),
    clustersPerGroup: u32(0x24),
    inodesPerGroup: u32(0x28),
    mountTime: u32(0x2c),
    writeTime: u32(0x30),
    mountCount: u16(0x34),
    magic: u16(0x38),
    state: u16(0x3a),
    lastCheck: u32(0x40),
    creatorOs: u32(0x48),
    revision: u32(0x4c),
    firstInode: u32(0x54),
    inodeSize: u16(0x58),
    blockGroup: u16(0x5a),
    compat: u32(0x5c),
    incompat: u32(0x60),
    roCompat: u32(0x64),
    uuid: bytes(0x68, 16),
    volumeName: text(0x78, 16),
    lastMounted: text(0x88, 64),
    reservedGdtBlocks: u16(0xce),
    journalUuid: bytes(0xd0, 16),
    journalInode: u32(0xe0),
    journalDevice: u32(0xe4),
    lastOrphan: u32(0xe8),
    hashSeed: bytes(0xec, 16),
    defaultHash: u8(0xfc),
    descriptorSize: u16(0xfe),
    defaultMountOptions: u32(0x100),
    firstMetaGroup: u32(0x104),
    mkfsTime: u32(0x108),
    journalBlocks: bytes(0x10c, 68),
    blocksCountHigh: u32(0x150),
    freeBlocksHigh: u32(0x158),
    minExtraSize: u16(0x15c),
    wantExtraSize: u16(0x15e),
    flags: u32(0x160),
    mmpBlock: n64(0x168),
    logGroupsPerFlex: u8(0x174),
    checksumType: u8(0x175),
    kilobytesWritten: n64(0x178),
    errorCount: u32(0x194),
    firstErrorTime: u32(0x198),
    lastErrorTime: u32(0x1cc),
    userQuotaInode: u32(0x240),
    groupQuotaInode: u32(0x244),
    backupGroups0: u32(0x24c),
    backupGroups1: u32(0x250),
    projectQuotaInode: u32(0x26c),
    checksumSeed: u32(0x270),
    writeTimeHigh: u8(0x274),
    mountTimeHigh: u8(0x275),
    mkfsTimeHigh: u8(0x276),
    lastCheckHigh: u8(0x277),
    firstErrorTimeHigh: u8(0x278),
    lastErrorTimeHigh: u8(0x279),
    encoding: u16(0x27c),
    orphanFileInode: u32(0x280),
    checksum: u32(0x3fc),
  },
  SUPERBLOCK_BYTES,
);

export const STATE = { clean: 1, errors: 2, orphans: 4 } as const;
/** Directory hashes were made with `char` unsigned. */
export const SUPERBLOCK_FLAGS = { signedHash: 1, unsignedHash: 2 } as const;

export const COMPAT = {
  dir_prealloc: 0x1,
  imagic_inodes: 0x2,
  has_journal: 0x4,
  ext_attr: 0x8,
  resize_inode: 0x10,
  dir_index: 0x20,
  lazy_bg: 0x40,
  exclude_bitmap: 0x100,
  sparse_super2: 0x200,
  fast_commit: 0x400,
  stable_inodes: 0x800,
  orphan_file: 0x1000,
} as const;

export const INCOMPAT = {
  compression: 0x1,
  filetype: 0x2,
  needs_recovery: 0x4,
  journal_dev: 0x8,
  meta_bg: 0x10,
  extent: 0x40,
  '64bit': 0x80,
  mmp: 0x100,
  flex_bg: 0x200,
  ea_inode: 0x400,
  dirdata: 0x1000,
  metadata_csum_seed: 0x2000,
  large_dir: 0x4000,
  inline_data: 0x8000,
  encrypt: 0x10000,
  casefold: 0x20000,
} as const;

export const RO_COMPAT = {
  sparse_super: 0x1,
  large_file: 0x2,
  huge_file: 0x8,
  uninit_bg: 0x10,
  dir_nlink: 0x20,
  extra_isize: 0x40,
  snapshot: 0x80,
  quota: 0x100,
  bigalloc: 0x200,
  metadata_csum: 0x400,
  replica: 0x800,
  read_only: 0x1000,
  project: 0x2000,
  shared_blocks: 0x4000,
  verity: 0x8000,
  orphan_present: 0x10000,
} as const;

/** Group descriptor; the fields from 0x20 on exist only when descriptors are 64 bytes or more. */
export const groupDescriptor = defineStruct(
  'ext4_group_desc',
  'le',
  {
    blockBitmapLow: u32(0x00),
    inodeBitmapLow: u32(0x04),
    inodeTableLow: u32(0x08),
    freeBlocksLow: u16(0x0c),
    freeInodesLow: u16(0x0e),
    usedDirectoriesLow: u16(0x10),
    flags: u16(0x12),
    blockBitmapChecksumLow: u16(0x18),
    inodeBitmapChecksumLow: u16(0x1a),
    unusedInodesLow: u16(0x1c),
    checksum: u16(0x1e),
    blockBitmapHigh: u32(0x20),
    inodeBitmapHigh: u32(0x24),
    inodeTableHigh: u32(0x28),
    freeBlocksHigh: u16(0x2c),
    freeInodesHigh: u16(0x2e),
    usedDirectoriesHigh: u16(0x30),
    unusedInodesHigh: u16(0x32),
    blockBitmapChecksumHigh: u16(0x38),
    inodeBitmapChecksumHigh: u16(0x3a),
  },
  32,
);
export const GROUP_CHECKSUM_AT = 0x1e;
export const WIDE_DESCRIPTOR = 64;
export const GROUP_FLAGS = { inodesUninitialised: 1, blocksUninitialised: 2, tableZeroed: 4 } as const;

/** Inode; the fields from 0x80 on exist as far as `extraSize` says. */
export const inode = defineStruct(
  'ext4_inode',
  'le',
  {
    mode: u16(0x00),
    uidLow: u16(0x02),
    sizeLow: u32(0x04),
    atime: i32(0x08),
    ctime: i32(0x0c),
    mtime: i32(0x10),
    dtime: u32(0x14),
    gidLow: u16(0x18),
    links: u16(0x1a),
    blocksLow: u32(0x1c),
    flags: u32(0x20),
    versionLow: u32(0x24),
    block: bytes(0x28, 60),
    generation: u32(0x64),
    fileAclLow: u32(0x68),
    sizeHigh: u32(0x6c),
    blocksHigh: u16(0x74),
    fileAclHigh: u16(0x76),
    uidHigh: u16(0x78),
    gidHigh: u16(0x7a),
    checksumLow: u16(0x7c),
    extraSize: u16(0x80),
    checksumHigh: u16(0x82),
    ctimeExtra: u32(0x84),
    mtimeExtra: u32(0x88),
    atimeExtra: u32(0x8c),
    crtime: i32(0x90),
    crtimeExtra: u32(0x94),
    versionHigh: u32(0x98),
    projectId: u32(0x9c),
  },
  128,
);
/** Size of an inode's first part, the only one that ext2 had. */
export const OLD_INODE_BYTES = 128;
export const INODE_BLOCK_AT = 0x28;
export const INODE_BLOCK_BYTES = 60;
export const INODE_CHECKSUM_LOW_AT = 0x7c;
export const INODE_CHECKSUM_HIGH_AT = 0x82;
export const INODE_GENERATION_AT = 0x64;

export const INODE_FLAGS = {
  encrypt: 0x800,
  index: 0x1000,
  journalData: 0x4000,
  hugeFile: 0x40000,
  extents: 0x80000,
  verity: 0x100000,
  eaInode: 0x200000,
  inlineData: 0x10000000,
  casefold: 0x40000000,
} as const;

export const MODE_TYPE = 0o170000;

export const ROOT_INODE = 2;
export const RESIZE_INODE = 7;

export const extentHeader = defineStruct('ext4_extent_header', 'le', {
  magic: u16(0),
  entries: u16(2),
  max: u16(4),
  depth: u16(6),
  generation: u32(8),
});
export const EXTENT_MAGIC = 0xf30a;
export const EXTENT_HEADER_BYTES = 12;
export const EXTENT_ENTRY_BYTES = 12;
/** Greatest count of blocks of a written extent; above it, the extent is unwritten and holds this much less. */
export const EXTENT_WRITTEN_MAX = 0x8000;
export const EXTENT_DEEPEST = 5;

export const extentLeaf = defineStruct('ext4_extent', 'le', {
  logical: u32(0),
  length: u16(4),
  startHigh: u16(6),
  startLow: u32(8),
});
export const extentIndex = defineStruct('ext4_extent_idx', 'le', {
  logical: u32(0),
  leafLow: u32(4),
  leafHigh: u16(8),
});

/** Fixed part of a directory entry; the name follows. */
export const directoryEntry = defineStruct('ext4_dir_entry_2', 'le', {
  inode: u32(0),
  recordLength: u16(4),
  nameLength: u8(6),
  fileType: u8(7),
});
export const DIRENT_HEADER_BYTES = 8;
/** Type byte of the entry that hides a block's checksum, its last 12 bytes. */
export const DIRENT_TAIL_TYPE = 0xde;
export const DIRENT_TAIL_BYTES = 12;
/** Under `dirdata` the upper bits of the type tell what follows the name. */
export const DIRENT_TYPE_MASK = 0x0f;

export const indexRootInfo = defineStruct('dx_root_info', 'le', {
  reserved: u32(0),
  hashVersion: u8(4),
  infoLength: u8(5),
  levels: u8(6),
  unusedFlags: u8(7),
});
export const INDEX_ROOT_INFO_AT = 0x18;
export const INDEX_ENTRY_BYTES = 8;
export const INDEX_TAIL_BYTES = 8;

export const attributeBlockHeader = defineStruct(
  'ext4_xattr_header',
  'le',
  { magic: u32(0), references: u32(4), blocks: u32(8), hash: u32(0xc), checksum: u32(0x10) },
  32,
);
export const ATTRIBUTE_MAGIC = 0xea020000;
export const ATTRIBUTE_CHECKSUM_AT = 0x10;
/** Magic word before the attributes inside an inode. */
export const ATTRIBUTE_INODE_HEADER_BYTES = 4;

export const attributeEntry = defineStruct('ext4_xattr_entry', 'le', {
  nameLength: u8(0),
  nameIndex: u8(1),
  valueOffset: u16(2),
  valueInode: u32(4),
  valueSize: u32(8),
  hash: u32(12),
});
export const ATTRIBUTE_ENTRY_BYTES = 16;
export const ATTRIBUTE_PREFIXES: Readonly<Record<number, string>> = {
  0: '',
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  5: 'lustre.',
  6: 'security.',
  7: 'system.',
  8: 'system.richacl',
  9: 'encryption.',
  10: 'hurd.',
};
/** Index and name of the attribute that continues inline data. */
export const INLINE_DATA_ATTRIBUTE = { nameIndex: 7, name: 'data' } as const;
/** An inline directory's first 4 bytes: its parent's inode number. */
export const INLINE_PARENT_BYTES = 4;

/** Last 8 bytes of each block of the orphan file: magic, checksum. */
export const ORPHAN_TAIL_BYTES = 8;
export const ORPHAN_MAGIC = 0x0b10ca04;
