// The two headers, the two region tables and the metadata of a VHDX, checked.

import { UnsupportedError } from '../../errors.ts';
import { u32le, u64le } from '../../struct/integers.ts';
import type { StructOf } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { checkField, damage, damageIn } from '../damage.ts';
import { readExactly } from '../read-exactly.ts';
import { hasValidChecksum } from './checked.ts';
import {
  fileParameters,
  HEADER_BYTES,
  HEADERS_AT,
  ITEM,
  MAX_BLOCK_BYTES,
  MAX_DISK_BYTES,
  MAX_LOG_BYTES,
  MAX_METADATA,
  MAX_REGIONS,
  METADATA_ENTRIES_AT,
  METADATA_REQUIRED,
  MIB,
  metadataEntry,
  metadataTable,
  PARAMETER,
  REGION_BAT,
  REGION_ENTRIES_AT,
  REGION_METADATA,
  REGION_TABLES_AT,
  regionEntry,
  regionTable,
  SECTORS_PER_BITMAP,
  TABLE_BYTES,
  vhdxHeader,
} from './layout.ts';

export type Header = StructOf<typeof vhdxHeader>;

export interface Headers {
  /** The valid one with the greater sequence number. */
  readonly current: Header;
  /** The other one, if valid. */
  readonly other: Header | null;
}

export interface Region {
  readonly offset: number;
  readonly length: number;
}

export interface Regions {
  readonly bat: Region;
  readonly metadata: Region;
  /** Both copies are valid and have the same bytes. */
  readonly copiesAgree: boolean;
  readonly copies: number;
}

export interface DiskShape {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly logicalSectorBytes: number;
  /** After so many blocks an entry of the table is for a bitmap. */
  readonly blocksPerBitmap: number;
  readonly fixed: boolean;
}

/** Throws UnsupportedError (version), DamageError, ReadError. */
export function readHeaders(file: ByteSource): Headers {
  const valid = HEADERS_AT.flatMap(at => headerAt(file, at)).sort((left, right) =>
    left.sequence < right.sequence ? 1 : -1,
  );
  const [current, other = null] = valid;
  if (current === undefined) throw damage(file, vhdxHeader.name, HEADERS_AT[0], 'no valid copy', 'a valid checksum');
  const { version, logVersion, logLength, logOffset, origin } = current;
  if (version !== 1 || logVersion !== 0)
    throw new UnsupportedError(`${file.name}: VHDX version ${version}, log version ${logVersion} is not supported`);
  checkField(file, vhdxHeader, 'logLength', logLength, [0, Math.min(MAX_LOG_BYTES, file.size)], origin);
  checkField(file, vhdxHeader, 'logOffset', logOffset, [MIB, file.size - logLength], origin);
  if (logLength % MIB !== 0 || logOffset % MIB !== 0)
    throw damageIn(file, vhdxHeader, 'logLength', `${logLength} at ${logOffset}`, 'multiples of 1 MiB', origin);
  return { current, other };
}

function headerAt(file: ByteSource, at: number): Header[] {
  const bytes = readExactly(file, at, HEADER_BYTES, vhdxHeader.name);
  const header = vhdxHeader.at(bytes, 0, at);
  return header.signature === 'head' && hasValidChecksum(bytes) ? [header] : [];
}

/** Throws UnsupportedError (a region that must be understood), DamageError, ReadError. */
export function readRegions(file: ByteSource): Regions {
  const copies = REGION_TABLES_AT.flatMap(at => {
    const bytes = readExactly(file, at, TABLE_BYTES, regionTable.name);
    return regionTable.at(bytes).signature === 'regi' && hasValidChecksum(bytes) ? [{ at, bytes }] : [];
  });
  const [first, second] = copies;
  if (first === undefined)
    throw damage(file, regionTable.name, REGION_TABLES_AT[0], 'no valid copy', 'a valid checksum');
  const found = regionsOf(file, first.bytes, first.at);
  const [bat, metadata] = [found.get(REGION_BAT), found.get(REGION_METADATA)];
  if (bat === undefined) throw damage(file, regionTable.name, first.at, 'no block allocation table', 'one');
  if (metadata === undefined) throw damage(file, regionTable.name, first.at, 'no metadata region', 'one');
  const copiesAgree = second !== undefined && Buffer.compare(first.bytes, second.bytes) === 0;
  return { bat, metadata, copiesAgree, copies: copies.length };
}

