// The indexes of git's repositories as a reference: which content git read from which state of an inode. They say nothing of an inode
// in another state, and nothing of files that are gone. Where repositories are the listing of the tree tells.

import { DamageError, ReadError, UnsupportedError, unlessRefused } from '../../errors.ts';
import type { Entry, Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath, Expectation, ReferenceInfo, ScanError } from '../../model.ts';
import { childPath, comparePaths, isBelow, parentPath } from '../../path.ts';
import { PathResolver } from '../../tree/resolve-path.ts';
import { existing, type Reference } from '../reference.ts';
import { parseSettings } from './conversions.ts';
import { mayConvert, openRepository, type Repository, type TrackedFile, trackedFiles } from './repository.ts';
import { GitSightings } from './sightings.ts';
import { readText } from './small-file.ts';

export const GIT_INFO: ReferenceInfo = { id: 'git', kind: 'git', atNs: null, vouches: 'content', complete: false };

const ERROR_CODE = 'git-index';

/** A repository and those within its working tree. */
interface Nested {
  readonly worktree: BytePath;
  readonly dotGit: Entry;
  readonly within: Nested[];
}

/** Never throws for damage: see `errors`. */
export class GitReference implements Reference {
  readonly info = GIT_INFO;
  readonly #filesystem: Filesystem;
  readonly #resolver: PathResolver;
  readonly #sightings = new GitSightings();
  /** By working tree; null: nothing can be said of it. */
  readonly #repositories = new Map<BytePath, Repository | null>();
  readonly #errors = new Map<BytePath, ScanError>();
  #isConvertedByUsers: boolean | null = null;

  constructor(filesystem: Filesystem) {
    this.#filesystem = filesystem;
    this.#resolver = new PathResolver(filesystem);
  }

  /** To be told of every listed entry before anything is asked. */
  look(entry: Entry): void {
    this.#sightings.look(entry);
  }

  get isEmpty(): boolean {
    return this.#sightings.repositories.length === 0;
  }

  get errors(): readonly ScanError[] {
    return [...this.#errors.values()];
  }

  *expectations(): Iterable<Expectation> {
    if (this.isEmpty) return;
    this.#isConvertedByUsers ??= this.#convertsByUsers();
    if (this.#isConvertedByUsers) return;
    for (const file of this.#all(nested(this.#sightings.repositories))) yield expectationOf(file);
  }

  *#all(repositories: readonly Nested[]): Iterable<TrackedFile> {
    for (const { worktree, dotGit, within } of repositories) {
      yield* merged(this.#tracked(worktree, dotGit), this.#all(within));
    }
  }

  *#tracked(worktree: BytePath, dotGit: Entry): Iterable<TrackedFile> {
    const known = this.#repositories.get(worktree);
    const repository = known === undefined ? this.#orError(dotGit, () => this.#open(worktree, dotGit)) : known;
    this.#repositories.set(worktree, repository);
    if (repository === null) return;
    const files = this.#orError(dotGit, () => trackedFiles(this.#filesystem, repository));
    yield* files ?? [];
  }

  #open(worktree: BytePath, dotGit: Entry): Repository | null {
    const attributes = this.#sightings.attributes.filter(({ path }) => isBelow(path, worktree));
    return openRepository(this.#filesystem, this.#resolver, dotGit, attributes);
  }

  #orError<T>({ path }: Entry, read: () => T): T | null {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError))
        throw error;
      this.#errors.set(path, { path, code: ERROR_CODE, message: `its index is not used: ${error.message}` });
      return null;
    }
  }

  /** Attributes of the system, or of any of its users, have content converted in whichever repository they use. */
  #convertsByUsers(): boolean {
    const { usersAttributes, usersSettings } = this.#sightings;
    return (
      usersAttributes.some(file => mayConvert(this.#filesystem, file)) ||
      usersSettings.some(file => this.#namesConverting(file))
    );
  }

  #namesConverting(settings: Entry): boolean {
    const text = unlessRefused(() => readText(this.#filesystem, settings));
    const named = text === null ? null : (parseSettings(text)?.attributesFile ?? null);
    if (named === null) return false;
    const path = named.startsWith('~/') ? childPath(homeOf(settings.path), named.slice(2)) : named;
    const file = path.startsWith('/') ? this.#resolver.target(path) : null;
    return file === null || file.stat === null || mayConvert(this.#filesystem, file);
  }
}

/** Of `~/.gitconfig` and `~/.config/git/config`. */
function homeOf(settings: BytePath): BytePath {
  return settings.replace(/\/(?:\.gitconfig|\.config\/git\/config)$/, '') || '/';
}

function nested(dotGits: readonly Entry[]): Nested[] {
  const top: Nested[] = [];
  const above: Nested[] = [];
  const all = dotGits.map(dotGit => ({ worktree: parentPath(dotGit.path) ?? '/', dotGit, within: [] }));
  for (const repository of all.sort((left, right) => comparePaths(left.worktree, right.worktree))) {
    while (above.length > 0 && !isBelow(repository.worktree, above.at(-1)?.worktree ?? '')) above.pop();
    (above.at(-1)?.within ?? top).push(repository);
    above.push(repository);
  }
  return top;
}

/** By path; of two for one path the inner repository's counts, as git sees it. */
function* merged(outer: Iterable<TrackedFile>, inner: Iterable<TrackedFile>): Iterable<TrackedFile> {
  const rest = inner[Symbol.iterator]();
  let next = rest.next();
  for (const file of outer) {
    while (next.done !== true && comparePaths(next.value.path, file.path) < 0) {
      yield next.value;
      next = rest.next();
    }
    if (next.done === true || next.value.path !== file.path) yield file;
  }
  for (; next.done !== true; next = rest.next()) yield next.value;
}

function expectationOf({ path, format, id, readAs }: TrackedFile): Expectation {
  return { ...existing(GIT_INFO.id, path), digests: { [`git-${format}`]: id }, readAs };
}
