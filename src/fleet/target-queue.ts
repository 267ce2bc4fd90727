// Which target is next, and how many threads it gets. Several are scanned at once, each with a small share of the threads, so
// that a huge one holds up its own lane and no other; the last ones get what the ended ones leave.

/** Targets at once: more threads go to more targets and to larger shares alike. Never one alone while others wait. */
function lanesFor(jobs: number): number {
  return Math.max(2, Math.ceil(Math.sqrt(jobs)));
}

export class TargetQueue<Item> {
  readonly lanes: number;
  readonly #jobs: number;
  readonly #waiting: Item[];
  /** Tried once already: after all others, for what ails them may pass. */
  readonly #again: Item[] = [];
  #underWay = 0;

  constructor(items: readonly Item[], jobs: number) {
    this.#jobs = jobs;
    this.#waiting = [...items];
    this.lanes = Math.min(lanesFor(jobs), items.length);
  }

  /** The next one, with its share of the threads; null when none waits. */
  next(): { readonly item: Item; readonly jobs: number } | null {
    const item = this.#waiting.shift() ?? this.#again.shift();
    if (item === undefined) return null;
    this.#underWay += 1;
    const left = this.#underWay + this.#waiting.length + this.#again.length;
    const sharing = Math.min(this.lanes, left);
    const rounded = this.#underWay <= this.#jobs % sharing ? Math.ceil : Math.floor;
    return { item, jobs: Math.max(1, rounded(this.#jobs / sharing)) };
  }

  done(): void {
    this.#underWay -= 1;
  }

  tryAgain(item: Item): void {
    this.#again.push(item);
  }
}
