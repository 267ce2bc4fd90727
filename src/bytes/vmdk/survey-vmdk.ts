// What the tables of a sparse extent give away: VMware and QEMU write each entry twice, into a grain table and into its copy.

import type { ByteSource } from '../byte-source.ts';
import { Contradictions } from '../contradictions.ts';
import { assertComparable, type Tell } from '../tell.ts';
import { ENTRY_ZERO, SECTOR_BYTES } from './layout.ts';
import type { SparseHeader } from './sparse-header.ts';

export interface SurveyedExtent {
  readonly file: ByteSource;
  readonly header: SparseHeader;
  /** Where it begins on the disk. */
  readonly start: number;
}

interface Seen {
  /** By grain's length of the file: 1 + the number of the grain of the disk that begins there; 0: none. */
  readonly owners: Uint32Array;
  readonly differing: Contradictions<{ readonly grain: number; readonly at: number }>;
  /** Of those: where the table, or its copy, names nothing. */
  emptyInTable: number;
  emptyInCopy: number;
  readonly twice: Contradictions<{ readonly grain: number; readonly other: number; readonly at: number }>;
}

/** Throws UnsupportedError when the tables are too large, ReadError. */
export function surveyExtent(extent: SurveyedExtent): Tell[] {
  const { file, header } = extent;
  const places = header.compressed ? 0 : Math.ceil(file.size / header.grainBytes);
  assertComparable(file, Math.max(places * 4, header.directoryEntries * header.entriesPerTable));
  const seen: Seen = {
    owners: new Uint32Array(places),
    differing: new Contradictions(),
    emptyInTable: 0,
    emptyInCopy: 0,
    twice: new Contradictions(),
  };
  const directory = readEntries(file, header.directory, header.directoryEntries);
  const { redundantDirectory } = header;
  const copies = redundantDirectory === null ? null : readEntries(file, redundantDirectory, header.directoryEntries);
  for (const [index, table] of directory.entries()) compareTables(extent, seen, index, table, copies?.[index] ?? null);
  return [...differingTell(extent, seen), ...twiceTell(extent, seen)];
}

/** Zeros where the file ends before. */
function readEntries(file: ByteSource, at: number, count: number): Uint32Array {
  const bytes = new Uint8Array(count * 4);
  file.read(bytes, at);
  const view = new DataView(bytes.buffer);
  return Uint32Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true));
}

function compareTables(extent: SurveyedExtent, seen: Seen, index: number, table: number, copy: number | null): void {
  const { file, header } = extent;
  // Beyond the end of the file there is no table: reading says so.
  if (Math.max(table, copy ?? 0) === 0 || table * SECTOR_BYTES >= file.size) return;
  const count = header.entriesPerTable;
  const none = new Uint32Array(count);
  const entries = table === 0 ? none : readEntries(file, table * SECTOR_BYTES, count);
  const copied = copy === null ? null : copy === 0 ? none : readEntries(file, copy * SECTOR_BYTES, count);
  for (let slot = 0; slot < count; slot++) {
    const grain = index * count + slot;
    const at = table * SECTOR_BYTES + slot * 4;
    const entry = entries[slot] as number;
    const other = copied?.[slot] ?? entry;
    if (other !== entry) noteDiffering(seen, { grain, at, entry, copy: other });
    noteOwner(extent, seen, { grain, at, sector: entry });
  }
}

function noteDiffering(seen: Seen, found: { grain: number; at: number; entry: number; copy: number }): void {
  seen.differing.add(found);
  if (found.entry === 0) seen.emptyInTable++;
  if (found.copy === 0) seen.emptyInCopy++;
}

function noteOwner({ header }: SurveyedExtent, seen: Seen, named: { grain: number; at: number; sector: number }): void {
  const { grain, at, sector } = named;
  if (header.compressed || sector === 0 || (sector === ENTRY_ZERO && header.zeroGrains)) return;
  const place = Math.floor((sector * SECTOR_BYTES) / header.grainBytes);
  if (place >= seen.owners.length) return;
  const other = (seen.owners[place] as number) - 1;
  if (other >= 0) seen.twice.add({ grain, other, at });
  else seen.owners[place] = grain + 1;
}

function differingTell({ file, header, start }: SurveyedExtent, seen: Seen): Tell[] {
  const { count, first, last } = seen.differing;
  if (first === null || last === null) return [];
  const { grainBytes } = header;
  return [
    {
      rule: 'vmdk-grain-tables-differ',
      role: 'vmdk-grain-table',
      confidence: header.unclean ? 'possible' : 'likely',
      at: first.at,
      entries: count,
      disk: { offset: start + first.grain * grainBytes, length: (last.grain - first.grain + 1) * grainBytes },
      detail: `${file.name}: ${count} entries of the grain tables differ from their copies: ${olderOne(seen)}`,
    },
  ];
}

function olderOne({ differing, emptyInTable, emptyInCopy }: Seen): string {
  if (emptyInTable === differing.count)
    return 'the copy names data where the table names none, the table is of an older day';
  if (emptyInCopy === differing.count) return 'the copy is of an older day';
  return 'one of the two is of an older day';
}

function twiceTell({ file, header, start }: SurveyedExtent, { twice }: Seen): Tell[] {
  if (twice.first === null) return [];
  const { grain, other, at } = twice.first;
  return [
    {
      rule: 'vmdk-grain-twice',
      role: 'vmdk-grain-table',
      confidence: 'likely',
      at,
      entries: twice.count,
      disk: { offset: start + grain * header.grainBytes, length: header.grainBytes },
      detail: `${file.name}: grains ${other} and ${grain} are said to lie in one place${twice.andMore('pairs')}: a sector of a grain table is of an older day`,
    },
  ];
}
