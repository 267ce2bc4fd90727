// Reads a directory's entries from all of its blocks in their order, never through the hash tree, which is only asked whether it
// leads to each; inline ones from the inode. Knows names, inode numbers and the types that entries state; nothing of the inodes that they lead to.

import { DamageError, type ReadError } from '../../errors.ts';
import type { EntryType } from '../../model.ts';
import { u16le, u32le } from '../../struct/integers.ts';
import { latin1 } from '../../struct/struct.ts';
import type { BlockMap } from '../block-map.ts';
import type { DirectoryContent, DirectoryRecord } from '../directory-record.ts';
import { inlineContinuation } from './attributes.ts';
import type { Mismatch } from './checksums.ts';
import { type DirectoryIndex, openDirectoryIndex } from './directory-index.ts';
import type { MapContext } from './extent-tree.ts';
import type { Inode } from './inode.ts';
import {
  COMPAT,
  DIRENT_HEADER_BYTES,
  DIRENT_TYPE_MASK,
  INCOMPAT,
  INDEX_ROOT_INFO_AT,
  INLINE_PARENT_BYTES,
  INODE_BLOCK_BYTES,
  INODE_FLAGS,
  indexRootInfo,
} from './layout.ts';
import type { Superblock } from './superblock.ts';

/** What a directory's blocks are read with. */
export interface DirectoryContext extends MapContext {
  readonly superblock: Superblock;
  blockMap(inode: Inode): BlockMap;
}

const TYPES: readonly (EntryType | null)[] = [
  null,
  'file',
  'directory',
  'character-device',
  'block-device',
  'fifo',
  'socket',
  'symlink',
];
const SMALLEST_RECORD = 12;
const INDEX_ROOT_COUNT_AT = 0x20;
const INDEX_NODE_COUNT_AT = 8;

/** Damage of the inode's own map throws; damage below costs the entries that it hides, and is in `faults`. */
export function readDirectory(inode: Inode, context: DirectoryContext): DirectoryContent {
  const reader = new DirectoryReader(inode, context);
  if (inode.has(INODE_FLAGS.inlineData)) reader.inline();
  else reader.blocks();
  const { records, faults, parent } = reader;
  return { records, faults, parent };
}

/** An entry as it stands in its block, or in the inode. */
interface StoredEntry {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly inode: number;
  /** Where the bytes begin in the volume. */
  readonly origin: number;
  /** The block of the directory. */
  readonly logical: number;
}

class DirectoryReader implements DirectoryContent {
  readonly records: DirectoryRecord[] = [];
  readonly faults: (DamageError | ReadError)[] = [];
  parent: number | null = null;
  readonly #inode: Inode;
  readonly #context: DirectoryContext;
  readonly #seed: number;
  readonly #typed: boolean;
  readonly #typeMask: number;
  readonly #encrypted: boolean;
  #index: DirectoryIndex | null = null;

  constructor(inode: Inode, context: DirectoryContext) {
    this.#inode = inode;
    this.#context = context;
    this.#seed = context.checksums.inodeSeed(inode.number, inode.raw.generation);
    const { incompat } = context.superblock;
    this.#typed = (incompat & INCOMPAT.filetype) !== 0;
    this.#encrypted = inode.has(INODE_FLAGS.encrypt);
    this.#typeMask = incompat & INCOMPAT.dirdata ? DIRENT_TYPE_MASK : 0xff;
  }

