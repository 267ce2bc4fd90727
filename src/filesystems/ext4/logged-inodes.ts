// Which copy of an inode is the newest: the one in its place, or one of those in the log. A kernel stamps an inode with the
// time whenever it changes it, and sets no such stamp back; blocks of the table carry many inodes and no time of their own.

import type { Nanoseconds } from '../../model.ts';
import { Inode } from './inode.ts';
import type { Superblock } from './superblock.ts';

/** A copy of a block of an inode table. */
export interface TableCopy {
  readonly bytes: Uint8Array;
  /** When it was committed. */
  readonly committedNs: Nanoseconds;
}

export interface TableCopies {
  /** The block as it stands in place. */
  readonly home: Uint8Array;
  /** Sound ones, newest first; at least one. */
  readonly copies: readonly TableCopy[];
  /** The first copy is the last that was made: none after it can be missing. */
  readonly isNewestKnown: boolean;
  /** The number of the block's first inode. */
  readonly firstInode: number;
}

export interface NewestSlots {
  /** The block with the newest copy of each inode. */
  readonly bytes: Uint8Array;
  /** Inodes that are not so in place. */
  readonly numbers: readonly number[];
}

/** Null when each inode in place is the newest. */
export function newestSlots(superblock: Superblock, table: TableCopies): NewestSlots | null {
  const { inodeSize } = superblock;
  const bytes = Uint8Array.from(table.home);
  const numbers: number[] = [];
  for (let at = 0; at + inodeSize <= bytes.length; at += inodeSize) {
    const number = table.firstInode + at / inodeSize;
    const newest = newestSlot(superblock, table, { number, at });
    if (newest === null) continue;
    bytes.set(newest, at);
    numbers.push(number);
  }
  return numbers.length === 0 ? null : { bytes, numbers };
}

interface Slot {
  readonly number: number;
  readonly at: number;
}

/** Null when it stands in place. */
function newestSlot(superblock: Superblock, table: TableCopies, { number, at }: Slot): Uint8Array | null {
  const { home, copies, isNewestKnown } = table;
  const slotOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(at, at + superblock.inodeSize);
  const changeOf = (bytes: Uint8Array): Nanoseconds => new Inode(superblock, number, bytes, at, at).ctimeNs;
  let newest = home;
  let newestNs: Nanoseconds | null = null;
  for (const [index, { bytes }] of copies.entries()) {
    if (Buffer.compare(slotOf(bytes), slotOf(newest)) === 0) continue;
    newestNs ??= changeOf(home);
    const changeNs = changeOf(bytes);
    const isLater = changeNs === newestNs && index === 0 && isNewestKnown;
    if (!isLater && !(changeNs > newestNs && isPossibleAt(copies, index, changeNs))) continue;
    [newest, newestNs] = [bytes, changeNs];
  }
  return newest === home ? null : slotOf(newest);
}

/** Every later copy was committed after that time: the clock was not set back between them. */
function isPossibleAt(copies: readonly TableCopy[], index: number, changeNs: Nanoseconds): boolean {
  return copies.slice(0, index).every(({ committedNs }) => committedNs >= changeNs);
}
