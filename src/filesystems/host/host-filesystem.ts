// A mounted tree through node:fs, by byte paths. What Node cannot do and the kernel could: SEEK_HOLE, FIEMAP, openat,
// fadvise, opening a directory without touching its atime, the inode's generation.

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { errorCode, ReadError } from '../../errors.ts';
import type { BytePath, Stat } from '../../model.ts';
import { childPath } from '../../path.ts';
import { faultOf } from '../fault.ts';
import type { Entry, Filesystem, InodeHabits, Listing, LostEntry, OpenFile } from '../filesystem.ts';
import { statOfHost, typeOfMode } from './host-stat.ts';
import { inodeHabitsAt, isMountPoint, isPseudo, type MountTable, readMountTable } from './mounts.ts';
import { type NameRecord, readNameRecords, SecondLook } from './name-records.ts';
import { DirectoryReach, joinRoot, reach } from './reach.ts';

/** FIFOs are never opened; O_NONBLOCK guards the race in which one has taken a file's place. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * @param root absolute byte path of the directory on the host; a symlink is followed.
 * Throws the system's error when the root itself cannot be had.
 */
export function openHostFilesystem(root: BytePath): Filesystem {
  return new HostFilesystem(root);
}

class HostFilesystem implements Filesystem {
  readonly kind = 'host';
  readonly inodeHabits: InodeHabits;
  readonly root: Entry;
  readonly #root: BytePath;
  readonly #mounts: MountTable = readMountTable();

  constructor(root: BytePath) {
    this.#root = root;
    const stats = reach(root, '/', statOf);
    this.inodeHabits = reach(root, '/', inodeHabitsAt);
    this.root = { path: '/', stat: statOfHost(stats), direntType: null, device: stats.dev, mountPoint: false };
  }

