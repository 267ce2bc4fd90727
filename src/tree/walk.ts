// Walks a subtree depth first in path-key order, up to a budget of entries; directories that are left over are handed
// back, so that other workers take them. Knows nothing of threads or stores.

import { faultOf } from '../filesystems/fault.ts';
import type { Entry, Filesystem, LostEntry } from '../filesystems/filesystem.ts';
import type { BytePath, Fault } from '../model.ts';
import { RecordWriter } from './entry-record.ts';
import type { Selection } from './selection.ts';

export interface WalkOptions {
  /** Directories are handed back once this many entries have been met. */
  readonly budget: number;
  readonly selection: Selection;
  /** Go down into other mounted file systems. */
  readonly crossMounts: boolean;
  /** Asked between directories: true ends the walk, the rest is handed back. */
  readonly cancelled: () => boolean;
}

/** A subtree's records; `continued` record k stands where the subtree of `deferred[k]` belongs. */
export interface WalkedSubtree {
  readonly parts: Uint8Array<ArrayBuffer>[];
  readonly deferred: readonly Entry[];
  readonly entries: number;
  /** Regular files and the sum of their sizes, hard links counted at each name. */
  readonly files: number;
  readonly bytes: number;
}

/** Directories nested deeper than this are not entered: a loop that no file system makes. */
const DEEPEST = 65_000;
const TOO_DEEP: Fault = { kind: 'unreadable', code: 'ELOOP', message: `nested deeper than ${DEEPEST} directories` };

/** @param start the subtree's top; its own record comes first. Faults are records, never thrown. */
export function walkSubtree(filesystem: Filesystem, start: Entry, options: WalkOptions): WalkedSubtree {
  return new Walk(filesystem, options).run(start);
}

class Walk {
  readonly #filesystem: Filesystem;
  readonly #options: WalkOptions;
  readonly #writer = new RecordWriter();
  readonly #deferred: Entry[] = [];
  #entries = 0;
  #files = 0;
  #bytes = 0;

  constructor(filesystem: Filesystem, options: WalkOptions) {
    this.#filesystem = filesystem;
    this.#options = options;
  }

  run(start: Entry): WalkedSubtree {
    const stack = [this.#enter(start, depthOf(start.path))];
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const next = top?.entries.next();
      if (top === undefined || next === undefined || next.done) stack.pop();
      else if (next.value.path !== top.lastPath) this.#visitIn(top, next.value, stack);
    }
    const counts = { entries: this.#entries, files: this.#files, bytes: this.#bytes };
    return { parts: this.#writer.finish(), deferred: this.#deferred, ...counts };
  }

  /** A damaged directory may list a name twice; a path leads to one inode, the one that a look-up finds. */
  #visitIn(directory: OpenDirectory, entry: Entry | LostEntry, stack: OpenDirectory[]): void {
    directory.lastPath = entry.path;
    this.#visit(entry, directory.depth + 1, stack);
  }

  #visit(entry: Entry | LostEntry, depth: number, stack: OpenDirectory[]): void {
    if (!this.#options.selection.includes(entry.path, entry.stat?.type === 'directory')) {
      this.#writer.name('excluded', depth, entry, null);
      return;
    }
    if (entry.stat === null) this.#lost(entry, depth);
    else if (depth > DEEPEST) this.#lost({ ...entry, stat: null, fault: TOO_DEEP }, depth);
    else if (entry.stat.type !== 'directory') this.#leaf(entry, depth);
    else if (this.#closed(entry)) this.#mount(entry, depth);
    else if (this.#entries >= this.#options.budget || this.#options.cancelled()) this.#defer(entry, depth);
    else stack.push(this.#enter(entry, depth));
  }

  /** Writes the directory's record, with what its listing refused, and opens the listing. */
  #enter(directory: Entry, depth: number): OpenDirectory {
    const listing = this.#filesystem.list(directory);
    const { stat = directory.stat, fault } = listing;
    this.#write(stat === directory.stat ? directory : { ...directory, stat }, depth, null, fault);
    return { depth, entries: listing.entries[Symbol.iterator](), lastPath: null };
  }

  #leaf(entry: Entry, depth: number): void {
    if (entry.stat.type === 'symlink') this.#symlink(entry, depth);
    else this.#write(entry, depth, null, null);
    if (entry.stat.type !== 'file') return;
    this.#files++;
    this.#bytes += entry.stat.sizeBytes;
  }

  #symlink(entry: Entry, depth: number): void {
    try {
      this.#write(entry, depth, this.#filesystem.readLink(entry), null);
    } catch (error) {
      this.#write(entry, depth, null, faultOf(error));
    }
  }

  #lost(entry: LostEntry, depth: number): void {
    this.#entries++;
    this.#writer.name('lost', depth, entry, entry.fault);
  }

  #mount(directory: Entry, depth: number): void {
    this.#entries++;
    this.#writer.name('mount', depth, { ...directory, direntType: 'directory' }, null);
  }

  #defer(directory: Entry, depth: number): void {
    this.#writer.name('continued', depth, directory, null, this.#deferred.length);
    this.#deferred.push(directory);
  }

  #write(entry: Entry, depth: number, linkTarget: BytePath | null, fault: Fault | null): void {
    this.#entries++;
    this.#writer.entry(depth, entry, linkTarget, fault);
  }

  /** What the kernel makes up (/proc, /sys) is no part of any disk, also where mounts are crossed. */
  #closed(entry: Entry): boolean {
    if (!entry.mountPoint) return false;
    return !this.#options.crossMounts || (this.#filesystem.isPseudo?.(entry) ?? false);
  }
}

interface OpenDirectory {
  readonly depth: number;
  readonly entries: Iterator<Entry | LostEntry>;
  lastPath: BytePath | null;
}

function depthOf(path: BytePath): number {
  return path === '/' ? 0 : path.split('/').length - 1;
}
