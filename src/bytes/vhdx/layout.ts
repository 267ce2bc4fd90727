// VHDX on disk: Microsoft's [MS-VHDX]. Everything is little-endian; checksums are CRC-32C over a structure whose own field is zero.

import { bytes, defineStruct, n64, text, u16, u32, u64 } from '../../struct/struct.ts';

const KIB = 1024;
export const MIB = 1024 * KIB;
/** Two copies each; the header with the greater sequence number counts. */
export const HEADERS_AT = [64 * KIB, 128 * KIB] as const;
export const REGION_TABLES_AT = [192 * KIB, 256 * KIB] as const;
export const HEADER_BYTES = 4 * KIB;
export const TABLE_BYTES = 64 * KIB;
export const CHECKSUM_AT = 4;

export const vhdxHeader = defineStruct('vhdx_header', 'le', {
  signature: text(0, 4),
  checksum: u32(4),
  sequence: u64(8),
  fileWriteGuid: bytes(16, 16),
  dataWriteGuid: bytes(32, 16),
  logGuid: bytes(48, 16),
  logVersion: u16(64),
  version: u16(66),
  logLength: u32(68),
  logOffset: n64(72),
});

export const regionTable = defineStruct('vhdx_region_table', 'le', {
  signature: text(0, 4),
  checksum: u32(4),
  entryCount: u32(8),
});
export const REGION_ENTRIES_AT = 16;
export const MAX_REGIONS = 2047;
export const regionEntry = defineStruct('vhdx_region_entry', 'le', {
  guid: bytes(0, 16),
  offset: n64(16),
  length: u32(24),
  required: u32(28),
});

export const metadataTable = defineStruct('vhdx_metadata_table', 'le', { signature: text(0, 8), entryCount: u16(10) });
export const METADATA_ENTRIES_AT = 32;
export const MAX_METADATA = 2047;
export const metadataEntry = defineStruct(
  'vhdx_metadata_entry',
  'le',
  { guid: bytes(0, 16), offset: u32(16), length: u32(20), flags: u32(24) },
  32,
);
export const METADATA_REQUIRED = 4;

// GUIDs as they lie on disk, in hex.
export const REGION_BAT = '6677c22d23f600429d64115e9bfd4a08';
export const REGION_METADATA = '06a27c8b90479a4bb8fe575f050f886e';
export const ITEM = {
  fileParameters: '3767a1ca36fa434db3b633f0aa44e76b',
  diskSize: '2442a52f1bcd7648b2115dbed83bf4b8',
  diskId: 'ab12cabee6b2234593efc309e000c746',
  logicalSector: '1dbf41816fa90947ba47f233a8faab5f',
  physicalSector: 'c748a3cd5d4471449cc9e9885251c556',
  parentLocator: '2d5fd3a80bb34d45abf7d3d84834ab0c',
} as const;

export const fileParameters = defineStruct('vhdx_file_parameters', 'le', { blockBytes: u32(0), flags: u32(4) });
export const PARAMETER = { leaveAllocated: 1, hasParent: 2 } as const;
export const MAX_BLOCK_BYTES = 256 * MIB;
export const MAX_DISK_BYTES = 64 * 1024 ** 4;

// The low three bits of a block's entry; its offset are the bits from 20 on.
export const BLOCK = { notPresent: 0, undefined: 1, zero: 2, unmapped: 3, present: 6, partial: 7 } as const;
export const SECTORS_PER_BITMAP = 2 ** 23;

export const LOG_SECTOR_BYTES = 4 * KIB;
/** QEMU and Hyper-V make 1 MiB. */
export const MAX_LOG_BYTES = 64 * MIB;
export const logEntry = defineStruct('vhdx_log_entry', 'le', {
  signature: text(0, 4),
  checksum: u32(4),
  entryBytes: u32(8),
  tail: u32(12),
  sequence: u64(16),
  descriptorCount: u32(24),
  logGuid: bytes(32, 16),
  flushedFileBytes: u64(48),
  lastFileBytes: u64(56),
});
export const LOG_DESCRIPTOR_BYTES = 32;
export const dataDescriptor = defineStruct(
  'vhdx_log_data_descriptor',
  'le',
  { signature: text(0, 4), trailing: bytes(4, 4), leading: bytes(8, 8), fileOffset: n64(16), sequence: u64(24) },
  LOG_DESCRIPTOR_BYTES,
);
export const zeroDescriptor = defineStruct(
  'vhdx_log_zero_descriptor',
  'le',
  { signature: text(0, 4), zeroBytes: n64(8), fileOffset: n64(16), sequence: u64(24) },
  LOG_DESCRIPTOR_BYTES,
);
export const logDataSector = defineStruct(
  'vhdx_log_data_sector',
  'le',
  { signature: text(0, 4), sequenceHigh: u32(4), middle: bytes(8, 4084), sequenceLow: u32(4092) },
  LOG_SECTOR_BYTES,
);
