// The blocks that belong to the file system itself: no file may claim them. The kernel's block validity check, which a mount
// does by default, refuses inodes and extents that do.

import type { BlockRun } from '../block-map.ts';
import type { DamageLog } from '../damage-log.ts';
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
  readonly #journalRuns: () => readonly BlockRun[];

  /** @param journalRuns where the journal's file lies, which no other inode may claim; none when it cannot be had. */
  constructor(superblock: Superblock, groups: GroupTable, damage: DamageLog, journalRuns: () => readonly BlockRun[]) {
    this.#superblock = superblock;
    this.#groups = groups;
    this.#damage = damage;
    this.#journalRuns = journalRuns;
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
    const zones = this.#zones ?? this.#build();
    let low = 0;
    let high = zones.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((zones[middle] as Zone).end > block) high = middle;
      else low = middle + 1;
    }
    return zones[low];
  }

  /** The journal's map is itself checked against the zones: against those that there are without it. */
  #build(): readonly Zone[] {
    const system = [...this.#systemZones()];
    this.#zones = merged(system);
    const inode = this.#superblock.journalInode;
    const journal = this.#journalRuns().map(run => ({ start: run.physical, end: run.physical + run.length, inode }));
    this.#zones = merged([...system, ...journal]);
    return this.#zones;
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
