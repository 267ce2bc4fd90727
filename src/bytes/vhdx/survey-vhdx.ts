// What the tables of a VHDX give away. Its two headers are written in turn, its region tables are twins, and every change of the block
// table passes through the log, whose ring keeps entries long after they were written back.

import type { ByteSource } from '../byte-source.ts';
import { Contradictions } from '../contradictions.ts';
import { assertComparable, type Tell } from '../tell.ts';
import type { DiskShape, Headers, Region, Regions } from './header.ts';
import { BLOCK, LOG_SECTOR_BYTES, MIB, REGION_TABLES_AT } from './layout.ts';
import { type LogEntry, readLog } from './log.ts';

export interface SurveyedVhdx {
  /** As it lies, and with its log replayed. */
  readonly file: ByteSource;
  readonly disk: ByteSource;
  readonly headers: Headers;
  readonly regions: Regions;
  readonly shape: DiskShape;
  /** Then home and log differ by right. */
  readonly isReplayed: boolean;
}

/** Throws UnsupportedError when the table is too large, ReadError. */
export function surveyVhdx(image: SurveyedVhdx): Tell[] {
  return [...headerTell(image), ...regionTell(image), ...twiceTell(image), ...logTell(image)];
}

/** Headers are written alternately, each with the next number. */
function headerTell({ headers: { current, other } }: SurveyedVhdx): Tell[] {
  if (other === null || current.sequence === other.sequence + 1n) return [];
  const distance = current.sequence - other.sequence;
  return [
    {
      rule: 'vhdx-header-sequence',
      role: 'vhdx-header',
      confidence: 'likely',
      at: other.origin,
      entries: 1,
      disk: null,
      detail: `the two headers have the sequence numbers ${other.sequence} and ${current.sequence}, ${distance} apart rather than 1: an update of the header at ${other.origin} is lost`,
    },
  ];
}

function regionTell({ regions }: SurveyedVhdx): Tell[] {
  if (regions.copiesAgree) return [];
  const what = regions.copies < 2 ? 'only one of them is valid' : 'they differ';
  return [
    {
      rule: 'vhdx-region-tables-differ',
      role: 'vhdx-region-table',
      confidence: 'likely',
      at: REGION_TABLES_AT[0],
      entries: 1,
      disk: null,
      detail: `the two region tables are copies of each other, yet ${what}: one was overwritten, or is of an older day`,
    },
  ];
}

/** Bits 20 to 63 in MiB, where the state says that there is data; else 0. */
function megabyteOf(low: number, high: number): number {
  return low % 8 === BLOCK.present ? high * 4096 + Math.floor(low / MIB) : 0;
}

function twiceTell({ disk, regions: { bat }, shape }: SurveyedVhdx): Tell[] {
  const { blockBytes, blocksPerBitmap, sizeBytes } = shape;
  const blocks = Math.ceil(sizeBytes / blockBytes);
  const places = Math.ceil(disk.size / blockBytes);
  assertComparable(disk, Math.max(blocks, places * 4));
  const owners = new Uint32Array(places);
  const twice = new Contradictions<{ block: number; other: number; at: number }>();
  forEachEntry(disk, bat, blocks, blocksPerBitmap, (block, at, low, high) => {
    const megabyte = megabyteOf(low, high);
    const place = Math.floor((megabyte * MIB) / blockBytes);
    if (megabyte === 0 || place >= places) return;
    const other = (owners[place] as number) - 1;
    if (other >= 0) twice.add({ block, other, at });
    else owners[place] = block + 1;
  });
  if (twice.first === null) return [];
  const { block, other, at } = twice.first;
  return [
    {
      rule: 'vhdx-block-twice',
      role: 'vhdx-block-table',
      confidence: 'likely',
      at,
      entries: twice.count,
      disk: { offset: block * blockBytes, length: blockBytes },
      detail: `blocks ${other} and ${block} of the disk are said to lie in one place${twice.andMore('pairs')}: a sector of the block table is of an older day`,
    },
  ];
}

type OnEntry = (block: number, at: number, low: number, high: number) => void;

