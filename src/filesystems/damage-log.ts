// What was found broken while reading on: each place once, a bounded number of them. Knows no file system.

import { DamageError, ReadError } from '../errors.ts';

/** Kept facts; further ones are only counted. */
const MOST_FACTS = 10_000;

export class DamageLog {
  readonly #facts: (DamageError | ReadError)[] = [];
  readonly #places = new Set<string>();
  #count = 0;

  /** The first 10,000 distinct facts, in the order in which they were met. */
  get facts(): readonly (DamageError | ReadError)[] {
    return this.#facts;
  }

  /** All facts, those beyond the kept ones too (there, one place may count more than once). */
  get count(): number {
    return this.#count;
  }

  add(fact: DamageError | ReadError): void {
    if (this.#places.has(fact.message)) return;
    this.#count++;
    if (this.#facts.length >= MOST_FACTS) return;
    this.#places.add(fact.message);
    this.#facts.push(fact);
  }

  /** Keeps damage and refused reads, throws on what is a bug. */
  keep(error: unknown): DamageError | ReadError {
    if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    this.add(error);
    return error;
  }
}
