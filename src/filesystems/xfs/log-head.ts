// Where the log ends, and whether it holds what was not written home: by the turns in which its blocks were written, as the
// kernel looks for it (fs/xfs/xfs_log_recover.c). Blocks just before the end may have holes: several records are written at once.

import { DamageError } from '../../errors.ts';
import { u32be } from '../../struct/integers.ts';
import type { Log, LogRecord } from './log.ts';
import { cycleOf } from './log.ts';
import {
  LARGEST_RECORD_BYTES,
  LOG_BLOCK_BYTES,
  MOST_UNDER_WAY,
  OPERATION_FLAGS,
  operation,
  RECORD_MAGIC,
} from './log-layout.ts';

export interface LogEnds {
  /** Nothing is to be replayed. */
  readonly clean: boolean;
  /** Block after the last sound record. */
  readonly head: number;
  /** Block of the first record that may hold what was not written home. */
  readonly tail: number;
  /** Of the last sound record: its own LSN, and that of the tail; null for a log of zeros. */
  readonly lastLsn: bigint | null;
  readonly tailLsn: bigint | null;
  /** Records behind the head that were not written whole, and are passed over. */
  readonly torn: number;
}

const RECORD_BLOCKS = LARGEST_RECORD_BYTES / LOG_BLOCK_BYTES;
/** Blocks before the end that may have holes. */
const UNCERTAIN_BLOCKS = MOST_UNDER_WAY * RECORD_BLOCKS;
const LOW_32 = 0xffffffffn;

/** Throws DamageError when no record is found, ReadError. */
export function findEnds(log: Log): LogEnds {
  if (log.cycleAt(0) === 0) return { clean: true, head: 0, tail: 0, lastLsn: null, tailLsn: null, torn: 0 };
  const end = wholeRecordsEnd(log, headByCycles(log));
  const { last, head, torn } = lastSound(log, end);
  const { lsn: lastLsn, tailLsn } = last.header;
  const tail = Number(tailLsn & LOW_32);
  if (tail >= log.blocks)
    throw new DamageError('xlog_rec_header h_tail_lsn', last.header.origin, tail, `below ${log.blocks}`);
  return { clean: isUnmount(last), head, tail, lastLsn, tailLsn, torn };
}

/** First block that the newest turn did not write. */
function headByCycles(log: Log): number {
  const first = log.cycleAt(0);
  const last = log.cycleAt(log.blocks - 1);
  const older = first === last ? last - 1 : last;
  const head = first === last ? log.blocks : firstOfTurn(log, last);
  const window = Math.min(log.blocks, UNCERTAIN_BLOCKS);
  if (head < window) {
    const from = log.blocks - (window - head);
    const hole = firstWithCycle(log, from, log.blocks, older - 1);
    if (hole !== null) return hole;
  }
  return firstWithCycle(log, Math.max(0, head - window), head, older) ?? head;
}

/** By halving: blocks of the turn before it come first. */
function firstOfTurn(log: Log, cycle: number): number {
  let low = 0;
  let high = log.blocks - 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (log.cycleAt(middle) === cycle) high = middle;
    else low = middle;
  }
  return high;
}

function firstWithCycle(log: Log, from: number, to: number, cycle: number): number | null {
  if (from >= to) return null;
  const bytes = log.read(from, to - from);
  for (let block = from; block < to; block++) {
    if (cycleOf(bytes, (block - from) * LOG_BLOCK_BYTES) === cycle) return block;
  }
  return null;
}

/** Before the start of a record that does not reach to the head. */
function wholeRecordsEnd(log: Log, head: number): number {
  const start = previousRecord(log, head % log.blocks, log.blocks);
  if (start === null) throw new DamageError(log.name, 0, 'no record', 'one before the head');
  const distance = log.after(head % log.blocks, -start) || log.blocks;
  return recordBlocks(log, start) === distance ? head % log.blocks : start;
}

function recordBlocks(log: Log, start: number): number | null {
  try {
    return log.record(start).blocks;
  } catch (error) {
    if (error instanceof DamageError) return null;
    throw error;
  }
}

/** Block of the last record header before a block, at most `most` blocks back. */
function previousRecord(log: Log, before: number, most: number): number | null {
  const end = Math.min(most, log.blocks);
  for (let passed = 0; passed < end; passed += RECORD_BLOCKS) {
    const count = Math.min(RECORD_BLOCKS, end - passed);
    const from = log.after(before, -(passed + count));
    const bytes = log.read(from, count);
    for (let index = count - 1; index >= 0; index--) {
      if (u32be(bytes, index * LOG_BLOCK_BYTES) === RECORD_MAGIC) return log.after(from, index);
    }
  }
  return null;
}

/** Of the records that may have been under way together, the last one before which all are sound. */
function lastSound(log: Log, end: number): { last: LogRecord; head: number; torn: number } {
  const starts: number[] = [];
  for (let before = end; starts.length < MOST_UNDER_WAY; ) {
    const start = previousRecord(log, before, UNCERTAIN_BLOCKS);
    if (start === null || starts.includes(start)) break;
    starts.push(start);
    before = start;
  }
  let last: LogRecord | null = null;
  for (const [index, start] of starts.reverse().entries()) {
    const record = soundRecord(log, start);
    if (record === null && last === null) continue;
    if (record === null) return { last: last as LogRecord, head: start, torn: starts.length - index };
    last = record;
  }
  if (last === null) throw new DamageError(log.name, end * LOG_BLOCK_BYTES, 'no sound record', 'one before the head');
  return { last, head: end, torn: 0 };
}

function soundRecord(log: Log, start: number): LogRecord | null {
  try {
    const record = log.record(start);
    return record.holds ? record : null;
  } catch (error) {
    if (error instanceof DamageError) return null;
    throw error;
  }
}

/** A record of one operation, written when everything else was home. */
function isUnmount({ header, bytes }: LogRecord): boolean {
  if (header.operations !== 1 || bytes.length < operation.size) return false;
  return (operation.at(bytes).flags & OPERATION_FLAGS.unmount) !== 0;
}
