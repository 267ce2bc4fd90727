// Lets the main thread hear Ctrl-C and draw its progress while it works through a stream that it holds all of.

import { setImmediate } from 'node:timers/promises';

/** Longer than the switch costs by far, shorter than a person notices. */
const EVERY_MS = 50;

export class Breath {
  readonly #isStopped: () => boolean;
  readonly #wasStopped: boolean;
  #lastMs = performance.now();

  /** @param isStopped whether the person wants an end; what was stopped before this work began is worked off whole. */
  constructor(isStopped: () => boolean) {
    this.#isStopped = isStopped;
    this.#wasStopped = isStopped();
  }

  /** True when the work was stopped while it was done. */
  get stopped(): boolean {
    return !this.#wasStopped && this.#isStopped();
  }

  /** Gives every item of the stream, with pauses between; ends early when the work is stopped. */
  async *over<T>(items: Iterable<T>): AsyncIterable<T> {
    for (const item of items) {
      if (performance.now() - this.#lastMs > EVERY_MS) {
        await setImmediate();
        this.#lastMs = performance.now();
      }
      if (this.stopped) return;
      yield item;
    }
  }
}
