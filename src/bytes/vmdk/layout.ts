// VMDK on disk: VMware's "Virtual Disk Format 5.0" (2011) and QEMU's block/vmdk.c. Everything is little-endian; places and sizes
// are counted in sectors.

import { bytes, defineStruct, n64, text, u8, u16, u32, u64 } from '../../struct/struct.ts';

export const VMDK_MAGIC = 'KDMV';
export const DESCRIPTOR_MAGIC = '# Disk DescriptorFile';
export const SECTOR_BYTES = 512;

/** The first sector of a sparse extent; of a stream, again as its footer. */
export const sparseHeader = defineStruct(
  'vmdk_sparse_header',
  'le',
  {
    magic: text(0, 4),
    version: u32(4),
    flags: u32(8),
    capacity: n64(12),
    grainSectors: n64(20),
    descriptorOffset: n64(28),
    descriptorSectors: n64(36),
    entriesPerTable: u32(44),
    redundantDirectory: n64(48),
    /** All ones: in the footer. */
    directory: u64(56),
    overhead: n64(64),
    uncleanShutdown: u8(72),
    lineEnds: bytes(73, 4),
    compression: u16(77),
  },
  512,
);

export const FLAG = { redundantTables: 1, zeroGrains: 2, compressed: 16, markers: 17 } as const;
export const DIRECTORY_IN_FOOTER = 0xffffffffffffffffn;
export const LINE_ENDS = [0x0a, 0x20, 0x0d, 0x0a] as const;
export const COMPRESSION_DEFLATE = 1;
/** With the flag for it, a grain table's entry 1: zeros. */
export const ENTRY_ZERO = 1;

/** Before each compressed grain: its place on the disk, and how long its zlib stream is. */
export const grainMarker = defineStruct('vmdk_grain_marker', 'le', { sector: n64(0), packedBytes: u32(8) });
/** From the end of a stream: its footer, and the marker that says so. */
export const FOOTER_FROM_END = 1024;

export const MAX_DESCRIPTOR_BYTES = 1024 * 1024;
/** VMware and QEMU write 64 KiB. */
export const MAX_GRAIN_BYTES = 16 * 1024 * 1024;
export const MAX_TABLE_ENTRIES = 64 * 1024;
