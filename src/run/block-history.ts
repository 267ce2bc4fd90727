// Blocks that went A, B, A: what stands at a place now is what an older map has there, and the newest map has something
// else. Zeros, what could not be read, what lies in several places, and room that was only reserved say nothing. Owners are
// inodes, never paths.

import type { BlockMap } from '../digest/block-map.ts';
import { PIECE_UNITS, UNREAD_UNIT, type UnitHashes, ZERO_UNIT } from '../digest/unit-hashes.ts';
import type { BlockRole, Confidence, OwnedRun } from '../model.ts';
import type { GenerationMap } from './map-volume.ts';

/** Units that follow one another on the disk and for their owner, all back to the same day. In units of the maps. */
export interface GoneBack {
  readonly role: BlockRole;
  /** 0 for the file system itself. */
  readonly inode: number;
  readonly generation: number;
  /** Logical unit of the file; the group of a structure. */
  readonly logical: number;
  readonly physical: number;
  readonly length: number;
  /** Somebody has it now; else it is the newest map that says whose it was. */
  readonly isOwned: boolean;
  /** That day it was the same block of the same owner. */
  readonly isOwn: boolean;
  /** Id of the newest generation whose state this is. */
  readonly backTo: string;
  readonly confidence: Confidence;
}

/** Who has a unit, and as what. */
type Owner = Pick<OwnedRun, 'role' | 'inode' | 'generation' | 'logical' | 'unwritten'>;

/**
 * What ordinary work brings back. Bitmaps and the counters of a group by creating and deleting, a directory too (the kernel
 * wipes deleted entries since 5.13), extent blocks by growing and truncating, attributes by setting and removing. An inode
 * table does not: each change moves a ctime or dtime on. Nor does the superblock, which tells when it was written.
 */
const OF_STRUCTURES: Readonly<Partial<Record<BlockRole, Confidence>>> = {
  'inode-table': 'proven',
  superblock: 'likely',
};

/** Fewer units are no sign of a restored volume: a mount alone changes some. */
const LEAST_ROLLBACK = 32;
/** Losses of an incident leave most writes standing; blocks that a restored volume has in common by chance are few. */
const KEPT_IN_ROLLBACK = 0.01;

/**
 * Ascending by place; empty with less than two maps. Each map is loaded twice, one at a time beside `now`.
 * @param maps ascending by time, of the same units as `now`.
 * @param isAllocated whether the volume counts a unit as in use; null: nobody knows, for its bitmap is damaged or was made anew.
 */
export function blocksGoneBack(
  now: BlockMap,
  maps: readonly GenerationMap[],
  isAllocated: (unit: number) => boolean | null = () => false,
): GoneBack[] {
  const newest = maps.at(-1)?.load();
  if (newest === undefined || maps.length < 2) return [];
  let open = changedUnits(now, newest);
  const found: GoneBack[] = [];
  for (const { id, load } of maps.slice(0, -1).reverse()) {
    if (open.length === 0) break;
    const then = load();
    const isBack = (unit: number): boolean => then.hashes.at(unit) === now.hashes.at(unit);
    const back = open.filter(isBack);
    open = open.filter(unit => !isBack(unit));
    if (isRolledBack(back.length, now, newest, then)) continue;
    const judging = new Judging({ now, newest, then, isAllocated });
    for (const unit of back) found.push(...judging.of(unit, id));
  }
  const common = hashesElsewhere(now, maps, found);
  const sorted = found.filter(({ physical }) => !common.has(now.hashes.at(physical)));
  return joined(sorted.sort((left, right) => left.physical - right.physical));
}

/** Units whose bytes are known and are not those of the newest map. */
function changedUnits(now: BlockMap, newest: BlockMap): number[] {
  const units: number[] = [];
  for (const unit of differing(now.hashes, newest.hashes)) {
    const hash = now.hashes.at(unit);
    if (hash !== ZERO_UNIT && hash !== UNREAD_UNIT && newest.hashes.at(unit) !== UNREAD_UNIT) units.push(unit);
  }
  return units;
}

