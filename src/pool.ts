// The worker threads of a run. Only flat batches cross; shared counters carry progress and the wish to stop. A running
// task is never aborted: it looks at the counter between chunks.

import { Piscina } from 'piscina';
import {
  COUNTER,
  COUNTERS_BYTES,
  type HashTask,
  type OwnersTask,
  type ReadResult,
  type ReadTask,
  type WalkResult,
  type WalkTask,
} from '../scanners/tasks.ts';
import type { OwnerColumns } from './digest/block-owners.ts';
import type { Piece } from './digest/unit-hashes.ts';
import { UsageError } from './errors.ts';

export interface PoolCounts {
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
}

/** Tasks without what the pool adds to each. */
export type WalkRequest = Omit<WalkTask, 'counters'>;
export type ReadRequest = Omit<ReadTask, 'counters'>;
export type HashRequest = Omit<HashTask, 'counters'>;
export type OwnersRequest = Omit<OwnersTask, 'counters'>;

export class Pool {
  readonly jobs: number;
  readonly #counters = new SharedArrayBuffer(COUNTERS_BYTES);
  readonly #words = new BigInt64Array(this.#counters);
  readonly #piscina: Piscina;

  constructor(jobs: number) {
    this.jobs = jobs;
    this.#piscina = new Piscina({
      filename: workerFile(),
      // A thread is started when there is work for it: one that is ended while it still loads its modules may take the process along.
      minThreads: 0,
      maxThreads: jobs,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
    });
  }

  walk(request: WalkRequest): Promise<WalkResult> {
    return this.#run('walk', request);
  }

  /** Null when the run was cancelled before the batch was whole. */
  read(request: ReadRequest): Promise<ReadResult | null> {
    return this.#run('read', request);
  }

  /** One piece of a block map; undefined when the run was cancelled before it was whole. */
  hash(request: HashRequest): Promise<Piece | undefined> {
    return this.#run('hash', request);
  }

  owners(request: OwnersRequest): Promise<OwnerColumns> {
    return this.#run('owners', request);
  }

  async #run<Result>(name: string, request: OwnersRequest): Promise<Result> {
    try {
      return await this.#piscina.run({ ...request, counters: this.#counters }, { name });
    } catch (error) {
      throw revived(error);
    }
  }

  cancel(): void {
    Atomics.store(this.#words, COUNTER.cancelled, 1n);
  }

  get cancelled(): boolean {
    return Atomics.load(this.#words, COUNTER.cancelled) !== 0n;
  }

  counts(): PoolCounts {
    const word = (index: number) => Number(Atomics.load(this.#words, index));
    return { entries: word(COUNTER.entries), files: word(COUNTER.files), bytes: word(COUNTER.bytes) };
  }

  async close(): Promise<void> {
    await this.#piscina.close({ force: true });
  }
}

/** An error loses its class between threads, and keeps its message: what was an answer there is one here. */
function revived(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof UsageError) return error;
  return /^(Usage|Unsupported|Read|Damage)Error: /.test(error.stack ?? '')
    ? new UsageError(error.message, { cause: error })
    : error;
}

/** Workers run compiled code, also where this file itself runs from its source (in tests). */
function workerFile(): string {
  const compiled = import.meta.url.endsWith('.js');
  return new URL(compiled ? '../scanners/worker.js' : '../dist/scanners/worker.js', import.meta.url).href;
}
