// The names that a directory lists, in byte order, and the second look at them when one leads nowhere.

import { type Dirent, readdirSync } from 'node:fs';
import { errorCode } from '../../errors.ts';
import type { BytePath, EntryType } from '../../model.ts';
import { faultOf } from '../fault.ts';

export interface NameRecord {
  readonly name: BytePath;
  readonly type: EntryType | null;
}

/** Names in byte order, with the type that the directory's record states. */
export function readNameRecords(path: string | Buffer): NameRecord[] {
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

/** A directory's names read again, as seldom as the answers allow. */
export class SecondLook {
  readonly #read: () => readonly NameRecord[];
  #names: ReadonlySet<BytePath> | null = null;

  constructor(read: () => readonly NameRecord[]) {
    this.#read = read;
  }

  /** False: the name was gone when the directory was last read again. */
  lists(name: BytePath): boolean {
    this.#names ??= this.#readNames();
    return this.#names.has(name);
  }

  /** Reads once more. */
  listsStill(name: BytePath): boolean {
    this.#names = this.#readNames();
    return this.#names.has(name);
  }

  /** Empty when the directory itself has gone. */
  #readNames(): ReadonlySet<BytePath> {
    try {
      return new Set(this.#read().map(record => record.name));
    } catch (error) {
      faultOf(error);
      return new Set();
    }
  }
}
