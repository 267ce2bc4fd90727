// A source with some of its sectors replaced in memory: a log that was not written back, replayed without touching the file.

import type { ByteSource } from './byte-source.ts';

const SECTOR_BYTES = 4096;

interface Zeros {
  readonly start: number;
  readonly end: number;
}

export class OverlayBytes implements ByteSource {
  readonly name: string;
  readonly #source: ByteSource;
  /** By number; they lie over the zeros. */
  readonly #sectors = new Map<number, Uint8Array>();
  readonly #zeros: Zeros[] = [];
  #size: number;

  constructor(source: ByteSource) {
    this.name = source.name;
    this.#source = source;
    this.#size = source.size;
  }

  get size(): number {
    return this.#size;
  }

  /** Replaces the 4 KiB at `at` (a multiple of them), also beyond the end. */
  put(at: number, sector: Uint8Array): void {
    this.#sectors.set(at / SECTOR_BYTES, sector);
    this.#size = Math.max(this.#size, at + SECTOR_BYTES);
  }

  /** Zeros from `at` on (both multiples of 4 KiB), also beyond the end. */
  putZeros(at: number, length: number): void {
    for (const number of this.#sectors.keys()) {
      if (number * SECTOR_BYTES >= at && number * SECTOR_BYTES < at + length) this.#sectors.delete(number);
    }
    this.#zeros.push({ start: at, end: at + length });
    this.#size = Math.max(this.#size, at + length);
  }

  read(into: Uint8Array, at: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.#size - at));
    const part = into.subarray(0, wanted);
    const count = at < this.#source.size ? this.#source.read(part, at) : 0;
    if (count < wanted) part.fill(0, count);
    for (const { start, end } of this.#zeros) {
      if (start < at + wanted && at < end) part.fill(0, Math.max(0, start - at), Math.min(wanted, end - at));
    }
    if (this.#sectors.size > 0) this.#lay(part, at);
    return wanted;
  }

  #lay(part: Uint8Array, at: number): void {
    for (let number = Math.floor(at / SECTOR_BYTES); number * SECTOR_BYTES < at + part.length; number++) {
      const sector = this.#sectors.get(number);
      if (sector === undefined) continue;
      const start = number * SECTOR_BYTES - at;
      const skipped = Math.max(0, -start);
      part.set(sector.subarray(skipped, Math.min(SECTOR_BYTES, part.length - start)), start + skipped);
    }
  }
}
