// What the footer of a VHD, its copy at the start and the header of a dynamic disk say, checked.

import { UnsupportedError } from '../../errors.ts';
import type { StructOf } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { checkField, damage, damageIn } from '../damage.ts';
import { readExactly, readStruct } from '../read-exactly.ts';
import {
  DISK_DIFFERENCING,
  DISK_DYNAMIC,
  DISK_FIXED,
  DYNAMIC_MAGIC,
  dynamicHeader,
  MAX_BLOCK_BYTES,
  SECTOR_BYTES,
  VHD_MAGIC,
  vhdFooter,
} from './layout.ts';

export type Footer = StructOf<typeof vhdFooter>;

export interface VhdHeader {
  readonly sizeBytes: number;
  readonly creator: string;
  /** What cylinders, heads and sectors make; some programs show only so much. */
  readonly geometryBytes: number;
  readonly dynamic: DynamicHeader | null;
  /** The valid ones of the sector at the start and the one at the end. */
  readonly first: Footer | null;
  readonly last: Footer | null;
}

export interface DynamicHeader {
  readonly blockBytes: number;
  /** Bytes before each block's data. */
  readonly bitmapBytes: number;
  readonly entries: number;
  readonly tableOffset: number;
}

/** Throws UnsupportedError (differencing), DamageError, ReadError. */
export function readHeader(file: ByteSource): VhdHeader {
  const first = readFooter(file, 0);
  const last = readFooter(file, file.size - SECTOR_BYTES);
  // A fixed disk's first sector is the guest's: what stands there means nothing.
  const footer = last?.diskType === DISK_FIXED ? last : (first ?? last);
  if (footer === null) throw damage(file, vhdFooter.name, 0, 'no valid copy', 'a footer with a valid checksum');
  const { diskType, currentBytes, creator } = footer;
  checkField(file, vhdFooter, 'diskType', diskType, [DISK_FIXED, DISK_DIFFERENCING], footer.origin);
  if (diskType === DISK_DIFFERENCING)
    throw new UnsupportedError(`${file.name}: differencing VHD images are not supported`);
  if (currentBytes % SECTOR_BYTES !== 0)
    throw damageIn(file, vhdFooter, 'currentBytes', currentBytes, 'whole sectors', footer.origin);
  const isDynamic = diskType === DISK_DYNAMIC;
  if (!isDynamic)
    checkField(file, vhdFooter, 'currentBytes', currentBytes, [0, file.size - SECTOR_BYTES], last?.origin);
  return {
    sizeBytes: currentBytes,
    creator: creator.trim(),
    geometryBytes: footer.cylinders * footer.heads * footer.sectorsPerTrack * SECTOR_BYTES,
    dynamic: isDynamic ? readDynamic(file, footer) : null,
    first: isDynamic ? first : null,
    last,
  };
}

/** Null: no footer with a valid checksum. */
function readFooter(file: ByteSource, at: number): Footer | null {
  if (at < 0) return null;
  const footer = readStruct(file, vhdFooter, at);
  if (footer.cookie !== VHD_MAGIC || checksum(footer.bytes, 64) !== footer.checksum) return null;
  return footer;
}

function readDynamic(file: ByteSource, footer: Footer): DynamicHeader {
  const place = footer.headerOffset;
  if (place > BigInt(file.size))
    throw damageIn(file, vhdFooter, 'headerOffset', place, `at most ${file.size}`, footer.origin);
  const at = Number(place);
  const sector = readExactly(file, at, dynamicHeader.size, dynamicHeader.name);
  const header = dynamicHeader.at(sector, 0, at);
  if (header.cookie !== DYNAMIC_MAGIC) throw damageIn(file, dynamicHeader, 'cookie', 'another', DYNAMIC_MAGIC, at);
  const sum = checksum(sector, 36);
  if (sum !== header.checksum) throw damageIn(file, dynamicHeader, 'checksum', header.checksum, `${sum}`, at);
  const { blockBytes, tableEntries, tableOffset } = header;
  checkField(file, dynamicHeader, 'blockBytes', blockBytes, [SECTOR_BYTES, MAX_BLOCK_BYTES], at);
  if (blockBytes % SECTOR_BYTES !== 0)
    throw damageIn(file, dynamicHeader, 'blockBytes', blockBytes, 'whole sectors', at);
  const needed = Math.ceil(footer.currentBytes / blockBytes);
  checkField(file, dynamicHeader, 'tableEntries', tableEntries, [needed, 2 ** 32 - 1], at);
  checkField(file, dynamicHeader, 'tableOffset', tableOffset, [SECTOR_BYTES, file.size - tableEntries * 4], at);
  const bitmapBytes = Math.ceil(blockBytes / SECTOR_BYTES / 8 / SECTOR_BYTES) * SECTOR_BYTES;
  return { blockBytes, bitmapBytes, entries: tableEntries, tableOffset };
}

/** The ones' complement of the sum of all bytes but those of the checksum itself. */
function checksum(bytes: Uint8Array, at: number): number {
  let sum = 0;
  for (const [index, byte] of bytes.entries()) if (index < at || index >= at + 4) sum += byte;
  return ~sum >>> 0;
}