function regionsOf(file: ByteSource, bytes: Uint8Array, base: number): ReadonlyMap<string, Region> {
  const { entryCount } = regionTable.at(bytes);
  checkField(file, regionTable, 'entryCount', entryCount, [0, MAX_REGIONS], base);
  const found = new Map<string, Region>();
  for (let index = 0; index < entryCount; index++) {
    const at = REGION_ENTRIES_AT + index * regionEntry.size;
    const { guid, offset, length, required } = regionEntry.at(bytes, at, base);
    const name = Buffer.from(guid).toString('hex');
    if (name !== REGION_BAT && name !== REGION_METADATA) {
      if (required % 2 === 1) throw new UnsupportedError(`${file.name}: the VHDX region ${name} is not known`);
      continue;
    }
    if (found.has(name)) throw damageIn(file, regionEntry, 'guid', name, 'each region once', base + at);
    checkField(file, regionEntry, 'offset', offset, [MIB, file.size - length], base + at);
    found.set(name, { offset, length });
  }
  return found;
}

/** Throws UnsupportedError (a parent, an item that must be understood), DamageError, ReadError. */
export function readShape(file: ByteSource, { metadata, bat }: Regions): DiskShape {
  const items = readItems(file, metadata);
  const parameters = fileParameters.at(itemBytes(file, metadata, items, 'fileParameters', 8));
  const sector = u32le(itemBytes(file, metadata, items, 'logicalSector', 4), 0);
  const size = u64le(itemBytes(file, metadata, items, 'diskSize', 8), 0);
  const { blockBytes, flags } = parameters;
  if (hasFlag(flags, PARAMETER.hasParent))
    throw new UnsupportedError(`${file.name}: differencing VHDX images are not supported`);
  const at = metadata.offset;
  if (!(blockBytes >= MIB && blockBytes <= MAX_BLOCK_BYTES && Number.isInteger(Math.log2(blockBytes))))
    throw damage(file, 'vhdx_file_parameters.blockBytes', at, blockBytes, 'a power of two, 1 to 256 MiB');
  if (sector !== 512 && sector !== 4096) throw damage(file, 'VHDX logical sector size', at, sector, '512 or 4096');
  if (size > BigInt(MAX_DISK_BYTES) || size % BigInt(sector) !== 0n)
    throw damage(file, 'VHDX disk size', at, size, `whole sectors, at most ${MAX_DISK_BYTES}`);
  const blocksPerBitmap = (SECTORS_PER_BITMAP * sector) / blockBytes;
  const blocks = Math.ceil(Number(size) / blockBytes);
  const entries = blocks + Math.floor(Math.max(0, blocks - 1) / blocksPerBitmap);
  if (entries * 8 > bat.length)
    throw damage(file, 'VHDX region length', bat.offset, bat.length, `at least ${entries * 8}`);
  const fixed = hasFlag(flags, PARAMETER.leaveAllocated);
  return { sizeBytes: Number(size), blockBytes, logicalSectorBytes: sector, blocksPerBitmap, fixed };
}

function hasFlag(flags: number, flag: number): boolean {
  return Math.floor(flags / flag) % 2 === 1;
}

function readItems(file: ByteSource, { offset, length }: Region): ReadonlyMap<string, Region> {
  const bytes = readExactly(file, offset, TABLE_BYTES, metadataTable.name);
  const table = metadataTable.at(bytes, 0, offset);
  if (table.signature !== 'metadata') throw damageIn(file, metadataTable, 'signature', 'another', 'metadata', offset);
  checkField(file, metadataTable, 'entryCount', table.entryCount, [0, MAX_METADATA], offset);
  const known = new Set<string>(Object.values(ITEM));
  const items = new Map<string, Region>();
  for (let index = 0; index < table.entryCount; index++) {
    const at = METADATA_ENTRIES_AT + index * metadataEntry.size;
    const entry = metadataEntry.at(bytes, at, offset);
    const name = Buffer.from(entry.guid).toString('hex');
    if (!known.has(name) && hasFlag(entry.flags, METADATA_REQUIRED))
      throw new UnsupportedError(`${file.name}: the VHDX metadata item ${name} is not known`);
    if (known.has(name))
      checkField(file, metadataEntry, 'offset', entry.offset, [0, length - entry.length], offset + at);
    items.set(name, { offset: entry.offset, length: entry.length });
  }
  return items;
}

function itemBytes(
  file: ByteSource,
  region: Region,
  items: ReadonlyMap<string, Region>,
  name: keyof typeof ITEM,
  length: number,
): Uint8Array {
  const item = items.get(ITEM[name]);
  if (item === undefined || item.length < length)
    throw damage(file, `VHDX metadata item ${name}`, region.offset, item?.length ?? 'nothing', `${length} bytes`);
  return readExactly(file, region.offset + item.offset, length, `VHDX metadata item ${name}`);
}
