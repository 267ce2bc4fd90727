// Directories hung up where they are at home: trees, and what damage or malice has made circles, which hang nowhere.
// A directory is a place in columns. Nothing recurses: a chain may be as deep as a volume has directories.

/** No place. */
export const NONE = -1;

export class HomeForest {
  readonly #homes: Int32Array;
  readonly #root: number;
  /** When a walk of the trees enters each, and how many it has entered when it leaves it; NONE in circles and below them. */
  readonly #entered: Int32Array;
  readonly #left: Int32Array;
  readonly #firstChild: Int32Array;
  readonly #nextSibling: Int32Array;
  readonly #namesBelow: Float64Array;
  #clock = 0;

  /**
   * @param homes the place of each one's parent, or NONE.
   * @param names how many names each holds.
   */
  constructor(homes: Int32Array, names: Float64Array, root: number) {
    const { length } = homes;
    this.#homes = homes;
    this.#root = root;
    this.#entered = new Int32Array(length).fill(NONE);
    this.#left = new Int32Array(length).fill(NONE);
    this.#firstChild = new Int32Array(length).fill(NONE);
    this.#nextSibling = new Int32Array(length).fill(NONE);
    this.#namesBelow = Float64Array.from(names);
    this.#hangUp();
    if (root !== NONE) this.#walk(root);
    for (let place = 0; place < length; place++) if (homes[place] === NONE && place !== root) this.#walk(place);
  }

  /** Names in it and in all directories at home below it. */
  namesBelow(place: number): number {
    return this.#namesBelow[place] ?? 0;
  }

  isInTree(place: number): boolean {
    return (this.#entered[place] ?? NONE) !== NONE;
  }

  isBelowRoot(place: number): boolean {
    return this.isWithin(place, this.#root);
  }

  /** Whether it is the other one, or at home somewhere below that. */
  isWithin(place: number, other: number): boolean {
    const entered = this.#entered[place] ?? NONE;
    return entered !== NONE && entered >= (this.#entered[other] ?? NONE) && entered < (this.#left[other] ?? NONE);
  }

  #hangUp(): void {
    for (let place = this.#homes.length - 1; place >= 0; place--) {
      const home = this.#homes[place] ?? NONE;
      if (home === NONE || place === this.#root) continue;
      this.#nextSibling[place] = this.#firstChild[home] ?? NONE;
      this.#firstChild[home] = place;
    }
  }

  #walk(top: number): void {
    for (let place = top; ; ) {
      this.#entered[place] = this.#clock++;
      const child = this.#firstChild[place] ?? NONE;
      place = child === NONE ? this.#leave(place, top) : child;
      if (place === NONE) return;
    }
  }

  /** Up from what has been walked whole. @returns the next to enter, or NONE when the top was left. */
  #leave(from: number, top: number): number {
    for (let place = from; ; ) {
      this.#left[place] = this.#clock;
      if (place === top) return NONE;
      const home = this.#homes[place] ?? NONE;
      this.#namesBelow[home] = this.namesBelow(home) + this.namesBelow(place);
      const sibling = this.#nextSibling[place] ?? NONE;
      if (sibling !== NONE) return sibling;
      place = home;
    }
  }
}
