// A SQLite database on disk: https://sqlite.org/fileformat2.html, sections 1.3 (the header) and 3.1 (the rollback journal).

import { bytes, defineStruct, text, u8, u16, u32 } from '../../struct/struct.ts';

/** The first bytes of page 1, and the type of the b-tree page that follows them. Big-endian. */
export const databaseHeader = defineStruct('sqlite_header', 'be', {
  magic: text(0, 16),
  /** 1 stands for 65536. */
  pageSize: u16(16),
  writeVersion: u8(18),
  readVersion: u8(19),
  maxPayloadFraction: u8(21),
  minPayloadFraction: u8(22),
  leafPayloadFraction: u8(23),
  changeCounter: u32(24),
  /** In pages; holds only where versionValidFor equals changeCounter. */
  sizePages: u32(28),
  schemaFormat: u32(44),
  textEncoding: u32(56),
  reserved: bytes(72, 20),
  versionValidFor: u32(92),
  rootType: u8(100),
});

export const MAGIC = 'SQLite format 3';
export const SMALLEST_PAGE_BYTES = 512;
export const LARGEST_PAGE_BYTES = 65536;
export const LARGEST_SCHEMA_FORMAT = 4;
export const LARGEST_TEXT_ENCODING = 3;
/** Leaf and interior page of a table: what page 1 can be. */
export const ROOT_TYPES: readonly number[] = [0x0d, 0x05];
/** Interior page of an index and of a table. */
export const INTERIOR_TYPES: readonly number[] = [0x02, 0x05];
/** Rollback journal and write-ahead log; a greater number is of a version to come. */
export const LARGEST_FILE_VERSION = 2;
/** Where the two file versions stand: 1 is a rollback journal, whatever lies beside the database. */
export const FILE_VERSIONS_AT = 18;
export const ROLLBACK_VERSION = 1;

export const WAL_SUFFIX = '-wal';
export const JOURNAL_SUFFIX = '-journal';
