// Puts a logged inode into its place: its core, which is logged in the machine's byte order, and its forks.

import { DamageError, UnsupportedError } from '../../errors.ts';
import { u16be, u16le, u64be, u64le } from '../../struct/integers.ts';
import { EXTENT_ROOT_BYTES, INODE_CORE_BYTES, INODE_FLAGS2, INODE_MAGIC, LONG_BLOCK_BYTES } from './layout.ts';
import { stampInode } from './log-buffer.ts';
import {
  CORE_BIRTH_TIME,
  CORE_FIELDS,
  CORE_LSN_AT,
  CORE_TIMES,
  CORE_UUID_AT,
  CORE_V3_FIELDS,
  INODE_FIELDS,
  inodeItem,
  narrowInodeItem,
  OLD_CORE_BYTES,
} from './log-layout.ts';
import type { LogItem } from './log-transactions.ts';
import type { Superblock } from './superblock.ts';

/** What was logged of one inode. */
export interface InodeChange {
  readonly number: number;
  /** Of the buffer in which it lies, in 512 bytes. */
  readonly block: number;
  readonly length: number;
  /** In the buffer. */
  readonly offset: number;
  readonly fields: number;
  readonly device: number;
  readonly core: Uint8Array;
  /** The logged parts of its forks: of the data, then of the attributes. */
  readonly forks: readonly Uint8Array[];
}

const DATA_FIELDS = INODE_FIELDS.data | INODE_FIELDS.extents | INODE_FIELDS.root;
const ATTRIBUTE_FIELDS = INODE_FIELDS.attributeData | INODE_FIELDS.attributeExtents | INODE_FIELDS.attributeRoot;
const NO_LSN = 2n ** 64n - 1n;
const V3 = 3;
/** After it, flush counts begin again. */
const MOST_FLUSHES = 0xffff;

/** Throws DamageError when it is cut short. */
export function inodeChange({ regions }: LogItem): InodeChange {
  const [head = new Uint8Array(0), core = new Uint8Array(0), ...forks] = regions;
  const layout = head.length < inodeItem.size ? narrowInodeItem : inodeItem;
  const { number, block, length, offset, fields, device } = layout.at(head);
  if (core.length < OLD_CORE_BYTES) throw new DamageError('xfs_log_dinode', 0, `${core.length} bytes`, OLD_CORE_BYTES);
  return { number, block, length, offset, fields, device, core, forks };
}

/**
 * Changes `home`, the buffer as it is. False: it is newer than this. Throws DamageError where the kernel would refuse, and
 * UnsupportedError for trees that changed their owner.
 */
export function replayInode(change: InodeChange, home: Uint8Array, lsn: bigint, superblock: Superblock): boolean {
  const { number, offset, core, fields } = change;
  const { inodeSize, summed } = superblock;
  const fits = offset >= 0 && offset + inodeSize <= home.length;
  if (!fits || u16be(home, offset) !== INODE_MAGIC || u16le(core, 0) !== INODE_MAGIC) {
    throw new DamageError(`logged inode ${number}`, change.block * 512 + offset, 'no inode', 'an inode there');
  }
  if (fields & (INODE_FIELDS.owner | INODE_FIELDS.attributeOwner))
    throw new UnsupportedError(`XFS: its log gives the extents of inode ${number} another owner`);
  if (isNewer(home, offset, core, lsn, summed)) return false;
  const slot = home.subarray(offset, offset + inodeSize);
  writeCore(slot, core, lsn);
  writeForks(slot, change, superblock);
  if (summed) stampInode(home, offset, inodeSize);
  return true;
}

function isNewer(home: Uint8Array, offset: number, core: Uint8Array, lsn: bigint, summed: boolean): boolean {
  if (summed) {
    const homeLsn = u64be(home, offset + CORE_LSN_AT);
    return homeLsn !== 0n && homeLsn !== NO_LSN && homeLsn > lsn;
  }
  const [homeFlushes, flushes] = [u16be(home, offset + 30), u16le(core, 30)];
  const wrapped = homeFlushes === MOST_FLUSHES && flushes < MOST_FLUSHES / 2;
  return flushes < homeFlushes && !wrapped;
}

