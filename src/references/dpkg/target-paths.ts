// From a package's name for a path to where that path stands in the target: diverted, behind symlinked directories, or
// nowhere (not unpacked, or made at run time).

import type { BytePath } from '../../model.ts';
import { baseName, isBelow, parentPath } from '../../path.ts';
import type { PathResolver } from '../../tree/resolve-path.ts';
import type { Diversions } from './diversions.ts';
import type { PathFilter } from './path-filter.ts';
import { NO_NODE, type PathTree } from './path-tree.ts';

/** What lies below is made at run time, if at all. */
const VOLATILE: readonly BytePath[] = ['/dev', '/proc', '/run', '/sys', '/var/lock', '/var/run'];

export class TargetPaths {
  readonly #tree: PathTree;
  readonly #resolver: PathResolver;
  readonly #filter: PathFilter;
  readonly #diversions: Diversions;
  /** Nodes of directories by the packages' names for them; NO_NODE: nothing is expected there. */
  readonly #directories = new Map<BytePath, number>();

  constructor(tree: PathTree, resolver: PathResolver, filter: PathFilter, diversions: Diversions) {
    this.#tree = tree;
    this.#resolver = resolver;
    this.#filter = filter;
    this.#diversions = diversions;
  }

  /** The node where the package's path stands, made if need be; NO_NODE when nothing is expected of it. */
  nodeOf(packageName: string, path: BytePath): number {
    if (path === '/' || (this.#filter.excludes(path) && this.#resolver.entry(path) === null)) return NO_NODE;
    const place = this.#diversions.placeOf(path, packageName);
    const directory = this.#directoryNode(parentPath(place) ?? '/');
    return directory === NO_NODE ? NO_NODE : this.#tree.child(directory, baseName(place));
  }

  /** The same; NO_NODE also when `nodeOf` has not made it. */
  knownNodeOf(packageName: string, path: BytePath): number {
    const place = this.#diversions.placeOf(path, packageName);
    const directory = this.#directories.get(parentPath(place) ?? '/') ?? NO_NODE;
    return directory === NO_NODE ? NO_NODE : this.#tree.find(directory, baseName(place));
  }

  /** Whether the target has something where the package's path stands. */
  isThere(packageName: string, path: BytePath): boolean {
    return this.#resolver.entry(this.#diversions.placeOf(path, packageName)) !== null;
  }

  /** If a symlink stands in the path's place: the node of the file that it leads to; else NO_NODE. */
  nodeBehindLink(packageName: string, path: BytePath): number {
    const place = this.#diversions.placeOf(path, packageName);
    if (this.#resolver.entry(place)?.stat?.type !== 'symlink') return NO_NODE;
    const file = this.#resolver.target(place);
    return file?.stat?.type === 'file' ? this.#tree.place(file.path) : NO_NODE;
  }

  #directoryNode(path: BytePath): number {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    const real = this.#resolver.directory(path)?.path ?? this.#resolver.place(path);
    const volatile = VOLATILE.some(root => real === root || isBelow(real, root));
    const node = volatile ? NO_NODE : this.#tree.place(real);
    this.#directories.set(path, node);
    return node;
  }
}
