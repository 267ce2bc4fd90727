// Tells the person how far the workers are, and tells the workers when the person wants to stop.

import type { Pool } from '../pool.ts';
import type { Progress, RunHooks } from './options.ts';

const EVERY_MS = 100;

export class ProgressWatch {
  readonly pool: Pool;
  readonly #hooks: RunHooks;
  readonly #timer: NodeJS.Timeout;
  readonly #cancel = (): void => this.pool.cancel();
  #phase: Progress['phase'] = 'listing';
  #filesTotal = 0;
  #bytesTotal = 0;

  constructor(pool: Pool, hooks: RunHooks) {
    this.pool = pool;
    this.#hooks = hooks;
    this.#timer = setInterval(() => this.#tell(), EVERY_MS);
    hooks.signal.addEventListener('abort', this.#cancel);
    if (hooks.signal.aborted) pool.cancel();
  }

  plan(files: number, bytes: number): void {
    this.#filesTotal = files;
    this.#bytesTotal = bytes;
  }

  enter(phase: Progress['phase']): void {
    this.#phase = phase;
    this.#tell();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#hooks.signal.removeEventListener('abort', this.#cancel);
    await this.pool.close();
  }

  #tell(): void {
    const { entries, files, bytes } = this.pool.counts();
    this.#hooks.onProgress({
      phase: this.#phase,
      entries,
      filesDone: files,
      filesTotal: this.#filesTotal,
      bytesDone: bytes,
      bytesTotal: this.#bytesTotal,
    });
  }
}
