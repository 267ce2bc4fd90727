// The file system's own log as a reference: every path as the newest copies of metadata in the log have it. It knows names,
// inodes and where content lies; of content itself only what lies there now. Says nothing where log and disk agree.

import { readContent } from '../digest/read-content.ts';
import { unlessRefused } from '../errors.ts';
import type { Entry, Filesystem, LostEntry } from '../filesystems/filesystem.ts';
import type { LoggedState } from '../filesystems/logged-state.ts';
import type { BlockHashes, BytePath, Digests, Expectation, ReferenceInfo } from '../model.ts';
import { baseName } from '../path.ts';
import { existing, type Reference } from './reference.ts';

/** Its ReferenceInfo.id. */
const JOURNAL_ID = 'journal';

/** What lies where the log says that a file lies. */
interface LoggedContent {
  readonly digests: Digests;
  readonly blocks: BlockHashes | null;
}

const NOTHING: LoggedContent = { digests: {}, blocks: null };
const BUFFER_BYTES = 1024 * 1024;

/** @param disk the file system that `logged` is of. */
export function openJournalReference(logged: LoggedState, disk: Filesystem): Reference {
  const info: ReferenceInfo = {
    id: JOURNAL_ID,
    kind: 'journal',
    atNs: logged.toNs,
    vouches: 'not-garbage',
    complete: false,
  };
  const walk = logged.view === null ? null : new LoggedWalk(logged.view, disk, logged.inodes);
  return { info, errors: [], expectations: () => walk?.expectations() ?? [] };
}

class LoggedWalk {
  readonly #view: Filesystem;
  readonly #disk: Filesystem;
  readonly #changed: ReadonlySet<number>;
  /** Of files that are another one, or another state, on the disk: read once. */
  readonly #contents = new Map<bigint, LoggedContent>();

  constructor(view: Filesystem, disk: Filesystem, changed: ReadonlySet<number>) {
    this.#view = view;
    this.#disk = disk;
    this.#changed = changed;
  }

  *expectations(): Iterable<Expectation> {
    const { root } = this.#view;
    yield this.#expectation(root, true);
    yield* this.#below(root, this.#disk.root);
  }

  /** In tree order. @param there what the disk has in the directory's place, if that is a directory. */
  *#below(directory: Entry, there: Entry | null): Iterable<Expectation> {
    const onDisk = there === null ? new Map<BytePath, Entry>() : this.#entriesOf(there);
    for (const entry of this.#view.list(directory).entries) {
      const other = onDisk.get(baseName(entry.path)) ?? null;
      if (entry.stat === null || entry.viaSecondName) {
        yield named(entry);
        continue;
      }
      yield this.#expectation(entry, isSame(entry, other));
      if (entry.stat.type !== 'directory') continue;
      yield* this.#below(entry, other?.stat.type === 'directory' ? other : null);
    }
  }

  #entriesOf(directory: Entry): Map<BytePath, Entry> {
    const entries = new Map<BytePath, Entry>();
    for (const entry of this.#disk.list(directory).entries) {
      if (entry.stat !== null) entries.set(baseName(entry.path), entry);
    }
    return entries;
  }

  /** Names of a directory that cannot be read whole are not all known: nothing is said of its inode then. */
  #expectation(entry: Entry, isSameInode: boolean): Expectation {
    const { path, stat } = entry;
    const isWhole = stat.type !== 'directory' || this.#view.list(entry).fault === null;
    const isChanged = !isSameInode || this.#changed.has(Number(stat.inode));
    const content = stat.type === 'file' && isChanged ? this.#contentOf(entry) : NOTHING;
    return {
      ...existing(JOURNAL_ID, path),
      type: stat.type,
      sizeBytes: stat.type === 'file' ? stat.sizeBytes : null,
      ...content,
      linkTarget: stat.type === 'symlink' ? this.#linkTarget(entry) : null,
      stat: isWhole ? stat : null,
    };
  }

  #linkTarget(entry: Entry): BytePath | null {
    return unlessRefused(() => this.#view.readLink(entry));
  }

  #contentOf(entry: Entry): LoggedContent {
    const known = this.#contents.get(entry.stat.inode);
    if (known !== undefined) return known;
    const content = unlessRefused(() => this.#read(entry)) ?? NOTHING;
    this.#contents.set(entry.stat.inode, content);
    return content;
  }

  #read(entry: Entry): LoggedContent {
    const file = this.#view.open(entry);
    const wanted = { algorithms: ['sha256'], blocks: true } as const;
    const { digests, blocks, unreadable } = readContent(file, wanted, new Uint8Array(BUFFER_BYTES), {
      onBytes: () => false,
    });
    return unreadable.length > 0 ? NOTHING : { digests, blocks };
  }
}

/** A name that leads nowhere, or to what has another one: what it should lead to the log does not know. */
function named({ path, direntType }: Entry | LostEntry): Expectation {
  return { ...existing(JOURNAL_ID, path), type: direntType };
}

function isSame(logged: Entry, there: Entry | null): boolean {
  return there?.stat.inode === logged.stat.inode && there.stat.generation === logged.stat.generation;
}
