// Reads where a fork's blocks lie: from extents in the inode, or from a tree of them of any depth, with the checks that the
// kernel makes of each block. A block that fails them costs the part that it maps; a broken root costs the fork.

import { DamageError } from '../../errors.ts';
import { n64be, u16be, u32be } from '../../struct/integers.ts';
import { type BlockMap, BlockMapBuilder, EMPTY_MAP } from '../block-map.ts';
import type { DamageLog } from '../damage-log.ts';
import { linearBlock } from './geometry.ts';
import type { Fork, Inode } from './inode.ts';
import {
  BTREE_MAGICS,
  DEEPEST_TREE,
  EXTENT_BYTES,
  EXTENT_ROOT_BYTES,
  extentRoot,
  FORK_FORMATS,
  LONG_BLOCK_BYTES,
} from './layout.ts';
import { checkDescription, DESCRIPTIONS } from './self-description.ts';
import type { Superblock } from './superblock.ts';

/** What reading a map needs of the volume. */
export interface MapContext {
  readonly superblock: Superblock;
  readonly damage: DamageLog;
  readonly blockSize: number;
  readBlock(block: number): Uint8Array;
}

/** One more than the greatest logical block. */
const LOGICAL_END = 2 ** 53;
const KEY_BYTES = 8;
const POINTER_BYTES = 8;

/** Throws DamageError when the fork's own part is broken; a broken block below is a lost range. */
export function readExtentMap(inode: Inode, fork: Fork, context: MapContext): BlockMap {
  if (fork.format !== FORK_FORMATS.extents && fork.format !== FORK_FORMATS.btree) return EMPTY_MAP;
  const reader = new MapReader(inode, context);
  return fork.format === FORK_FORMATS.extents ? reader.extents(fork) : reader.tree(fork);
}

/** A record of an extent as it is, whatever it says. In blocks; `number` as the file system numbers its blocks. */
export interface ExtentRecord {
  readonly logical: number;
  readonly number: number;
  readonly length: number;
  readonly unwritten: boolean;
}

export function decodeExtent(bytes: Uint8Array, at: number): ExtentRecord {
  const w0 = u32be(bytes, at);
  const w1 = u32be(bytes, at + 4);
  const w2 = u32be(bytes, at + 8);
  const w3 = u32be(bytes, at + 12);
  return {
    logical: (w0 % 2 ** 31) * 2 ** 23 + Math.floor(w1 / 2 ** 9),
    number: (w1 % 2 ** 9) * 2 ** 43 + w2 * 2 ** 11 + Math.floor(w3 / 2 ** 21),
    length: w3 % 2 ** 21,
    unwritten: w0 >= 2 ** 31,
  };
}

class MapReader {
  readonly #inode: Inode;
  readonly #context: MapContext;
  readonly #builder = new BlockMapBuilder();
  readonly #visited = new Set<number>();
  /** First logical block that the next extent may have. */
  #next = 0;

  constructor(inode: Inode, context: MapContext) {
    this.#inode = inode;
    this.#context = context;
  }

  extents({ bytes, extents }: Fork): BlockMap {
    if (extents * EXTENT_BYTES > bytes.length) {
      throw this.#wrong('extents', this.#inode.location, extents, `what ${bytes.length} bytes hold`);
    }
    this.#records(bytes, 0, extents, this.#inode.location);
    return this.#builder.finish();
  }

