// Where the file system's own log disagrees with the disk: the paths whose inode, place of content or existence is another
// one in the newer state that the log holds. Nothing is said of other paths.

import { readContent } from '../digest/read-content.ts';
import { DamageError, ReadError, UnsupportedError } from '../errors.ts';
import type { Entry, Filesystem, Listing, LoggedState, LostEntry } from '../filesystems/filesystem.ts';
import type { BytePath, Expectation, ReferenceInfo, ScanError, Stat } from '../model.ts';
import { comparePaths } from '../path.ts';
import type { Reference } from './reference.ts';

const INFO: ReferenceInfo = {
  id: 'journal',
  kind: 'journal',
  atNs: null,
  vouches: 'not-garbage',
  complete: false,
};
const BUFFER_BYTES = 1024 * 1024;
/** Directories nested deeper than this are not entered. */
const DEEPEST = 4096;

/** Where nothing on the disk is older than the log there is nothing to say. */
export function openJournalReference(filesystem: Filesystem, { newer }: LoggedState): Reference | null {
  return newer === null ? null : new JournalReference(filesystem, newer);
}

type Found = Entry | LostEntry;

/** One path in both states. */
interface Pair {
  readonly home: Found | null;
  readonly logged: Found | null;
}

class JournalReference implements Reference {
  readonly info = INFO;
  readonly errors: readonly ScanError[] = [];
  readonly #home: Filesystem;
  readonly #logged: Filesystem;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** As many as paths were lost: asked for several times, and costly to find. */
  #found: Expectation[] | null = null;

  constructor(home: Filesystem, logged: Filesystem) {
    this.#home = home;
    this.#logged = logged;
  }

  expectations(): Iterable<Expectation> {
    this.#found ??= [...this.#differences()];
    return this.#found;
  }

  *#differences(): Iterable<Expectation> {
    const root: Pair = { home: this.#home.root, logged: this.#logged.root };
    const open = [[root][Symbol.iterator]() as Iterator<Pair>];
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.next();
      if (next.done) {
        open.pop();
        continue;
      }
      const difference = this.#difference(next.value);
      if (difference !== null) yield difference;
      if (isDirectory(next.value) && open.length < DEEPEST) open.push(this.#below(next.value)[Symbol.iterator]());
    }
  }

  /** Pairs of the names in either, in the order of paths. */
  #below({ home, logged }: Pair): Iterable<Pair> {
    const now = listed(this.#home, home);
    const then = listed(this.#logged, logged);
    return paired(now.entries, then.entries, then.fault === null);
  }

  #difference({ home, logged }: Pair): Expectation | null {
    if (logged === null) return home === null ? null : absence(home.path);
    if (logged.stat === null || (home !== null && home.stat === null)) return null;
    if (home === null) return this.#expectation(logged, true);
    const sameInode = isSameInode(home.stat, logged.stat);
    const samePlaces = sameInode && this.#hasSamePlaces(home, logged);
    if (samePlaces && isSameState(home.stat, logged.stat)) return null;
    return this.#expectation(logged, !samePlaces);
  }

  /** The bytes of both are the same bytes of the disk. */
  #hasSamePlaces(home: Entry, logged: Entry): boolean {
    if (logged.stat.type !== 'file') return true;
    return home.stat.sizeBytes === logged.stat.sizeBytes && places(this.#home, home) === places(this.#logged, logged);
  }

  #expectation(entry: Entry, isRead: boolean): Expectation {
    const { path, stat } = entry;
    const content = isRead && stat.type === 'file' ? this.#content(entry) : null;
    return {
      ...SILENT,
      path,
      type: stat.type,
      sizeBytes: stat.type === 'file' ? stat.sizeBytes : null,
      digests: content?.digests ?? {},
      blocks: content?.blocks ?? null,
      linkTarget: stat.type === 'symlink' ? attempt(() => this.#logged.readLink(entry)) : null,
      stat,
    };
  }

  #content(entry: Entry) {
    const wanted = { algorithms: ['sha256'], blocks: true } as const;
    return attempt(() => readContent(this.#logged.open(entry), wanted, this.#buffer, { onBytes: () => false }));
  }
}

const SILENT = {
  reference: INFO.id,
  type: null,
  sizeBytes: null,
  digests: {},
  blocks: null,
  linkTarget: null,
  stat: null,
  owner: null,
  editable: false,
  installedAtNs: null,
  remedy: null,
} as const;

function absence(path: BytePath): Expectation {
  return { ...SILENT, path, absent: true };
}

function isDirectory({ home, logged }: Pair): boolean {
  return home?.stat?.type === 'directory' || logged?.stat?.type === 'directory';
}

function listed(filesystem: Filesystem, entry: Found | null): Listing {
  const isListable = entry !== null && entry.stat !== null && entry.stat.type === 'directory';
  return isListable ? filesystem.list(entry) : { entries: [], fault: null };
}

/** @param isWhole whether what `logged` lacks is not there. Both are in the order of their names. */
function* paired(home: Iterable<Found>, logged: Iterable<Found>, isWhole: boolean): Iterable<Pair> {
  const then = [...logged];
  let index = 0;
  for (const entry of home) {
    for (; index < then.length && comparePaths(then[index]?.path ?? '', entry.path) < 0; index++)
      yield { home: null, logged: then[index] ?? null };
    const same = then[index]?.path === entry.path ? (then[index++] ?? null) : null;
    if (same !== null || isWhole) yield { home: entry, logged: same };
  }
  for (; index < then.length; index++) yield { home: null, logged: then[index] ?? null };
}

function isSameInode(home: Stat, logged: Stat): boolean {
  return home.inode === logged.inode && home.generation === logged.generation && home.type === logged.type;
}

function isSameState(home: Stat, logged: Stat): boolean {
  return (['sizeBytes', 'mode', 'uid', 'gid', 'mtimeNs', 'ctimeNs'] as const).every(
    field => home[field] === logged[field],
  );
}

/** Where its content lies, as text; null where that cannot be told. */
function places(filesystem: Filesystem, file: Entry): string | null {
  return attempt(() => JSON.stringify([...(filesystem.extents?.(file) ?? [])]));
}

/** Null where the volume is too damaged for it. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError) return null;
    throw error;
  }
}
