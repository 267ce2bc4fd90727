// Reads a directory's entries: from the inode where it is short, else from its data blocks in their order, never through the
// hash tree, which is only asked whether it leads to each. Knows names, inode numbers and the types that entries state;
// nothing of the inodes that they lead to.

import { DamageError, type ReadError } from '../../errors.ts';
import type { EntryType } from '../../model.ts';
import { n64be, u16be, u32be } from '../../struct/integers.ts';
import { latin1 } from '../../struct/struct.ts';
import type { BlockMap } from '../block-map.ts';
import type { DirectoryContent, DirectoryRecord } from '../directory-record.ts';
import { DirectoryIndex } from './directory-index.ts';
import type { MapContext } from './extent-map.ts';
import type { Inode } from './inode.ts';
import {
  DIRECTORY_DATA_HEADER_BYTES,
  DIRECTORY_FREE_TAG,
  DIRECTORY_LEAF_AT,
  DIRECTORY_LEAF_ENTRY_BYTES,
  DIRECTORY_MAGICS,
  DIRECTORY_TAIL_BYTES,
  FORK_FORMATS,
} from './layout.ts';
import { readMapped } from './mapped-block.ts';
import { checkDescription, DESCRIPTIONS } from './self-description.ts';

/** What a directory's blocks are read with. */
export interface DirectoryContext extends MapContext {
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
/** Of an entry beside its name: inode number, length of the name, tag. */
const ENTRY_BYTES = 8 + 1 + 2;
const SHORT_ENTRY_BYTES = 3;
const ALIGNMENT = 8;

/** Damage of the inode's own map throws; damage below costs the entries that it hides, and is in `faults`. */
export function readDirectory(inode: Inode, context: DirectoryContext): DirectoryContent {
  const reader = new DirectoryReader(inode, context);
  if (inode.raw.format === FORK_FORMATS.local) reader.short();
  else reader.blocks(Number.POSITIVE_INFINITY);
  const { records, faults, parent } = reader;
  return { records, faults, parent };
}

/** The inode that a directory's ".." names, from its first block alone; null when that is not to be had. Throws like readDirectory. */
export function readStatedParent(inode: Inode, context: DirectoryContext): number | null {
  const reader = new DirectoryReader(inode, context);
  if (inode.raw.format === FORK_FORMATS.local) reader.short();
  else reader.blocks(1);
  return reader.parent;
}

/** An entry as it stands in its block, or in the inode. */
interface StoredEntry {
  readonly bytes: Uint8Array;
  /** Of its name. */
  readonly at: number;
  readonly nameLength: number;
  readonly inode: number;
  /** Where the bytes begin in the volume. */
  readonly origin: number;
}

type Fault = DamageError | ReadError | undefined;

/** Why an entry cannot be had by its name. @param at of the entry in its block. */
type LookUp = (name: string, at: number) => Fault;

const NO_LOOK_UP: LookUp = () => undefined;

class DirectoryReader implements DirectoryContent {
  readonly records: DirectoryRecord[] = [];
  readonly faults: (DamageError | ReadError)[] = [];
  parent: number | null = null;
  readonly #inode: Inode;
  readonly #context: DirectoryContext;
  readonly #typeBytes: number;

  constructor(inode: Inode, context: DirectoryContext) {
    this.#inode = inode;
    this.#context = context;
    this.#typeBytes = context.superblock.typed ? 1 : 0;
  }