  tree({ bytes }: Fork): BlockMap {
    const root = extentRoot.at(bytes, 0, this.#inode.location);
    const room = Math.floor((bytes.length - EXTENT_ROOT_BYTES) / (KEY_BYTES + POINTER_BYTES));
    if (root.level < 1 || root.level > DEEPEST_TREE)
      throw this.#wrong('bb_level', this.#inode.location, root.level, `1 to ${DEEPEST_TREE}`);
    if (root.records < 1 || root.records > room)
      throw this.#wrong('bb_numrecs', this.#inode.location, root.records, `1 to ${room}`);
    this.#pointers(bytes, EXTENT_ROOT_BYTES, room, root.records, root.level - 1, LOGICAL_END);
    return this.#builder.finish();
  }

  /** @param end first logical block after what the node may map. */
  #pointers(bytes: Uint8Array, at: number, room: number, count: number, level: number, end: number): void {
    for (let index = 0; index < count; index++) {
      const first = n64be(bytes, at + index * KEY_BYTES);
      const number = n64be(bytes, at + room * KEY_BYTES + index * POINTER_BYTES);
      const next = index + 1 < count ? n64be(bytes, at + (index + 1) * KEY_BYTES) : end;
      try {
        this.#block(number, level, next);
      } catch (error) {
        const lost = Math.max(first, this.#next);
        this.#builder.lose(lost, Math.max(lost, next), this.#context.damage.keep(error));
      }
    }
  }

  #block(number: number, level: number, end: number): void {
    const { superblock, blockSize } = this.#context;
    const block = linearBlock(superblock, number);
    const origin = block * blockSize;
    if (this.#visited.has(block)) throw this.#wrong('pointer', origin, block, 'each block once', 'ELOOP');
    this.#visited.add(block);
    const bytes = this.#context.readBlock(block);
    const header = superblock.summed ? LONG_BLOCK_BYTES.summed : LONG_BLOCK_BYTES.plain;
    const entryBytes = level === 0 ? EXTENT_BYTES : KEY_BYTES + POINTER_BYTES;
    const room = Math.floor((blockSize - header) / entryBytes);
    const records = this.#checkBlock(bytes, origin, level, room);
    this.#builder.node(block);
    if (level === 0) this.#records(bytes, header, records, origin);
    else this.#pointers(bytes, header, room, records, level - 1, end);
  }

  /** Returns the count of records. */
  #checkBlock(bytes: Uint8Array, origin: number, level: number, room: number): number {
    const { summed, metaUuid } = this.#context.superblock;
    const what = `inode ${this.#inode.number}`;
    if (summed) {
      const rightful = { what, at: origin, owner: this.#inode.number, uuid: metaUuid };
      checkDescription(bytes, DESCRIPTIONS.extentTree, rightful);
    }
    const magic = BTREE_MAGICS.blockMap[summed ? 1 : 0];
    if (u32be(bytes, 0) !== magic) throw this.#wrong('bb_magic', origin, u32be(bytes, 0), magic);
    if (u16be(bytes, 4) !== level) throw this.#wrong('bb_level', origin, u16be(bytes, 4), level);
    const records = u16be(bytes, 6);
    if (records < 1 || records > room) throw this.#wrong('bb_numrecs', origin, records, `1 to ${room}`);
    return records;
  }

  /** Throws DamageError at the first extent that cannot be; those before it count. */
  #records(bytes: Uint8Array, at: number, count: number, origin: number): void {
    const { superblock } = this.#context;
    for (let index = 0; index < count; index++) {
      const { logical, number, length, unwritten } = decodeExtent(bytes, at + index * EXTENT_BYTES);
      const sound = logical >= this.#next && length > 0 && logical + length < LOGICAL_END;
      if (!sound) {
        throw this.#wrong('extent', origin, `block ${logical}, ${length} blocks`, `${this.#next} or later, not empty`);
      }
      const physical = this.#inode.isRealtime ? number : this.#inOneGroup(number, length, superblock);
      this.#builder.add(logical, physical, length, unwritten);
      this.#next = logical + length;
    }
  }

  /** An extent never reaches over its group. */
  #inOneGroup(number: number, length: number, superblock: Superblock): number {
    const first = linearBlock(superblock, number);
    if (linearBlock(superblock, number + length - 1) === first + length - 1) return first;
    throw this.#wrong('extent', first * superblock.blockSize, `${length} blocks`, 'those of one group');
  }

  #wrong(
    field: string,
    at: number,
    found: number | string,
    expected: number | string,
    code: 'EUCLEAN' | 'ELOOP' = 'EUCLEAN',
  ): DamageError {
    return new DamageError(`xfs_bmbt ${field} of inode ${this.#inode.number}`, at, found, expected, code);
  }
}
