// Makes a tree of what damage or malice may have made a net: each directory has one name, so that a walk meets it once and ends.
// A directory belongs to the parent that its ".." names, if that parent names it; else to the first other directory that does.

import { byName, type DirectoryRecord } from './directory-record.ts';
import type { InodeVolume, NamedInode } from './inode-volume.ts';

interface Claim {
  readonly parent: number;
  readonly name: string;
}

export class DirectoryTree<I extends NamedInode> {
  readonly #volume: InodeVolume<I>;
  /** Of directories whose ".." leads to no parent that names them; gathered once, when the first of them is met. */
  #fosterClaims: ReadonlyMap<number, Claim> | null = null;

  constructor(volume: InodeVolume<I>) {
    this.#volume = volume;
  }

  /**
   * Whether the directory `child` is at home under this name.
   * @param first whether no name before it in the listing of `parent` leads to the same inode.
   */
  isHome(parent: number, name: string, child: I, first: boolean): boolean {
    if (child.number === this.#volume.rootInode || child.number === parent) return false;
    const stated = this.#statedParent(child);
    if (stated === parent) return first;
    if (stated !== null && this.#names(stated, child.number)) return false;
    this.#fosterClaims ??= this.#gatherClaims();
    const claim = this.#fosterClaims.get(child.number);
    return claim !== undefined && claim.parent === parent && claim.name === name;
  }

  #statedParent(directory: I): number | null {
    try {
      return this.#volume.statedParent(directory);
    } catch (error) {
      this.#volume.damage.keep(error);
      return null;
    }
  }

  #names(parent: number, child: number): boolean {
    return this.#recordsOf(parent).some(record => record.inode === child);
  }

  #recordsOf(number: number): readonly DirectoryRecord[] {
    try {
      const inode = this.#volume.inode(number);
      return inode.type === 'directory' ? this.#volume.directory(inode).records : [];
    } catch (error) {
      this.#volume.damage.keep(error);
      return [];
    }
  }

  #gatherClaims(): ReadonlyMap<number, Claim> {
    const claims = new Map<number, Claim>();
    for (const parent of this.#volume.inodesInUse()) {
      if (parent.type !== 'directory') continue;
      for (const { inode, name, type } of [...this.#recordsOf(parent.number)].sort(byName)) {
        const possible = type === null || type === 'directory';
        if (possible && !claims.has(inode)) claims.set(inode, { parent: parent.number, name });
      }
    }
    return claims;
  }
}
