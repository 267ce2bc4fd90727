// Hands each read entry its result: the next of the plan, or that of the same inode's first name.

import type { ContentResult } from '../../scanners/content-batch.ts';
import { isReadable, type Reads } from './plan.ts';
import type { SpoolEntry } from './spool.ts';

export class ResultsByInode {
  readonly #contents: Iterator<ContentResult | null>;
  readonly #reads: Reads;
  readonly #shared = new Map<string, ContentResult | null>();

  /** @param contents results in the order of the plan. @param reads the plan's own choice of entries. */
  constructor(contents: Iterable<ContentResult | null>, reads: Reads) {
    this.#contents = contents[Symbol.iterator]();
    this.#reads = reads;
  }

  /** To be asked for every entry in tree order. Null for what is not read, or was not before the run was cancelled. */
  resultOf(entry: SpoolEntry): ContentResult | null {
    if (!isReadable(entry) || !this.#reads(entry)) return null;
    if (entry.stat.links < 2) return this.#next();
    const key = `${entry.device}:${entry.stat.inode}`;
    const shared = this.#shared.get(key);
    if (shared !== undefined) return shared;
    const result = this.#next();
    this.#shared.set(key, result);
    return result;
  }

  #next(): ContentResult | null {
    const next = this.#contents.next();
    return next.done ? null : next.value;
  }
}
