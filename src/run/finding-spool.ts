// Findings wait in the run's records until the groups have been counted and the report is written: they may be many.

import type { Finding } from '../model.ts';
import type { Run } from '../store/scan-runs.ts';
import { fromJson, toJson } from './bigint-json.ts';

const PER_BLOB = 256;

export class FindingSpool {
  readonly #run: Run;
  readonly #kind: string;
  #waiting: Finding[] = [];
  #blobs = 0;

  constructor(run: Run, kind: string) {
    this.#run = run;
    this.#kind = kind;
  }

  add(finding: Finding): void {
    this.#waiting.push(finding);
    if (this.#waiting.length >= PER_BLOB) this.#flush();
  }

  /** In the order of adding; may be called again. */
  *findings(): Iterable<Finding> {
    this.#flush();
    for (let number = 0; number < this.#blobs; number++) {
      const bytes = this.#run.blob(this.#kind, number);
      if (bytes === null) throw new Error(`${this.#kind} ${number} is not in the store`);
      yield* fromJson(Buffer.from(bytes).toString('utf8')) as Finding[];
    }
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.#run.putBlob(this.#kind, this.#blobs++, Buffer.from(toJson(this.#waiting), 'utf8'));
    this.#waiting = [];
  }
}
