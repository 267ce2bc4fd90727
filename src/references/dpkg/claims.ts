// What the packages of a database say of each path, packed: who lists it, what digest it should have, who wins where two
// packages claim one path. Knows paths as they stand in the target, and nothing of the files they were read from.

import type { BytePath, DigestAlgorithm } from '../../model.ts';
import { enlarged } from './enlarged.ts';
import type { InstalledPackage } from './installed-package.ts';
import { PathTree } from './path-tree.ts';

const LISTED = 1;
/** Claimed by packages of different names: mostly directories. */
const SHARED = 2;
const EDITABLE = 4;
/** Two packages claim different content, and nothing tells whose it is. */
const CONTESTED = 8;

const ALGORITHMS: readonly (DigestAlgorithm | null)[] = [null, 'md5', 'sha1', 'sha256'];
const FIRST_CAPACITY = 1024;

/** All that is said of one path. */
export interface Claim {
  readonly path: BytePath;
  /** Null: several packages share it. */
  readonly owner: InstalledPackage | null;
  /** One that would bring it back. */
  readonly anyOwner: InstalledPackage;
  readonly algorithm: DigestAlgorithm | null;
  readonly digest: string | null;
  readonly editable: boolean;
  /** Other claimed paths lie below it. */
  readonly isParent: boolean;
}

/** The package in hand is the one last begun with `begin`; what it says comes after its `list`. */
export class Claims {
  readonly tree = new PathTree();
  readonly #packages: InstalledPackage[] = [];
  /** By node: 1 + index of the package; 0 is nobody. */
  #owners = new Uint32Array(FIRST_CAPACITY);
  /** By node: 1 + index of the package that listed it last. */
  #listers = new Uint32Array(FIRST_CAPACITY);
  #flags = new Uint8Array(FIRST_CAPACITY);
  /** By node: index into ALGORITHMS. */
  #algorithms = new Uint8Array(FIRST_CAPACITY);
  /** By node: where its digest starts. */
  #digestStarts = new Uint32Array(FIRST_CAPACITY);
  #digests = Buffer.alloc(16 * FIRST_CAPACITY);
  #digestsEnd = 0;

  begin(subject: InstalledPackage): void {
    this.#packages.push(subject);
  }

  /** The package's list names the path. */
  list(node: number): void {
    this.#makeRoom();
    this.#listers[node] = this.#packages.length;
    this.#set(node, LISTED);
    const owner = this.#ownerOf(node);
    const current = this.#current();
    if (owner === undefined || current === undefined) this.#owners[node] = this.#packages.length;
    else if (owner.name !== current.name) this.#share(node, owner, current);
  }

  /** Whether the list of the package in hand names the path. */
  isListed(node: number): boolean {
    return this.#listers[node] === this.#packages.length;
  }

