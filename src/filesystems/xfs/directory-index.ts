// Looks a name up in a directory of several blocks as the kernel does: by its hash, through the nodes and leaves behind the
// blocks of entries (xfs_da_hashname and xfs_dir2_leaf_lookup_int of Linux). What stands among the entries only is listed and
// cannot be opened: entries and index are of different days.

import { DamageError } from '../../errors.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import type { BlockMap } from '../block-map.ts';
import type { MapContext } from './extent-map.ts';
import type { Inode } from './inode.ts';
import { DA_MAGICS, DIRECTORY_LEAF_AT, DIRECTORY_LEAF_ENTRY_BYTES, daInfo, daNode } from './layout.ts';
import { type MappedBlock, readMapped } from './mapped-block.ts';
import { checkDescription, DESCRIPTIONS } from './self-description.ts';

/** XFS_DA_NODE_MAXDEPTH. */
const DEEPEST_TREE = 5;
const HEADER_BYTES = { plain: 16, summed: 64 } as const;
const COUNT_AT = { plain: 12, summed: 56 } as const;
/** Pairs of a hash and a block, or of a hash and an entry's place. */
const PAIR_BYTES = 8;
const MANY_PLACES = 4;

/** Pairs ascending by hash, in the bytes of their block. */
interface Pairs {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly count: number;
  /** The leaf behind this one; 0 for the last, and for a node. */
  readonly next: number;
  readonly isNode: boolean;
}

/** For a hash: the places found so far, and the leaf to look at next. In blocks of the directory. */
interface Search {
  readonly places: Set<number>;
  readonly seen: Set<number>;
  next: number | null;
}

export class DirectoryIndex {
  readonly #inode: Inode;
  readonly #map: BlockMap;
  readonly #context: MapContext;
  readonly #form: 'plain' | 'summed';
  readonly #blocks = new Map<number, Pairs | DamageError>();
  /** Of hashes that many names share. */
  readonly #longSearches = new Map<number, Search>();

  constructor(inode: Inode, map: BlockMap, context: MapContext) {
    this.#inode = inode;
    this.#map = map;
    this.#context = context;
    this.#form = context.superblock.summed ? 'summed' : 'plain';
  }

  /**
   * Throws DamageError where a look-up does not come to the entry, ReadError.
   * @param at byte offset of the entry in the directory.
   */
  check(name: string, at: number): void {
    const hash = hashOf(name);
    const search = this.#longSearches.get(hash) ?? { places: new Set(), seen: new Set(), next: this.#leafOf(hash) };
    while (!search.places.has(at / PAIR_BYTES)) {
      if (search.next === null)
        throw this.#wrong(`hash of ${JSON.stringify(name)}`, this.#inode.location, 'not indexed', `entry at ${at}`);
      this.#goOn(search, search.next, hash);
      if (search.places.size >= MANY_PLACES) this.#longSearches.set(hash, search);
    }
  }

  /** Takes what the leaf has of the hash, and the one behind it if that may go on with it. */
  #goOn(search: Search, logical: number, hash: number): void {
    const leaf = this.#pairs(logical);
    search.seen.add(logical);
    const goesOn = collect(leaf, hash, search.places) && leaf.next !== 0 && !search.seen.has(leaf.next);
    search.next = goesOn ? leaf.next : null;
  }

  /** Down the first pairs that do not end before the hash. */
  #leafOf(hash: number): number {
    let logical = DIRECTORY_LEAF_AT / this.#context.blockSize;
    for (let depth = 0; depth <= DEEPEST_TREE; depth++) {
      const pairs = this.#pairs(logical);
      if (!pairs.isNode) return logical;
      const index = Math.min(firstUpTo(pairs, hash), pairs.count - 1);
      logical = u32be(pairs.bytes, pairs.start + index * PAIR_BYTES + 4);
    }
    throw this.#wrong('node', this.#inode.location, 'more levels', DEEPEST_TREE);
  }

  #pairs(logical: number): Pairs {
    const known = this.#blocks.get(logical);
    if (known instanceof DamageError) throw known;
    if (known !== undefined) return known;
    try {
      const pairs = this.#read(logical);
      this.#blocks.set(logical, pairs);
      return pairs;
    } catch (error) {
      if (error instanceof DamageError) this.#blocks.set(logical, error);
      throw error;
    }
  }

  #read(logical: number): Pairs {
    const { superblock, blockSize } = this.#context;
    const count = superblock.directoryBlockSize / blockSize;
    const block = readMapped(this.#map, logical, count, this.#context);
    if (superblock.summed) {
      const what = `index block ${logical} of directory inode ${this.#inode.number}`;
      const rightful = { what, at: block.at, owner: this.#inode.number, uuid: superblock.metaUuid };
      checkDescription(block.bytes, DESCRIPTIONS.da, rightful);
    }
    return this.#pairsOf(block);
  }

  #pairsOf({ bytes, at }: MappedBlock): Pairs {
    const version = this.#form === 'summed' ? 1 : 0;
    const { magic, next } = daInfo.at(bytes);
    const isNode = magic === DA_MAGICS.node[version];
    const isLeaf = magic === DA_MAGICS.directoryLeaf[version] || magic === DA_MAGICS.directoryLeafOfMany[version];
    if (!isNode && !isLeaf) throw this.#wrong('magic', at, magic, DA_MAGICS.directoryLeaf[version]);
    const start = isNode ? daNode[this.#form] : HEADER_BYTES[this.#form];
    const count = u16be(bytes, isNode ? daNode.countAt[this.#form] : COUNT_AT[this.#form]);
    const most = Math.floor((bytes.length - start) / DIRECTORY_LEAF_ENTRY_BYTES);
    if (count > most || (isNode && count === 0)) throw this.#wrong('count', at, count, `1 to ${most}`);
    return { bytes, start, count, next: isNode ? 0 : next, isNode };
  }

  #wrong(field: string, at: number, found: number | string, expected: number | string): DamageError {
    return new DamageError(`${field} in the index of directory inode ${this.#inode.number}`, at, found, expected);
  }
}

/** Adds the places of the hash; whether the leaf ends with it, so that the next one may go on. */
function collect(leaf: Pairs, hash: number, places: Set<number>): boolean {
  const first = firstUpTo(leaf, hash);
  for (let index = first; index < leaf.count; index++) {
    const at = leaf.start + index * PAIR_BYTES;
    if (u32be(leaf.bytes, at) !== hash) return false;
    places.add(u32be(leaf.bytes, at + 4));
  }
  return first < leaf.count;
}

/** Index of the first pair whose hash is not smaller. */
function firstUpTo({ bytes, start, count }: Pairs, hash: number): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (u32be(bytes, start + middle * PAIR_BYTES) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `xfs_da_hashname`: each byte is mixed in after a turn of the word by seven bits. @param name one character a byte. */
export function hashOf(name: string): number {
  let hash = 0;
  for (let index = 0; index < name.length; index++) hash = name.charCodeAt(index) ^ ((hash << 7) | (hash >>> 25));
  return hash >>> 0;
}
