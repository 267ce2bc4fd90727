// One inode as it lies in the table: its fields put together, and what it says of itself as a Stat.
// Whether it can be believed is decided in inode-check.ts.

import type { EntryType, Nanoseconds, Stat } from '../../model.ts';
import type { StructOf } from '../../struct/struct.ts';
import { INCOMPAT, INODE_FLAGS, inode as inodeLayout, MODE_TYPE, OLD_INODE_BYTES, RO_COMPAT } from './layout.ts';
import type { Superblock } from './superblock.ts';

const TYPE_OF_MODE = new Map<number, EntryType>([
  [0o010000, 'fifo'],
  [0o020000, 'character-device'],
  [0o040000, 'directory'],
  [0o060000, 'block-device'],
  [0o100000, 'file'],
  [0o120000, 'symlink'],
  [0o140000, 'socket'],
]);

const NANOSECONDS = 1_000_000_000n;
const SECTOR = 512;

export class Inode {
  readonly number: number;
  readonly raw: StructOf<typeof inodeLayout>;
  /** Byte offset in the volume. */
  readonly location: number;
  readonly #superblock: Superblock;

  /** @param at the inode's offset in `bytes`, which hold it whole. @param location its offset in the volume. */
  constructor(superblock: Superblock, number: number, bytes: Uint8Array, at: number, location: number) {
    this.number = number;
    this.raw = inodeLayout.at(bytes, at, location - at);
    this.location = location;
    this.#superblock = superblock;
  }

  /** Null for a mode that is none. */
  get type(): EntryType | null {
    return TYPE_OF_MODE.get(this.raw.mode & MODE_TYPE) ?? null;
  }

  get flags(): number {
    return this.raw.flags;
  }

  has(flag: number): boolean {
    return (this.raw.flags & flag) !== 0;
  }

  /** May exceed what a number holds exactly: inode-check.ts refuses such inodes. */
  get sizeBytes(): number {
    const wide = this.type === 'file' || (this.#superblock.incompat & INCOMPAT.large_dir) !== 0;
    return this.raw.sizeLow + (wide ? this.raw.sizeHigh * 2 ** 32 : 0);
  }

  /** Block of extended attributes, 0 for none. */
  get attributeBlock(): number {
    const wide = (this.#superblock.incompat & INCOMPAT['64bit']) !== 0;
    return this.raw.fileAclLow + (wide ? this.raw.fileAclHigh * 2 ** 32 : 0);
  }

  /** Allocated space as the inode counts it, in 512 bytes. */
  get countedBlocks512(): number {
    if (!(this.#superblock.roCompat & RO_COMPAT.huge_file)) return this.raw.blocksLow;
    const count = this.raw.blocksLow + this.raw.blocksHigh * 2 ** 32;
    return this.has(INODE_FLAGS.hugeFile) ? count * (this.#superblock.blockSize / SECTOR) : count;
  }

  /** Bytes that this inode uses of its slot beyond the first 128. */
  get extraBytes(): number {
    return this.#superblock.inodeSize > OLD_INODE_BYTES ? this.raw.extraSize : 0;
  }

  /** Room of its slot, for attributes too. */
  get slotBytes(): number {
    return this.#superblock.inodeSize;
  }

  /** Links, and a mode: neither free nor deleted. */
  get inUse(): boolean {
    return this.raw.links > 0 && this.raw.mode !== 0;
  }

  get isFastSymlink(): boolean {
    if (this.type !== 'symlink' || this.has(INODE_FLAGS.inlineData)) return false;
    if (this.has(INODE_FLAGS.eaInode)) return this.raw.sizeLow > 0 && this.raw.sizeLow < 60;
    const { blockSize, clusterBlocks } = this.#superblock;
    const attributes = this.attributeBlock === 0 ? 0 : (blockSize * clusterBlocks) / SECTOR;
    return this.countedBlocks512 === attributes;
  }

  get mtimeNs(): Nanoseconds {
    return this.extraBytes >= 12 ? wideTime(this.raw.mtime, this.raw.mtimeExtra) : narrowTime(this.raw.mtime);
  }

  get ctimeNs(): Nanoseconds {
    return this.extraBytes >= 8 ? wideTime(this.raw.ctime, this.raw.ctimeExtra) : narrowTime(this.raw.ctime);
  }

  /** Whole seconds of ctimeNs. */
  get ctimeSeconds(): number {
    return this.raw.ctime + (this.extraBytes >= 8 ? (this.raw.ctimeExtra & 3) * 2 ** 32 : 0);
  }

  get atimeNs(): Nanoseconds {
    return this.extraBytes >= 16 ? wideTime(this.raw.atime, this.raw.atimeExtra) : narrowTime(this.raw.atime);
  }

  /** Null where there is no room for it, and where it was never set (image builders leave it zero). */
  get crtimeNs(): Nanoseconds | null {
    if (this.extraBytes < 20) return null;
    const extra = this.extraBytes >= 24 ? this.raw.crtimeExtra : 0;
    return this.raw.crtime === 0 && extra === 0 ? null : wideTime(this.raw.crtime, extra);
  }

  /** Null for a mode of no type. As a mount's stat: inline file data count as blocks too. */
  stat(): Stat | null {
    const { type, raw, sizeBytes } = this;
    if (type === null) return null;
    const inline = type === 'file' && this.has(INODE_FLAGS.inlineData) ? Math.ceil(sizeBytes / SECTOR) : 0;
    return {
      type,
      mode: raw.mode & 0o7777,
      uid: raw.uidLow + raw.uidHigh * 2 ** 16,
      gid: raw.gidLow + raw.gidHigh * 2 ** 16,
      sizeBytes,
      links: raw.links,
      inode: BigInt(this.number),
      generation: raw.generation,
      mtimeNs: this.mtimeNs,
      ctimeNs: this.ctimeNs,
      crtimeNs: this.crtimeNs,
      blocks512: this.countedBlocks512 + inline,
    };
  }
}

function narrowTime(seconds: number): Nanoseconds {
  return BigInt(seconds) * NANOSECONDS;
}

/** Two bits of epoch above the 32 signed bits of seconds, then the nanoseconds. */
function wideTime(seconds: number, extra: number): Nanoseconds {
  return BigInt(seconds + (extra & 3) * 2 ** 32) * NANOSECONDS + BigInt(extra >>> 2);
}
