// Which blocks of an indexed directory a look-up of a name reads: by the name's hash, down the index (dx_probe and
// ext4_htree_next_block of Linux 6.18). A name in another block is stored and cannot be opened: block and index are of different
// days. Where the index itself does not hold together, the kernel searches all blocks, and so no name is doubted.

import { DamageError, unlessRefused } from '../../errors.ts';
import { u16le, u32le } from '../../struct/integers.ts';
import { type BlockMap, writtenBlock } from '../block-map.ts';
import type { MapContext } from './extent-tree.ts';
import type { Inode } from './inode.ts';
import { INCOMPAT, INDEX_ENTRY_BYTES, INDEX_ROOT_INFO_AT, INDEX_TAIL_BYTES, indexRootInfo } from './layout.ts';
import { even, hashOfName, knowsHash, type NameHashing } from './name-hash.ts';
import type { Superblock } from './superblock.ts';

const ROOT_COUNT_AT = 0x20;
const NODE_COUNT_AT = 8;
const ROOT_INFO_BYTES = 8;
const BLOCK_MASK = 0x0fffffff;
/** Of 4 KiB they know the places of some hundred million names. */
const MOST_NODES = 16_384;
const LONG_RUN = 4;
/** Levels below the root: one, or two with `large_dir`. */
const LEVELS = { plain: 1, large: 2 } as const;

/** A block of the index: pairs of the first hash and the block that has it and what follows. */
interface Node {
  readonly hashes: Uint32Array;
  readonly blocks: Uint32Array;
}

/** Where a search stands in a node. */
interface Step {
  readonly node: Node;
  readonly at: number;
}

export interface IndexContext extends MapContext {
  readonly superblock: Superblock;
}

/** Null for an index that the kernel would not use, that cannot be read, or that is a maze. */
export function openDirectoryIndex(inode: Inode, map: BlockMap, context: IndexContext): DirectoryIndex | null {
  return unlessRefused(() => new DirectoryIndex(inode, map, context));
}

export class DirectoryIndex {
  readonly #inode: Inode;
  readonly #map: BlockMap;
  readonly #context: IndexContext;
  /** More than one where the superblock does not say whether a `char` is signed. */
  readonly #hashings: readonly NameHashing[];
  readonly #levels: number;
  readonly #nodes = new Map<number, Node>();
  /** Blocks of hashes that many blocks go on with. */
  readonly #longRuns = new Map<number, ReadonlySet<number>>();

  constructor(inode: Inode, map: BlockMap, context: IndexContext) {
    this.#inode = inode;
    this.#map = map;
    this.#context = context;
    const { superblock } = context;
    const info = indexRootInfo.at(this.#block(0), INDEX_ROOT_INFO_AT);
    const most = superblock.incompat & INCOMPAT.large_dir ? LEVELS.large : LEVELS.plain;
    const isUsed = knowsHash(info.hashVersion) && info.levels <= most && info.infoLength === ROOT_INFO_BYTES;
    if (!isUsed || (info.unusedFlags & 1) !== 0) throw this.#wrong('dx_root_info', info.levels, `at most ${most}`);
    this.#levels = info.levels;
    const seed = [0, 4, 8, 12].map(at => u32le(superblock.raw.hashSeed, at));
    const signs = superblock.unsignedHash === null ? [false, true] : [superblock.unsignedHash];
    this.#hashings = signs.map(unsigned => ({ version: info.hashVersion, unsigned, seed }));
    this.#readAll();
  }

  /**
   * Whether a look-up of the name reads the block.
   * @param name as stored, one character a byte. @param logical block of the directory.
   */
  leadsTo(name: string, logical: number): boolean {
    return this.#hashings.some(hashing => this.#blocksOf(hashOfName(name, hashing)).has(logical));
  }

  #blocksOf(hash: number): ReadonlySet<number> {
    const known = this.#longRuns.get(hash);
    if (known !== undefined) return known;
    const blocks = new Set<number>();
    const path = this.#pathTo(hash);
    for (let step: Step | undefined = path.at(-1); step !== undefined; step = this.#goOn(path, hash)) {
      blocks.add(step.node.blocks[step.at] ?? 0);
    }
    if (blocks.size >= LONG_RUN) this.#longRuns.set(hash, blocks);
    return blocks;
  }

