// From records to transactions: operations of several transactions are interleaved, and regions of one item may be split over
// records. Only what was committed is told.

import { DamageError, UnsupportedError } from '../../errors.ts';
import { u32le } from '../../struct/integers.ts';
import type { Log, LogRecord } from './log.ts';
import type { LogEnds } from './log-head.ts';
import {
  CLIENTS,
  FORMAT_LITTLE_ENDIAN,
  itemHead,
  LOG_BLOCK_BYTES,
  MOST_REGIONS,
  OPERATION_FLAGS,
  operation,
  TRANSACTION_HEADER_BYTES,
  TRANSACTION_MAGIC,
} from './log-layout.ts';
import { sameBytes } from './self-description.ts';

/** One thing that was logged: what it is, then its bytes. */
export interface LogItem {
  readonly type: number;
  readonly regions: readonly Uint8Array[];
}

export interface LogTransaction {
  /** Of the record in which it began: what its blocks carry when they are written home. */
  readonly lsn: bigint;
  readonly items: readonly LogItem[];
}

/** Every record from the tail to the head. Throws DamageError, ReadError where the chain breaks. */
export function* records(log: Log, { tail, head, clean }: LogEnds, uuid: Uint8Array): Iterable<LogRecord> {
  if (clean) return;
  let passed = 0;
  for (let block = tail; block !== head || passed === 0; ) {
    const record = log.record(block);
    const { header } = record;
    if (!sameBytes(header.uuid, 0, uuid))
      throw new DamageError('xlog_rec_header h_fs_uuid', header.origin, 'another', 'this');
    if (header.format !== FORMAT_LITTLE_ENDIAN)
      throw new UnsupportedError(`XFS: its log was written by another kind of machine (format ${header.format})`);
    if (!record.holds) throw new DamageError('xlog_rec_header h_crc', header.origin, 'a wrong one', 'the right one');
    yield record;
    passed += record.blocks;
    if (passed > log.blocks) throw new DamageError(log.name, block * LOG_BLOCK_BYTES, 'a record over the head', head);
    block = log.after(block, record.blocks);
  }
}

/** In the order of their commits. Throws DamageError for what a mount would refuse. */
export function* transactions(found: Iterable<LogRecord>): Iterable<LogTransaction> {
  const open = new Map<number, OpenTransaction>();
  for (const record of found) {
    for (const { id, flags, bytes } of operations(record)) {
      if (flags & OPERATION_FLAGS.start) open.set(id, new OpenTransaction(record.header.lsn));
      const transaction = open.get(id);
      // One that began before the tail is home already.
      if (transaction === undefined || flags & OPERATION_FLAGS.start) continue;
      if (flags & OPERATION_FLAGS.commit) {
        open.delete(id);
        yield transaction.finish();
      } else if (flags & OPERATION_FLAGS.continued) {
        transaction.append(bytes);
      } else {
        transaction.add(bytes);
      }
    }
  }
}

interface Operation {
  readonly id: number;
  readonly flags: number;
  readonly bytes: Uint8Array;
}

function* operations({ header, bytes }: LogRecord): Iterable<Operation> {
  let at = 0;
  for (let index = 0; index < header.operations; index++) {
    const { id, length, client, flags } = operation.at(bytes, at, header.origin);
    const start = at + operation.size;
    if (!CLIENTS.includes(client) || start + length > bytes.length) {
      const found = `client ${client}, ${length} bytes`;
      throw new DamageError(`xlog_op_header ${index}`, header.origin, found, `at most ${bytes.length - start} bytes`);
    }
    yield { id, flags, bytes: bytes.subarray(start, start + length) };
    at = start + length;
  }
}

/** Several times what the kernel lets one grow to. */
const LARGEST_TRANSACTION_BYTES = 256 * 2 ** 20;

class OpenTransaction {
  readonly #lsn: bigint;
  #bytes = 0;
  readonly #items: { type: number; wanted: number; regions: Uint8Array[] }[] = [];
  /** It comes first, and may be split too. */
  #header: Uint8Array = new Uint8Array(0);

  constructor(lsn: bigint) {
    this.#lsn = lsn;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#count(bytes);
    if (this.#header.length === 0) {
      this.#setHeader(bytes);
      return;
    }
    const item = this.#items.at(-1);
    if (item === undefined || item.regions.length === item.wanted) this.#begin(bytes);
    else item.regions.push(bytes);
  }

  /** The rest of what the last record had no room for. */
  append(bytes: Uint8Array): void {
    this.#count(bytes);
    const item = this.#items.at(-1);
    if (item === undefined) {
      this.#setHeader(joined(this.#header, bytes));
      return;
    }
    const region = item.regions.pop() ?? new Uint8Array(0);
    item.regions.push(joined(region, bytes));
  }

  finish(): LogTransaction {
    const short = this.#items.find(({ wanted, regions }) => regions.length < wanted);
    if (short === undefined) return { lsn: this.#lsn, items: this.#items };
    throw new DamageError('xlog_recover_item', 0, `${short.regions.length} regions`, `${short.wanted} regions`);
  }

  #count({ length }: Uint8Array): void {
    this.#bytes += length;
    if (this.#bytes > LARGEST_TRANSACTION_BYTES)
      throw new DamageError('xfs_trans_header', 0, `${this.#bytes} bytes`, `at most ${LARGEST_TRANSACTION_BYTES}`);
  }

  #setHeader(bytes: Uint8Array): void {
    const magic = bytes.length < 4 ? TRANSACTION_MAGIC : u32le(bytes, 0);
    if (magic !== TRANSACTION_MAGIC || bytes.length > TRANSACTION_HEADER_BYTES) {
      throw new DamageError('xfs_trans_header th_magic', 0, magic, TRANSACTION_MAGIC);
    }
    this.#header = bytes;
  }

  #begin(bytes: Uint8Array): void {
    const { type, regions } = itemHead.at(bytes);
    if (regions < 1 || regions > MOST_REGIONS) {
      throw new DamageError(`log item 0x${type.toString(16)}`, 0, `${regions} regions`, `1 to ${MOST_REGIONS}`);
    }
    this.#items.push({ type, wanted: regions, regions: [bytes] });
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
