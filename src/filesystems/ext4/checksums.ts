// The checksum of each kind of metadata block, as the file system's features say; without metadata_csum everything holds.
// Recipes: fs/ext4 of Linux and lib/ext2fs/csum.c of e2fsprogs. CRC-32C here is raw: no inversion before or after.

import { rawCrc16 } from '../../struct/crc16.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import { u16le, u32le } from '../../struct/integers.ts';
import {
  ATTRIBUTE_CHECKSUM_AT,
  DIRENT_TAIL_BYTES,
  DIRENT_TAIL_TYPE,
  EXTENT_ENTRY_BYTES,
  EXTENT_HEADER_BYTES,
  GROUP_CHECKSUM_AT,
  INDEX_ENTRY_BYTES,
  INDEX_TAIL_BYTES,
  INODE_CHECKSUM_HIGH_AT,
  INODE_CHECKSUM_LOW_AT,
  INODE_GENERATION_AT,
  OLD_INODE_BYTES,
} from './layout.ts';
import type { Superblock } from './superblock.ts';

/** What a check found: null when it holds, else the two values. */
export type Mismatch = { readonly found: number; readonly expected: number } | null;

/** The tail's record length, name length and type, as one little-endian word. */
const DIRENT_TAIL = DIRENT_TAIL_BYTES + DIRENT_TAIL_TYPE * 0x1000000;
const ZEROS = new Uint8Array(4);
const WORD = new Uint8Array(8);

export class Checksums {
  readonly kind: Superblock['checksums'];
  readonly #seed: number;
  readonly #uuid: Uint8Array;
  readonly #inodeSize: number;
  readonly #descriptorSize: number;
  readonly #inodeBitmapBytes: number;
  readonly #blockBitmapBytes: number;

  constructor(superblock: Superblock) {
    this.kind = superblock.checksums;
    this.#seed = superblock.checksumSeed;
    this.#uuid = superblock.raw.uuid;
    this.#inodeSize = superblock.inodeSize;
    this.#descriptorSize = superblock.descriptorSize;
    this.#inodeBitmapBytes = superblock.inodesPerGroup >>> 3;
    this.#blockBitmapBytes = superblock.clustersPerGroup >>> 3;
  }

  get on(): boolean {
    return this.kind === 'metadata';
  }

  /** @param at the descriptor's offset in `bytes`. */
  group(group: number, bytes: Uint8Array, at: number): Mismatch {
    if (this.kind === 'none') return null;
    const found = u16le(bytes, at + GROUP_CHECKSUM_AT);
    const expected = this.kind === 'metadata' ? this.#wideGroup(group, bytes, at) : this.#narrowGroup(group, bytes, at);
    return found === expected ? null : { found, expected };
  }

