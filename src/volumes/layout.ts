// Partition tables on disk: UEFI 2.10 chapter 5 (GPT, protective MBR) and the PC's master boot record. Little-endian.

import { bytes, defineStruct, n64, text, u8, u16, u32 } from '../struct/struct.ts';

export const GPT_SIGNATURE = 'EFI PART';
/** Both kinds of sectors in use: LBA 1 is looked for in this order. */
export const SECTOR_SIZES = [512, 4096] as const;

export const gptHeader = defineStruct('gpt_header', 'le', {
  signature: text(0, 8),
  revision: u32(8),
  headerBytes: u32(12),
  headerCrc: u32(16),
  myLba: n64(24),
  alternateLba: n64(32),
  firstUsableLba: n64(40),
  lastUsableLba: n64(48),
  diskGuid: bytes(56, 16),
  entriesLba: n64(72),
  entryCount: u32(80),
  entryBytes: u32(84),
  entriesCrc: u32(88),
});
/** Where the header's own checksum lies, zero while it is computed. */
export const GPT_HEADER_CRC = { offset: 16, length: 4 } as const;

export const gptEntry = defineStruct('gpt_entry', 'le', {
  typeGuid: bytes(0, 16),
  guid: bytes(16, 16),
  firstLba: n64(32),
  lastLba: n64(40),
  attributes: bytes(48, 8),
  name: bytes(56, 72),
});
/** Tables in use have 128 entries of 128 bytes; nothing needs more than this. */
export const MAX_GPT_TABLE_BYTES = 1024 * 1024;

export const masterBootRecord = defineStruct('mbr', 'le', {
  code: bytes(0, 440),
  diskId: u32(440),
  entries: bytes(446, 64),
  signature: u16(510),
});
export const MBR_SIGNATURE = 0xaa55;

export const mbrEntry = defineStruct('mbr_entry', 'le', {
  status: u8(0),
  type: u8(4),
  start: u32(8),
  sectors: u32(12),
});
export const MBR_ENTRIES = 4;
export const MBR_SECTOR_BYTES = 512;
export const MBR_PROTECTIVE = 0xee;
export const MBR_EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];
/** More logical partitions than any tool makes. */
export const MAX_LOGICAL_PARTITIONS = 256;

/** Names of partition types, by GUID or by "0x" and two digits. */
export const TYPE_NAMES: ReadonlyMap<string, string> = new Map([
  ['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', 'EFI system'],
  ['21686148-6449-6e6f-744e-656564454649', 'BIOS boot'],
  ['0fc63daf-8483-4772-8e79-3d69d8477de4', 'Linux file system'],
  ['4f68bce3-e8cd-4db1-96e7-fbcaf984b709', 'Linux root (x86-64)'],
  ['b921b045-1df0-41c3-af44-4c6f280d3fae', 'Linux root (ARM64)'],
  ['933ac7e1-2eb4-4f13-b844-0e14e2aef915', 'Linux home'],
  ['3b8f8425-20e0-4f3b-907f-1a25a76f98e8', 'Linux server data'],
  ['bc13c2ff-59e6-4262-a352-b275fd6f7172', 'Linux extended boot'],
  ['0657fd6d-a4ab-43c4-84e5-0933c84b4f4f', 'Linux swap'],
  ['e6d6d379-f507-44c2-a23c-238f2a3df928', 'Linux LVM'],
  ['a19d880f-05fc-4d3b-a006-743f0f84911e', 'Linux RAID'],
  ['ebd0a0a2-b9e5-4433-87c0-68b6b72699c7', 'Microsoft basic data'],
  ['e3c9e316-0b5c-4db8-817d-f92df00215ae', 'Microsoft reserved'],
  ['9e1a2d38-c612-4316-aa26-8b49521e5a8b', 'PReP boot'],
  ['de94bba4-06d1-4d40-a16a-bfd50179d6ac', 'Windows recovery'],
  ['0x07', 'NTFS or exFAT'],
  ['0x0b', 'FAT32'],
  ['0x0c', 'FAT32 (LBA)'],
  ['0x41', 'PReP boot'],
  ['0x82', 'Linux swap'],
  ['0x83', 'Linux'],
  ['0x8e', 'Linux LVM'],
  ['0xef', 'EFI system'],
  ['0xfd', 'Linux RAID'],
]);
