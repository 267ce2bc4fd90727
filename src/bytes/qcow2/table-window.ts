// Looks at 64-bit table entries one by one without a read for each: a few kilobytes around the last one are kept.

import { u32be } from '../../struct/integers.ts';
import type { ByteSource } from '../byte-source.ts';
import { damage } from '../damage.ts';

const WINDOW_BYTES = 4096;

export class TableWindow {
  /** Halves of the entry that `moveTo` found: as unsigned numbers, since 64 bits fit none. */
  high = 0;
  low = 0;
  readonly #file: ByteSource;
  readonly #what: string;
  readonly #bytes = new Uint8Array(WINDOW_BYTES);
  #start = -WINDOW_BYTES;
  #length = 0;

  /** @param what the table's name, for messages */
  constructor(file: ByteSource, what: string) {
    this.#file = file;
    this.#what = what;
  }

  /** Reads the entry at `at` (a multiple of 8) of the file. Throws DamageError beyond its end. */
  moveTo(at: number): void {
    let within = at - this.#start;
    if (within < 0 || within + 8 > this.#length) {
      this.#load(at);
      within = at - this.#start;
    }
    this.high = u32be(this.#bytes, within);
    this.low = u32be(this.#bytes, within + 4);
  }

  #load(at: number): void {
    this.#length = 0;
    this.#start = Math.floor(at / WINDOW_BYTES) * WINDOW_BYTES;
    this.#length = this.#file.read(this.#bytes, this.#start);
    if (at - this.#start + 8 <= this.#length) return;
    throw damage(this.#file, this.#what, at, 'the end of the file', 'an entry of 8 bytes');
  }
}
