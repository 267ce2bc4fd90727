// What the header of a SQLite database says of the file, and whether the header is one that SQLite wrote in the clear. Knows
// nothing of the pages behind it.

import type { ByteSource } from '../../bytes/byte-source.ts';
import type { StructOf } from '../../struct/struct.ts';
import {
  databaseHeader,
  LARGEST_FILE_VERSION,
  LARGEST_PAGE_BYTES,
  LARGEST_SCHEMA_FORMAT,
  LARGEST_TEXT_ENCODING,
  MAGIC,
  ROOT_TYPES,
  SMALLEST_PAGE_BYTES,
} from './layout.ts';

export interface DatabaseHeader {
  readonly pageBytes: number;
  /** Null where the last writer did not keep the count (SQLite before 3.7.0). */
  readonly sizePages: number | null;
}

/**
 * Null: no database, or one that the SQLite at hand cannot read: of a version to come, or encrypted behind a header in the
 * clear. Throws as the source does.
 */
export function readHeader(source: ByteSource): DatabaseHeader | null {
  const first = new Uint8Array(databaseHeader.size);
  if (source.read(first, 0) < first.length) return null;
  const header = databaseHeader.at(first);
  if (header.magic !== MAGIC || !isInTheClear(header)) return null;
  const pageBytes = header.pageSize === 1 ? LARGEST_PAGE_BYTES : header.pageSize;
  if (pageBytes < SMALLEST_PAGE_BYTES || (pageBytes & (pageBytes - 1)) !== 0) return null;
  const isCounted = header.sizePages > 0 && header.changeCounter === header.versionValidFor;
  return { pageBytes, sizePages: isCounted ? header.sizePages : null };
}

/** Fields of which SQLite writes few values: noise has others. */
function isInTheClear(header: StructOf<typeof databaseHeader>): boolean {
  const { maxPayloadFraction, minPayloadFraction, leafPayloadFraction } = header;
  return (
    maxPayloadFraction === 64 &&
    minPayloadFraction === 32 &&
    leafPayloadFraction === 32 &&
    Math.max(header.writeVersion, header.readVersion) <= LARGEST_FILE_VERSION &&
    header.schemaFormat <= LARGEST_SCHEMA_FORMAT &&
    header.textEncoding <= LARGEST_TEXT_ENCODING &&
    header.reserved.every(byte => byte === 0) &&
    ROOT_TYPES.includes(header.rootType)
  );
}
