// What one entry of git's index says of a file: the state of the inode that git read, and the blob that it found. Entries that git
// itself does not trust, or that are of something else than a file's content, say nothing.

import { createHash } from 'node:crypto';
import type { ReadStamp } from '../../model.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import { ENTRY, EXTENDED_FLAG, FLAG, ID_BYTES, MODE } from './index-layout.ts';
import type { ObjectFormat } from './read-index.ts';

export interface BlobRead {
  /** Hex. */
  readonly id: string;
  readonly readAs: ReadStamp;
}

/** The index's file as it was read. */
export interface IndexFile {
  readonly bytes: Uint8Array;
  readonly format: ObjectFormat;
  /** It has a checksum, and that fits. */
  readonly isChecked: boolean;
  /** Its time of modification. */
  readonly writtenNs: bigint;
}

const SECOND_NS = 1_000_000_000n;
/** Disks write sectors whole. */
const SECTOR_BYTES = 512;
const EMPTY_BLOBS = { sha1: emptyBlob('sha1'), sha256: emptyBlob('sha256') } as const;

/** Null: the entry at `at` says nothing of a file's bytes. */
export function blobRead(index: IndexFile, at: number): BlobRead | null {
  const { bytes, format, writtenNs } = index;
  const flagsAt = at + ENTRY.id + ID_BYTES[format];
  if (!isOfFile(bytes, at, flagsAt) || isRacy(index, at) || mayBeTorn(index, at)) return null;
  const id = Buffer.from(bytes.subarray(at + ENTRY.id, flagsAt)).toString('hex');
  const sizeBytes = u32be(bytes, at + ENTRY.size);
  // Git writes a size of 0 where it could not tell whether the file had changed again.
  if (sizeBytes === 0 && id !== EMPTY_BLOBS[format]) return null;
  const mtimeNs = timeAt(bytes, at + ENTRY.mtimeSeconds);
  const ctimeNs = timeAt(bytes, at + ENTRY.ctimeSeconds);
  return {
    id,
    readAs: { inode: u32be(bytes, at + ENTRY.inode), sizeBytes, mtimeNs, ctimeNs, recordedAtNs: writtenNs },
  };
}

/** A file's own blob, that git looks for in the working tree: no link, submodule or directory, no conflict, nothing to be added later. */
function isOfFile(bytes: Uint8Array, at: number, flagsAt: number): boolean {
  const flags = u16be(bytes, flagsAt);
  const extended = (flags & FLAG.extended) === 0 ? 0 : u16be(bytes, flagsAt + 2);
  const isOrdinary = (flags & (FLAG.assumeValid | FLAG.stage)) === 0;
  const isThere = (extended & (EXTENDED_FLAG.skipWorktree | EXTENDED_FLAG.intentToAdd)) === 0;
  return isOrdinary && isThere && (u32be(bytes, at + ENTRY.mode) & MODE.type) === MODE.file;
}

/**
 * Written in the second in which the index was, or later: it may have been written again after git had read it (racy-git). Git goes by
 * the time of modification, which programs set; the change says more. Without fractions of a second nobody can tell.
 */
function isRacy({ bytes, writtenNs }: IndexFile, at: number): boolean {
  const written = Number(BigInt.asUintN(32, writtenNs / SECOND_NS));
  const seconds = Math.max(u32be(bytes, at + ENTRY.mtimeSeconds), u32be(bytes, at + ENTRY.ctimeSeconds));
  return seconds >= written || u32be(bytes, at + ENTRY.ctimeFraction) === 0;
}

/** Without a checksum an entry counts only where it lies in one sector: its halves may be of two days otherwise. */
function mayBeTorn({ isChecked, format }: IndexFile, at: number): boolean {
  const last = at + ENTRY.id + ID_BYTES[format] + 3;
  return !isChecked && Math.floor(at / SECTOR_BYTES) !== Math.floor(last / SECTOR_BYTES);
}

function timeAt(bytes: Uint8Array, at: number): bigint {
  return BigInt(u32be(bytes, at)) * SECOND_NS + BigInt(u32be(bytes, at + 4));
}

function emptyBlob(format: ObjectFormat): string {
  return createHash(format).update('blob 0\0').digest('hex');
}
