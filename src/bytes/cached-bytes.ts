// Keeps recently read pages of a source, for readers that come back to the same tables. The least recently used page goes first;
// the bound is fixed. Reads of a page or more pass through untouched: streaming neither fills nor profits from the cache.

import { DamageError, ReadError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

/** All page caches of the process together: each of its workers takes its share. */
const PROCESS_CACHE_BYTES = 128 * 1024 * 1024;
const PAGE_BYTES = 64 * 1024;
/** For the tables of each container that is open, and the page for them: entries lie further apart than data that is read. */
export const TABLE_CACHE_BYTES = 1024 * 1024;
export const TABLE_PAGE_BYTES = 16 * 1024;

/** What one of `workers` threads may cache, in bytes. */
export function cacheShareBytes(workers: number): number {
  return Math.floor(PROCESS_CACHE_BYTES / Math.max(1, workers));
}

interface Page {
  readonly bytes: Uint8Array;
  /** Less than the page at the end of the source. */
  length: number;
}

/** `source` through at most `capacityBytes` of memory (at least one page). Closing it closes the source. */
export class CachedBytes implements ByteSource {
  readonly size: number;
  readonly name: string;
  readonly nextData?: (at: number) => number;
  readonly #source: ByteSource;
  readonly #pageBytes: number;
  readonly #maxPages: number;
  /** In order of use, the oldest first. */
  readonly #pages = new Map<number, Page | null>();
  #lastIndex = -1;
  #lastPage: Page | null = null;

  constructor(source: ByteSource, capacityBytes: number, pageBytes = PAGE_BYTES) {
    this.#source = source;
    this.size = source.size;
    this.name = source.name;
    this.#pageBytes = pageBytes;
    this.#maxPages = Math.max(1, Math.floor(capacityBytes / pageBytes));
    const below = source.nextData?.bind(source);
    if (below) this.nextData = below;
  }

  read(into: Uint8Array, at: number): number {
    if (into.length >= this.#pageBytes) return this.#source.read(into, at);
    let filled = 0;
    while (filled < into.length && at + filled < this.size) {
      const count = this.#readWithinPage(into.subarray(filled), at + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  close(): void {
    this.#pages.clear();
    this.#lastPage = null;
    this.#source.close?.();
  }

  #readWithinPage(into: Uint8Array, at: number): number {
    const index = Math.floor(at / this.#pageBytes);
    const start = at - index * this.#pageBytes;
    const page = this.#page(index);
    if (page === null) return this.#source.read(into.subarray(0, this.#pageBytes - start), at);
    const count = Math.min(into.length, page.length - start);
    if (count <= 0) return 0;
    into.set(page.bytes.subarray(start, start + count));
    return count;
  }

  /** Null when some part of the page refuses to be read: then only the bytes that are asked for are tried. */
  #page(index: number): Page | null {
    if (index === this.#lastIndex) return this.#lastPage;
    let page = this.#pages.get(index);
    if (page !== undefined) this.#pages.delete(index);
    else page = this.#load(index);
    this.#pages.set(index, page);
    this.#lastIndex = index;
    this.#lastPage = page;
    return page;
  }

  /** A refusal is remembered like a page: a failing disk takes seconds to refuse. */
  #load(index: number): Page | null {
    const page = { bytes: this.#frame(), length: 0 };
    try {
      page.length = this.#source.read(page.bytes, index * this.#pageBytes);
      return page;
    } catch (error) {
      if (error instanceof ReadError || error instanceof DamageError) return null;
      throw error;
    }
  }

  /** Memory for a page: new until the bound, then that of the page unused for longest. */
  #frame(): Uint8Array {
    if (this.#pages.size < this.#maxPages) return new Uint8Array(this.#pageBytes);
    const [index = -1, page = null] = this.#pages.entries().next().value ?? [];
    this.#pages.delete(index);
    if (index === this.#lastIndex) this.#lastIndex = -1;
    return page?.bytes ?? new Uint8Array(this.#pageBytes);
  }
}
