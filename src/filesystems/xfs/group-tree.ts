// Walks the B+trees of an allocation group: free space, inodes, reverse map, reference counts. A block that fails the kernel's
// checks is in the volume's damage, and what hangs below it is left out.

import { DamageError } from '../../errors.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import type { MapContext } from './extent-map.ts';
import { BTREE_MAGICS, DEEPEST_TREE, SHORT_BLOCK_BYTES, type TreeKind } from './layout.ts';
import { checkDescription, DESCRIPTIONS } from './self-description.ts';

export type GroupTreeKind = Exclude<TreeKind, 'blockMap'>;

/** One checked block of a tree. */
export interface TreeBlock {
  /** From the volume's start. */
  readonly block: number;
  /** 0: it holds records. */
  readonly level: number;
  readonly bytes: Uint8Array;
  /** Offset of the first record (or key) in `bytes`. */
  readonly first: number;
  readonly count: number;
}

export interface TreeRoot {
  readonly group: number;
  readonly kind: GroupTreeKind;
  /** Counted in the group. */
  readonly root: number;
  readonly levels: number;
}

const RECORD_BYTES = { byBlock: 8, bySize: 8, inodes: 16, freeInodes: 16, reverseMap: 24, referenceCount: 12 } as const;
const KEY_BYTES = { byBlock: 8, bySize: 8, inodes: 4, freeInodes: 4, reverseMap: 40, referenceCount: 4 } as const;
const POINTER_BYTES = 4;

/**
 * Every block, the root first, those below in the order of their keys. Never throws for damage or refused reads.
 * @param onLoss called for each block that could not be had.
 */
export function* treeBlocks(context: MapContext, root: TreeRoot, onLoss?: () => void): Iterable<TreeBlock> {
  const { levels, group } = root;
  if (levels < 1 || levels > DEEPEST_TREE) {
    context.damage.add(
      new DamageError(`root of group ${group}'s ${root.kind} tree`, 0, levels, `1 to ${DEEPEST_TREE}`),
    );
    onLoss?.();
    return;
  }
  const visited = new Set<number>();
  const open = [{ block: root.root, level: levels - 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const found = guarded(context, root, next.block, next.level, visited);
    if (found === null) onLoss?.();
    if (found === null) continue;
    yield found;
    if (found.level > 0) open.push(...children(context, root, found).reverse());
  }
}

function guarded(
  context: MapContext,
  root: TreeRoot,
  block: number,
  level: number,
  visited: Set<number>,
): TreeBlock | null {
  try {
    if (visited.has(block)) {
      const what = `block of group ${root.group}'s ${root.kind} tree`;
      throw new DamageError(what, 0, block, 'each block once', 'ELOOP');
    }
    visited.add(block);
    return checked(context, root, block, level);
  } catch (error) {
    context.damage.keep(error);
    return null;
  }
}

function checked(context: MapContext, { group, kind }: TreeRoot, inGroup: number, level: number): TreeBlock {
  const { superblock, blockSize } = context;
  const { summed, agBlocks, metaUuid } = superblock;
  const what = `group ${group}'s ${kind} tree`;
  if (inGroup >= agBlocks) throw new DamageError(`pointer of ${what}`, 0, inGroup, `below ${agBlocks}`);
  const block = group * agBlocks + inGroup;
  const bytes = context.readBlock(block);
  const at = block * blockSize;
  if (summed) checkDescription(bytes, DESCRIPTIONS.groupTree, { what, at, owner: group, uuid: metaUuid });
  const magic = BTREE_MAGICS[kind][summed ? 1 : 0];
  if (u32be(bytes, 0) !== magic) throw new DamageError(`bb_magic of ${what}`, at, u32be(bytes, 0), magic);
  if (u16be(bytes, 4) !== level) throw new DamageError(`bb_level of ${what}`, at + 4, u16be(bytes, 4), level);
  const first = summed ? SHORT_BLOCK_BYTES.summed : SHORT_BLOCK_BYTES.plain;
  const count = u16be(bytes, 6);
  const room = roomOf(kind, level, blockSize - first);
  if (count > room) throw new DamageError(`bb_numrecs of ${what}`, at + 6, count, `at most ${room}`);
  return { block, level, bytes, first, count };
}

function roomOf(kind: GroupTreeKind, level: number, bytes: number): number {
  return Math.floor(bytes / (level === 0 ? RECORD_BYTES[kind] : KEY_BYTES[kind] + POINTER_BYTES));
}

function children({ blockSize }: MapContext, { kind }: TreeRoot, { bytes, first, count, level }: TreeBlock) {
  const pointers = first + roomOf(kind, level, blockSize - first) * KEY_BYTES[kind];
  return Array.from({ length: count }, (_, index) => {
    return { block: u32be(bytes, pointers + index * POINTER_BYTES), level: level - 1 };
  });
}
