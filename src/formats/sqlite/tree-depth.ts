// How deep the trees of a database may go, by their interior pages alone (https://sqlite.org/fileformat2.html, section 1.6).
// SQLite's check calls itself for each level, without bound: a made file of one long chain would end the whole process.

import { u16be, u32be } from '../../struct/integers.ts';
import { databaseHeader, INTERIOR_TYPES } from './layout.ts';

/** Levels that the check gets by with on a thread's stack of 4 MiB; it needs more than 5,000 for all of that. */
const LEVELS_AT_MOST = 3000;
/** More levels than SQLite itself would go down (BTCURSOR_MAX_DEPTH is 20). */
const LEVELS_OF_A_TREE = 40;

/** False where no way from page to page is too long, wherever it begins. @param bytes a whole database. */
export function mayBeTooDeep(bytes: Uint8Array, pageBytes: number): boolean {
  const pages = new Pages(bytes, pageBytes);
  let left = pages.interior();
  const isLeft = new Uint8Array(pages.count + 1);
  for (const page of left) isLeft[page] = 1;
  // Each round takes away the lowest level, of all trees.
  for (let round = 0; round < LEVELS_OF_A_TREE && left.length > LEVELS_AT_MOST; round++) {
    const above = left.filter(page => pages.leadsTo(page, isLeft));
    isLeft.fill(0);
    for (const page of above) isLeft[page] = 1;
    left = above;
  }
  return left.length > LEVELS_AT_MOST;
}

const HEADER_BYTES = 12;

class Pages {
  readonly count: number;
  readonly #bytes: Uint8Array;
  readonly #pageBytes: number;

  constructor(bytes: Uint8Array, pageBytes: number) {
    this.count = Math.floor(bytes.length / pageBytes);
    this.#bytes = bytes;
    this.#pageBytes = pageBytes;
  }

  interior(): number[] {
    const pages: number[] = [];
    for (let page = 1; page <= this.count; page++) {
      if (INTERIOR_TYPES.includes(this.#bytes[this.#headerAt(page)] ?? 0)) pages.push(page);
    }
    return pages;
  }

  /** Whether any of its children is among those that are marked. */
  leadsTo(page: number, marked: Uint8Array): boolean {
    const header = this.#headerAt(page);
    const start = (page - 1) * this.#pageBytes;
    const end = start + this.#pageBytes;
    if (marked[u32be(this.#bytes, header + 8)] === 1) return true;
    const pointersEnd = Math.min(header + HEADER_BYTES + 2 * u16be(this.#bytes, header + 3), end - 1);
    for (let at = header + HEADER_BYTES; at < pointersEnd; at += 2) {
      const cell = start + u16be(this.#bytes, at);
      if (cell + 4 <= end && marked[u32be(this.#bytes, cell)] === 1) return true;
    }
    return false;
  }

  #headerAt(page: number): number {
    return (page - 1) * this.#pageBytes + (page === 1 ? databaseHeader.fields.rootType.offset : 0);
  }
}
