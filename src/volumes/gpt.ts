// The GUID partition table. It is kept twice, at both ends of the disk; both copies are checked, and what one of them lost the
// other gives.

import { crc32 } from 'node:zlib';
import type { ByteSource } from '../bytes/byte-source.ts';
import type { Fact } from '../bytes/fact.ts';
import { DamageError, ReadError } from '../errors.ts';
import type { StructOf } from '../struct/struct.ts';
import {
  GPT_HEADER_CRC,
  GPT_SIGNATURE,
  gptEntry,
  gptHeader,
  MAX_GPT_TABLE_BYTES,
  MBR_PROTECTIVE,
  SECTOR_SIZES,
} from './layout.ts';
import { readMbrEntries } from './mbr.ts';
import { type Partition, type PartitionTable, typeNameOf } from './partition.ts';
import { formatGuid } from './uuid.ts';

/** One of the two copies, its header's checksum good. */
interface Copy {
  readonly sectorBytes: number;
  readonly myLba: number;
  readonly alternateLba: number;
  readonly diskGuid: Uint8Array;
  readonly entries: Uint8Array;
  readonly entryCount: number;
  readonly entryBytes: number;
  readonly entriesCrc: number;
  /** The entries' checksum is good, too. */
  readonly intact: boolean;
}

/** A copy, or what is wrong with the place where it should be. */
type Found = Copy | string;

export interface Gpt extends PartitionTable {
  /** The first sector announces a GPT. */
  readonly announced: boolean;
  /** The first copy can be used: nothing has written over the start of the disk since. */
  readonly hasFirst: boolean;
}

/**
 * The disk's GPT, from its first copy or, where that is damaged, from its second; null when there is none.
 * Throws DamageError when one is announced and neither copy can be used.
 */
export function readGpt(disk: ByteSource): Gpt | null {
  const guards = protectiveEntries(disk);
  const announced = guards !== 'none';
  const problems: string[] = [];
  for (const sectorBytes of SECTOR_SIZES) {
    const copies = readBoth(disk, sectorBytes);
    const used = choose(copies);
    if (used !== null) {
      const facts = [...describeGuards(guards), ...describeCopies(copies, used)];
      const partitions = partitionsOf(used, facts);
      return { scheme: 'gpt', partitions, facts, announced, hasFirst: typeof copies.first !== 'string' };
    }
    problems.push(`${copies.first}`, `${copies.second}`);
  }
  if (!announced) return null;
  throw new DamageError(`${disk.name}: GPT`, 0, problems.join('; '), 'one good copy');
}

function protectiveEntries(disk: ByteSource): 'none' | 'protective' | 'hybrid' {
  const used = (readMbrEntries(disk) ?? []).filter(({ type }) => type !== 0);
  if (!used.some(({ type }) => type === MBR_PROTECTIVE)) return 'none';
  return used.length === 1 ? 'protective' : 'hybrid';
}

function describeGuards(guards: 'none' | 'protective' | 'hybrid'): Fact[] {
  if (guards === 'none') return [{ name: 'gpt-without-protective-mbr', detail: 'the first sector announces no GPT' }];
  return guards === 'hybrid'
    ? [{ name: 'gpt-hybrid-mbr', detail: 'the first sector lists partitions of its own' }]
    : [];
}

interface Copies {
  readonly first: Found;
  readonly second: Found;
  readonly lastLba: number;
}

/** The second copy is at the last sector, or where the first says: a disk that grew has it before its end. */
function readBoth(disk: ByteSource, sectorBytes: number): Copies {
  const lastLba = Math.floor(disk.size / sectorBytes) - 1;
  const first = readCopy(disk, sectorBytes, 1);
  const atEnd = readCopy(disk, sectorBytes, lastLba);
  if (
    typeof first === 'string' ||
    typeof atEnd !== 'string' ||
    first.alternateLba <= 1 ||
    first.alternateLba === lastLba
  ) {
    return { first, second: atEnd, lastLba };
  }
  return { first, second: readCopy(disk, sectorBytes, first.alternateLba), lastLba };
}

function readCopy(disk: ByteSource, sectorBytes: number, lba: number): Found {
  try {
    return checkCopy(disk, sectorBytes, lba);
  } catch (error) {
    if (error instanceof ReadError || error instanceof DamageError) return error.message;
    throw error;
  }
}