  #wideGroup(group: number, bytes: Uint8Array, at: number): number {
    let crc = rawCrc32c(this.#seed, word(group), 0, 4);
    crc = rawCrc32c(crc, bytes, at, at + GROUP_CHECKSUM_AT);
    crc = rawCrc32c(crc, ZEROS, 0, 2);
    return rawCrc32c(crc, bytes, at + GROUP_CHECKSUM_AT + 2, at + this.#descriptorSize) & 0xffff;
  }

  #narrowGroup(group: number, bytes: Uint8Array, at: number): number {
    let crc = rawCrc16(0xffff, this.#uuid);
    crc = rawCrc16(crc, word(group), 0, 4);
    crc = rawCrc16(crc, bytes, at, at + GROUP_CHECKSUM_AT);
    return rawCrc16(crc, bytes, at + GROUP_CHECKSUM_AT + 2, at + this.#descriptorSize);
  }

  /** @param stored the checksum in the group's descriptor: 32 bits, or 16 where descriptors are narrow. */
  blockBitmap(bitmap: Uint8Array, stored: number): Mismatch {
    return this.#bitmap(bitmap, this.#blockBitmapBytes, stored);
  }

  inodeBitmap(bitmap: Uint8Array, stored: number): Mismatch {
    return this.#bitmap(bitmap, this.#inodeBitmapBytes, stored);
  }

  #bitmap(bitmap: Uint8Array, length: number, stored: number): Mismatch {
    if (!this.on) return null;
    const full = rawCrc32c(this.#seed, bitmap, 0, length);
    return differ(stored, this.#descriptorSize > 32 ? full : full & 0xffff);
  }

  /** What the checksums of an inode's own blocks start from. */
  inodeSeed(inode: number, generation: number): number {
    return rawCrc32c(rawCrc32c(this.#seed, word(inode), 0, 4), word(generation), 0, 4);
  }

  /** @param at the inode's offset in `bytes`. */
  inode(number: number, bytes: Uint8Array, at: number): Mismatch {
    if (!this.on) return null;
    const wide = this.#inodeSize > OLD_INODE_BYTES && u16le(bytes, at + OLD_INODE_BYTES) >= 4;
    const low = u16le(bytes, at + INODE_CHECKSUM_LOW_AT);
    const found = wide ? low + u16le(bytes, at + INODE_CHECKSUM_HIGH_AT) * 0x10000 : low;
    const full = this.inodeChecksum(number, bytes, at);
    return differ(found, wide ? full : full & 0xffff);
  }

  /** All 32 bits; the upper half is stored only where the inode has room for it. */
  inodeChecksum(number: number, bytes: Uint8Array, at: number): number {
    let crc = this.inodeSeed(number, u32le(bytes, at + INODE_GENERATION_AT));
    crc = rawCrc32c(crc, bytes, at, at + INODE_CHECKSUM_LOW_AT);
    crc = rawCrc32c(crc, ZEROS, 0, 2);
    crc = rawCrc32c(crc, bytes, at + INODE_CHECKSUM_LOW_AT + 2, at + OLD_INODE_BYTES);
    if (this.#inodeSize === OLD_INODE_BYTES) return crc;
    if (u16le(bytes, at + OLD_INODE_BYTES) < 4) {
      return rawCrc32c(crc, bytes, at + OLD_INODE_BYTES, at + this.#inodeSize);
    }
    crc = rawCrc32c(crc, bytes, at + OLD_INODE_BYTES, at + INODE_CHECKSUM_HIGH_AT);
    crc = rawCrc32c(crc, ZEROS, 0, 2);
    return rawCrc32c(crc, bytes, at + INODE_CHECKSUM_HIGH_AT + 2, at + this.#inodeSize);
  }

  /** A block of an extent tree, `entriesMax` as its header says. */
  extentBlock(inodeSeed: number, block: Uint8Array, entriesMax: number): Mismatch {
    if (!this.on) return null;
    const end = EXTENT_HEADER_BYTES + EXTENT_ENTRY_BYTES * entriesMax;
    if (end + 4 > block.length) return { found: end, expected: block.length - 4 };
    return differ(u32le(block, end), rawCrc32c(inodeSeed, block, 0, end));
  }

  /** A directory block of entries: the last 12 bytes are an entry that hides the checksum. */
  directoryLeaf(inodeSeed: number, block: Uint8Array): Mismatch {
    if (!this.on) return null;
    const end = block.length - DIRENT_TAIL_BYTES;
    const isTail = u32le(block, end) === 0 && u32le(block, end + 4) === DIRENT_TAIL;
    if (!isTail) return { found: u32le(block, end + 4), expected: DIRENT_TAIL };
    return differ(u32le(block, end + 8), rawCrc32c(inodeSeed, block, 0, end));
  }

  /** A directory block of hashes. @param countAt offset of its limit and count. */
  directoryIndex(inodeSeed: number, block: Uint8Array, countAt: number): Mismatch {
    if (!this.on) return null;
    const limit = u16le(block, countAt);
    const count = u16le(block, countAt + 2);
    const tail = countAt + limit * INDEX_ENTRY_BYTES;
    if (count > limit || tail + INDEX_TAIL_BYTES > block.length) return { found: limit, expected: count };
    let crc = rawCrc32c(inodeSeed, block, 0, countAt + count * INDEX_ENTRY_BYTES);
    crc = rawCrc32c(crc, block, tail, tail + 4);
    return differ(u32le(block, tail + 4), rawCrc32c(crc, ZEROS, 0, 4));
  }

  attributeBlock(blockNumber: number, block: Uint8Array): Mismatch {
    if (!this.on) return null;
    let crc = rawCrc32c(this.#seed, wideWord(blockNumber));
    crc = rawCrc32c(crc, block, 0, ATTRIBUTE_CHECKSUM_AT);
    crc = rawCrc32c(crc, ZEROS, 0, 4);
    crc = rawCrc32c(crc, block, ATTRIBUTE_CHECKSUM_AT + 4, block.length);
    return differ(u32le(block, ATTRIBUTE_CHECKSUM_AT), crc);
  }

  /** @param entriesEnd where the tail begins. */
  orphanBlock(inodeSeed: number, blockNumber: number, block: Uint8Array, entriesEnd: number): Mismatch {
    if (!this.on) return null;
    const crc = rawCrc32c(rawCrc32c(inodeSeed, wideWord(blockNumber)), block, 0, entriesEnd);
    return differ(u32le(block, entriesEnd + 4), crc);
  }
}

function differ(found: number, expected: number): Mismatch {
  return found === expected ? null : { found, expected };
}

/** Valid until the next call. */
function word(value: number): Uint8Array {
  WORD[0] = value & 0xff;
  WORD[1] = (value >>> 8) & 0xff;
  WORD[2] = (value >>> 16) & 0xff;
  WORD[3] = value >>> 24;
  return WORD;
}

function wideWord(value: number): Uint8Array {
  new DataView(WORD.buffer).setBigUint64(0, BigInt(value), true);
  return WORD;
}
