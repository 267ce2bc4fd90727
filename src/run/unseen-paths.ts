// What a capture could not see: below mounts that were not crossed, below directories that it could not list. Of these
// its generation says nothing, neither that they were there nor that they were not.

import type { BytePath } from '../model.ts';
import { parentPath } from '../path.ts';

/** Kept in the generation's attributes: beyond so many, the directories above them stand for them. */
const PATHS_AT_MOST = 10_000;

export class UnseenPaths {
  #paths = new Set<BytePath>();

  push(path: BytePath): void {
    this.#paths.add(path);
    if (this.#paths.size > PATHS_AT_MOST) this.#paths = new Set([...this.#paths].map(each => parentPath(each) ?? '/'));
  }

  list(): BytePath[] {
    return [...this.#paths];
  }
}

/** Whether a generation of these attributes could not see a path: it, or a directory above it, is one of the unseen. */
export function unseenOf(attributes: Readonly<Record<string, unknown>>): (path: BytePath) => boolean {
  const listed: unknown = attributes.unseen;
  const unseen = new Set<unknown>(Array.isArray(listed) ? listed : []);
  if (unseen.size === 0) return () => false;
  return path => {
    for (let at: BytePath | null = path; at !== null; at = parentPath(at)) if (unseen.has(at)) return true;
    return false;
  };
}