function writeCore(slot: Uint8Array, core: Uint8Array, lsn: bigint): void {
  const isV3 = core[4] === V3 && core.length >= INODE_CORE_BYTES.v3;
  const flags2 = isV3 ? u64le(core, 120) : 0n;
  const has = (flag: number) => (flags2 & BigInt(flag)) !== 0n;
  const timeBytes = has(INODE_FLAGS2.bigtime) ? 8 : 4;
  slot.fill(0, 6, 8);
  slot.fill(0, 24, 32);
  for (const [at, length] of CORE_FIELDS) reverse(slot, core, at, length);
  for (const at of isV3 ? [...CORE_TIMES, CORE_BIRTH_TIME] : CORE_TIMES) {
    for (let part = 0; part < 8; part += timeBytes) reverse(slot, core, at + part, timeBytes);
  }
  const counts = has(INODE_FLAGS2.manyExtents) ? MANY_COUNTS : COUNTS;
  for (const [at, length] of counts) reverse(slot, core, at, length);
  if (!isV3) return;
  for (const [at, length] of CORE_V3_FIELDS) reverse(slot, core, at, length);
  slot.fill(0, 132, CORE_BIRTH_TIME);
  slot.set(core.subarray(CORE_UUID_AT, CORE_UUID_AT + 16), CORE_UUID_AT);
  new DataView(slot.buffer, slot.byteOffset, slot.length).setBigUint64(CORE_LSN_AT, lsn);
}

/** How many extents the forks have: two layouts. */
const COUNTS = [
  [76, 4],
  [80, 2],
] as const;
const MANY_COUNTS = [
  [24, 8],
  [76, 4],
  [80, 2],
] as const;

function reverse(slot: Uint8Array, core: Uint8Array, at: number, length: number): void {
  for (let index = 0; index < length; index++) slot[at + index] = core[at + length - 1 - index] as number;
}

function writeForks(slot: Uint8Array, { fields, device, forks, number }: InodeChange, superblock: Superblock): void {
  const start = slot[4] === V3 ? INODE_CORE_BYTES.v3 : INODE_CORE_BYTES.old;
  const attributes = start + (slot[82] as number) * 8;
  if (attributes > slot.length) throw new DamageError(`logged inode ${number} di_forkoff`, 0, attributes, slot.length);
  const data = slot.subarray(start, attributes === start ? slot.length : attributes);
  if (fields & INODE_FIELDS.device) new DataView(data.buffer, data.byteOffset, 4).setUint32(0, device);
  const [first, second] = forks;
  const logsData = (fields & DATA_FIELDS) !== 0;
  if (logsData) writeFork(data, first, (fields & INODE_FIELDS.root) !== 0, number, superblock);
  if (fields & ATTRIBUTE_FIELDS) {
    const isRoot = (fields & INODE_FIELDS.attributeRoot) !== 0;
    writeFork(slot.subarray(attributes), logsData ? second : first, isRoot, number, superblock);
  }
}

/** Lengths are padded to words: what the fork has no room for is padding. */
function writeFork(
  fork: Uint8Array,
  logged: Uint8Array | undefined,
  isRoot: boolean,
  number: number,
  superblock: Superblock,
): void {
  if (logged === undefined) throw new DamageError(`logged inode ${number}`, 0, 'no fork', 'the fork that it names');
  if (isRoot) writeRoot(fork, logged, number, superblock);
  else if (logged.length - fork.length >= 4)
    throw new DamageError(`logged inode ${number}`, 0, logged.length, fork.length);
  else fork.set(logged.subarray(0, fork.length));
}

/** A root is logged as the block that it is in memory: with a header, and with room as it had there. */
function writeRoot(fork: Uint8Array, logged: Uint8Array, number: number, { summed }: Superblock): void {
  const header = summed ? LONG_BLOCK_BYTES.summed : LONG_BLOCK_BYTES.plain;
  const room = Math.floor((logged.length - header) / 16);
  const homeRoom = Math.floor((fork.length - EXTENT_ROOT_BYTES) / 16);
  const records = logged.length < 8 ? 0 : u16be(logged, 6);
  if (records < 1 || records > room || records > homeRoom)
    throw new DamageError(`logged inode ${number} bb_numrecs`, 0, records, `1 to ${Math.min(room, homeRoom)}`);
  fork.set(logged.subarray(4, 8));
  fork.set(logged.subarray(header, header + 8 * records), EXTENT_ROOT_BYTES);
  const pointers = header + 8 * room;
  fork.set(logged.subarray(pointers, pointers + 8 * records), EXTENT_ROOT_BYTES + 8 * homeRoom);
}
