// One inode as it lies in its chunk: its fields put together, and what it says of itself as a Stat.
// Whether it can be believed is decided in inode-check.ts.

import type { EntryType, Nanoseconds, Stat } from '../../model.ts';
import { n64be, u32be } from '../../struct/integers.ts';
import type { StructOf } from '../../struct/struct.ts';
import {
  BIGTIME_EPOCH_SECONDS,
  INODE_CORE_BYTES,
  INODE_FLAGS,
  INODE_FLAGS2,
  inode as inodeLayout,
  inodeV3,
  MODE_TYPE,
} from './layout.ts';
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
const V3 = 3;

/** A part of an inode's slot: its data, extents, or the root of a tree of extents. */
export interface Fork {
  /** One of FORK_FORMATS, or what is none. */
  readonly format: number;
  readonly bytes: Uint8Array;
  /** How many extents it should have. */
  readonly extents: number;
}

export class Inode {
  readonly number: number;
  readonly raw: StructOf<typeof inodeLayout>;
  /** Byte offset in the volume. */
  readonly location: number;
  readonly #superblock: Superblock;
  #v3: StructOf<typeof inodeV3> | null = null;

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

  /** What only inodes of version 3 have; null for older ones. */
  get v3(): StructOf<typeof inodeV3> | null {
    if (this.raw.version < V3) return null;
    this.#v3 ??= inodeV3.at(this.raw.bytes, this.raw.at, this.raw.origin);
    return this.#v3;
  }

  get flags2(): number {
    return this.v3?.flags2 ?? 0;
  }

  get isRealtime(): boolean {
    return (this.raw.flags & INODE_FLAGS.realtime) !== 0;
  }

  /** May exceed what a number holds exactly: inode-check.ts refuses such inodes. */
  get sizeBytes(): number {
    return n64be(this.raw.bytes, this.raw.at + inodeLayout.fields.size.offset);
  }

  get links(): number {
    return this.raw.version === 1 ? this.raw.oldLinks : this.raw.links;
  }

  get inUse(): boolean {
    return this.raw.mode !== 0;
  }

  /** The log's sequence number when it was last written; null before version 3. */
  get lsn(): bigint | null {
    return this.v3?.lsn ?? null;
  }

  /** Grows with every change of the inode; null before version 3. */
  get changeCount(): bigint | null {
    return this.v3?.changeCount ?? null;
  }

  get coreBytes(): number {
    return this.raw.version < V3 ? INODE_CORE_BYTES.old : INODE_CORE_BYTES.v3;
  }

  /** Room of its slot for both forks. */
  get forkBytes(): number {
    return this.#superblock.inodeSize - this.coreBytes;
  }

  get dataFork(): Fork {
    const { raw, coreBytes } = this;
    const length = raw.forkOffset === 0 ? this.forkBytes : raw.forkOffset * 8;
    const start = raw.at + coreBytes;
    const many = (this.flags2 & INODE_FLAGS2.manyExtents) !== 0;
    const bytes = raw.bytes.subarray(start, start + Math.min(length, this.forkBytes));
    return { format: raw.format, bytes, extents: many ? raw.manyExtents : raw.extents };
  }

  /** Null without attributes. */
  get attributeFork(): Fork | null {
    const { raw, coreBytes } = this;
    if (raw.forkOffset === 0) return null;
    const start = raw.at + coreBytes + raw.forkOffset * 8;
    const many = (this.flags2 & INODE_FLAGS2.manyExtents) !== 0;
    const bytes = raw.bytes.subarray(start, raw.at + this.#superblock.inodeSize);
    return { format: raw.attributeFormat, bytes, extents: many ? raw.extents : raw.attributeExtents };
  }

  get mtimeNs(): Nanoseconds {
    return this.#time(inodeLayout.fields.modifySeconds.offset);
  }

  get ctimeNs(): Nanoseconds {
    return this.#time(inodeLayout.fields.changeSeconds.offset);
  }

  get atimeNs(): Nanoseconds {
    return this.#time(inodeLayout.fields.accessSeconds.offset);
  }

  /** Null before version 3. */
  get crtimeNs(): Nanoseconds | null {
    return this.v3 === null ? null : this.#time(inodeV3.fields.birthSeconds.offset);
  }

  #time(offset: number): Nanoseconds {
    const { bytes, at } = this.raw;
    const high = u32be(bytes, at + offset);
    const low = u32be(bytes, at + offset + 4);
    if ((this.flags2 & INODE_FLAGS2.bigtime) === 0) return BigInt(high | 0) * NANOSECONDS + BigInt(low);
    return ((BigInt(high) << 32n) | BigInt(low)) + BigInt(BIGTIME_EPOCH_SECONDS) * NANOSECONDS;
  }

  /** Null for a mode of no type. */
  stat(): Stat | null {
    const { type, raw } = this;
    if (type === null) return null;
    return {
      type,
      mode: raw.mode & 0o7777,
      uid: raw.uid,
      gid: raw.gid,
      sizeBytes: this.sizeBytes,
      links: this.links,
      inode: BigInt(this.number),
      generation: raw.generation,
      mtimeNs: this.mtimeNs,
      ctimeNs: this.ctimeNs,
      crtimeNs: this.crtimeNs,
      blocks512: raw.blocks * (this.#superblock.blockSize / SECTOR),
    };
  }
}
