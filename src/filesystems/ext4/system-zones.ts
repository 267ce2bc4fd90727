// The blocks that belong to the file system itself: no file may claim them. The kernel's block validity check, which a mount
// does by default, refuses inodes and extents that do.

import type { DamageLog } from './damage-log.ts';
import type { GroupTable } from './group-table.ts';
import { RESIZE_INODE } from './layout.ts';
import type { Superblock } from './superblock.ts';

/** A run of blocks that one inode owns (the journal), or none (0). */
interface Zone {
  readonly start: number;
  readonly end: number;
  readonly inode: number;
}

export class SystemZones {
  readonly #superblock: Superblock;
  readonly #groups: GroupTable;
  readonly #damage: DamageLog;
  /** Built when first asked for: it takes every group's descriptor. */
  #zones: readonly Zone[] | null = null;
  #protected: readonly Zone[] = [];

  constructor(superblock: Superblock, groups: GroupTable, damage: DamageLog) {
    this.#superblock = superblock;
    this.#groups = groups;
    this.#damage = damage;
  }

  /** Adds the blocks of a file that only its own inode may claim: the journal. */
  protect(inode: number, runs: Iterable<{ readonly physical: number; readonly length: number }>): void {
    this.#protected = [...runs].map(run => ({ start: run.physical, end: run.physical + run.length, inode }));
    this.#zones = null;
  }

  /** Whether `inode` may own these blocks: inside the volume, and none of them the file system's. */
  allows(start: number, count: number, inode: number): boolean {
    const { firstDataBlock, blocksCount } = this.#superblock;
    if (start <= firstDataBlock || start + count > blocksCount) return false;
    // The resize inode owns the room for descriptors; no path leads to it.
    if (inode === RESIZE_INODE) return true;
    const zone = this.#firstEndingAfter(start);
    return zone === undefined || zone.start >= start + count || (zone.inode !== 0 && zone.inode === inode);
  }

  #firstEndingAfter(block: number): Zone | undefined {
    this.#zones ??= merged([...this.#systemZones(), ...this.#protected]);
    let low = 0;
    let high = this.#zones.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#zones[middle] as Zone).end > block) high = middle;
      else low = middle + 1;
    }
    return this.#zones[low];
  }

  *#systemZones(): Iterable<Zone> {
    for (let number = 0; number < this.#groups.count; number++) {
      const head = this.#groups.headBlocks(number);
      const start = this.#groups.firstBlock(number);
      const length = head.superblock + head.descriptors + head.reserved;
      if (length > 0) yield { start, end: start + length, inode: 0 };
      yield* this.#tablesOf(number);
    }
  }

  *#tablesOf(number: number): Iterable<Zone> {
    try {
      const group = this.#groups.group(number);
      yield { start: group.blockBitmap, end: group.blockBitmap + 1, inode: 0 };
      yield { start: group.inodeBitmap, end: group.inodeBitmap + 1, inode: 0 };
      yield { start: group.inodeTable, end: group.inodeTable + this.#groups.tableBlocks, inode: 0 };
    } catch (error) {
      this.#damage.keep(error);
    }
  }
}

/** Sorted, and neighbours of one owner joined, so that both starts and ends ascend. */
function merged(zones: Zone[]): readonly Zone[] {
  zones.sort((left, right) => left.start - right.start);
  const joined: Zone[] = [];
  for (const zone of zones) {
    const last = joined[joined.length - 1];
    if (last !== undefined && zone.start <= last.end && zone.inode === last.inode) {
      joined[joined.length - 1] = { ...last, end: Math.max(last.end, zone.end) };
    } else {
      joined.push(zone);
    }
  }
  return joined;
}
