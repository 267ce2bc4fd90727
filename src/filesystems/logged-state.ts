// What a file system's own log still holds of it, set beside what stands in place. Every update of metadata went through the
// log, and nothing erases it there but newer ones: where the log has a newer copy, the write to its place was lost.

import type { BlockRole, Nanoseconds } from '../model.ts';
import type { Filesystem } from './filesystem.ts';
import type { FormerEndColumns } from './former-ends.ts';

/** A block in place that is older than its newest copy in the log. */
export interface OutdatedBlock {
  readonly block: number;
  readonly role: BlockRole;
  /** What stands in place is an older copy that the log has as well: it is of an earlier day beyond doubt. */
  readonly isEarlierCopy: boolean;
  /** Inodes in it that differ; 0 for other structures. */
  readonly inodes: number;
}

export interface LoggedState {
  /** Commits of the oldest and of the newest transaction that the log holds. */
  readonly fromNs: Nanoseconds;
  readonly toNs: Nanoseconds;
  /** Places at which transactions between them are missing. */
  readonly holes: number;
  /** The file system with the newest copies in their places; null where these are all there already. */
  readonly view: Filesystem | null;
  /** Files whose inode or map of blocks is another one in `view`. */
  readonly inodes: ReadonlySet<number>;
  /** Ascending. */
  readonly blocks: readonly OutdatedBlock[];
  /** Nobody else has written since the log: no repair, no offline tool, no crash; and the log itself is whole. */
  readonly isUndisturbed: boolean;
  readonly newest: KnownNewest;
  /** Where regular files ended, by what the log holds of their inodes. */
  readonly ends: FormerEndColumns;
}

/** Of what the log has the newest copy, which none that is missing can follow. */
export interface KnownNewest {
  /** The inode, by all that is written with it at once. */
  inode(number: number): NewestInode;
  /** The inode of the directory and each of its blocks: `view` has its names as they should be. */
  names(directory: number): boolean;
}

/** `in-place`: as it is on the disk. */
export type NewestInode = 'in-place' | 'in-log' | 'unknown';
