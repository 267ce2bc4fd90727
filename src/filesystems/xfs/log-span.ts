// How far back a log reaches: what a turn of the ring has not written over yet is there still, whether it was written home or not.

import { DamageError } from '../../errors.ts';
import type { Log, LogRecord } from './log.ts';
import { sameBytes } from './self-description.ts';

const LOW_32 = 0xffffffffn;

export interface OldestRecord {
  readonly block: number;
  /** What was logged from here on is in the log. */
  readonly lsn: bigint;
}

/**
 * The first record from which an unbroken chain leads to the last one.
 * @param lastLsn of the last sound record. Throws DamageError, ReadError when it is none.
 */
export function oldestRecord(log: Log, lastLsn: bigint, uuid: Uint8Array): OldestRecord {
  let record = log.record(Number(lastLsn & LOW_32));
  let blocks = record.blocks;
  for (;;) {
    const previous = recordBefore(log, record, uuid);
    if (previous === null || blocks + previous.blocks > log.blocks) break;
    record = previous;
    blocks += record.blocks;
  }
  return { block: record.block, lsn: record.header.lsn };
}

/** Null where it was written over, or is broken. */
function recordBefore(log: Log, { block, header }: LogRecord, uuid: Uint8Array): LogRecord | null {
  if (header.previous >= log.blocks) return null;
  const previous = soundRecord(log, header.previous);
  if (previous === null || !sameBytes(previous.header.uuid, 0, uuid)) return null;
  const adjoins = log.after(previous.block, previous.blocks) === block;
  return adjoins && previous.header.lsn < header.lsn ? previous : null;
}

function soundRecord(log: Log, block: number): LogRecord | null {
  try {
    const record = log.record(block);
    return record.holds ? record : null;
  } catch (error) {
    if (error instanceof DamageError) return null;
    throw error;
  }
}
