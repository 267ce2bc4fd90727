// The log of a VHDX: a ring of entries, each with new content for sectors of the file. What lies in it is read here, entry by entry;
// which of them count is for its readers.

import { u32le, u64le } from '../../struct/integers.ts';
import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../read-exactly.ts';
import { hasValidChecksum } from './checked.ts';
import {
  dataDescriptor,
  LOG_DESCRIPTOR_BYTES,
  LOG_SECTOR_BYTES,
  logDataSector,
  logEntry,
  zeroDescriptor,
} from './layout.ts';

export interface LogEntry {
  /** Offset in the log, and where the entry after it begins, in the ring. */
  readonly at: number;
  readonly next: number;
  readonly sequence: bigint;
  /** Offset in the log of the oldest entry that was still needed. */
  readonly tail: number;
  /** Hex. */
  readonly logGuid: string;
  /** How long the file was when the entry was written, with what the entry itself needs. */
  readonly lastFileBytes: bigint;
  readonly flushedFileBytes: bigint;
  readonly changes: readonly LogChange[];
}

/** New content of the file from `at` on: a sector, or zeros. */
export interface LogChange {
  readonly at: number;
  readonly length: number;
  /** Null: zeros. */
  readonly sector: Uint8Array | null;
}

export interface Log {
  readonly offset: number;
  readonly length: number;
}

/** Every whole and valid entry of the ring, by its offset in the log. Throws ReadError. */
export function readLog(file: ByteSource, log: Log): ReadonlyMap<number, LogEntry> {
  const ring = readExactly(file, log.offset, log.length, 'VHDX log');
  const entries = new Map<number, LogEntry>();
  for (let at = 0; at < log.length; at += LOG_SECTOR_BYTES) {
    const entry = entryAt(ring, at);
    if (entry !== null) entries.set(at, entry);
  }
  return entries;
}

/** Null: no entry begins there, or it is torn. */
function entryAt(ring: Uint8Array, at: number): LogEntry | null {
  const head = logEntry.at(ring, at);
  const { entryBytes, signature, descriptorCount } = head;
  if (signature !== 'loge' || entryBytes % LOG_SECTOR_BYTES !== 0) return null;
  if (entryBytes < LOG_SECTOR_BYTES || entryBytes > ring.length) return null;
  const headBytes = 64 + descriptorCount * LOG_DESCRIPTOR_BYTES;
  if (headBytes > entryBytes) return null;
  const whole = unrolled(ring, at, entryBytes);
  if (!hasValidChecksum(whole)) return null;
  const changes = changesOf(whole, descriptorCount, Math.ceil(headBytes / LOG_SECTOR_BYTES) * LOG_SECTOR_BYTES);
  if (changes === null) return null;
  const { sequence, tail, lastFileBytes, flushedFileBytes } = head;
  const logGuid = Buffer.from(head.logGuid).toString('hex');
  const next = (at + entryBytes) % ring.length;
  return { at, next, sequence, tail, logGuid, lastFileBytes, flushedFileBytes, changes };
}

function unrolled(ring: Uint8Array, at: number, length: number): Uint8Array {
  const first = ring.subarray(at, at + length);
  return first.length === length ? first : Buffer.concat([first, ring.subarray(0, length - first.length)]);
}

/** Null when a descriptor or sector is not of this entry. */
function changesOf(entry: Uint8Array, count: number, dataStart: number): LogChange[] | null {
  const sequence = u64le(entry, 16);
  const changes: LogChange[] = [];
  let dataAt = dataStart;
  for (let index = 0; index < count; index++) {
    const at = 64 + index * LOG_DESCRIPTOR_BYTES;
    const change = changeOf(entry, at, dataAt, sequence);
    if (change === null) return null;
    if (change.sector !== null) dataAt += LOG_SECTOR_BYTES;
    changes.push(change);
  }
  return changes;
}

function changeOf(entry: Uint8Array, at: number, dataAt: number, sequence: bigint): LogChange | null {
  const data = dataDescriptor.at(entry, at);
  if (data.sequence !== sequence || !isPlace(entry, at + 16)) return null;
  if (data.signature === 'desc') {
    const sector = sectorOf(entry, at, dataAt, sequence);
    return sector === null ? null : { at: data.fileOffset, length: LOG_SECTOR_BYTES, sector };
  }
  if (data.signature !== 'zero' || !isPlace(entry, at + 8)) return null;
  const zeros = zeroDescriptor.at(entry, at);
  return { at: zeros.fileOffset, length: zeros.zeroBytes, sector: null };
}

/** An offset or length that a file can have, in whole sectors. */
function isPlace(entry: Uint8Array, at: number): boolean {
  return u32le(entry, at) % LOG_SECTOR_BYTES === 0 && u32le(entry, at + 4) < 2 ** 20;
}

function sectorOf(entry: Uint8Array, at: number, dataAt: number, sequence: bigint): Uint8Array | null {
  if (dataAt + LOG_SECTOR_BYTES > entry.length) return null;
  const { leading, trailing } = dataDescriptor.at(entry, at);
  const { signature, sequenceHigh, sequenceLow, middle } = logDataSector.at(entry, dataAt);
  if (signature !== 'data' || (BigInt(sequenceHigh) << 32n) + BigInt(sequenceLow) !== sequence) return null;
  return Buffer.concat([leading, middle, trailing]);
}

/**
 * The entries that a log with this GUID asks to replay, oldest first: the run of consecutive entries that ends with the greatest
 * sequence number and holds its own tail. Empty: nothing was logged before the machine stopped.
 */
export function activeEntries(entries: ReadonlyMap<number, LogEntry>, logGuid: string): LogEntry[] {
  let best: LogEntry[] = [];
  for (const start of entries.values()) {
    if (start.logGuid !== logGuid) continue;
    const run = runFrom(entries, start);
    const head = run.at(-1);
    const needed = run.findIndex(({ at }) => at === head?.tail);
    if (head === undefined || needed < 0 || head.sequence <= (best.at(-1)?.sequence ?? -1n)) continue;
    best = run.slice(needed);
  }
  return best;
}

function runFrom(entries: ReadonlyMap<number, LogEntry>, start: LogEntry): LogEntry[] {
  const run = [start];
  for (let last = start; run.length <= entries.size; ) {
    const next = entries.get(last.next);
    if (next === undefined || next.logGuid !== start.logGuid || next.sequence !== last.sequence + 1n) break;
    run.push(next);
    last = next;
  }
  return run;
}