/** Pieces that are equal are not looked into. */
function* differing(left: UnitHashes, right: UnitHashes): Iterable<number> {
  const count = Math.max(left.pieces.length, right.pieces.length);
  for (let number = 0; number < count; number++) {
    const [one, other] = [left.pieces[number] ?? null, right.pieces[number] ?? null];
    if (one === null ? other === null : other !== null && Buffer.compare(bytesOf(one), bytesOf(other)) === 0) continue;
    for (let unit = number * PIECE_UNITS; unit < (number + 1) * PIECE_UNITS; unit++) {
      if (left.at(unit) !== right.at(unit)) yield unit;
    }
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: BigUint64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A volume that was restored from that day has next to nothing of what changed between it and the newest map. */
function isRolledBack(back: number, now: BlockMap, newest: BlockMap, then: BlockMap): boolean {
  if (back < LEAST_ROLLBACK) return false;
  let kept = 0;
  for (const unit of differing(newest.hashes, then.hashes)) {
    if (now.hashes.at(unit) === newest.hashes.at(unit)) kept++;
  }
  return kept < back * KEPT_IN_ROLLBACK;
}

/** Hashes that another place has too, now or at any time: such bytes come and go. Copies in the journal are none. */
function hashesElsewhere(now: BlockMap, maps: readonly GenerationMap[], found: readonly GoneBack[]): Set<bigint> {
  const homes = new Map<bigint, number>();
  const common = new Set<bigint>();
  for (const { physical } of found) {
    const hash = now.hashes.at(physical);
    if (homes.has(hash)) common.add(hash);
    homes.set(hash, physical);
  }
  const hashes = new Set(homes.keys());
  const look = (map: BlockMap): void => {
    for (const [hash, unit] of map.hashes.unitsOf(hashes)) {
      const isCopy = unit !== homes.get(hash) && map.owners.at(unit).every(({ role }) => role !== 'journal');
      if (isCopy) common.add(hash);
    }
  };
  look(now);
  for (const { load } of maps) look(load());
  return common;
}

interface Days {
  readonly now: BlockMap;
  readonly newest: BlockMap;
  readonly then: BlockMap;
  readonly isAllocated: (unit: number) => boolean | null;
}

/** Not known to be free, and nobody's: whose inode it was went back as well. */
const NOBODYS = { role: 'data', inode: 0, generation: 0, logical: 0, unwritten: false } as const;

/** Judges units that are as one older map has them. */
class Judging {
  readonly #now: BlockMap;
  readonly #newest: BlockMap;
  readonly #then: BlockMap;
  readonly #isAllocated: Days['isAllocated'];
  /** Whether something else in an inode's content is not as it was then. */
  readonly #movedOn = new Map<string, boolean>();

  constructor({ now, newest, then, isAllocated }: Days) {
    this.#now = now;
    this.#newest = newest;
    this.#then = then;
    this.#isAllocated = isAllocated;
  }

  /** Nothing for a unit that nobody owns, now or in the newest map, and that is free. */
  of(unit: number, backTo: string): GoneBack[] {
    const holder = ownerOf(this.#now, unit);
    const owner = holder ?? ownerOf(this.#newest, unit) ?? (this.#isAllocated(unit) === false ? null : NOBODYS);
    if (owner === null || owner.unwritten) return [];
    const { role, inode, generation, logical } = owner;
    const then = ownerOf(this.#then, unit);
    const isLost = holder === null && role === 'data';
    const confidence = isLost ? 'possible' : this.#confidence(unit, owner, then);
    const isOwned = holder !== null;
    const isOwn = then !== null && isSame(then, owner);
    return [{ role, inode, generation, logical, physical: unit, length: 1, isOwned, isOwn, backTo, confidence }];
  }

  #confidence(unit: number, owner: Owner, then: Owner | null): Confidence {
    // What was discarded, or left out of a copy as free, reads as zeros only for a while.
    if (this.#newest.hashes.at(unit) === ZERO_UNIT) return 'possible';
    if (owner.inode === 0) return OF_STRUCTURES[owner.role] ?? 'possible';
    if (owner.role !== 'data') return 'possible';
    if (then === null) return 'likely';
    if (!isSame(then, owner)) return this.#ofForeign(owner, then);
    // The beginning of a file may hold a mark of being open or clean, which comes back; a file as a whole may be rolled back.
    return owner.logical > 0 && this.#hasMovedOn(owner) ? 'likely' : 'possible';
  }

  /** Bytes of another owner. At the same place of a file that was written anew, the same bytes may stand again. */
  #ofForeign(owner: Owner, then: Owner): Confidence {
    return then.role === 'data' && then.logical === owner.logical ? 'possible' : 'likely';
  }

  #hasMovedOn({ inode, generation }: Owner): boolean {
    const key = `${inode} ${generation}`;
    const known = this.#movedOn.get(key);
    if (known !== undefined) return known;
    const runs = this.#now.owners.of(inode, generation).filter(({ role, unwritten }) => role === 'data' && !unwritten);
    const movedOn = runs.some(run => this.#differs(run));
    this.#movedOn.set(key, movedOn);
    return movedOn;
  }

  #differs({ physical, length }: OwnedRun): boolean {
    for (let unit = physical; unit < physical + length; unit++) {
      if (this.#now.hashes.at(unit) !== this.#then.hashes.at(unit)) return true;
    }
    return false;
  }
}

function ownerOf({ owners }: BlockMap, unit: number): Owner | null {
  const [run] = owners.at(unit);
  if (run === undefined) return null;
  const { role, inode, generation, unwritten } = run;
  return { role, inode, generation, unwritten, logical: run.logical + (inode === 0 ? 0 : unit - run.physical) };
}

function isSame(left: Owner, right: Owner): boolean {
  return left.inode === right.inode && left.generation === right.generation && left.logical === right.logical;
}

function joined(units: readonly GoneBack[]): GoneBack[] {
  const runs: GoneBack[] = [];
  for (const unit of units) {
    const last = runs.at(-1);
    if (last !== undefined && follows(last, unit)) runs[runs.length - 1] = { ...last, length: last.length + 1 };
    else runs.push(unit);
  }
  return runs;
}

function follows(last: GoneBack, unit: GoneBack): boolean {
  return (
    last.physical + last.length === unit.physical &&
    last.logical + (last.inode === 0 ? 0 : last.length) === unit.logical &&
    last.inode === unit.inode &&
    last.generation === unit.generation &&
    last.role === unit.role &&
    last.isOwned === unit.isOwned &&
    last.isOwn === unit.isOwn &&
    last.backTo === unit.backTo &&
    last.confidence === unit.confidence
  );
}
