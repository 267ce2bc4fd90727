// A mounted tree through node:fs, by byte paths. What Node cannot do and the kernel could: SEEK_HOLE, FIEMAP, openat,
// fadvise, opening a directory without touching its atime, the inode's generation.

import {
  type BigIntStats,
  closeSync,
  constants,
  type Dirent,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs';
import { errorCode, ReadError } from '../../errors.ts';
import type { BytePath, EntryType, Stat } from '../../model.ts';
import { childPath } from '../../path.ts';
import { faultOf } from '../fault.ts';
import type { Entry, Filesystem, Listing, LostEntry, OpenFile } from '../filesystem.ts';
import { statOfHost } from './host-stat.ts';
import { DirectoryReach, reach } from './reach.ts';

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
  readonly root: Entry;
  readonly #root: BytePath;

  constructor(root: BytePath) {
    this.#root = root;
    const stats = reach(root, '/', path => statSync(path, { bigint: true }));
    this.root = { path: '/', stat: statOfHost(stats), direntType: null, device: stats.dev, mountPoint: false };
  }

  list(directory: Entry): Listing {
    try {
      return reach(this.#root, directory.path, path => this.#listAt(directory, path));
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
      throw asReadError(error, name, 0, 0);
    }
  }

  readLink(symlink: Entry): BytePath {
    try {
      return reach(this.#root, symlink.path, path => readlinkSync(path, 'latin1'));
    } catch (error) {
      throw asReadError(error, symlink.path, 0, 0);
    }
  }

  close(): void {
    // Nothing is held open between calls.
  }

  #listAt(directory: Entry, path: string | Buffer): Listing {
    return { entries: this.#entriesOf(directory, readRecords(path)), fault: null };
  }

  *#entriesOf(directory: Entry, records: readonly NameRecord[]): Iterable<Entry | LostEntry> {
    const below = new DirectoryReach(this.#root, directory.path);
    for (const record of records) yield entryOf(directory, below, record);
  }
}

function entryOf(directory: Entry, below: DirectoryReach, record: NameRecord): Entry | LostEntry {
  const path = childPath(directory.path, record.name);
  try {
    const stats = below.child(record.name, lstatOf);
    const mountPoint = stats.dev !== directory.device && (Number(stats.mode) & constants.S_IFMT) === constants.S_IFDIR;
    return { path, stat: statOfHost(stats), direntType: record.type, device: stats.dev, mountPoint };
  } catch (error) {
    return { path, stat: null, direntType: record.type, fault: faultOf(error) };
  }
}

const BIGINT = { bigint: true } as const;

function lstatOf(path: string | Buffer): BigIntStats {
  return lstatSync(path, BIGINT);
}

interface NameRecord {
  readonly name: BytePath;
  readonly type: EntryType | null;
}

/** Names in byte order, with the type that the directory's record states. */
function readRecords(path: string | Buffer): NameRecord[] {
  return readNames(path).sort((left, right) => (left.name < right.name ? -1 : 1));
}

function readNames(path: string | Buffer): NameRecord[] {
  try {
    const records = readdirSync(path, { encoding: 'latin1', withFileTypes: true });
    return records.map(record => ({ name: record.name, type: typeOfDirent(record) }));
  } catch (error) {
    // Node looks up names whose type the directory does not state, and fails with the first that cannot be had.
    if (errorCode(error) === 'ENOTDIR' || errorCode(error) === 'EACCES') throw error;
    return readdirSync(path, 'latin1').map(name => ({ name, type: null }));
  }
}

function typeOfDirent(record: Dirent): EntryType | null {
  if (record.isFile()) return 'file';
  if (record.isDirectory()) return 'directory';
  if (record.isSymbolicLink()) return 'symlink';
  if (record.isFIFO()) return 'fifo';
  if (record.isSocket()) return 'socket';
  if (record.isCharacterDevice()) return 'character-device';
  return record.isBlockDevice() ? 'block-device' : null;
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
    if (stats.ino === expected.stat.inode && stats.dev === expected.device) return;
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

/** System errors become ReadErrors with their code; a ReadError passes; anything else is a bug and goes on. */
function asReadError(error: unknown, source: string, at: number, length: number): unknown {
  if (error instanceof ReadError) return error;
  const code = errorCode(error);
  return code === null ? error : new ReadError(source, at, length, code);
}
