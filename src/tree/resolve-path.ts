// Where a path really leads inside a file system: the kernel's rules for symlinks, with the file system's root as the
// root, so that no link leaves it. Looks names up by listing their directories, each directory once.

import { DamageError, ReadError, UnsupportedError } from '../errors.ts';
import type { Entry, Filesystem, LostEntry } from '../filesystems/filesystem.ts';
import type { BytePath } from '../model.ts';
import { baseName, childPath, parentPath } from '../path.ts';

/** Links followed in one look-up before it is taken for a loop: Linux's own bound (MAXSYMLINKS, path_resolution(7)). */
const LINKS_FOLLOWED = 40;

/** What may still be followed in one look-up; shared by its steps. Below zero: one too many. */
interface Budget {
  links: number;
}

/** Paths may be given unnormalised ("/a/../b//c"): ".." is the parent of where one really is, as the kernel has it. */
export class PathResolver {
  readonly #filesystem: Filesystem;
  /** Directories and symlinks by name, by their directory's real path: what leads on. The rest would only fill memory. */
  readonly #ways = new Map<BytePath, ReadonlyMap<BytePath, Entry>>();
  /** By path as asked for, with the links that it costs; null: leads to no directory. */
  readonly #directories = new Map<BytePath, { readonly found: Entry | null; readonly links: number }>();
  /** The directory listed last, whole. */
  #listed: { readonly path: BytePath; readonly names: ReadonlyMap<BytePath, Entry | LostEntry> } | null = null;

  constructor(filesystem: Filesystem) {
    this.#filesystem = filesystem;
  }

  /** The directory that `path` leads to, all links followed; null when there is none. */
  directory(path: BytePath): Entry | null {
    return this.#directory(path, { links: LINKS_FOLLOWED });
  }

  /** The name's own entry: its directory's links followed, itself not; null when there is none. */
  entry(path: BytePath): Entry | LostEntry | null {
    const parent = parentPath(path);
    if (parent === null || isDots(baseName(path))) return this.directory(path);
    const directory = this.directory(parent);
    return directory === null ? null : (this.#list(directory).get(baseName(path)) ?? null);
  }

  /** The entry that `path` leads to, all links followed; null when there is none. */
  target(path: BytePath): Entry | LostEntry | null {
    let at = path;
    for (let followed = 0; followed <= LINKS_FOLLOWED; followed++) {
      const found = this.entry(at);
      if (found === null || found.stat === null || found.stat.type !== 'symlink') return found;
      const next = this.#linkTarget(found);
      if (next === null) return null;
      at = next;
    }
    return null;
  }

  /**
   * Where `path` really stands: its directory's links followed, its own name kept. Below a directory that is not there
   * (or is a link to nowhere) the rest is kept as written.
   */
  place(path: BytePath): BytePath {
    const parent = parentPath(path);
    if (parent === null) return path;
    const directory = this.directory(parent);
    return childPath(directory === null ? this.place(parent) : directory.path, baseName(path));
  }

  #directory(path: BytePath, budget: Budget): Entry | null {
    const parent = parentPath(path);
    if (parent === null) return this.#filesystem.root;
    const known = this.#directories.get(path);
    if (known !== undefined) {
      budget.links -= known.links;
      return budget.links < 0 ? null : known.found;
    }
    const before = budget.links;
    const above = this.#directory(parent, budget);
    const found = above === null ? null : this.#step(above, baseName(path), budget);
    // A budget that ran out says nothing of the path: it may have been spent before.
    if (budget.links >= 0) this.#directories.set(path, { found, links: before - budget.links });
    return found;
  }

  /** The directory that a name in a real directory leads to. */
  #step(directory: Entry, name: BytePath, budget: Budget): Entry | null {
    if (name === '..') return this.#directory(parentPath(directory.path) ?? '/', budget);
    if (isDots(name)) return directory;
    const way = this.#waysFrom(directory).get(name);
    if (way === undefined || way.stat.type === 'directory') return way ?? null;
    if (--budget.links < 0) return null;
    const target = this.#linkTarget(way);
    return target === null ? null : this.#directory(target, budget);
  }

  /** A symlink's target as an absolute path, not normalised; null when it is empty or cannot be read. */
  #linkTarget(symlink: Entry): BytePath | null {
    const target = this.#readLink(symlink);
    if (target === null || target === '') return null;
    return target.startsWith('/') ? target : childPath(parentPath(symlink.path) ?? '/', target);
  }

  /** A link that cannot be read leads nowhere; what is wrong with it is for the walk to say. */
  #readLink(symlink: Entry): BytePath | null {
    try {
      return this.#filesystem.readLink(symlink);
    } catch (error) {
      if (error instanceof ReadError || error instanceof DamageError || error instanceof UnsupportedError) return null;
      throw error;
    }
  }

  #waysFrom(directory: Entry): ReadonlyMap<BytePath, Entry> {
    const known = this.#ways.get(directory.path);
    if (known !== undefined) return known;
    const ways = new Map<BytePath, Entry>();
    for (const [name, entry] of this.#list(directory)) {
      // Where a directory's second name should lead nobody knows.
      if (entry.stat === null || entry.viaSecondName) continue;
      if (entry.stat.type === 'directory' || entry.stat.type === 'symlink') ways.set(name, entry);
    }
    this.#ways.set(directory.path, ways);
    return ways;
  }

  #list(directory: Entry): ReadonlyMap<BytePath, Entry | LostEntry> {
    if (this.#listed?.path === directory.path) return this.#listed.names;
    const names = new Map<BytePath, Entry | LostEntry>();
    for (const entry of this.#filesystem.list(directory).entries) names.set(baseName(entry.path), entry);
    this.#listed = { path: directory.path, names };
    return names;
  }
}

function isDots(name: BytePath): boolean {
  return name === '' || name === '.' || name === '..';
}
