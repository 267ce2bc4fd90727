// qcow2 on disk: QEMU's docs/interop/qcow2.rst. Everything is big-endian.

import { defineStruct, n64, text, u8, u16, u32, u64 } from '../../struct/struct.ts';

/** "QFI\xfb" */
export const QCOW2_MAGIC = 0x514649fb;

/** Version 2; version 3 begins alike. */
export const qcow2Header = defineStruct('qcow2_header', 'be', {
  magic: u32(0),
  version: u32(4),
  backingFileOffset: n64(8),
  backingFileLength: u32(16),
  clusterBits: u32(20),
  sizeBytes: n64(24),
  cryptMethod: u32(32),
  l1Size: u32(36),
  l1Offset: n64(40),
  refcountTableOffset: n64(48),
  refcountTableClusters: u32(56),
  snapshotCount: u32(60),
  snapshotsOffset: n64(64),
});

/** The fields that version 3 adds. */
export const qcow2HeaderV3 = defineStruct('qcow2_header_v3', 'be', {
  incompatibleFeatures: u64(72),
  compatibleFeatures: u64(80),
  autoclearFeatures: u64(88),
  refcountOrder: u32(96),
  headerLength: u32(100),
});

/** Present where headerLength says so. */
export const qcow2HeaderCompression = defineStruct('qcow2_header_compression', 'be', { compressionType: u8(104) });

export const INCOMPATIBLE = { dirty: 0, corrupt: 1, externalDataFile: 2, compressionType: 3, extendedL2: 4 } as const;
export const COMPATIBLE = { lazyRefcounts: 0 } as const;
export const AUTOCLEAR = { bitmaps: 0, rawExternalData: 1 } as const;
export const CRYPT_METHODS: readonly string[] = ['none', 'AES', 'LUKS'];
export const COMPRESSION_TYPES = ['zlib', 'zstd'] as const;

/** Follows the header; the content is padded to 8 bytes. */
export const headerExtension = defineStruct('qcow2_header_extension', 'be', { type: u32(0), length: u32(4) });

export const EXTENSION = {
  end: 0,
  backingFormat: 0xe2792aca,
  featureNames: 0x6803f857,
  dataFileName: 0x44415441,
  bitmaps: 0x23852875,
} as const;

/** One entry of the feature name table. */
export const featureName = defineStruct('qcow2_feature_name', 'be', { kind: u8(0), bit: u8(1), name: text(2, 46) });
export const FEATURE_KIND_INCOMPATIBLE = 0;

/** Extra fields, id and name follow; the whole is padded to 8 bytes. */
export const snapshotHeader = defineStruct('qcow2_snapshot_header', 'be', {
  l1Offset: n64(0),
  l1Size: u32(8),
  idLength: u16(12),
  nameLength: u16(14),
  seconds: u32(16),
  nanoseconds: u32(20),
  vmClockNs: u64(24),
  vmStateBytes32: u32(32),
  extraLength: u32(36),
});

/** The extra fields of a snapshot that version 3 requires. */
export const snapshotExtra = defineStruct('qcow2_snapshot_extra', 'be', { vmStateBytes: n64(0), sizeBytes: n64(8) });

// Table entries are 64 bits. Halves are taken apart as 32-bit numbers: bit 63 is bit 31 of `high`.

/** Bits 9..55 of an L1 or standard L2 entry. */
export const OFFSET_MASK_HIGH = 0x00ffffff;
export const OFFSET_MASK_LOW = 0xfffffe00;
/** Bit 63: the refcount is exactly one. */
export const COPIED_HIGH = 0x80000000;
/** Bit 62 of an L2 entry. */
export const COMPRESSED_HIGH = 0x40000000;
/** Bit 0 of a standard L2 entry, from version 3 on. */
export const ZERO_LOW = 1;
/** An extended L2 entry's second word has an allocation bit (low half) and a zero bit (high half) for each. */
export const SUBCLUSTERS = 32;

// QEMU's own limits (block/qcow2.h): it writes nothing beyond them.
export const MIN_CLUSTER_BITS = 9;
export const MAX_CLUSTER_BITS = 21;
export const MIN_EXTENDED_CLUSTER_BITS = 14;
export const MAX_REFCOUNT_ORDER = 6;
/** Version 2 has no field for it: 16 bits. */
export const V2_REFCOUNT_ORDER = 4;
export const MAX_L1_BYTES = 32 * 1024 * 1024;
export const MAX_REFCOUNT_TABLE_BYTES = 8 * 1024 * 1024;
export const MAX_BACKING_NAME_BYTES = 1023;
export const MAX_SNAPSHOTS = 65536;
export const MAX_SNAPSHOT_EXTRA_BYTES = 1024;
