// Drives the walk over the workers: each takes a subtree, hands back what is too much for it, until nothing is left.

import type { TargetSpec } from '../model.ts';
import type { Pool } from '../pool.ts';
import type { Opening } from '../tree/open-target.ts';
import type { SelectionGlobs } from '../tree/selection.ts';
import type { Spool, Subtree } from './spool.ts';

export interface ListingOptions {
  readonly target: TargetSpec;
  readonly volume: number;
  readonly opening: Opening;
  readonly globs: SelectionGlobs;
  readonly crossMounts: boolean;
}

/** Entries that a worker walks before it hands back the directories left over. */
const BUDGET = 16_384;
/** While workers are idle, subtrees are handed back early, so that there is something for each. */
const SPLITTING_BUDGET = 256;
/** Subtrees under way per worker: one at work, one waiting. */
const UNDER_WAY = 2;

/** True when the whole tree is in the spool; false when the run was cancelled before. Resumes what the spool has. */
export async function listTree(pool: Pool, spool: Spool, options: ListingOptions): Promise<boolean> {
  if (spool.isComplete) return true;
  const listing = new TreeListing(pool, spool, options);
  await listing.run();
  if (pool.cancelled) return false;
  spool.complete();
  return true;
}

class TreeListing {
  readonly #pool: Pool;
  readonly #spool: Spool;
  readonly #options: ListingOptions;
  readonly #waiting: Subtree[];
  readonly #underWay = new Set<Promise<void>>();

  constructor(pool: Pool, spool: Spool, options: ListingOptions) {
    this.#pool = pool;
    this.#spool = spool;
    this.#options = options;
    this.#waiting = spool.pending().reverse();
  }

  async run(): Promise<void> {
    while (this.#underWay.size > 0 || (this.#waiting.length > 0 && !this.#pool.cancelled)) {
      this.#fill();
      await Promise.race(this.#underWay);
    }
  }

  #fill(): void {
    while (this.#underWay.size < this.#pool.jobs * UNDER_WAY && !this.#pool.cancelled) {
      const next = this.#waiting.pop();
      if (next === undefined) return;
      const task = this.#walk(next).finally(() => this.#underWay.delete(task));
      this.#underWay.add(task);
    }
  }

  async #walk(subtree: Subtree): Promise<void> {
    const busy = this.#waiting.length >= this.#pool.jobs * UNDER_WAY;
    const budget = busy ? BUDGET : SPLITTING_BUDGET;
    const walked = await this.#pool.walk({ ...this.#options, start: subtree.start, budget });
    const deferred = this.#spool.add(subtree, walked, walked.damage);
    this.#waiting.push(...deferred.reverse());
  }
}
