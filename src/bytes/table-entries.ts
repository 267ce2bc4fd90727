// Looks at entries of a container's tables one by one, little-endian or big-endian, and says where a table is cut short.

import { n64le, u32be, u32le } from '../struct/integers.ts';
import type { ByteSource } from './byte-source.ts';
import { damage } from './damage.ts';

export class TableEntries {
  readonly #tables: ByteSource;
  readonly #what: string;
  readonly #entry = new Uint8Array(8);

  /** @param tables the file through a cache @param what the table's name, for messages */
  constructor(tables: ByteSource, what: string) {
    this.#tables = tables;
    this.#what = what;
  }

  u32le(at: number): number {
    return u32le(this.#load(at, 4), 0);
  }

  u32be(at: number): number {
    return u32be(this.#load(at, 4), 0);
  }

  /** Both halves: flags in the low one stay exact above 2^53. */
  u64le(at: number): { readonly low: number; readonly high: number } {
    const entry = this.#load(at, 8);
    return { low: u32le(entry, 0), high: u32le(entry, 4) };
  }

  /** Values above 2^53 - 1 come out rounded, and larger than any file. */
  n64le(at: number): number {
    return n64le(this.#load(at, 8), 0);
  }

  #load(at: number, length: number): Uint8Array {
    const entry = this.#entry.subarray(0, length);
    if (this.#tables.read(entry, at) === length) return entry;
    throw damage(this.#tables, this.#what, at, 'the end of the file', `an entry of ${length} bytes`);
  }
}