  list(directory: Entry): Listing {
    try {
      const records = reach(this.#root, directory.path, readNameRecords);
      const stat = this.#statAfterwards(directory);
      return { entries: this.#entriesOf(directory, records), fault: null, stat };
    } catch (error) {
      return { entries: [], fault: faultOf(error) };
    }
  }

  open(file: Entry): OpenFile {
    const name = file.path;
    try {
      const fd = reach(this.#root, file.path, openForReading);
      return new HostFile(fd, name, file);
    } catch (error) {
      throw asReadError(isReplaced(error) ? new ReadError(name, 0, 0, 'ESTALE') : error, name, 0, 0);
    }
  }

  readLink(symlink: Entry): BytePath {
    try {
      return reach(this.#root, symlink.path, path => readlinkSync(path, 'latin1'));
    } catch (error) {
      throw asReadError(error, symlink.path, 0, 0);
    }
  }

  lookUp(path: BytePath): Entry | null {
    try {
      const stats = reach(this.#root, path, lstatOf);
      return { path, stat: statOfHost(stats), direntType: null, device: stats.dev, mountPoint: false };
    } catch (error) {
      faultOf(error);
      return null; // Whatever the reason, the listing's fault is told already.
    }
  }

  close(): void {
    // Nothing is held open between calls.
  }

  isPseudo(mountPoint: Entry): boolean {
    try {
      return reach(this.#root, mountPoint.path, isPseudo);
    } catch (error) {
      faultOf(error);
      return false; // What cannot be asked cannot be listed either: the listing's fault says why.
    }
  }

  /**
   * The inode after the names were read: one from before may be older than they are, and would say that nothing changed.
   * Throws ReadError where another has taken the directory's place: readdir follows a symlink.
   */
  #statAfterwards(directory: Entry): Stat {
    const isRoot = directory.path === '/';
    const stats = reach(this.#root, directory.path, isRoot ? statOf : lstatOf);
    if (stats.ino === directory.stat.inode && stats.dev === directory.device) return statOfHost(stats);
    throw new ReadError(directory.path, 0, 0, 'ESTALE');
  }

  *#entriesOf(directory: Entry, records: readonly NameRecord[]): Iterable<Entry | LostEntry> {
    const secondLook = new SecondLook(() => reach(this.#root, directory.path, readNameRecords));
    const below = new DirectoryReach(this.#root, directory.path);
    for (const record of records) {
      const entry = this.#entryOf(directory, below, record);
      if (entry.stat !== null || entry.fault.kind !== 'absent') yield entry;
      else yield this.#lookAgain(directory, record, entry, secondLook);
    }
  }

  /** A name that leads nowhere was deleted meanwhile, unless it is listed still: then the directory and its inode disagree. */
  #lookAgain(directory: Entry, record: NameRecord, lost: LostEntry, secondLook: SecondLook): Entry | LostEntry {
    if (!secondLook.lists(record.name)) return lost;
    const again = this.#entryOf(directory, new DirectoryReach(this.#root, directory.path), record);
    if (again.stat !== null || again.fault.kind !== 'absent' || !secondLook.listsStill(record.name)) return again;
    return { ...again, fault: { ...again.fault, kind: 'unreadable' } };
  }

  #entryOf(directory: Entry, below: DirectoryReach, record: NameRecord): Entry | LostEntry {
    const path = childPath(directory.path, record.name);
    try {
      const stats = below.child(record.name, lstatOf);
      const stat = statOfHost(stats);
      const mountPoint = stat.type === 'directory' && this.#isMountPoint(path, stats.dev, directory.device);
      return { path, stat, direntType: record.type, device: stats.dev, mountPoint };
    } catch (error) {
      return { path, stat: null, direntType: record.type, fault: faultOf(error) };
    }
  }

  #isMountPoint(path: BytePath, device: bigint, deviceAbove: bigint): boolean {
    return device !== deviceAbove || isMountPoint(this.#mounts, joinRoot(this.#root, path), device);
  }
}

const BIGINT = { bigint: true } as const;

function lstatOf(path: string | Buffer): BigIntStats {
  return lstatSync(path, BIGINT);
}

function statOf(path: string | Buffer): BigIntStats {
  return statSync(path, { bigint: true });
}

/** O_NOATIME is for the owner and root only: others read without it. */
function openForReading(path: string | Buffer): number {
  try {
    return openSync(path, OPEN_FLAGS | constants.O_NOATIME);
  } catch (error) {
    if (errorCode(error) !== 'EPERM') throw error;
    return openSync(path, OPEN_FLAGS);
  }
}

class HostFile implements OpenFile {
  readonly size: number;
  readonly name: string;
  readonly #fd: number;

  constructor(fd: number, name: string, expected: Entry) {
    this.#fd = fd;
    this.name = name;
    const stats = fstatSync(fd, { bigint: true });
    this.size = Number(stats.size);
    // The number alone may have been given to what has taken the file's place.
    const same = stats.ino === expected.stat.inode && stats.dev === expected.device;
    if (same && typeOfMode(Number(stats.mode)) === 'file') return;
    closeSync(fd);
    throw new ReadError(name, 0, 0, 'ESTALE');
  }

  read(into: Uint8Array, at: number): number {
    let filled = 0;
    while (filled < into.length) {
      const count = this.#readOnce(into, filled, at + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  stat(): Stat {
    return statOfHost(fstatSync(this.#fd, { bigint: true }));
  }

  close(): void {
    closeSync(this.#fd);
  }

  #readOnce(into: Uint8Array, filled: number, at: number): number {
    try {
      return readSync(this.#fd, into, filled, into.length - filled, at);
    } catch (error) {
      throw asReadError(error, this.name, at, into.length - filled);
    }
  }
}

/** What open(2) says of a symlink (O_NOFOLLOW), and of a socket or a device without driver, in a regular file's place. */
function isReplaced(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ELOOP' || code === 'ENXIO';
}

/** System errors become ReadErrors with their code; a ReadError passes; anything else is a bug and goes on. */
function asReadError(error: unknown, source: string, at: number, length: number): unknown {
  if (error instanceof ReadError) return error;
  const code = errorCode(error);
  return code === null ? error : new ReadError(source, at, length, code);
}