  /** The package in hand does not know whether the path is there. */
  forget(node: number): void {
    if (this.#owners[node] === this.#packages.length) this.#clear(node, LISTED);
  }

  /** Whether somebody's statement about the content stands. */
  isSettled(node: number): boolean {
    return this.#has(node, EDITABLE) || this.#algorithmOf(node) !== null;
  }

  isOwned(node: number): boolean {
    return this.#owners[node] !== 0;
  }

  /** The package says that this is the path's content. */
  content(node: number, algorithm: DigestAlgorithm, digest: string): void {
    if (this.#has(node, EDITABLE)) return;
    if (this.#owners[node] !== this.#packages.length && this.#yields(node, algorithm, digest)) return;
    this.#owners[node] = this.#packages.length;
    this.#clear(node, CONTESTED);
    this.#setDigest(node, algorithm, digest);
  }

  /** The package in hand has its content somewhere else. */
  withdrawContent(node: number): void {
    if (this.#owners[node] === this.#packages.length) this.#algorithms[node] = 0;
  }

  /** The path is a configuration file of the package. Without a digest of its own, one that `content` gave stays. */
  conffile(node: number, md5: string | null): void {
    const isOwn = this.#owners[node] === this.#packages.length;
    this.#owners[node] = this.#packages.length;
    this.#clear(node, CONTESTED);
    this.#set(node, EDITABLE);
    if (md5 !== null) this.#setDigest(node, 'md5', md5);
    else if (!isOwn) this.#algorithms[node] = 0;
  }

  /** In tree order. */
  *walk(): Iterable<Claim> {
    for (const { node, path } of this.tree.walk()) {
      const anyOwner = this.#ownerOf(node);
      if (anyOwner === undefined || !this.#has(node, LISTED)) continue;
      const algorithm = this.#has(node, CONTESTED) ? null : this.#algorithmOf(node);
      const digest = algorithm === null ? null : this.#digestOf(node);
      const editable = this.#has(node, EDITABLE);
      const owner = this.#has(node, SHARED) && digest === null && !editable ? null : anyOwner;
      yield { path, owner, anyOwner, algorithm, digest, editable, isParent: this.tree.hasChildren(node) };
    }
  }

  /** A second package lists the path: unless the first one wins, its digest is in doubt until the second gives its own. */
  #share(node: number, owner: InstalledPackage, current: InstalledPackage): void {
    this.#set(node, SHARED);
    if (this.#algorithmOf(node) !== null && winnerOf(owner, current) !== owner) this.#set(node, CONTESTED);
  }

  /** Whether what is already known of the path stands against the package in hand. */
  #yields(node: number, algorithm: DigestAlgorithm, digest: string): boolean {
    const owner = this.#ownerOf(node);
    const current = this.#current();
    if (owner === undefined || current === undefined) return false;
    if (this.#algorithmOf(node) === algorithm && this.#digestOf(node) === digest) {
      this.#clear(node, CONTESTED);
      return true;
    }
    const winner = winnerOf(owner, current);
    if (winner === null) this.#set(node, CONTESTED);
    return winner !== current;
  }

  #algorithmOf(node: number): DigestAlgorithm | null {
    return ALGORITHMS[this.#algorithms[node] ?? 0] ?? null;
  }

  #setDigest(node: number, algorithm: DigestAlgorithm, digest: string): void {
    const length = digest.length / 2;
    if (this.#digestsEnd + length > this.#digests.length) {
      this.#digests = enlarged(this.#digests, Buffer.alloc(this.#digests.length * 2));
    }
    this.#digests.write(digest, this.#digestsEnd, 'hex');
    this.#algorithms[node] = ALGORITHMS.indexOf(algorithm);
    this.#digestStarts[node] = this.#digestsEnd;
    this.#digestsEnd += length;
  }

  #digestOf(node: number): string {
    const start = this.#digestStarts[node] ?? 0;
    const length = [0, 16, 20, 32][this.#algorithms[node] ?? 0] ?? 0;
    return this.#digests.toString('hex', start, start + length);
  }

  #current(): InstalledPackage | undefined {
    return this.#packages[this.#packages.length - 1];
  }

  #ownerOf(node: number): InstalledPackage | undefined {
    return this.#packages[(this.#owners[node] ?? 0) - 1];
  }

  #has(node: number, flag: number): boolean {
    return ((this.#flags[node] ?? 0) & flag) !== 0;
  }

  #set(node: number, flags: number): void {
    this.#flags[node] = (this.#flags[node] ?? 0) | flags;
  }

  #clear(node: number, flags: number): void {
    this.#flags[node] = (this.#flags[node] ?? 0) & ~flags;
  }

  #makeRoom(): void {
    if (this.tree.size <= this.#owners.length) return;
    let capacity = this.#owners.length;
    while (capacity < this.tree.size) capacity *= 2;
    this.#owners = enlarged(this.#owners, new Uint32Array(capacity));
    this.#listers = enlarged(this.#listers, new Uint32Array(capacity));
    this.#digestStarts = enlarged(this.#digestStarts, new Uint32Array(capacity));
    this.#flags = enlarged(this.#flags, new Uint8Array(capacity));
    this.#algorithms = enlarged(this.#algorithms, new Uint8Array(capacity));
  }
}

/**
 * Whose content stands at a path that both claim. A package that replaces the other owns the file (the other's list lost
 * the path when that happened, so this only matters where dpkg was forced, or where a symlinked directory makes two names
 * one); else the one unpacked later does. Null: nothing tells, and nobody's content is expected.
 */
function winnerOf(left: InstalledPackage, right: InstalledPackage): InstalledPackage | null {
  const leftReplaces = left.replaces.has(right.name);
  if (leftReplaces !== right.replaces.has(left.name)) return leftReplaces ? left : right;
  if (left.installedAtNs === null || right.installedAtNs === null) return null;
  if (left.installedAtNs === right.installedAtNs) return null;
  return left.installedAtNs > right.installedAtNs ? left : right;
}
