// Second names of directories by their inode, and where each is at home. What lies below one is no second name of its own.

import type { BytePath } from '../model.ts';
import { isBelow } from '../path.ts';
import { PathsByInode } from './paths-by-inode.ts';
import type { SpoolEntry } from './spool.ts';

export class SecondNames {
  readonly #paths = new PathsByInode();
  readonly #homes = new Map<bigint, BytePath>();
  #last: BytePath | null = null;

  /** In tree order: entries that are reached through a second name. */
  note({ path, stat }: SpoolEntry): void {
    if (stat === null || (this.#last !== null && isBelow(path, this.#last))) return;
    this.#last = path;
    this.#paths.add(stat.inode, path);
  }

  /** Once all are noted: entries that are not. */
  lookUp({ path, stat }: SpoolEntry): void {
    if (stat?.type === 'directory' && this.#paths.has(stat.inode)) this.#homes.set(stat.inode, path);
  }

  of(inode: bigint): readonly BytePath[] {
    return this.#paths.of(inode);
  }

  /** Null: it is at home nowhere. */
  homeOf(inode: bigint): BytePath | null {
    return this.#homes.get(inode) ?? null;
  }

  get isEmpty(): boolean {
    return this.#paths.isEmpty;
  }
}
