// Sets the block map of the volume as it is against that of an older day, file by file. Owners are (inode, generation,
// logical block), never paths: a rename moves names, not blocks.

import type { ByteSource } from '../bytes/byte-source.ts';
import type { BlockMap } from '../digest/block-map.ts';
import { UNREAD_UNIT, ZERO_UNIT } from '../digest/unit-hashes.ts';
import type { BlockWitness, PlacedSpan, PlaceState } from '../judge/block-witness.ts';
import type { BytePath, Expectation, OwnedRun, Stat } from '../model.ts';
import { FormerInodes } from './former-inodes.ts';
import { isTwin } from './twin-names.ts';
import { ZeroKinds } from './zero-kinds.ts';

/** What may never have landed. */
interface Candidates {
  readonly hashes: ReadonlySet<bigint>;
  /** Where they are. */
  readonly units: ReadonlySet<number>;
  /** Inodes that owned these places, for their names. */
  readonly owners: Map<number, BytePath[]>;
  /** Some were zeros, and are. */
  readonly hasZeros: boolean;
}

/** A block that lies in files at so many logical places is of no file: padding, fill patterns. */
const COMMON_AT = 3;

/** A file's last bytes are seldom all zeros for longer than this. */
const LAST_BYTES = 8;

interface Unit {
  readonly logical: number;
  readonly physical: number;
  /** It was this file's, at this place, written. */
  readonly owned: boolean;
}

/** The volume as it is, beside its map. */
export interface VolumeNow {
  /** Whether a unit is in use; null: nobody knows. */
  readonly isAllocated: (unit: number) => boolean | null;
  /** Whether an inode may have blocks in common with others. */
  readonly mayShareBlocks?: (inode: number) => boolean;
  /** Where an inode lies on the volume, in bytes; null for a number that is none. */
  readonly inodeAt?: (inode: number) => number | null;
  readonly bytes: ByteSource;
  /** Where it begins in its container. */
  readonly offset: number;
}

export class BlockComparison {
  readonly #id: string;
  readonly #isAllocated: (unit: number) => boolean | null;
  readonly #mayShareBlocks: (inode: number) => boolean;
  readonly #inodeAt: (inode: number) => number | null;
  readonly #bytes: ByteSource;
  readonly #offset: number;
  readonly #now: BlockMap;
  readonly #then: BlockMap;
  readonly #inodes = new FormerInodes();
  /** Null where none is asked for. */
  readonly #zeroKinds: ZeroKinds | null;
  /** Candidates' hashes that the disk had or has elsewhere too: the logical blocks of files that they are there. */
  readonly #elsewhere: ReadonlyMap<bigint, ReadonlySet<number>>;
  /** Inodes that owned the places of candidates, and the names they had. */
  readonly #formerOwners: ReadonlyMap<number, BytePath[]>;

  /** @param id of the generation whose map `then` is. */
  constructor(id: string, now: BlockMap, then: BlockMap, volume: VolumeNow) {
    this.#id = id;
    this.#isAllocated = volume.isAllocated;
    this.#mayShareBlocks = volume.mayShareBlocks ?? (() => false);
    this.#inodeAt = volume.inodeAt ?? (() => null);
    this.#bytes = volume.bytes;
    this.#offset = volume.offset;
    this.#now = now;
    this.#then = then;
    const candidates = this.#candidates();
    this.#elsewhere = this.#placesOf(candidates);
    this.#formerOwners = candidates.owners;
    this.#zeroKinds = candidates.hasZeros ? new ZeroKinds() : null;
  }