function checkCopy(disk: ByteSource, sectorBytes: number, lba: number): Found {
  const at = lba * sectorBytes;
  const sector = new Uint8Array(sectorBytes);
  if (lba < 1 || disk.read(sector, at) < sectorBytes) return `no sector at ${at}`;
  const header = gptHeader.at(sector, 0, at);
  if (header.signature !== GPT_SIGNATURE) return `no header at ${at}`;
  const { headerBytes } = header;
  if (headerBytes < gptHeader.size || headerBytes > sectorBytes) return `a header of ${headerBytes} bytes at ${at}`;
  if (headerCrc(sector.subarray(0, headerBytes)) !== header.headerCrc) return `a header with a wrong checksum at ${at}`;
  const { myLba, alternateLba, entriesLba, entryBytes, entryCount, entriesCrc, diskGuid } = header;
  if (myLba !== lba) return `the header of sector ${myLba} at ${at}`;
  const tableBytes = entryCount * entryBytes;
  if (entryBytes < gptEntry.size || entryBytes % 8 !== 0 || tableBytes > MAX_GPT_TABLE_BYTES) {
    return `a header that tells of ${entryCount} entries of ${entryBytes} bytes at ${at}`;
  }
  const entries = new Uint8Array(tableBytes);
  const count = disk.read(entries, entriesLba * sectorBytes);
  const intact = count === tableBytes && crc32(entries) === entriesCrc;
  return { sectorBytes, myLba, alternateLba, diskGuid, entries, entryCount, entryBytes, entriesCrc, intact };
}

/** The checksum is computed with its own field as zero. */
function headerCrc(header: Uint8Array): number {
  const { offset, length } = GPT_HEADER_CRC;
  return crc32(Uint8Array.from(header).fill(0, offset, offset + length));
}

/** An intact copy before one with broken entries, the first before the second. */
function choose({ first, second }: Copies): Copy | null {
  const usable = [first, second].filter(found => typeof found !== 'string');
  return usable.find(({ intact }) => intact) ?? usable[0] ?? null;
}

function describeCopies({ first, second, lastLba }: Copies, used: Copy): Fact[] {
  const facts: Fact[] = [];
  const note = (name: string, detail: string) => facts.push({ name, detail });
  if (used === second) note('gpt-backup-used', `the first copy is damaged: ${problemOf(first)}`);
  else if (typeof second === 'string' || !second.intact) note('gpt-backup-damaged', problemOf(second));
  if (!used.intact) note('gpt-entries-checksum', 'no copy of the entries fits its checksum');
  if (typeof first === 'string' || typeof second === 'string') return facts;
  const same = first.entriesCrc === second.entriesCrc && Buffer.compare(first.diskGuid, second.diskGuid) === 0;
  if (!same && first.intact && second.intact)
    note('gpt-copies-differ', 'both copies are intact, and say different things');
  if (first.alternateLba !== lastLba) {
    note(
      'gpt-backup-misplaced',
      `the first copy expects the second in sector ${first.alternateLba}, the disk's last is ${lastLba}`,
    );
  }
  return facts;
}

function problemOf(found: Found): string {
  return typeof found === 'string' ? found : `the entries of sector ${found.myLba}'s header have a wrong checksum`;
}

function partitionsOf({ sectorBytes, entries, entryCount, entryBytes }: Copy, facts: Fact[]): Partition[] {
  const found: Partition[] = [];
  for (let index = 0; index < entryCount; index++) {
    const entry = gptEntry.at(entries, index * entryBytes);
    const type = formatGuid(entry.typeGuid);
    if (type === null) continue;
    const partition = readEntry(entry, type, index + 1, sectorBytes);
    if (typeof partition === 'string')
      facts.push({ name: 'partition-unusable', detail: `partition ${index + 1}: ${partition}` });
    else found.push(partition);
  }
  return found;
}

function readEntry(
  entry: StructOf<typeof gptEntry>,
  type: string,
  number: number,
  sectorBytes: number,
): Partition | string {
  try {
    const { firstLba, lastLba } = entry;
    if (lastLba < firstLba) return `ends at sector ${lastLba}, before it begins at ${firstLba}`;
    return {
      scheme: 'gpt',
      number,
      offset: firstLba * sectorBytes,
      size: (lastLba - firstLba + 1) * sectorBytes,
      type,
      typeName: typeNameOf(type),
      guid: formatGuid(entry.guid),
      name: Buffer.from(entry.name).toString('utf16le').replace(/\0.*$/s, ''),
    };
  } catch (error) {
    if (error instanceof DamageError) return error.message;
    throw error;
  }
}
