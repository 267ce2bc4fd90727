// VHD on disk: Microsoft's "Virtual Hard Disk Image Format Specification" (2006). Everything is big-endian.

import { bytes, defineStruct, n64, text, u8, u16, u32, u64 } from '../../struct/struct.ts';

export const VHD_MAGIC = 'conectix';

/** The last sector; of a dynamic disk, the first one too. */
export const vhdFooter = defineStruct(
  'vhd_footer',
  'be',
  {
    cookie: text(0, 8),
    features: u32(8),
    version: u32(12),
    /** All ones: a fixed disk, which has none. */
    headerOffset: u64(16),
    timestamp: u32(24),
    creator: text(28, 4),
    originalBytes: n64(40),
    currentBytes: n64(48),
    cylinders: u16(56),
    heads: u8(58),
    sectorsPerTrack: u8(59),
    diskType: u32(60),
    checksum: u32(64),
    uuid: bytes(68, 16),
    savedState: u8(84),
  },
  512,
);

export const dynamicHeader = defineStruct(
  'vhd_dynamic_header',
  'be',
  {
    cookie: text(0, 8),
    tableOffset: n64(16),
    version: u32(24),
    tableEntries: u32(28),
    blockBytes: u32(32),
    checksum: u32(36),
    parentUuid: bytes(40, 16),
  },
  1024,
);

export const DYNAMIC_MAGIC = 'cxsparse';
export const DISK_FIXED = 2;
export const DISK_DYNAMIC = 3;
export const DISK_DIFFERENCING = 4;
export const SECTOR_BYTES = 512;
export const BLOCK_UNALLOCATED = 0xffffffff;
/** 2 MiB in practice; the specification sets no bound. */
export const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
