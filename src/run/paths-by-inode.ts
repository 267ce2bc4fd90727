// Paths and marks by inode number, for what is kept of a whole tree while it is scanned. Bounded; knows no file system.

import type { BytePath } from '../model.ts';

/** Beyond so many paths of a kind the index is given up: the judge then says less, never something else. */
export const PATHS_AT_MOST = 300_000;

export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Paths by inode number, bounded. */
export class PathsByInode {
  readonly #paths = new Map<bigint, BytePath[]>();
  #count = 0;

  add(inode: bigint, path: BytePath): void {
    if (this.#count++ < PATHS_AT_MOST) push(this.#paths, inode, path);
    else this.#paths.clear();
  }

  addOnce(inode: bigint, path: BytePath): void {
    if (!this.of(inode).includes(path)) this.add(inode, path);
  }

  of(inode: bigint): readonly BytePath[] {
    return this.#paths.get(inode) ?? [];
  }

  has(inode: bigint): boolean {
    return this.#paths.has(inode);
  }

  /** There were too many: nobody knows any more which paths there were. */
  get isGivenUp(): boolean {
    return this.#count > PATHS_AT_MOST;
  }

  get isEmpty(): boolean {
    return this.#paths.size === 0;
  }
}

const PAGE_BITS = 65_536n;

/** A set of inode numbers as pages of bits: dense where file systems hand numbers out in runs. */
export class InodeSet {
  readonly #pages = new Map<bigint, Uint8Array>();

  /** False when it was there already. */
  add(inode: bigint): boolean {
    const page = this.#page(inode / PAGE_BITS);
    const bit = Number(inode % PAGE_BITS);
    const mask = 1 << (bit & 7);
    const byte = page[bit >> 3] ?? 0;
    page[bit >> 3] = byte | mask;
    return (byte & mask) === 0;
  }

  #page(number: bigint): Uint8Array {
    const page = this.#pages.get(number) ?? new Uint8Array(Number(PAGE_BITS) / 8);
    this.#pages.set(number, page);
    return page;
  }
}