  #pathTo(hash: number): Step[] {
    const path: Step[] = [];
    let logical = 0;
    for (let level = 0; level <= this.#levels; level++) {
      const node = this.#node(logical);
      const at = lastUpTo(node.hashes, hash);
      path.push({ node, at });
      logical = node.blocks[at] ?? 0;
    }
    return path;
  }

  /** The next block, if it goes on with the hash. Changes the path. */
  #goOn(path: Step[], hash: number): Step | undefined {
    let level = path.length - 1;
    while (level >= 0 && isLast(path[level])) level--;
    const step = path[level];
    if (step === undefined) return undefined;
    const next = { ...step, at: step.at + 1 };
    if (even(next.node.hashes[next.at] ?? 0) !== hash) return undefined;
    path[level] = next;
    for (let below = level + 1; below < path.length; below++) {
      const above = path[below - 1];
      path[below] = { node: this.#node(above?.node.blocks[above.at] ?? 0), at: 0 };
    }
    return path.at(-1);
  }

  /** What a search meets must hold together beforehand, and be a tree. */
  #readAll(): void {
    const end = Math.ceil(this.#inode.sizeBytes / this.#context.blockSize);
    const seen = new Set([0]);
    let level = [0];
    for (let depth = 0; depth <= this.#levels; depth++) {
      const below: number[] = [];
      for (const logical of level) {
        for (const block of this.#node(logical).blocks) {
          if (seen.has(block) || block >= end) throw this.#wrong('dx_entry', block, `each block once, below ${end}`);
          seen.add(block);
          below.push(block);
        }
      }
      level = below;
    }
  }

  #node(logical: number): Node {
    const known = this.#nodes.get(logical);
    if (known !== undefined) return known;
    const node = this.#read(logical);
    if (this.#nodes.size >= MOST_NODES) throw this.#wrong('index', 'more blocks', MOST_NODES);
    this.#nodes.set(logical, node);
    return node;
  }

  /** The first pair has no hash: limit and count stand in its place. */
  #read(logical: number): Node {
    const block = this.#block(logical);
    const start = logical === 0 ? ROOT_COUNT_AT : NODE_COUNT_AT;
    const count = u16le(block, start + 2);
    const tail = this.#context.checksums.on ? INDEX_TAIL_BYTES : 0;
    const room = Math.floor((block.length - start - tail) / INDEX_ENTRY_BYTES);
    if (u16le(block, start) !== room || count === 0 || count > room) throw this.#wrong('dx_countlimit', count, room);
    const hashes = Uint32Array.from({ length: count }, (_, at) =>
      at === 0 ? 0 : u32le(block, start + at * INDEX_ENTRY_BYTES),
    );
    if (hashes.some((hash, at) => at > 1 && hash < (hashes[at - 1] ?? 0)))
      throw this.#wrong('dx_entry hash', 'a fall', 'ascending ones');
    const blocks = Uint32Array.from(
      { length: count },
      (_, at) => u32le(block, start + at * INDEX_ENTRY_BYTES + 4) & BLOCK_MASK,
    );
    return { hashes, blocks };
  }

  #block(logical: number): Uint8Array {
    const block = writtenBlock(this.#map, logical);
    if (block === null) throw this.#wrong('index', 'a hole', `block ${logical}`);
    return this.#context.readBlock(block);
  }

  #wrong(field: string, found: number | string, expected: number | string): DamageError {
    return new DamageError(`${field} of directory inode ${this.#inode.number}`, this.#inode.location, found, expected);
  }
}

function isLast(step: Step | undefined): boolean {
  return step === undefined || step.at + 1 >= step.node.blocks.length;
}

/** Index of the last hash that is not greater; the first one counts as the least. */
function lastUpTo(hashes: Uint32Array, hash: number): number {
  let [low, high] = [1, hashes.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((hashes[middle] ?? 0) > hash) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}
