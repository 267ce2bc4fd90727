// What a mount would write home from a log that holds what is not: the kernel's two passes over its transactions, in memory.
// Follows fs/xfs/xfs_log_recover.c and the recovery of buffer, inode and create items of Linux 6.18.

import { DamageError } from '../../errors.ts';
import { u64be } from '../../struct/integers.ts';
import { replayBuffer } from './log-buffer.ts';
import { replayCreated } from './log-create.ts';
import { type InodeChange, inodeChange, replayInode } from './log-inode.ts';
import { BUFFER_FLAGS, bufferItem, INTENTS, ITEM_TYPES, intent } from './log-layout.ts';
import type { LogItem, LogTransaction } from './log-transactions.ts';
import type { ReplayDisk } from './replay-disk.ts';
import { describeBlock, sameBytes } from './self-description.ts';
import type { Superblock } from './superblock.ts';

export interface ReplayCounts {
  transactions: number;
  buffers: number;
  inodes: number;
  /** Items passed over because their blocks were freed later. */
  cancelled: number;
}

/** What the first pass finds. */
export interface LogSurvey {
  /** How often each buffer is freed. */
  readonly cancels: Map<string, number>;
  /** What was begun, and of which the log does not say that it was done: a mount would finish it. */
  readonly open: readonly string[];
}

export function survey(transactions: Iterable<LogTransaction>): LogSurvey {
  const cancels = new Map<string, number>();
  const open = new Map<string, string>();
  for (const { items } of transactions) {
    for (const item of items) {
      const { type, regions } = item;
      const what = INTENTS[type];
      if (what !== undefined) open.set(intentKey(type, regions), what);
      if (INTENTS[type - 1] !== undefined) open.delete(intentKey(type - 1, regions));
      if (isCancel(item)) cancels.set(bufferKey(item), (cancels.get(bufferKey(item)) ?? 0) + 1);
    }
  }
  return { cancels, open: [...open.values()] };
}

function intentKey(type: number, [first = new Uint8Array(0)]: LogItem['regions']): string {
  return `${type}:${intent.at(first).id}`;
}

/** The second pass. Throws DamageError, ReadError, UnsupportedError where the kernel would refuse the mount. */
export function replay(
  transactions: Iterable<LogTransaction>,
  { cancels }: LogSurvey,
  disk: ReplayDisk,
  superblock: Superblock,
): ReplayCounts {
  return new Replay(cancels, disk, superblock).run(transactions);
}

class Replay {
  readonly #disk: ReplayDisk;
  readonly #superblock: Superblock;
  /** How often each buffer is freed in what is still to come. */
  readonly #cancels: Map<string, number>;
  readonly #counts: ReplayCounts = { transactions: 0, buffers: 0, inodes: 0, cancelled: 0 };

  constructor(cancels: Map<string, number>, disk: ReplayDisk, superblock: Superblock) {
    this.#cancels = cancels;
    this.#disk = disk;
    this.#superblock = superblock;
  }

  run(transactions: Iterable<LogTransaction>): ReplayCounts {
    let lsn: bigint | null = null;
    for (const transaction of transactions) {
      if (lsn !== null && lsn !== transaction.lsn) this.#disk.stamp(lsn);
      lsn = transaction.lsn;
      for (const item of inReplayOrder(transaction.items)) this.#replay(item, lsn);
      this.#counts.transactions++;
    }
    if (lsn !== null) this.#disk.stamp(lsn);
    return this.#counts;
  }

  #replay(item: LogItem, lsn: bigint): void {
    if (item.type === ITEM_TYPES.buffer) this.#buffer(item, lsn);
    else if (item.type === ITEM_TYPES.inode) this.#inode(inodeChange(item), lsn);
    else if (item.type === ITEM_TYPES.create) this.#create(item);
    else if (!isKnown(item.type))
      throw new DamageError('log item', 0, `type 0x${item.type.toString(16)}`, 'a known type');
  }

  #buffer(item: LogItem, lsn: bigint): void {
    const { block, length, flags } = bufferItem.at(regionOf(item, 0));
    const key = bufferKey(item);
    const left = this.#cancels.get(key) ?? 0;
    if (flags & BUFFER_FLAGS.cancel && left > 0) this.#cancels.set(key, left - 1);
    if (left > 0 || flags & (BUFFER_FLAGS.cancel | BUFFER_FLAGS.quota)) {
      this.#counts.cancelled++;
      return;
    }
    const home = this.#disk.read(block, length);
    if (this.#isNewer(home, lsn)) return;
    replayBuffer(item, home, this.#superblock);
    this.#disk.writeBuffer(block, home);
    this.#counts.buffers++;
  }

  /** Whether what lies at home was written by this transaction or a later one. */
  #isNewer(home: Uint8Array, lsn: bigint): boolean {
    const { summed, metaUuid } = this.#superblock;
    const description = summed ? describeBlock(home) : null;
    if (description === null) return false;
    // A superblock's own uuid may have been changed by its user.
    const own = description.name === 'xfs_dsb' || sameBytes(home, description.uuidAt, metaUuid);
    const homeLsn = u64be(home, description.lsnAt);
    return own && homeLsn !== 0n && homeLsn !== NO_LSN && homeLsn >= lsn;
  }

  #inode(change: InodeChange, lsn: bigint): void {
    if ((this.#cancels.get(`${change.block}:${change.length}`) ?? 0) > 0) {
      this.#counts.cancelled++;
      return;
    }
    const home = this.#disk.read(change.block, change.length);
    if (!replayInode(change, home, lsn, this.#superblock)) return;
    this.#disk.write(change.block, home);
    this.#counts.inodes++;
  }

  #create(item: LogItem): void {
    const isCancelled = (sector: number, count: number) => (this.#cancels.get(`${sector}:${count}`) ?? 0) > 0;
    replayCreated(regionOf(item, 0), this.#disk, this.#superblock, isCancelled);
  }
}

const NO_LSN = 2n ** 64n - 1n;

/** Quota records are no matter of names and contents. */
function isKnown(type: number): boolean {
  const quota = type === ITEM_TYPES.quota || type === ITEM_TYPES.quotaOff;
  return quota || INTENTS[type] !== undefined || INTENTS[type - 1] !== undefined;
}

export function regionOf({ type, regions }: LogItem, index: number): Uint8Array {
  const region = regions[index];
  if (region !== undefined) return region;
  throw new DamageError(`log item 0x${type.toString(16)}`, 0, `${regions.length} regions`, `${index + 1} regions`);
}

function isCancel(item: LogItem): boolean {
  return item.type === ITEM_TYPES.buffer && (bufferItem.at(regionOf(item, 0)).flags & BUFFER_FLAGS.cancel) !== 0;
}

export function bufferKey(item: LogItem): string {
  const { block, length } = bufferItem.at(regionOf(item, 0));
  return `${block}:${length}`;
}

/** Buffers and new inodes first, buffers of inodes after the inodes, what is freed last. */
export function inReplayOrder(items: readonly LogItem[]): LogItem[] {
  const groups: LogItem[][] = [[], [], [], []];
  for (const item of items) groups[rankOf(item)]?.push(item);
  return groups.flat();
}

function rankOf(item: LogItem): number {
  if (item.type === ITEM_TYPES.create) return 0;
  if (item.type !== ITEM_TYPES.buffer) return 1;
  const { flags } = bufferItem.at(regionOf(item, 0));
  if (flags & BUFFER_FLAGS.cancel) return 3;
  return flags & BUFFER_FLAGS.inodes ? 2 : 0;
}