/** Every block's entry; those for bitmaps are stepped over. */
function forEachEntry(disk: ByteSource, bat: Region, blocks: number, perBitmap: number, onEntry: OnEntry): void {
  const chunk = new Uint8Array(64 * 1024);
  const view = new DataView(chunk.buffer);
  let start = -1;
  for (let block = 0; block < blocks; block++) {
    const within = (block + Math.floor(block / perBitmap)) * 8;
    if (start < 0 || within >= start + chunk.length) {
      start = within - (within % chunk.length);
      disk.read(chunk, bat.offset + start);
    }
    const at = within - start;
    onEntry(block, bat.offset + within, view.getUint32(at, true), view.getUint32(at + 4, true));
  }
}

/** A sector of the block table: as it is, and its copies in the log, oldest first. */
interface Sector {
  readonly at: number;
  readonly copies: readonly Uint8Array[];
}

/**
 * The file only grows with the blocks that entries of the log name, so its length orders entries of all sessions. The newest copy
 * need not be in the ring any more; but what any copy names, the table must name still, unless the block was given back.
 */
function logTell({ file, headers, regions, shape, isReplayed }: SurveyedVhdx): Tell[] {
  if (isReplayed) return [];
  const { logOffset: offset, logLength: length } = headers.current;
  const entries = [...readLog(file, { offset, length }).values()].sort(byFileLength);
  const tells = sectorsOf(entries, regions.bat).flatMap(sector => sectorTell(file, sector, shape, regions.bat));
  return tells.slice(0, 1).map(tell => ({ ...tell, entries: tells.reduce((sum, each) => sum + each.entries, 0) }));
}

function byFileLength(left: LogEntry, right: LogEntry): number {
  return Number(left.lastFileBytes - right.lastFileBytes) || Number(left.sequence - right.sequence);
}

function sectorsOf(entries: readonly LogEntry[], { offset, length }: Region): Sector[] {
  const found = new Map<number, Uint8Array[]>();
  for (const { at, sector } of entries.flatMap(entry => entry.changes)) {
    if (sector === null || at < offset || at + LOG_SECTOR_BYTES > offset + length) continue;
    found.set(at, [...(found.get(at) ?? []), sector]);
  }
  return [...found].map(([at, copies]) => ({ at, copies }));
}

function sectorTell(file: ByteSource, { at, copies }: Sector, shape: DiskShape, bat: Region): Tell[] {
  const newest = copies.at(-1);
  const home = new Uint8Array(LOG_SECTOR_BYTES);
  file.read(home, at);
  if (newest === undefined || Buffer.compare(home, newest) === 0) return [];
  const lost = lostEntries(home, newest);
  const [first] = lost;
  if (first === undefined) return [];
  const isOlderCopy = copies.some(copy => Buffer.compare(copy, home) === 0);
  const entry = (at - bat.offset) / 8 + first;
  const block = entry - Math.floor(entry / (shape.blocksPerBitmap + 1));
  return [
    {
      rule: 'vhdx-table-older-than-log',
      role: 'vhdx-block-table',
      confidence: isOlderCopy ? 'proven' : 'likely',
      at,
      entries: lost.length,
      disk: { offset: block * shape.blockBytes, length: shape.blockBytes },
      detail: `the log holds a newer copy of the block table's sector at ${at}, which names ${lost.length} blocks that the table does not${isOlderCopy ? '; what the table holds is an older copy in the same log' : ''}: that write is lost`,
    },
  ];
}

/** Entries that have a place in the copy and at home are as before their first write: a block that was given back is said to be so. */
function lostEntries(home: Uint8Array, copy: Uint8Array): number[] {
  const left = new DataView(home.buffer, home.byteOffset);
  const right = new DataView(copy.buffer, copy.byteOffset);
  const isPlaced = (at: number) => megabyteOf(right.getUint32(at, true), right.getUint32(at + 4, true)) > 0;
  const isUnwritten = (at: number) => left.getUint32(at, true) < BLOCK.unmapped && left.getUint32(at + 4, true) === 0;
  return Array.from({ length: LOG_SECTOR_BYTES / 8 }, (_, index) => index).filter(
    index => isPlaced(index * 8) && isUnwritten(index * 8),
  );
}