  /** Count, how many need eight bytes, the parent, then entries with numbers of four or eight bytes. */
  short(): void {
    const { bytes } = this.#inode.dataFork;
    const end = Math.min(bytes.length, this.#inode.sizeBytes);
    const count = bytes[0] ?? 0;
    const wide = (bytes[1] ?? 0) > 0;
    const numberBytes = wide ? 8 : 4;
    if (end < 2 + numberBytes) throw this.#wrong('xfs_dir2_sf_hdr', this.#inode.location, `${end} bytes`, 'a header');
    this.parent = shortNumber(bytes, 2, wide);
    let at = 2 + numberBytes;
    for (let index = 0; index < count; index++) {
      const nameLength = bytes[at] ?? 0;
      const next = at + SHORT_ENTRY_BYTES + nameLength + this.#typeBytes + numberBytes;
      if (next > end) {
        const found = `entry ${index} of ${count} ends at ${next}`;
        this.#lose(this.#wrong('xfs_dir2_sf_entry', this.#inode.location, found, `at most ${end}`));
        return;
      }
      const number = shortNumber(bytes, next - numberBytes, wide);
      const origin = this.#inode.location;
      this.#record({ bytes, at: at + SHORT_ENTRY_BYTES, nameLength, inode: number, origin });
      at = next;
    }
  }

  /** @param most blocks that are read. */
  blocks(most: number): void {
    const { superblock, blockSize } = this.#context;
    const perBlock = superblock.directoryBlockSize / blockSize;
    const end = Math.min(DIRECTORY_LEAF_AT, Math.ceil(this.#inode.sizeBytes / blockSize) * blockSize) / blockSize;
    const map = this.#context.blockMap(this.#inode);
    // Names of any case lead to one entry with `ascii-ci`: their hashes are others.
    const isIndexed = most === Number.POSITIVE_INFINITY && !superblock.features.includes('ascii-ci');
    const index = isIndexed ? new DirectoryIndex(this.#inode, map, this.#context) : null;
    for (const lost of map.lost) if (lost.logical < end) this.faults.push(lost.error);
    let next = 0;
    let read = 0;
    for (const { logical, length } of map.runs) {
      const first = Math.max(next, Math.floor(logical / perBlock) * perBlock);
      const runEnd = Math.min(logical + length, end);
      for (next = first; next < runEnd && read < most; next += perBlock) {
        this.#block(map, next, index);
        if (++read > superblock.blocksCount)
          throw this.#wrong('size', this.#inode.location, `${read} blocks`, 'a volume');
      }
    }
  }

  #block(map: BlockMap, logical: number, index: DirectoryIndex | null): void {
    try {
      const { superblock, blockSize } = this.#context;
      const { bytes, at } = readMapped(map, logical, superblock.directoryBlockSize / blockSize, this.#context);
      if (superblock.summed) {
        const what = `directory block ${logical} of inode ${this.#inode.number}`;
        const rightful = { what, at, owner: this.#inode.number, uuid: superblock.metaUuid };
        checkDescription(bytes, DESCRIPTIONS.directory, rightful);
      }
      const isIndexed = u32be(bytes, 0) === DIRECTORY_MAGICS.data[superblock.summed ? 1 : 0];
      const lookUp = isIndexed && index !== null ? this.#lookUpIn(index, logical * blockSize) : NO_LOOK_UP;
      this.#entries(bytes, this.#endOfEntries(bytes, at), at, lookUp);
    } catch (error) {
      this.#lose(error);
    }
  }

  /** @param start byte offset of the block in the directory. */
  #lookUpIn(index: DirectoryIndex, start: number): LookUp {
    return (name, at) => {
      try {
        index.check(name, start + at);
        return undefined;
      } catch (error) {
        return this.#context.damage.keep(error);
      }
    };
  }

  /** A directory of one block has its hash table behind the entries. */
  #endOfEntries(bytes: Uint8Array, origin: number): number {
    const version = this.#context.superblock.summed ? 1 : 0;
    const magic = u32be(bytes, 0);
    if (magic === DIRECTORY_MAGICS.data[version]) return bytes.length;
    if (magic !== DIRECTORY_MAGICS.block[version]) {
      throw this.#wrong('magic', origin, magic, DIRECTORY_MAGICS.data[version]);
    }
    const count = u32be(bytes, bytes.length - DIRECTORY_TAIL_BYTES);
    const end = bytes.length - DIRECTORY_TAIL_BYTES - count * DIRECTORY_LEAF_ENTRY_BYTES;
    if (end < this.#headerBytes) throw this.#wrong('xfs_dir2_block_tail count', origin, count, 'what the block holds');
    return end;
  }

  get #headerBytes(): number {
    return DIRECTORY_DATA_HEADER_BYTES[this.#context.superblock.summed ? 'summed' : 'plain'];
  }

  /** Throws DamageError at the first entry that cannot be: the rest of the block is lost, as in a mount. */
  #entries(bytes: Uint8Array, end: number, origin: number, lookUp: LookUp): void {
    let at = this.#headerBytes;
    while (at < end) {
      const free = u16be(bytes, at) === DIRECTORY_FREE_TAG;
      const nameLength = bytes[at + 8] as number;
      const length = free ? u16be(bytes, at + 2) : aligned(ENTRY_BYTES + nameLength + this.#typeBytes);
      const fits = length >= ALIGNMENT && length % ALIGNMENT === 0 && at + length <= end;
      if (!fits || u16be(bytes, at + length - 2) !== at) {
        throw this.#wrong(
          'xfs_dir2_data_entry',
          origin + at,
          `${length} bytes`,
          `at most ${end - at}, and its own tag`,
        );
      }
      if (!free) {
        const entry = { bytes, at: at + 9, nameLength, inode: n64be(bytes, at), origin };
        this.#record(entry, name => lookUp(name, at));
      }
      at += length;
    }
  }

  #record(
    { bytes, at, nameLength, inode, origin }: StoredEntry,
    lookUp: (name: string) => Fault = () => undefined,
  ): void {
    const name = latin1(bytes, at, nameLength);
    if (name === '.') return;
    if (name === '..') {
      this.parent ??= inode;
    } else if (nameLength === 0 || name.includes('/') || name.includes('\0')) {
      const found = JSON.stringify(name);
      this.#lose(this.#wrong('name', origin + at, found, 'neither empty nor with / or NUL'));
    } else {
      const type = this.#typeBytes === 1 ? (TYPES[bytes[at + nameLength] as number] ?? null) : null;
      const fault = lookUp(name);
      this.records.push(fault === undefined ? { name, inode, type } : { name, inode, type, fault });
    }
  }

  #lose(error: unknown): void {
    this.faults.push(this.#context.damage.keep(error));
  }

  #wrong(field: string, at: number, found: number | string, expected: number | string): DamageError {
    return new DamageError(`${field} of directory inode ${this.#inode.number}`, at, found, expected);
  }
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function shortNumber(bytes: Uint8Array, at: number, wide: boolean): number {
  return wide ? n64be(bytes, at) : u32be(bytes, at);
}
