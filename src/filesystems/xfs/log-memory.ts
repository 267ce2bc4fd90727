// What a log still tells of a volume after all of it was written home: the newest copies of inodes, directories, extent trees,
// attributes and symlinks, wherever home is older than the log (its LSN, "XFS Algorithms & Data Structures", 3rd edition: that
// of the last transaction that changed it). On a sound volume there are none. Version 5 only: older ones carry no LSN.

import { unlessRefused } from '../../errors.ts';
import type { BlockRole, Nanoseconds } from '../../model.ts';
import { n64be, u16be, u64be } from '../../struct/integers.ts';
import { type BlockOverlay, makeOverlay } from '../block-overlay.ts';
import { FormerEndCollector, type FormerEndColumns } from '../former-ends.ts';
import type { LoggedState, OutdatedBlock } from '../logged-state.ts';
import { inodeNumber } from './geometry.ts';
import { DA_MAGICS, INODE_CORE_BYTES } from './layout.ts';
import { Log } from './log.ts';
import { replayBuffer } from './log-buffer.ts';
import { freshInodes, isCreationCancelled } from './log-create.ts';
import { findEnds } from './log-head.ts';
import { type InodeChange, inodeChange, replayInode } from './log-inode.ts';
import { BUFFER_FLAGS, bufferItem, CORE_LSN_AT, createItem, ITEM_TYPES } from './log-layout.ts';
import { bufferKey, inReplayOrder, regionOf, survey } from './log-replay.ts';
import { oldestRecord } from './log-span.ts';
import { type LogItem, type LogTransaction, records, transactions } from './log-transactions.ts';
import { isLike, isLoggedWhole, isSlotOf, loggedChangeNs } from './logged-core.ts';
import { LoggedEnds } from './logged-ends.ts';
import { NewestBlocks } from './newest-blocks.ts';
import { ReplayDisk, SECTOR_BYTES } from './replay-disk.ts';
import { DESCRIPTIONS, describeBlock, type SelfDescription, sameBytes } from './self-description.ts';
import type { XfsVolume } from './volume.ts';

const NO_LSN = 2n ** 64n - 1n;

/** What names and contents hang on; trees of groups and their headers are left alone. */
const WANTED = new Set<SelfDescription>([
  DESCRIPTIONS.extentTree,
  DESCRIPTIONS.directory,
  DESCRIPTIONS.da,
  DESCRIPTIONS.remote,
]);

/** Of the blocks that a report lists. */
const ROLES = new Map<SelfDescription, BlockRole>([
  [DESCRIPTIONS.directory, 'directory'],
  [DESCRIPTIONS.da, 'directory'],
  [DESCRIPTIONS.extentTree, 'block-map'],
]);

export interface LogMemory extends Omit<LoggedState, 'view'> {
  /** Newer copies, over the volume as it is. */
  readonly overlay: BlockOverlay;
}

/**
 * Null where the log says nothing: on another device, broken, emptied.
 * @param volume after the replay of what was not written home, if there was any.
 */
export function rememberedInLog(volume: XfsVolume): LogMemory | null {
  if (!volume.superblock.summed) return null;
  return unlessRefused(() => new Memory(volume).recall());
}

class Memory {
  readonly #volume: XfsVolume;
  readonly #disk: ReplayDisk;
  #cancels = new Map<string, number>();
  /** LSN from which on nothing is missing. */
  #since = 0n;
  /** Latest change of the inodes of the first checkpoint, and of all. */
  #sinceNs: Nanoseconds = 0n;
  #untilNs: Nanoseconds = 0n;
  /** Buffers and inodes that are being brought up to date. */
  readonly #begun = new Set<string>();
  /** Files whose inode, or tree of extents, has a newer copy. */
  readonly #inodes = new Set<number>();
  /** By block. */
  readonly #blocks = new Map<number, OutdatedBlock>();
  /** What is behind, and of which the log does not hold all that came after. */
  readonly #partly = new Set<string>();
  readonly #newest: NewestBlocks;
  /** Some structure carries no LSN, as a repair leaves it. */
  #isRepaired = false;
  /** What a repair changed without telling: the LSN is that of the log, the bytes are not. */
  readonly #edited = new Set<string>();

  constructor(volume: XfsVolume) {
    this.#volume = volume;
    this.#disk = new ReplayDisk(volume.source);
    this.#newest = new NewestBlocks(volume);
  }

