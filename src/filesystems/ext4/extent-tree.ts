// Reads extent trees of any depth, with the checks that the kernel makes of each node before it believes it.
// A node that fails them costs the part of the file that it maps; the root's failing costs the inode.

import { DamageError } from '../../errors.ts';
import { type BlockMap, BlockMapBuilder, LOGICAL_END } from '../block-map.ts';
import type { DamageLog } from '../damage-log.ts';
import type { Checksums } from './checksums.ts';
import type { Inode } from './inode.ts';
import {
  EXTENT_DEEPEST,
  EXTENT_ENTRY_BYTES,
  EXTENT_HEADER_BYTES,
  EXTENT_MAGIC,
  EXTENT_WRITTEN_MAX,
  extentHeader,
  extentIndex,
  extentLeaf,
  INODE_BLOCK_AT,
  INODE_BLOCK_BYTES,
} from './layout.ts';
import type { SystemZones } from './system-zones.ts';

/** What reading a tree needs of the volume. */
export interface MapContext {
  readonly checksums: Checksums;
  readonly zones: SystemZones;
  readonly damage: DamageLog;
  readonly blockSize: number;
  readBlock(block: number): Uint8Array;
}

/** A node of the tree in `bytes`, and where it is for messages. */
interface Node {
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Bytes that the node may fill, its header included. */
  readonly room: number;
  readonly origin: number;
  readonly depth: number;
  readonly isRoot: boolean;
  /** The logical block that its first entry must have; null for the root. */
  readonly first: number | null;
}

/** Throws DamageError (EUCLEAN) when the root, which lies in the inode, is broken. */
export function checkExtentRoot(inode: Inode, context: MapContext): void {
  checkNode(rootOf(inode), inode, context);
}

/** Throws DamageError when the root is broken; a broken node below is a lost range. */
export function readExtentTree(inode: Inode, context: MapContext): BlockMap {
  return new TreeReader(inode, context).run();
}

function rootOf(inode: Inode): Node {
  const { bytes, at } = inode.raw;
  const root = at + INODE_BLOCK_AT;
  const depth = extentHeader.at(bytes, root).depth;
  const origin = inode.location - at;
  return { bytes, at: root, room: INODE_BLOCK_BYTES, origin, depth, isRoot: true, first: null };
}

class TreeReader {
  readonly #inode: Inode;
  readonly #context: MapContext;
  readonly #builder = new BlockMapBuilder();
  readonly #visited = new Set<number>();

  constructor(inode: Inode, context: MapContext) {
    this.#inode = inode;
    this.#context = context;
  }

  run(): BlockMap {
    const root = rootOf(this.#inode);
    checkNode(root, this.#inode, this.#context);
    this.#read(root, LOGICAL_END);
    return this.#builder.finish();
  }

  /** @param end first logical block after what the node may map. */
  #read(node: Node, end: number): void {
    const { entries } = extentHeader.at(node.bytes, node.at);
    for (let index = 0; index < entries; index++) {
      if (node.depth === 0) this.#leaf(node, index);
      else this.#descend(node, index, index + 1 < entries ? logicalOf(node, index + 1) : end);
    }
  }

  #leaf(node: Node, index: number): void {
    const extent = extentLeaf.at(node.bytes, entryAt(node, index));
    const unwritten = extent.length > EXTENT_WRITTEN_MAX;
    const length = unwritten ? extent.length - EXTENT_WRITTEN_MAX : extent.length;
    this.#builder.add(extent.logical, extent.startLow + extent.startHigh * 2 ** 32, length, unwritten);
  }

