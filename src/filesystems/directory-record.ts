// What a directory on a disk holds, whatever its format: the shape that each file system's directories are read into.

import type { DamageError, ReadError } from '../errors.ts';
import type { EntryType } from '../model.ts';

export interface DirectoryRecord {
  /** One character a byte; neither "." nor "..". Encrypted ones as stored, but for "/", NUL and "%": `%2F`, `%00`, `%25`. */
  readonly name: string;
  readonly inode: number;
  /** Null when the entry does not state it, or states none that exists. */
  readonly type: EntryType | null;
  /** Why looking it up by its name fails, although it stands there; absent where it does not, or nobody can tell. */
  readonly fault?: DamageError | ReadError;
}

export interface DirectoryContent {
  /** In the order of the blocks. */
  readonly records: readonly DirectoryRecord[];
  /** What stopped parts of it from being read. */
  readonly faults: readonly (DamageError | ReadError)[];
  /** The inode that ".." names; null when that entry cannot be had. */
  readonly parent: number | null;
}

/** Order of the names' bytes; of a name that stands there twice, first the one that a look-up finds. */
export function byName(left: DirectoryRecord, right: DirectoryRecord): number {
  if (left.name === right.name) return Number(left.fault !== undefined) - Number(right.fault !== undefined);
  return left.name < right.name ? -1 : 1;
}
