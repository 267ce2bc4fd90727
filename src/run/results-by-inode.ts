// Hands each read entry its result: the next of the plan, or that of the same inode's first name.

import type { ContentResult } from '../../scanners/content-batch.ts';
import type { Run } from '../store/scan-runs.ts';
import { BatchCut, isReadable, type Readable, type Reads } from './plan.ts';
import { batchResults } from './read-contents.ts';
import type { SpoolEntry } from './spool.ts';

export class ResultsByInode {
  readonly #run: Run;
  readonly #volume: number;
  readonly #reads: Reads;
  readonly #cut = new BatchCut();
  readonly #shared = new Map<string, ContentResult | null>();
  #nextBatch = 0;
  /** The results of the batch at hand: null when it was never read, undefined before its first file. */
  #batch: Iterator<ContentResult> | null | undefined;

  /** @param reads the plan's own choice of entries. */
  constructor(run: Run, volume: number, reads: Reads) {
    this.#run = run;
    this.#volume = volume;
    this.#reads = reads;
  }

  /** To be asked for every entry in tree order. Null for what is not read, or was not before the run was cancelled. */
  resultOf(entry: SpoolEntry): ContentResult | null {
    if (!isReadable(entry) || !this.#reads(entry)) return null;
    if (entry.stat.links < 2) return this.#next(entry);
    const key = `${entry.device}:${entry.stat.inode}`;
    const shared = this.#shared.get(key);
    if (shared !== undefined) return shared;
    const result = this.#next(entry);
    this.#shared.set(key, result);
    return result;
  }

  /** The plan's batches end where the same cut says so. */
  #next(entry: Readable): ContentResult | null {
    if (this.#batch === undefined) this.#batch = batchResults(this.#run, this.#volume, this.#nextBatch++);
    const next = this.#batch?.next();
    if (this.#cut.endsWith(entry)) this.#batch = undefined;
    return next === undefined || next.done ? null : next.value;
  }
}
