// The seam between trees and everything above: a mounted tree and a file system inside an image look alike from here on.

import type { ByteSource } from '../bytes/byte-source.ts';
import type { DamageError, ReadError } from '../errors.ts';
import type { BytePath, EntryType, Fault, OwnedRun, Stat } from '../model.ts';
import type { LoggedState } from './logged-state.ts';

/** A name that leads to an inode. */
export interface Entry {
  readonly path: BytePath;
  readonly stat: Stat;
  /** The type that the directory's own record states; null where the platform does not tell. */
  readonly direntType: EntryType | null;
  /** Which device the inode is on: inodes of one device are one if their numbers are. 0n inside an image. */
  readonly device: bigint;
  /** Another file system, or another part of this one, is mounted here (a mounted tree only): `stat` is that of its root. */
  readonly mountPoint: boolean;
  /**
   * The path goes through a name of a directory that is at home under another one, or ends in such a name: what is there is
   * listed a second time. Only on a damaged file system inside an image; absent: it does not.
   */
  readonly viaSecondName?: boolean;
}

/** A name that is listed, and whose inode could not be had. A fault of kind `absent`: it was deleted meanwhile. */
export interface LostEntry {
  readonly path: BytePath;
  readonly stat: null;
  readonly direntType: EntryType | null;
  readonly fault: Fault;
  /** As in Entry. */
  readonly viaSecondName?: boolean;
}

/** What listing a directory gave. Both may be filled: what could be read, and what stopped the rest. */
export interface Listing {
  /** Without "." and "..", in the order of their name's bytes. Inodes are looked up as it is walked: once only. */
  readonly entries: Iterable<Entry | LostEntry>;
  /** Null when the directory was read whole. */
  readonly fault: Fault | null;
  /** The directory's inode after its names were read, where it may have changed since the entry was made (a mounted tree). */
  readonly stat?: Stat;
}

/** A run of a file's blocks on the volume. Bytes. */
export interface Extent {
  readonly logical: number;
  readonly physical: number;
  readonly length: number;
  /** Allocated, never written: reads as zeros. */
  readonly unwritten: boolean;
}

/** An opened file: its bytes, and the inode as it is at this moment (to notice a change while reading). */
export interface OpenFile extends ByteSource {
  stat(): Stat;
  close(): void;
}

/** What lies below the paths of a file system in an image. */
export interface VolumeBlocks {
  readonly blockBytes: number;
  /** The whole volume, as a mount would show it (a journal replayed in memory). */
  readonly bytes: ByteSource;
  /** Who owns which blocks: the file system's own structures, then every inode in use, in the order of numbers. In blocks. */
  owned(): Iterable<OwnedRun>;
  /** Whether the file system counts a block as in use; null where it cannot tell (its bitmap is broken). */
  isAllocated(block: number): boolean | null;
  /** Whether an inode may have blocks in common with others, which are none of a damage; absent where no inode can. */
  mayShareBlocks?(inode: number): boolean;
  /** Where the inode lies on the volume, in bytes; null for a number that is none. */
  inodeAt(inode: number): number | null;
}

/** What inodes tell by their numbers and times, as the kernel's driver of the file system has it. */
export interface InodeHabits {
  /** Inodes in a block of the inode table: those of one block are lost together. */
  readonly perBlock: number;
  /** The number of the first inode of the first block. */
  readonly first: number;
  /** Whether an exchange of two names (renameat2) stamps the inodes, as a rename does. */
  readonly stampsExchange: boolean;
  /** Whether a number that was freed is given to the next file at once. */
  readonly reusesNumbers: boolean;
}

/** Of ext4 as mke2fs makes it: inodes of 256 bytes in blocks of 4 KiB. */
export const DEFAULT_HABITS: InodeHabits = { perBlock: 16, first: 1, stampsExchange: true, reusesNumbers: false };

/** Every implementation passes test/filesystems/filesystem-contract.ts. Read-only, synchronous. */
export interface Filesystem {
  /** `ext4`, `xfs`, or for a mounted tree `host`. */
  readonly kind: string;
  /** Absent: as `DEFAULT_HABITS`. */
  readonly inodeHabits?: InodeHabits;
  readonly root: Entry;
  /** Never throws for damage or refusal: those are the listing's `fault`. */
  list(directory: Entry): Listing;
  /**
   * Opens a regular file. Throws ReadError (with the system's code: EIO, EACCES, ENOENT, ESTALE when the path now leads to
   * another inode), DamageError, UnsupportedError.
   */
  open(file: Entry): OpenFile;
  /**
   * What a name leads to, asked for by itself: some names of a directory that cannot be listed whole still do. Null where it
   * leads nowhere. Absent where the listing gives all that can be had (an image's).
   */
  lookUp?(path: BytePath): Entry | null;
  /** A symlink's target bytes. Throws like open. */
  readLink(symlink: Entry): BytePath;
  /** Whether a file system without stored content (proc, sysfs) is mounted here; absent where nothing can be mounted. */
  isPseudo?(mountPoint: Entry): boolean;
  /** Where the file's bytes lie, ascending by `logical`; absent where the platform cannot tell. */
  extents?(file: Entry): Iterable<Extent>;
  /** Absent for a mounted tree. */
  readonly blocks?: VolumeBlocks;
  /**
   * What follows a file's end in its last block: zeros on a sound volume. Null where the file ends with its block, where that
   * block is none of its own (a hole, unwritten, inline), and where its content is of another kind (verity). Throws like open.
   */
  bytesAfterEnd?(file: Entry): Uint8Array | null;
  /** What its own log still holds of it, beside what stands in place; null when it has none. Reads the whole log. */
  logged?(): LoggedState | null;
  /** What of its own structures was found broken so far, each place once; absent for a mounted tree. */
  readonly damage?: { readonly facts: readonly (DamageError | ReadError)[] };
  close(): void;
}
