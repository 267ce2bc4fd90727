// VDI on disk: VirtualBox's src/VBox/Storage/VDICore.h, and QEMU's block/vdi.c. Everything is little-endian.

import { bytes, defineStruct, n64, text, u32 } from '../../struct/struct.ts';

export const vdiHeader = defineStruct('vdi_header', 'le', {
  text: text(0, 64),
  magic: u32(0x40),
  version: u32(0x44),
  headerBytes: u32(0x48),
  imageType: u32(0x4c),
  imageFlags: u32(0x50),
  description: text(0x54, 256),
  blockMapOffset: u32(0x154),
  dataOffset: u32(0x158),
  sectorBytes: u32(0x168),
  diskBytes: n64(0x170),
  blockBytes: u32(0x178),
  blockExtraBytes: u32(0x17c),
  blocksInImage: u32(0x180),
  blocksAllocated: u32(0x184),
  uuidImage: bytes(0x188, 16),
  uuidLastSnapshot: bytes(0x198, 16),
  uuidLink: bytes(0x1a8, 16),
  uuidParent: bytes(0x1b8, 16),
});

export const VDI_VERSION = 0x00010001;
export const IMAGE_TYPES: Readonly<Record<number, string>> = {
  1: 'dynamic',
  2: 'static',
  3: 'undo',
  4: 'differencing',
};

// Values of the block map that are no place.
export const BLOCK_UNALLOCATED = 0xffffffff;
export const BLOCK_ZERO = 0xfffffffe;

/** VirtualBox and QEMU write 1 MiB; nothing larger is in use. */
export const MAX_BLOCK_BYTES = 256 * 1024 * 1024;
