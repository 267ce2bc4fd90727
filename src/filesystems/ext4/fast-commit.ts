// Fast commits: what was written behind the journal's last transaction as changes of inodes, names and ranges.
// Reads the area and says which changes a mount would make; what they come to is fast-commit-state.ts's.
// Follows Documentation/filesystems/ext4/journal.rst and ext4_fc_replay_scan of Linux 6.18.

import { DamageError, ReadError, UnsupportedError } from '../../errors.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import { latin1 } from '../../struct/struct.ts';
import type { Journal } from './journal.ts';
import {
  FAST_COMMIT_NAME_AT,
  FAST_COMMIT_TAG_BYTES,
  FAST_COMMIT_TAGS,
  fastCommitHead,
  fastCommitHole,
  fastCommitInode,
  fastCommitName,
  fastCommitRange,
  fastCommitTag,
  fastCommitTail,
} from './journal-layout.ts';
import { EXTENT_WRITTEN_MAX, extentLeaf, OLD_INODE_BYTES } from './layout.ts';

export type FastCommitChange =
  | {
      readonly kind: 'create' | 'link' | 'unlink';
      readonly parent: number;
      readonly inode: number;
      readonly name: string;
    }
  /** `bytes`: the inode's slot, perhaps cut short at its end. */
  | { readonly kind: 'inode'; readonly inode: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'add';
      readonly inode: number;
      readonly logical: number;
      readonly physical: number;
      readonly length: number;
      readonly unwritten: boolean;
    }
  | { readonly kind: 'delete'; readonly inode: number; readonly logical: number; readonly length: number };

export interface FastCommits {
  readonly changes: readonly FastCommitChange[];
  /** How many fast commits were whole. */
  readonly commits: number;
  /** What a mount would fail with. */
  readonly error: DamageError | ReadError | UnsupportedError | null;
}

const LONGEST_NAME = 255;

/** @param sequence the transaction that was running: one after the last of the log. */
export function readFastCommits(journal: Journal, sequence: number, inodeSize: number): FastCommits {
  const reader = new FastCommitReader(journal, sequence, inodeSize);
  const error = reader.run();
  return { changes: reader.changes, commits: reader.commits, error };
}

class FastCommitReader {
  readonly changes: FastCommitChange[] = [];
  commits = 0;
  readonly #journal: Journal;
  readonly #sequence: number;
  readonly #inodeSize: number;
  /** Of the commit that is not whole yet. */
  #pending: FastCommitChange[] = [];
  #crc = 0;

  constructor(journal: Journal, sequence: number, inodeSize: number) {
    this.#journal = journal;
    this.#sequence = sequence;
    this.#inodeSize = inodeSize;
  }

