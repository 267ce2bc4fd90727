// Another generation of the same baseline, read in step with one that is written, to find what both have.

import { packedKey } from './baseline-record.ts';
import type { StoredEntry } from './entries.ts';
import type { GenerationReader } from './generation-reader.ts';

export class Neighbour {
  readonly #reader: GenerationReader;
  readonly #generationId: number;
  #volume: number | null = null;
  #entries: Iterator<StoredEntry> | null = null;
  #present: StoredEntry | null = null;
  #presentKey = '';

  constructor(reader: GenerationReader, generationId: number) {
    this.#reader = reader;
    this.#generationId = generationId;
  }

  /** The entry of this key, or null. Keys are asked for by volume, then ascending. */
  seek(volume: number, key: string): StoredEntry | null {
    if (volume !== this.#volume) this.#open(volume);
    while (this.#present !== null && this.#presentKey < key) this.#next();
    return this.#presentKey === key ? this.#present : null;
  }

  #open(volume: number): void {
    this.#volume = volume;
    this.#entries = this.#reader.entries(this.#generationId, volume);
    this.#next();
  }

  #next(): void {
    const step = this.#entries?.next();
    this.#present = step === undefined || step.done ? null : step.value;
    if (this.#present !== null) this.#presentKey = packedKey(this.#present.packed);
  }
}