  #descend(node: Node, index: number, end: number): void {
    const entry = extentIndex.at(node.bytes, entryAt(node, index));
    try {
      const child = this.#child(entry.leafLow + entry.leafHigh * 2 ** 32, node.depth - 1, entry.logical);
      this.#read(child, end);
    } catch (error) {
      this.#builder.lose(entry.logical, end, this.#context.damage.keep(error));
    }
  }

  #child(block: number, depth: number, first: number): Node {
    const { blockSize } = this.#context;
    const origin = block * blockSize;
    if (this.#visited.has(block)) {
      throw new DamageError(
        `ext4_extent_idx of inode ${this.#inode.number}`,
        origin,
        block,
        'each block once',
        'ELOOP',
      );
    }
    this.#visited.add(block);
    const bytes = this.#context.readBlock(block);
    const node = { bytes, at: 0, room: blockSize, origin, depth, isRoot: false, first };
    checkNode(node, this.#inode, this.#context);
    this.#builder.node(block);
    return node;
  }
}

function entryAt(node: Node, index: number): number {
  return node.at + EXTENT_HEADER_BYTES + index * EXTENT_ENTRY_BYTES;
}

/** Index entries and extents begin alike. */
function logicalOf(node: Node, index: number): number {
  return extentLeaf.at(node.bytes, entryAt(node, index)).logical;
}

function checkNode(node: Node, inode: Inode, context: MapContext): void {
  const header = extentHeader.at(node.bytes, node.at, node.origin);
  const room = Math.floor((node.room - EXTENT_HEADER_BYTES) / EXTENT_ENTRY_BYTES);
  const fail = (field: string, found: number, expected: string | number) => {
    throw new DamageError(
      `ext4_extent_header ${field} of inode ${inode.number}`,
      node.origin + node.at,
      found,
      expected,
    );
  };
  if (header.magic !== EXTENT_MAGIC) fail('eh_magic', header.magic, EXTENT_MAGIC);
  if (header.depth !== node.depth || header.depth > EXTENT_DEEPEST) fail('eh_depth', header.depth, node.depth);
  if (header.max === 0 || header.max > room) fail('eh_max', header.max, `1 to ${room}`);
  if (header.entries > header.max) fail('eh_entries', header.entries, `at most ${header.max}`);
  if (header.entries === 0 && header.depth > 0) fail('eh_entries', 0, '1 or more');
  checkEntries(node, header.entries, inode, context);
  if (!node.isRoot) checkChecksum(node, header.max, inode, context);
}

function checkChecksum(node: Node, max: number, inode: Inode, context: MapContext): void {
  const seed = context.checksums.inodeSeed(inode.number, inode.raw.generation);
  const mismatch = context.checksums.extentBlock(seed, node.bytes, max);
  if (mismatch === null) return;
  const { found, expected } = mismatch;
  throw new DamageError(`ext4_extent_tail of inode ${inode.number}`, node.origin, found, expected, 'EBADMSG');
}

/** Ascending, not overlapping, and of blocks that a file may own. */
function checkEntries(node: Node, entries: number, inode: Inode, context: MapContext): void {
  let next = 0;
  for (let index = 0; index < entries; index++) {
    const logical = logicalOf(node, index);
    const [physical, length] = node.depth === 0 ? extentOf(node, index) : [childOf(node, index), 1];
    const misplaced = index === 0 ? node.first !== null && logical !== node.first : logical < next;
    const sound = !misplaced && length > 0 && logical + length < LOGICAL_END + (node.depth > 0 ? 1 : 0);
    if (!sound || !context.zones.allows(physical, length, inode.number)) {
      const what = `ext4_extent ${index} of inode ${inode.number}`;
      const found = `block ${logical} at ${physical}, ${length} blocks`;
      throw new DamageError(what, node.origin + entryAt(node, index), found, `${next} or later, within the volume`);
    }
    next = logical + length;
  }
}

function extentOf(node: Node, index: number): readonly [number, number] {
  const extent = extentLeaf.at(node.bytes, entryAt(node, index));
  const { length } = extent;
  const blocks = length > EXTENT_WRITTEN_MAX ? length - EXTENT_WRITTEN_MAX : length;
  return [extent.startLow + extent.startHigh * 2 ** 32, blocks];
}

function childOf(node: Node, index: number): number {
  const entry = extentIndex.at(node.bytes, entryAt(node, index));
  return entry.leafLow + entry.leafHigh * 2 ** 32;
}
