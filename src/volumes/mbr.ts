// The PC's partition table: four entries, one of which may begin a chain of further tables for logical partitions.

import type { ByteSource } from '../bytes/byte-source.ts';
import type { Fact } from '../bytes/fact.ts';
import type { StructOf } from '../struct/struct.ts';
import {
  MAX_LOGICAL_PARTITIONS,
  MBR_ENTRIES,
  MBR_EXTENDED,
  MBR_SECTOR_BYTES,
  MBR_SIGNATURE,
  masterBootRecord,
  mbrEntry,
} from './layout.ts';
import { type Partition, type PartitionTable, typeNameOf } from './partition.ts';

export type MbrEntry = StructOf<typeof mbrEntry>;

/** The four entries of the table in the sector at `at`; null when it has no signature. */
export function readMbrEntries(disk: ByteSource, at = 0): MbrEntry[] | null {
  const sector = new Uint8Array(MBR_SECTOR_BYTES);
  if (disk.read(sector, at) < sector.length) return null;
  const record = masterBootRecord.at(sector, 0, at);
  if (record.signature !== MBR_SIGNATURE) return null;
  const entriesAt = masterBootRecord.fields.entries.offset;
  return Array.from({ length: MBR_ENTRIES }, (_, index) => mbrEntry.at(sector, entriesAt + index * mbrEntry.size, at));
}

/**
 * The table in the first sector; null when there is none: a boot sector of a file system ends with the same signature, but its
 * code makes no sense as entries.
 */
export function readMbr(disk: ByteSource): PartitionTable | null {
  const entries = readMbrEntries(disk);
  if (entries === null || !entries.every(isPlausible)) return null;
  const used = entries.flatMap((entry, index) => (isUsed(entry) ? [{ entry, number: index + 1 }] : []));
  if (!used.some(({ entry }) => entry.start * MBR_SECTOR_BYTES < disk.size)) return null;
  const facts: Fact[] = [];
  const primary = used
    .filter(({ entry }) => !isExtended(entry))
    .map(({ entry, number }) => partition(entry, number, 0));
  const extended = used.filter(({ entry }) => isExtended(entry));
  const logical = extended.flatMap(({ entry }) => readChain(disk, entry, facts));
  return { scheme: 'mbr', facts, partitions: [...primary, ...logical.map((each, index) => each(5 + index))] };
}

/** Each table of the chain names one partition, relative to itself, and the next table, relative to the first. */
function readChain(disk: ByteSource, extended: MbrEntry, facts: Fact[]): ((number: number) => Partition)[] {
  const found: ((number: number) => Partition)[] = [];
  const seen = new Set<number>();
  const broken = (detail: string) => facts.push({ name: 'mbr-chain-broken', detail });
  for (let sector = extended.start; ; ) {
    const at = sector * MBR_SECTOR_BYTES;
    if (seen.has(sector)) broken(`the chain of logical partitions returns to byte ${at}`);
    else if (seen.size >= MAX_LOGICAL_PARTITIONS) broken(`more than ${MAX_LOGICAL_PARTITIONS} logical partitions`);
    const entries = seen.has(sector) || seen.size >= MAX_LOGICAL_PARTITIONS ? [] : readMbrEntries(disk, at);
    if (entries === null) broken(`no table of logical partitions at byte ${at}`);
    const [own, next] = entries ?? [];
    if (own === undefined || next === undefined) return found;
    seen.add(sector);
    const base = sector;
    if (isUsed(own) && !isExtended(own)) found.push(number => partition(own, number, base));
    if (!isUsed(next)) return found;
    sector = extended.start + next.start;
  }
}

function partition(entry: MbrEntry, number: number, base: number): Partition {
  const type = `0x${entry.type.toString(16).padStart(2, '0')}`;
  return {
    scheme: 'mbr',
    number,
    offset: (base + entry.start) * MBR_SECTOR_BYTES,
    size: entry.sectors * MBR_SECTOR_BYTES,
    type,
    typeName: typeNameOf(type),
    guid: null,
    name: '',
  };
}

function isPlausible(entry: MbrEntry): boolean {
  return entry.status === 0 || entry.status === 0x80;
}

function isUsed(entry: MbrEntry): boolean {
  return entry.type !== 0 && entry.sectors !== 0;
}

function isExtended(entry: MbrEntry): boolean {
  return MBR_EXTENDED.includes(entry.type);
}