  recall(): LogMemory | null {
    const log = new Log(this.#volume);
    const bounds = findEnds(log);
    if (bounds.lastLsn === null) return null;
    const oldest = oldestRecord(log, bounds.lastLsn, this.#volume.superblock.raw.uuid);
    this.#since = oldest.lsn;
    const span = { ...bounds, tail: oldest.block, clean: false };
    const committed = () => transactions(records(log, span, this.#volume.superblock.raw.uuid));
    const { cancels } = survey(committed());
    const ends = this.#lookThrough(committed());
    // Emptied (xfs_repair), or of transactions that change no inode: it knows of no time.
    if (this.#untilNs === 0n) return null;
    this.#cancels = cancels;
    let lsn = 0n;
    for (const transaction of committed()) {
      if (lsn !== transaction.lsn) this.#disk.stamp(lsn);
      lsn = transaction.lsn;
      for (const item of inReplayOrder(transaction.items)) this.#remember(item, lsn);
    }
    this.#disk.stamp(lsn);
    const overlay = makeOverlay(SECTOR_BYTES, this.#disk.overlaid());
    const isUndisturbed = this.#edited.size === 0 && !this.#isRepaired;
    const times = { fromNs: this.#sinceNs, toNs: this.#untilNs };
    // Objects that are behind, and of which the log does not hold all that came after.
    const holes = this.#partly.size > 0 ? 1 : 0;
    const blocks = this.#outdated();
    return { ...times, holes, overlay, inodes: this.#inodes, blocks, isUndisturbed, newest: this.#newest, ends };
  }

  #outdated(): OutdatedBlock[] {
    return [...this.#blocks.values()].sort((left, right) => left.block - right.block);
  }

  /** A block that is behind the log. @param inode that is behind in it; null: the block is another structure. */
  #note(sector: number, role: BlockRole, isEarlierCopy: boolean, inode: number | null): void {
    const block = Math.floor((sector * SECTOR_BYTES) / this.#volume.blockSize);
    const known = this.#blocks.get(block) ?? { block, role, isEarlierCopy, inodes: 0 };
    const isNew = inode !== null && !this.#inodes.has(inode);
    this.#blocks.set(block, { ...known, inodes: known.inodes + (isNew ? 1 : 0) });
    if (inode !== null) this.#inodes.add(inode);
  }

  #noteBuffer(sector: number, bytes: Uint8Array, homeLsn: bigint | null): void {
    const description = describeBlock(bytes);
    const isOfAttributes = description === DESCRIPTIONS.da && u16be(bytes, 8) === DA_MAGICS.attributeLeaf[1];
    const role = description === null || isOfAttributes ? undefined : ROLES.get(description);
    if (description === null || role === undefined || this.#wasBegun(sector)) return;
    this.#note(sector, role, homeLsn !== null, null);
    if (role === 'block-map' && description.ownerAt !== null) this.#inodes.add(n64be(bytes, description.ownerAt));
  }

  #wasBegun(sector: number): boolean {
    return this.#blocks.has(Math.floor((sector * SECTOR_BYTES) / this.#volume.blockSize));
  }

  /** For times, for edits, and for where files ended. */
  #lookThrough(committed: Iterable<LogTransaction>): FormerEndColumns {
    let first: bigint | null = null;
    const ends = new FormerEndCollector();
    const logged = new LoggedEnds(this.#volume.superblock, ends);
    for (const { lsn, items } of committed) {
      for (const item of items) {
        if (item.type !== ITEM_TYPES.inode) continue;
        first ??= lsn;
        const change = inodeChange(item);
        this.#noteTime(change.core, lsn === first);
        if (this.#isEdited(change, lsn)) this.#edited.add(`inode ${change.number}`);
        logged.look(change);
      }
    }
    return ends.finish();
  }

  #noteTime(core: Uint8Array, isFirst: boolean): void {
    const timeNs = loggedChangeNs(core);
    if (isFirst && timeNs > this.#sinceNs) this.#sinceNs = timeNs;
    if (timeNs > this.#untilNs) this.#untilNs = timeNs;
  }

  #isEdited(change: InodeChange, lsn: bigint): boolean {
    const cluster = this.#disk.read(change.block, change.length);
    const slot = cluster.subarray(change.offset, change.offset + this.#volume.superblock.inodeSize);
    const isOfLog = slot.length >= INODE_CORE_BYTES.v3 && isSlotOf(slot, change.number);
    return isOfLog && u64be(slot, CORE_LSN_AT) === lsn && !isLike(change.core, slot);
  }

  #remember(item: LogItem, lsn: bigint): void {
    if (item.type === ITEM_TYPES.buffer) this.#buffer(item, lsn);
    else if (item.type === ITEM_TYPES.inode) this.#inode(inodeChange(item), lsn);
    else if (item.type === ITEM_TYPES.create) this.#create(item);
  }

  #buffer(item: LogItem, lsn: bigint): void {
    const { block, length, flags } = bufferItem.at(regionOf(item, 0));
    const key = bufferKey(item);
    const left = this.#cancels.get(key) ?? 0;
    if (flags & BUFFER_FLAGS.cancel && left > 0) this.#cancels.set(key, left - 1);
    if (left > 0 || flags & (BUFFER_FLAGS.cancel | BUFFER_FLAGS.quota | BUFFER_FLAGS.inodes)) return;
    const home = this.#disk.read(block, length);
    let homeLsn = this.#lsnOf(home);
    this.#newest.noteLogged(block, length);
    if (homeLsn !== null && homeLsn >= lsn && homeLsn !== NO_LSN) return;
    this.#newest.noteBehind(block, length);
    if (homeLsn === 0n && !this.#begun.has(key)) {
      // A repair wrote it, and its pieces are of no day of the log: what is not logged stays blank, and does not hold together.
      this.#isRepaired = true;
      home.fill(0);
      homeLsn = null;
    }
    replayBuffer(item, home, this.#volume.superblock);
    const description = describeBlock(home);
    if (description === null || !WANTED.has(description) || !this.#isWhole(key, homeLsn, false)) return;
    this.#noteBuffer(block, home, homeLsn);
    this.#disk.writeBuffer(block, home);
  }

  /** Null where home holds no structure of this file system. */
  #lsnOf(home: Uint8Array): bigint | null {
    const description = describeBlock(home);
    if (description === null || !sameBytes(home, description.uuidAt, this.#volume.superblock.metaUuid)) return null;
    return u64be(home, description.lsnAt);
  }

  /**
   * Whether the log holds all that came after what is at home: then, and from then on, changes make the newest copy of it.
   * @param homeLsn null for what was no such object before: it was made since, and wholly logged.
   */
  #isWhole(key: string, homeLsn: bigint | null, isLoggedWhole: boolean): boolean {
    if (this.#begun.has(key)) return true;
    if (homeLsn !== null && homeLsn < this.#since && !isLoggedWhole) {
      this.#partly.add(key);
      return false;
    }
    this.#begun.add(key);
    this.#partly.delete(key);
    return true;
  }

  #inode(change: InodeChange, lsn: bigint): void {
    if ((this.#cancels.get(`${change.block}:${change.length}`) ?? 0) > 0) return;
    const { superblock } = this.#volume;
    const cluster = this.#disk.read(change.block, change.length);
    const slot = cluster.subarray(change.offset, change.offset + superblock.inodeSize);
    const key = `inode ${change.number}`;
    this.#newest.noteLogged(change.block, change.length);
    if (slot.length < superblock.inodeSize || !isSlotOf(slot, change.number)) {
      this.#partly.add(key);
      this.#newest.noteBehind(change.block, change.length);
      return;
    }
    const isEdited = this.#edited.has(key) && !this.#begun.has(key);
    if (isEdited) slot.fill(0, CORE_LSN_AT, CORE_LSN_AT + 8);
    const homeLsn = u64be(slot, CORE_LSN_AT);
    if (homeLsn >= lsn && homeLsn !== NO_LSN) return;
    this.#newest.noteBehind(change.block, change.length);
    const isFresh = u16be(slot, 2) === 0 && homeLsn === 0n;
    if (!this.#isWhole(key, isFresh ? null : homeLsn, isLoggedWhole(change, slot))) return;
    if (!isFresh && homeLsn === 0n) this.#isRepaired = true;
    if (!replayInode(change, cluster, lsn, superblock)) return;
    this.#note(change.block + Math.floor(change.offset / SECTOR_BYTES), 'inode-table', homeLsn !== 0n, change.number);
    this.#disk.write(change.block, cluster);
  }

  /** New inodes are written where none are: what is there by now is newer, or is brought up to date by itself. */
  #create(item: LogItem): void {
    const { superblock } = this.#volume;
    const { group, block, length, generation } = createItem.at(regionOf(item, 0));
    const first = group * superblock.agBlocks + block;
    const isCancelled = (sector: number, count: number) => (this.#cancels.get(`${sector}:${count}`) ?? 0) > 0;
    if (isCreationCancelled(first, length, superblock, isCancelled)) return;
    const perBlock = superblock.blockSize / SECTOR_BYTES;
    for (let index = 0; index < length; index++) {
      const number = inodeNumber(superblock, group, (block + index) * superblock.inodesPerBlock);
      const home = this.#disk.read((first + index) * perBlock, perBlock);
      if (isSlotOf(home, number)) continue;
      this.#disk.write((first + index) * perBlock, freshInodes(number, generation, superblock));
    }
  }
}
