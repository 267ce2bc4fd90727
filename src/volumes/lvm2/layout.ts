// LVM2 on disk: label, header of a physical volume, header of a metadata area. Little-endian; after lvm2's
// lib/format_text/layout.h, checked against `pvck --dump headers`.

import { defineStruct, n64, text, u32 } from '../../struct/struct.ts';

export const LVM_SECTOR_BYTES = 512;
/** The label is in one of the first four sectors. */
export const LABEL_SECTORS = 4;
export const LABEL_ID = 'LABELONE';
export const LABEL_TYPE = 'LVM2 001';
/** All checksums are raw CRC-32 from this seed. */
export const CRC_SEED = 0xf597a6cf;

export const labelHeader = defineStruct('label_header', 'le', {
  id: text(0, 8),
  sector: n64(8),
  crc: u32(16),
  /** Of the header of the physical volume, from the label's start. */
  offset: u32(20),
  type: text(24, 8),
});
/** What the label's checksum covers: the rest of its sector from here. */
export const LABEL_CRC_FROM = 20;

export const pvHeader = defineStruct('pv_header', 'le', { uuid: text(0, 32), deviceBytes: n64(32) }, 40);
/** Lists of data areas and of metadata areas follow, each ended by one at 0. */
export const diskLocation = defineStruct('disk_locn', 'le', { offset: n64(0), size: n64(8) });

export const mdaHeader = defineStruct(
  'mda_header',
  'le',
  { crc: u32(0), magic: text(4, 16), version: u32(20), start: n64(24), size: n64(32) },
  512,
);
export const MDA_HEADER_BYTES = 512;
export const MDA_CRC_FROM = 4;
export const MDA_MAGIC = ' LVM2 x[5A%r0N*>';
export const MDA_VERSION = 1;

/** Where the committed text is, from the area's start. */
export const rawLocation = defineStruct('raw_locn', 'le', {
  offset: n64(0),
  size: n64(8),
  crc: u32(16),
  flags: u32(20),
});
export const RAW_LOCATIONS_AT = 40;
/** Flag: the area is there, and not used. */
export const RAW_IGNORED = 1;

/** Tools make areas of 1 MiB, and fill half of one at most; thousands of volumes need a few. */
export const LONGEST_TEXT_BYTES = 16 * 1024 * 1024;
/** Of a larger ring no more is looked through. */
export const LARGEST_RING_BYTES = 16 * 1024 * 1024;