  /** To be told of everything that the older day's tree had, before `witness` is asked. */
  collect(expectation: Expectation): void {
    this.#inodes.add(expectation);
    if (expectation.stat === null) return;
    this.#formerOwners.get(Number(expectation.stat.inode))?.push(expectation.path);
    if (this.#zeroKinds === null || expectation.stat.type !== 'file' || expectation.stat.sizeBytes === 0) return;
    this.#zeroKinds.add(expectation.path, this.#hadZeros(expectation.stat));
  }

  #hadZeros({ inode, generation }: Stat): boolean {
    for (const { physical, length } of contentOf(this.#then.owners.of(Number(inode), generation ?? 0))) {
      for (let unit = physical; unit < physical + length; unit++) {
        if (this.#then.hashes.at(unit) === ZERO_UNIT) return true;
      }
    }
    return false;
  }

  /** Null for what has no blocks of its own, and for an inode without a generation number. */
  witness(path: BytePath, stat: Stat): BlockWitness | null {
    if ((stat.type !== 'file' && stat.type !== 'directory') || stat.generation === null) return null;
    const { unitBytes } = this.#now.hashes;
    const spans: PlacedSpan[] = [];
    let owned = 0;
    for (const unit of this.#units(Number(stat.inode), stat.generation)) {
      if (unit.owned) owned++;
      if (unit.logical * unitBytes < stat.sizeBytes) push(spans, this.#span(path, stat, unit));
    }
    const sameBlocks = owned === this.#writtenThen(stat) && spans.every(({ state }) => isKept(state));
    const isAllocated = this.#areAllocated(stat);
    const formerly = this.#inodes.at(Number(stat.inode), stat.generation);
    const isInodeRewritten = this.#isInodeRewritten(stat);
    return {
      reference: this.#id,
      unitBytes,
      formerly,
      spans: this.#explained(spans, stat),
      sameBlocks,
      isAllocated,
      isInodeRewritten,
      mayHoldZeros: this.#zeroKinds?.mayHoldZeros(path) ?? true,
    };
  }

  #isInodeRewritten({ inode }: Stat): boolean | null {
    const at = this.#inodeAt(Number(inode));
    if (at === null) return null;
    const unit = Math.floor(at / this.#now.hashes.unitBytes);
    return this.#now.hashes.at(unit) !== this.#then.hashes.at(unit);
  }

  /**
   * Old bytes that end where the file ends, to the byte: a file of this size was here and was deleted before that day, and
   * has been made again (unpacked, checked out, built). So were the other blocks that lie as its end does.
   */
  #explained(spans: readonly PlacedSpan[], stat: Stat): readonly PlacedSpan[] {
    const last = spans.at(-1);
    if (last?.state !== 'never-landed' || !this.#endsAt(stat.sizeBytes, last)) return spans;
    const shift = last.physical - last.offset;
    const liesAlike = (span: PlacedSpan): boolean =>
      span.state === 'never-landed' && span.physical - span.offset === shift;
    return spans.map(span => (liesAlike(span) ? { ...span, state: 'known' } : span));
  }

  /** The last unit goes on to the file's end, and with zeros behind it. */
  #endsAt(sizeBytes: number, last: PlacedSpan): boolean {
    const { unitBytes } = this.#now.hashes;
    const used = sizeBytes % unitBytes;
    if (used === 0 || sizeBytes > last.offset + last.length) return false;
    const unit = new Uint8Array(unitBytes);
    this.#bytes.read(unit, last.physical - this.#offset + last.length - unitBytes);
    const isZero = (byte: number): boolean => byte === 0;
    return unit.subarray(used).every(isZero) && !unit.subarray(Math.max(0, used - LAST_BYTES), used).every(isZero);
  }

  #areAllocated({ inode, generation }: Stat): boolean | null {
    let answer: boolean | null = null;
    for (const { physical, length } of contentOf(this.#now.owners.of(Number(inode), generation ?? 0))) {
      for (const unit of [physical, physical + length - 1]) {
        answer = this.#isAllocated(unit);
        if (answer !== true) return answer;
      }
    }
    return answer;
  }

  #writtenThen({ inode, generation }: Stat): number {
    let units = 0;
    for (const run of contentOf(this.#then.owners.of(Number(inode), generation ?? 0))) units += run.length;
    return units;
  }

  #span(path: BytePath, stat: Stat, unit: Unit): PlacedSpan {
    const { unitBytes } = this.#now.hashes;
    const state = this.#state(path, stat, unit);
    const former = state === 'never-landed' ? this.#ownersThen(unit.physical) : [];
    const physical = this.#offset + unit.physical * unitBytes;
    return {
      offset: unit.logical * unitBytes,
      length: unitBytes,
      physical,
      state,
      formerOwner: former[0] === undefined ? null : this.#describe(former[0]),
      isClaimedTwice: state === 'changed' && this.#now.owners.at(unit.physical).length > 1,
    };
  }

  #state(path: BytePath, stat: Stat, { logical, physical, owned }: Unit): PlaceState {
    const hash = this.#now.hashes.at(physical);
    const equal = hash === this.#then.hashes.at(physical) && hash !== UNREAD_UNIT;
    if (owned) return equal ? 'unchanged' : 'changed';
    if (!equal) return 'landed';
    if (hash === ZERO_UNIT) return 'never-landed-zeros';
    if (this.#isMoved(stat, physical) || this.#isShared(stat, physical)) return 'known';
    return this.#isCopy(hash, logical) || this.#isTwins(path, stat, { logical, physical }) ? 'known' : 'never-landed';
  }

  /** The place was this file's, as another of its blocks: ranges can be collapsed and inserted. */
  #isMoved({ inode, generation }: Stat, physical: number): boolean {
    const former = this.#ownersThen(physical);
    return former.some(run => run.inode === Number(inode) && run.generation === generation && !run.unwritten);
  }

  /** The place was a file's, and this one may have come to share it (`cp --reflink`): that file may be gone by now. */
  #isShared({ inode }: Stat, physical: number): boolean {
    const isFile = this.#ownersThen(physical).some(({ role, unwritten }) => role === 'data' && !unwritten);
    return isFile && this.#mayShareBlocks(Number(inode));
  }