  /** The parent's number, then entries, through to the end of the attribute that goes on with them. */
  inline(): void {
    const rest = inlineContinuation(this.#inode) ?? new Uint8Array(0);
    const bytes = new Uint8Array(INODE_BLOCK_BYTES + rest.length);
    bytes.set(this.#inode.raw.block);
    bytes.set(rest, INODE_BLOCK_BYTES);
    this.parent = u32le(bytes, 0);
    this.#entries(bytes, INLINE_PARENT_BYTES, bytes.length, this.#inode.location);
  }

  blocks(): void {
    const { blockSize, superblock } = this.#context;
    const map = this.#context.blockMap(this.#inode);
    this.#index = this.#isSearchedByHash() ? openDirectoryIndex(this.#inode, map, this.#context) : null;
    const count = Math.ceil(this.#inode.sizeBytes / blockSize);
    for (const lost of map.lost) if (lost.logical < count) this.faults.push(lost.error);
    let seen = 0;
    for (const run of map.runs) {
      const end = Math.min(run.logical + run.length, count);
      seen += Math.max(0, end - run.logical);
      if (seen > superblock.blocksCount) {
        throw new DamageError(
          `directory inode ${this.#inode.number}`,
          this.#inode.location,
          `${seen} blocks`,
          'a volume',
        );
      }
      for (let logical = run.logical; logical < end; logical++) {
        this.#block(logical, run.physical + logical - run.logical);
      }
    }
  }

  #block(logical: number, physical: number): void {
    try {
      const bytes = this.#context.readBlock(physical);
      const origin = physical * this.#context.blockSize;
      const mismatch = this.#checksum(bytes, logical);
      if (mismatch !== null) {
        const what = `directory block ${logical} of inode ${this.#inode.number}`;
        throw new DamageError(what, origin, mismatch.found, mismatch.expected, 'EBADMSG');
      }
      this.#entries(bytes, 0, bytes.length, origin, logical);
    } catch (error) {
      this.faults.push(this.#context.damage.keep(error));
    }
  }

  #checksum(bytes: Uint8Array, logical: number): Mismatch {
    const { checksums } = this.#context;
    if (!checksums.on) return null;
    if (!this.#isIndex(bytes, logical)) return checksums.directoryLeaf(this.#seed, bytes);
    const countAt = countLimitAt(bytes);
    if (countAt === null) return { found: u16le(bytes, 4), expected: SMALLEST_RECORD };
    return checksums.directoryIndex(this.#seed, bytes, countAt);
  }

  /** In an indexed directory: the root, and blocks that one empty entry fills. */
  #isIndex(bytes: Uint8Array, logical: number): boolean {
    if (!this.#inode.has(INODE_FLAGS.index) || !(this.#context.superblock.compat & COMPAT.dir_index)) return false;
    return logical === 0 || recordLength(bytes, 4) === bytes.length;
  }

  /** Throws DamageError at the first entry that cannot be: the rest of the block is lost, as in a mount. */
  #entries(bytes: Uint8Array, start: number, end: number, origin: number, logical = 0): void {
    let at = start;
    while (at < end) {
      const length = this.#checkRecord(bytes, at, end, origin);
      const inode = u32le(bytes, at);
      if (inode !== 0) this.#record({ bytes, at, inode, origin, logical });
      at += length;
    }
  }

  #record({ bytes, at, inode, origin, logical }: StoredEntry): void {
    const nameLength = bytes[at + 6] as number;
    const stored = latin1(bytes, at + DIRENT_HEADER_BYTES, nameLength);
    const name = this.#encrypted && stored !== '.' && stored !== '..' ? escaped(stored) : stored;
    if (name === '.') return;
    if (name === '..') {
      this.parent ??= inode;
    } else if (nameLength === 0 || name.includes('/') || name.includes('\0')) {
      const what = `ext4_dir_entry_2 name of inode ${this.#inode.number}`;
      const found = JSON.stringify(name);
      this.faults.push(
        this.#context.damage.keep(new DamageError(what, origin + at, found, 'neither empty nor with / or NUL')),
      );
    } else {
      const type = this.#typed ? (TYPES[(bytes[at + 7] as number) & this.#typeMask] ?? null) : null;
      const fault = this.#lookUpFault(stored, logical);
      this.records.push(fault === null ? { name, inode, type } : { name, inode, type, fault });
    }
  }

  /** Encrypted names, and those that any case leads to, are hashed otherwise. */
  #isSearchedByHash(): boolean {
    const isIndexed = this.#inode.has(INODE_FLAGS.index) && (this.#context.superblock.compat & COMPAT.dir_index) !== 0;
    return isIndexed && !this.#encrypted && !this.#inode.has(INODE_FLAGS.casefold);
  }

  #lookUpFault(name: string, logical: number): DamageError | null {
    if (this.#index === null || this.#index.leadsTo(name, logical)) return null;
    const what = `hash of ${JSON.stringify(name)} in the index of directory inode ${this.#inode.number}`;
    const fault = new DamageError(what, this.#inode.location, 'leads elsewhere', `block ${logical}`);
    this.#context.damage.add(fault);
    return fault;
  }

  #checkRecord(bytes: Uint8Array, at: number, end: number, origin: number): number {
    const left = end - at;
    const length = left < DIRENT_HEADER_BYTES ? 0 : recordLength(bytes, at + 4);
    const needed = DIRENT_HEADER_BYTES + (bytes[at + 6] ?? 0);
    const fits = length >= SMALLEST_RECORD && length % 4 === 0 && length >= needed && length <= left;
    const last = left - length === 0 || left - length >= SMALLEST_RECORD;
    if (fits && last && u32le(bytes, at) <= this.#context.superblock.inodesCount) return length;
    const found = left < DIRENT_HEADER_BYTES ? `${left} bytes left` : `inode ${u32le(bytes, at)}, ${length} bytes`;
    const what = `ext4_dir_entry_2 of inode ${this.#inode.number}`;
    throw new DamageError(what, origin + at, found, `${needed} to ${left} bytes, inode at most the count`);
  }
}

/** Encrypted names may have any bytes: those that no path can have, and what marks them, as three characters. */
function escaped(name: string): string {
  return name.replace(/[%/\0]/g, byte => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Lengths from 64 KiB on are stored with their lowest two bits as the highest; 0 and 65535 mean 65536. */
function recordLength(bytes: Uint8Array, at: number): number {
  const stored = u16le(bytes, at);
  if (bytes.length < 65536) return stored;
  if (stored === 0 || stored === 65535) return 65536;
  return (stored & 0xfffc) + (stored & 3) * 0x10000;
}

/** Where an index block keeps its limit and count; null when it does not look like one. */
function countLimitAt(bytes: Uint8Array): number | null {
  const first = recordLength(bytes, 4);
  if (first === bytes.length) return INDEX_NODE_COUNT_AT;
  if (first !== SMALLEST_RECORD || recordLength(bytes, 12 + 4) !== bytes.length - 12) return null;
  const info = indexRootInfo.at(bytes, INDEX_ROOT_INFO_AT);
  return info.reserved === 0 && info.infoLength === 8 ? INDEX_ROOT_COUNT_AT : null;
}

/** The inode that a directory's ".." names, from its first block alone; null when that is not to be had. Throws like readDirectory. */
export function readStatedParent(inode: Inode, context: DirectoryContext): number | null {
  if (inode.has(INODE_FLAGS.inlineData)) return u32le(inode.raw.block, 0);
  const first = context.blockMap(inode).runs[0];
  if (first === undefined || first.logical !== 0) return null;
  const block = context.readBlock(first.physical);
  const second = recordLength(block, 4);
  if (second !== SMALLEST_RECORD || u16le(block, second + 6) % 256 !== 2) return null;
  return latin1(block, second + DIRENT_HEADER_BYTES, 2) === '..' ? u32le(block, second) : null;
}
