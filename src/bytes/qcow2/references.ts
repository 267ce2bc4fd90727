// Who uses which cluster of a qcow2 file: the walk through all tables, of the active disk and of the snapshots, that counts it.

import { UnsupportedError } from '../../errors.ts';
import { u32be } from '../../struct/integers.ts';
import type { ByteSource } from '../byte-source.ts';
import { assertComparable } from '../tell.ts';
import { bytesPerL1Entry, type Qcow2Header, type TablePlace } from './header.ts';
import { COMPRESSED_HIGH, COPIED_HIGH, OFFSET_MASK_HIGH, OFFSET_MASK_LOW } from './layout.ts';
import { MOST_COUNTED } from './refcounts.ts';
import type { Snapshot } from './snapshots.ts';

/** More than 2 GiB of tables are not walked. */
const MAX_ENTRIES = 2 ** 28;

/** An entry of a table: 64 bits in halves. */
export interface Entry {
  readonly high: number;
  readonly low: number;
  /** Offset of the entry in the file. */
  readonly at: number;
}

/** A mapping table that some L1 table names. */
export interface MappingTable {
  readonly offset: number;
  /** By how many L1 entries. */
  uses: number;
  /** The first entry of the active L1 table that names it: its number; -1: none does. */
  activeIndex: number;
}

export interface References {
  /** By cluster of the file: how often it is used. */
  readonly counts: Uint16Array;
  readonly tables: ReadonlyMap<number, MappingTable>;
  readonly entriesPerTable: number;
}

export interface Walk {
  readonly file: ByteSource;
  readonly header: Qcow2Header;
  readonly snapshots: readonly Snapshot[];
  readonly snapshotTableBytes: number;
  readonly refcountBlocks: readonly number[];
  readonly clusters: number;
}

/** Throws UnsupportedError when the tables are too large, ReadError. */
export function countReferences(walk: Walk): References {
  const { header, clusters, refcountBlocks } = walk;
  assertComparable(walk.file, clusters);
  const { clusterBytes } = header;
  const counts = new Uint16Array(clusters);
  const use = (offset: number, bytes: number, times: number) => {
    const last = Math.min(clusters - 1, Math.floor((offset + bytes - 1) / clusterBytes));
    for (let index = Math.floor(offset / clusterBytes); index <= last; index++)
      counts[index] = Math.min(MOST_COUNTED, (counts[index] as number) + times);
  };
  use(0, 1, 1);
  use(header.refcountTable.offset, header.refcountTable.clusters * clusterBytes, 1);
  for (const offset of refcountBlocks) if (offset > 0) use(offset, 1, 1);
  if (header.snapshots.count > 0) use(header.snapshots.offset, walk.snapshotTableBytes, 1);
  const tables = new Map<number, MappingTable>();
  for (const [index, l1] of [header.l1, ...walk.snapshots.map(each => each.l1)].entries()) {
    if (l1.entries > 0) use(l1.offset, l1.entries * 8, 1);
    collectTables(walk, l1, index === 0, tables);
  }
  const entriesPerTable = clusterBytes / (header.extendedL2 ? 16 : 8);
  if (tables.size * entriesPerTable > MAX_ENTRIES)
    throw new UnsupportedError(`${walk.file.name}: its mapping tables are too large to be compared`);
  for (const table of tables.values()) {
    use(table.offset, 1, table.uses);
    if (header.dataFile !== null) continue;
    for (const entry of entriesOf(walk.file, header, table.offset)) {
      const target = targetOf(header, entry);
      if (target !== null) use(target.offset, target.bytes, table.uses);
    }
  }
  return { counts, tables, entriesPerTable };
}

function collectTables(
  { file, header }: Walk,
  l1: TablePlace,
  isActive: boolean,
  into: Map<number, MappingTable>,
): void {
  if (l1.entries > MAX_ENTRIES || l1.offset + l1.entries * 8 > file.size) return;
  for (const [index, entry] of tableEntries(file, l1.offset, l1.entries, 8).entries()) {
    const offset = offsetOf(entry);
    if (offset === 0 || offset % header.clusterBytes !== 0 || offset >= file.size) continue;
    const known = into.get(offset) ?? { offset, uses: 0, activeIndex: -1 };
    known.uses++;
    if (isActive && known.activeIndex < 0) known.activeIndex = index;
    into.set(offset, known);
  }
}

/** The entries of a mapping table that is `clusterBytes` long. */
export function entriesOf(file: ByteSource, header: Qcow2Header, offset: number): Entry[] {
  const entryBytes = header.extendedL2 ? 16 : 8;
  return tableEntries(file, offset, header.clusterBytes / entryBytes, entryBytes);
}

/** Zeros where the file ends before. */
export function tableEntries(file: ByteSource, offset: number, count: number, entryBytes: number): Entry[] {
  const bytes = new Uint8Array(count * entryBytes);
  file.read(bytes, offset);
  return Array.from({ length: count }, (_, index) => {
    const at = index * entryBytes;
    return { high: u32be(bytes, at), low: u32be(bytes, at + 4), at: offset + at };
  });
}

/** The bytes of the file that an entry of a mapping table uses; null: none. Also a zero cluster may keep some. */
export function targetOf(header: Qcow2Header, entry: Entry): { offset: number; bytes: number } | null {
  if (isCompressed(entry)) {
    const highBits = 62 - (header.clusterBits - 8) - 32;
    const offset = (entry.high & (2 ** highBits - 1)) * 2 ** 32 + entry.low;
    const sectors = ((entry.high & 0x3fffffff) >>> highBits) + 1;
    return { offset, bytes: sectors * 512 - (offset % 512) };
  }
  const offset = offsetOf(entry);
  return offset === 0 ? null : { offset, bytes: header.clusterBytes };
}

export function isCompressed(entry: Entry): boolean {
  return (entry.high & COMPRESSED_HIGH) !== 0;
}

export function isCopied(entry: Entry): boolean {
  return (entry.high & COPIED_HIGH) !== 0;
}

/** Bits 9 to 55. */
export function offsetOf({ high, low }: Entry): number {
  return (high & OFFSET_MASK_HIGH) * 2 ** 32 + ((low & OFFSET_MASK_LOW) >>> 0);
}

/** Where on the disk an entry of a table of the active L1 table stands. */
export function diskOffset(header: Qcow2Header, { activeIndex }: MappingTable, index: number): number {
  return activeIndex * bytesPerL1Entry(header) + index * header.clusterBytes;
}