  /** Other files have the same bytes as the same block: copies come and go, and may come back to a place. */
  #isCopy(hash: bigint, logical: number): boolean {
    const elsewhere = this.#elsewhere.get(hash);
    return elsewhere !== undefined && (elsewhere.has(logical) || elsewhere.size > COMMON_AT);
  }

  #placesOf({ hashes, units }: Candidates): Map<bigint, Set<number>> {
    const found = new Map<bigint, Set<number>>();
    for (const map of [this.#then, this.#now]) {
      for (const [hash, unit] of map.hashes.unitsOf(hashes)) {
        if (units.has(unit)) continue;
        for (const run of map.owners.at(unit)) {
          if (run.role !== 'data' || run.unwritten) continue;
          found.set(hash, (found.get(hash) ?? new Set()).add(run.logical + unit - run.physical));
        }
      }
    }
    return found;
  }

  /** The place had this logical block of a file of the same or a twin name, or of the same size: the same bytes again. */
  #isTwins(path: BytePath, { sizeBytes }: Stat, { logical, physical }: Pick<Unit, 'logical' | 'physical'>): boolean {
    return this.#ownersThen(physical).some(run => {
      if (run.role !== 'data' || run.logical + physical - run.physical !== logical) return false;
      if (this.#inodes.at(run.inode, run.generation)?.sizeBytes === sizeBytes) return true;
      return (this.#formerOwners.get(run.inode) ?? []).some(former => isTwin(former, path));
    });
  }

  #ownersThen(physical: number): OwnedRun[] {
    return this.#then.owners.at(physical);
  }

  #describe({ inode, role }: OwnedRun): string {
    if (inode === 0) return `the file system’s own (${role})`;
    const [path] = this.#formerOwners.get(inode) ?? [];
    return path === undefined ? `inode ${inode} (${role})` : path;
  }

  /** Written blocks of the file as it is. */
  *#units(inode: number, generation: number): Iterable<Unit> {
    const then = [...contentOf(this.#then.owners.of(inode, generation))];
    let former = 0;
    for (const run of contentOf(this.#now.owners.of(inode, generation))) {
      for (let index = 0; index < run.length; index++) {
        const logical = run.logical + index;
        const physical = run.physical + index;
        while (former < then.length && endOf(then[former]) <= logical) former++;
        yield { logical, physical, owned: covers(then[former], logical, physical) };
      }
    }
  }

  #candidates(): Candidates {
    const hashes = new Set<bigint>();
    const units = new Set<number>();
    const owners = new Map<number, BytePath[]>();
    let hasZeros = false;
    for (const { inode, generation } of inodesOf(this.#now)) {
      for (const { physical, owned } of this.#units(inode, generation)) {
        const hash = this.#now.hashes.at(physical);
        if (!owned && hash === ZERO_UNIT && hash === this.#then.hashes.at(physical)) hasZeros = true;
        if (owned || hash === ZERO_UNIT || hash === UNREAD_UNIT || hash !== this.#then.hashes.at(physical)) continue;
        hashes.add(hash);
        units.add(physical);
        for (const run of this.#ownersThen(physical)) if (run.inode !== 0) owners.set(run.inode, []);
      }
    }
    return { hashes, units, owners, hasZeros };
  }
}

function isKept(state: PlaceState): boolean {
  return state === 'unchanged' || state === 'changed';
}

/** Written runs of a file's or directory's content. */
function* contentOf(runs: readonly OwnedRun[]): Iterable<OwnedRun> {
  for (const run of runs) if ((run.role === 'data' || run.role === 'directory') && !run.unwritten) yield run;
}

/** The logical unit behind it. */
function endOf(run: OwnedRun | undefined): number {
  return run === undefined ? 0 : run.logical + run.length;
}

function covers(run: OwnedRun | undefined, logical: number, physical: number): boolean {
  if (run === undefined) return false;
  const index = logical - run.logical;
  return index >= 0 && index < run.length && run.physical + index === physical;
}

/** Every inode that owns blocks, once. */
function* inodesOf({ owners }: BlockMap): Iterable<{ inode: number; generation: number }> {
  const { inode, generation } = owners.columns;
  for (let index = 0; index < owners.count; index++) {
    const number = inode[index] ?? 0;
    if (number !== 0 && number !== inode[index - 1]) yield { inode: number, generation: generation[index] ?? 0 };
  }
}

function push(spans: PlacedSpan[], span: PlacedSpan): void {
  const last = spans.at(-1);
  const adjoins =
    last !== undefined &&
    last.state === span.state &&
    last.offset + last.length === span.offset &&
    last.physical + last.length === span.physical &&
    last.formerOwner === span.formerOwner &&
    last.isClaimedTwice === span.isClaimedTwice;
  if (adjoins) spans[spans.length - 1] = { ...last, length: last.length + span.length };
  else spans.push(span);
}
