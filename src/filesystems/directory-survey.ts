// All directories of a volume at once: where each is at home, how much lies below it, and which second names may repeat that.
// In packed columns, by the order of inode numbers: about 50 bytes a directory. Every worker comes to the same answers.

import { byName, type DirectoryRecord } from './directory-record.ts';
import type { NameKind } from './directory-tree.ts';
import { HomeForest, NONE } from './home-forest.ts';
import type { InodeVolume, NamedInode } from './inode-volume.ts';

export interface DirectorySurvey {
  /** Of a name that is not the first of its directory in the parent that this one's ".." names. */
  kindOf(parent: number, name: string, child: number): NameKind;
}

/** Reads every directory once, and those that hold second names twice. Damage is kept in the volume's. */
export function surveyDirectories<I extends NamedInode>(volume: InodeVolume<I>): DirectorySurvey {
  const survey = new Survey(volume);
  survey.gather();
  survey.limit();
  return survey;
}

interface FosterHome {
  readonly parent: number;
  readonly name: string;
}

/** In it a directory is its place among the numbers. */
class Survey<I extends NamedInode> implements DirectorySurvey {
  readonly #volume: InodeVolume<I>;
  readonly #numbers: Float64Array;
  readonly #root: number;
  readonly #homes: Int32Array;
  /** The first name of each that its stated parent does not hold; of those that have no other home. */
  readonly #fosterHomes = new Map<number, FosterHome>();
  /** Names that each holds. */
  readonly #names: Float64Array;
  readonly #holdsOthers: Uint8Array;
  #forest: HomeForest;
  /** The first second name that would repeat too much: it and those after it are not shown. */
  #limit: { readonly parent: number; readonly name: string } | null = null;

  constructor(volume: InodeVolume<I>) {
    this.#volume = volume;
    this.#numbers = directoryNumbers(volume);
    const count = this.#numbers.length;
    this.#root = this.#placeOf(volume.rootInode);
    this.#homes = new Int32Array(count).fill(NONE);
    this.#names = new Float64Array(count);
    this.#holdsOthers = new Uint8Array(count);
    this.#forest = new HomeForest(this.#homes, this.#names, this.#root);
  }

  gather(): void {
    const stated = this.#statedParents();
    for (let parent = 0; parent < this.#numbers.length; parent++) this.#gatherFrom(parent, stated);
    for (const [child, { parent }] of this.#fosterHomes) {
      if (this.#homes[child] === NONE) this.#homes[child] = parent;
      else this.#fosterHomes.delete(child);
    }
    this.#forest = new HomeForest(this.#homes, this.#names, this.#root);
  }

  #gatherFrom(parent: number, stated: Int32Array): void {
    const records = recordsOf(this.#volume, this.#numbers[parent] ?? 0);
    this.#names[parent] = records.length;
    for (const record of records) {
      const child = this.#childOf(record);
      if (child === NONE) continue;
      const { name, type } = record;
      if (this.#isFirstAtHome(parent, child, stated)) this.#homes[child] = parent;
      else this.#noteOther(parent, name, child, type === null || type === 'directory');
    }
  }

  /** The directory that a name leads to; a name that cannot be looked up leads nowhere. */
  #childOf({ inode, fault }: DirectoryRecord): number {
    return fault === undefined ? this.#placeOf(inode) : NONE;
  }

  #isFirstAtHome(parent: number, child: number, stated: Int32Array): boolean {
    return stated[child] === parent && child !== parent && child !== this.#root && this.#homes[child] === NONE;
  }

  /** @param isPossible the name does not state that it leads to something else. */
  #noteOther(parent: number, name: string, child: number, isPossible: boolean): void {
    this.#holdsOthers[parent] = 1;
    if (!isPossible || child === parent || child === this.#root) return;
    if (this.#homes[child] === NONE && !this.#fosterHomes.has(child)) this.#fosterHomes.set(child, { parent, name });
  }

  /** All second names together may repeat as many names as the volume's directories hold: at most it is listed twice. */
  limit(): void {
    let left = this.#names.reduce((sum, names) => sum + names, 0);
    for (let parent = 0; parent < this.#numbers.length; parent++) {
      if (this.#holdsOthers[parent] !== 1) continue;
      for (const [name, child] of this.#secondNamesIn(parent)) {
        left -= 1 + this.#forest.namesBelow(child);
        if (left >= 0) continue;
        this.#limit = { parent, name };
        return;
      }
    }
  }

  *#secondNamesIn(parent: number): Iterable<readonly [name: string, child: number]> {
    const atHome = new Set<number>();
    for (const record of recordsOf(this.#volume, this.#numbers[parent] ?? 0)) {
      const child = this.#childOf(record);
      if (child === NONE) continue;
      const { name } = record;
      const isStatedHome = this.#homes[child] === parent && !this.#fosterHomes.has(child) && !atHome.has(child);
      if (isStatedHome) atHome.add(child);
      else if (!this.#isFosterHome(parent, name, child) && this.#maySecond(parent, child)) yield [name, child];
    }
  }

  kindOf(parentNumber: number, name: string, childNumber: number): NameKind {
    const [parent, child] = [this.#placeOf(parentNumber), this.#placeOf(childNumber)];
    if (parent === NONE || child === NONE) return 'refused';
    if (this.#isFosterHome(parent, name, child)) return 'home';
    return this.#maySecond(parent, child) && !this.#isBeyondLimit(parent, name) ? 'second' : 'refused';
  }

  #isFosterHome(parent: number, name: string, child: number): boolean {
    const home = this.#fosterHomes.get(child);
    return home?.parent === parent && home.name === name;
  }

  /** A directory in a circle of homes has no end; one above the name leads round. */
  #maySecond(parent: number, child: number): boolean {
    const isShown = this.#forest.isBelowRoot(parent) && this.#forest.isInTree(child);
    return isShown && child !== this.#root && !this.#forest.isWithin(parent, child);
  }

  #isBeyondLimit(parent: number, name: string): boolean {
    const limit = this.#limit;
    if (limit === null || parent < limit.parent) return false;
    return parent > limit.parent || name >= limit.name;
  }

  #statedParents(): Int32Array {
    return Int32Array.from(this.#numbers, number => {
      const stated = keeping(this.#volume, () => this.#volume.statedParent(this.#volume.inode(number)));
      return stated === null ? NONE : this.#placeOf(stated);
    });
  }

  /** By halving: NONE for what is no directory. */
  #placeOf(number: number): number {
    let [from, to] = [0, this.#numbers.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#numbers[middle] ?? 0) < number) from = middle + 1;
      else to = middle;
    }
    return this.#numbers[from] === number ? from : NONE;
  }
}

/** Those that a name may lead to, ascending, each once. */
function directoryNumbers<I extends NamedInode>(volume: InodeVolume<I>): Float64Array {
  const numbers: number[] = [];
  for (const { number, type } of volume.inodesInUse()) {
    if (type === 'directory' && keeping(volume, () => volume.inode(number)) !== null) numbers.push(number);
  }
  const sorted = Float64Array.from(numbers).sort();
  return sorted.filter((number, index) => index === 0 || sorted[index - 1] !== number);
}

/** By name, each name once. */
function recordsOf<I extends NamedInode>(volume: InodeVolume<I>, number: number): DirectoryRecord[] {
  const content = keeping(volume, () => volume.directory(volume.inode(number)));
  const sorted = content === null ? [] : [...content.records].sort(byName);
  return sorted.filter(({ name }, index) => index === 0 || sorted[index - 1]?.name !== name);
}

function keeping<I extends NamedInode, T>(volume: InodeVolume<I>, read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}
