// What a file system that is read from its bytes tells by inode numbers. Paths are made of it in inode-tree.ts.

import type { EntryType, Stat } from '../model.ts';
import type { DamageLog } from './damage-log.ts';
import type { DirectoryContent } from './directory-record.ts';

/** An inode as far as names are concerned. */
export interface NamedInode {
  readonly number: number;
  /** Null for a mode that is none. */
  readonly type: EntryType | null;
  /** Byte offset in the volume. */
  readonly location: number;
  /** Null for a mode that is none. */
  stat(): Stat | null;
}

export interface InodeVolume<I extends NamedInode> {
  readonly damage: DamageLog;
  readonly rootInode: number;
  /** An inode that a name may lead to. Throws DamageError, ReadError. */
  inode(number: number): I;
  /** Throws DamageError, ReadError where nothing of it can be read. */
  directory(inode: I): DirectoryContent;
  /** The inode that a directory's ".." names; null when that cannot be had. Throws like directory. */
  statedParent(inode: I): number | null;
  /** Every inode in use, in the order of numbers; unchecked. */
  inodesInUse(): Iterable<I>;
}
