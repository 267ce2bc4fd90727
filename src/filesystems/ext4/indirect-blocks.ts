// Reads the block pointers of ext2 and ext3: twelve direct ones, then blocks of pointers, up to three levels of them.

import { DamageError } from '../../errors.ts';
import { u32le } from '../../struct/integers.ts';
import { type BlockMap, BlockMapBuilder } from '../block-map.ts';
import type { MapContext } from './extent-tree.ts';
import type { Inode } from './inode.ts';
import { INODE_BLOCK_AT } from './layout.ts';

const DIRECT = 12;
const LEVELS = 3;
const POINTER_BYTES = 4;

/** Throws DamageError (EUCLEAN) when one of the inode's own pointers is impossible. */
export function checkDirectPointers(inode: Inode, context: MapContext): void {
  for (let index = 0; index < DIRECT + LEVELS; index++) {
    const block = u32le(inode.raw.bytes, inode.raw.at + INODE_BLOCK_AT + index * POINTER_BYTES);
    checkPointer(block, inode.location + INODE_BLOCK_AT + index * POINTER_BYTES, inode, context);
  }
}

/** Throws like checkDirectPointers; a broken block of pointers is a lost range. Reads no further than `blocks`, the file's end. */
export function readIndirectBlocks(inode: Inode, context: MapContext, blocks: number): BlockMap {
  checkDirectPointers(inode, context);
  return new IndirectReader(inode, context, blocks).run();
}

class IndirectReader {
  readonly #inode: Inode;
  readonly #context: MapContext;
  readonly #blocks: number;
  readonly #perBlock: number;
  readonly #builder = new BlockMapBuilder();
  readonly #visited = new Set<number>();

  constructor(inode: Inode, context: MapContext, blocks: number) {
    this.#inode = inode;
    this.#context = context;
    this.#blocks = blocks;
    this.#perBlock = context.blockSize / POINTER_BYTES;
  }

  run(): BlockMap {
    const { bytes, at } = this.#inode.raw;
    const pointer = (index: number) => u32le(bytes, at + INODE_BLOCK_AT + index * POINTER_BYTES);
    for (let index = 0; index < DIRECT; index++) this.#visit(pointer(index), index, 0);
    let logical = DIRECT;
    for (let level = 1; level <= LEVELS; level++) {
      this.#visit(pointer(DIRECT + level - 1), logical, level);
      logical += this.#perBlock ** level;
    }
    return this.#builder.finish();
  }

  /** @param level 0 for data, else how many levels of pointers lie above it. */
  #visit(block: number, logical: number, level: number): void {
    if (block === 0 || logical >= this.#blocks) return;
    if (level === 0) {
      this.#builder.add(logical, block, 1, false);
      return;
    }
    const span = this.#perBlock ** (level - 1);
    try {
      const bytes = this.#pointers(block);
      for (let index = 0; index < this.#perBlock; index++) {
        this.#visit(u32le(bytes, index * POINTER_BYTES), logical + index * span, level - 1);
      }
    } catch (error) {
      this.#builder.lose(logical, logical + span * this.#perBlock, this.#context.damage.keep(error));
    }
  }

  #pointers(block: number): Uint8Array {
    const origin = block * this.#context.blockSize;
    if (this.#visited.has(block)) {
      throw new DamageError(`indirect block of inode ${this.#inode.number}`, origin, block, 'each block once', 'ELOOP');
    }
    this.#visited.add(block);
    const bytes = this.#context.readBlock(block);
    for (let at = 0; at < bytes.length; at += POINTER_BYTES) {
      checkPointer(u32le(bytes, at), origin + at, this.#inode, this.#context);
    }
    this.#builder.node(block);
    return bytes;
  }
}

function checkPointer(block: number, at: number, inode: Inode, context: MapContext): void {
  if (block === 0 || context.zones.allows(block, 1, inode.number)) return;
  throw new DamageError(`block pointer of inode ${inode.number}`, at, block, 'a data block of the volume');
}