  /** The area ends where a tag does not go on; that is no error behind a whole commit. */
  run(): FastCommits['error'] {
    try {
      for (let number = this.#journal.fastFirst; number < this.#journal.fastEnd; number++) {
        const block = this.#journal.block(number);
        if (number === this.#journal.fastFirst && fastCommitTag.at(block).tag !== FAST_COMMIT_TAGS.head) return null;
        if (!this.#block(block, number * this.#journal.blockSize)) return null;
      }
      return null;
    } catch (error) {
      const refused = error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError;
      if (!refused) throw error;
      return this.commits > 0 && error instanceof DamageError ? null : error;
    }
  }

  /** False where the area ends. */
  #block(block: Uint8Array, origin: number): boolean {
    let at = 0;
    while (at + FAST_COMMIT_TAG_BYTES <= block.length) {
      const { tag, length } = fastCommitTag.at(block, at);
      const value = at + FAST_COMMIT_TAG_BYTES;
      if (value + length > block.length || !this.#plausible(tag, length)) {
        throw new DamageError(
          'ext4_fc_tl',
          origin + at,
          `tag ${tag}, ${length} bytes`,
          'a known tag that fits its block',
        );
      }
      if (!this.#tag(tag, block, value, length, origin)) return false;
      at = value + length;
    }
    return true;
  }

  #plausible(tag: number, length: number): boolean {
    switch (tag) {
      case FAST_COMMIT_TAGS.addRange:
        return length === 16;
      case FAST_COMMIT_TAGS.deleteRange:
        return length === 12;
      case FAST_COMMIT_TAGS.create:
      case FAST_COMMIT_TAGS.link:
      case FAST_COMMIT_TAGS.unlink:
        return length > FAST_COMMIT_NAME_AT && length <= FAST_COMMIT_NAME_AT + LONGEST_NAME;
      case FAST_COMMIT_TAGS.inode:
        return length >= 4 + OLD_INODE_BYTES && length <= 4 + this.#inodeSize;
      case FAST_COMMIT_TAGS.head:
        return length === 8;
      case FAST_COMMIT_TAGS.tail:
        return length >= 8;
      default:
        return tag === FAST_COMMIT_TAGS.pad;
    }
  }

  #tag(tag: number, block: Uint8Array, value: number, length: number, origin: number): boolean {
    if (tag === FAST_COMMIT_TAGS.tail) return this.#tail(block, value, origin);
    if (tag === FAST_COMMIT_TAGS.head) {
      const head = fastCommitHead.at(block, value);
      if (head.features !== 0)
        throw new UnsupportedError(`fast commits: unknown features 0x${head.features.toString(16)}`);
      if (head.sequence !== this.#sequence) return false;
    } else {
      const change = changeOf(tag, block, value, length);
      if (change !== null) this.#pending.push(change);
    }
    this.#crc = rawCrc32c(this.#crc, block, value - FAST_COMMIT_TAG_BYTES, value + length);
    return true;
  }

  #tail(block: Uint8Array, value: number, origin: number): boolean {
    const { sequence, checksum } = fastCommitTail.at(block, value);
    const crc = rawCrc32c(this.#crc, block, value - FAST_COMMIT_TAG_BYTES, value + 4);
    this.#crc = 0;
    if (sequence !== this.#sequence || checksum !== crc) {
      throw new DamageError('ext4_fc_tail', origin + value, checksum, crc, 'EBADMSG');
    }
    for (const change of this.#pending) this.changes.push(change);
    this.#pending = [];
    this.commits++;
    return true;
  }
}

/** Null for padding. The bytes were checked to be there. */
function changeOf(tag: number, block: Uint8Array, value: number, length: number): FastCommitChange | null {
  if (tag === FAST_COMMIT_TAGS.inode) {
    const { inode } = fastCommitInode.at(block, value);
    return { kind: 'inode', inode, bytes: block.slice(value + 4, value + length) };
  }
  if (tag === FAST_COMMIT_TAGS.addRange) return rangeOf(block, value);
  if (tag === FAST_COMMIT_TAGS.deleteRange) {
    const hole = fastCommitHole.at(block, value);
    return { kind: 'delete', inode: hole.inode, logical: hole.logical, length: hole.length };
  }
  const kind = NAME_KINDS.get(tag);
  if (kind === undefined) return null;
  const { parent, inode } = fastCommitName.at(block, value);
  return { kind, parent, inode, name: latin1(block, value + FAST_COMMIT_NAME_AT, length - FAST_COMMIT_NAME_AT) };
}

const NAME_KINDS = new Map<number, 'create' | 'link' | 'unlink'>([
  [FAST_COMMIT_TAGS.create, 'create'],
  [FAST_COMMIT_TAGS.link, 'link'],
  [FAST_COMMIT_TAGS.unlink, 'unlink'],
]);

function rangeOf(block: Uint8Array, value: number): FastCommitChange {
  const { inode } = fastCommitRange.at(block, value);
  const extent = extentLeaf.at(block, value + 4);
  const unwritten = extent.length > EXTENT_WRITTEN_MAX;
  return {
    kind: 'add',
    inode,
    logical: extent.logical,
    physical: extent.startLow + extent.startHigh * 2 ** 32,
    length: unwritten ? extent.length - EXTENT_WRITTEN_MAX : extent.length,
    unwritten,
  };
}
