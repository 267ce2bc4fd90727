// What a block map of an older day says of a file or directory as it is now: which of its blocks came to the disk since, and which never
// did. Offsets and lengths are bytes of the file; a block is of the map's unit.

import type { ByteRange } from '../model.ts';

/**
 * unchanged, changed: it was this file's (inode, generation, logical block) at this place then, and holds the same or not.
 * landed: it was not, and what the place held then has been written over.
 * never-landed: it was not, and the place still holds what it held then; `zeros`: and that is zeros.
 * known: the same, and an ordinary act explains it.
 */
export type PlaceState = 'unchanged' | 'changed' | 'landed' | 'never-landed' | 'never-landed-zeros' | 'known';

export interface PlacedSpan extends ByteRange {
  readonly state: PlaceState;
  /** Byte offset in the volume’s container. */
  readonly physical: number;
  /** Whose the place was then, for people; null where it was free. */
  readonly formerOwner: string | null;
  /** Another inode owns the place as well, now. */
  readonly isClaimedTwice: boolean;
}

/** Blocks of a file that hold what an older map has there, while the newest one has something else: A, B, A. */
export interface GoneBackSpan extends ByteRange {
  /** Byte offset in the volume’s container. */
  readonly physical: number;
  /** Id of the newest generation whose state this is. */
  readonly backTo: string;
  /** That day it was the same block of the same file. */
  readonly isOwn: boolean;
  /** No ordinary act is known that brings such a block back, but for the very same bytes written again. */
  readonly isTelling: boolean;
}

/** The same inode and generation as that day knew it, under whichever name. */
export interface FormerInode {
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export interface BlockWitness {
  /** The generation whose map it is. */
  readonly reference: string;
  readonly unitBytes: number;
  /** Null: that day did not know the inode. */
  readonly formerly: FormerInode | null;
  /** Written blocks up to the end of the file, ascending; neighbours of one state are one span. */
  readonly spans: readonly PlacedSpan[];
  /** All of its written blocks lay where they lie, and it had no others. */
  readonly sameBlocks: boolean;
  /** Whether the file system counts all of its blocks as in use; null where it cannot tell: repairs count anew. */
  readonly isAllocated: boolean | null;
  /** The block that its inode lies in has been written since that day; null where its place is not known. */
  readonly isInodeRewritten: boolean | null;
  /** False: that day had many files of its kind, and none of them had a block of zeros. */
  readonly mayHoldZeros: boolean;
}

/** Each of its blocks lies where it lay, and holds what it held. */
export function isUnchanged({ sameBlocks, spans }: BlockWitness): boolean {
  return sameBlocks && spans.length > 0 && spans.every(({ state }) => state === 'unchanged');
}

/** The span that a byte of the file lies in; null for a hole. */
export function spanAt({ spans }: BlockWitness, offset: number): PlacedSpan | null {
  return spans.find(span => span.offset <= offset && offset < span.offset + span.length) ?? null;
}
