// What a journal's log still holds of the past, replayed or not: nothing erases a transaction but a newer one in its place.
// Read backwards from the newest commit. Follows Documentation/filesystems/ext4/journal.rst and fs/jbd2 of Linux 6.18.

import { unlessRefused } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import type { Journal, JournalTag } from './journal.ts';
import { BLOCK_TYPES } from './journal-layout.ts';
import { isAfter } from './journal-scan.ts';

/** A copy of a block of the file system, as it stands in the log. */
export interface LoggedBlock {
  readonly logBlock: number;
  /** With the checksum by which the copy is to be known as sound. */
  readonly tag: JournalTag;
  readonly sequence: number;
  /** When its transaction was committed. */
  readonly committedNs: Nanoseconds;
  /** A transaction after it is not in the log: a newer copy may have been in that. */
  readonly hasHoleAfter: boolean;
}

export interface JournalHistory {
  /** By block of the file system, newest first. Copies that were revoked since are left out. */
  readonly copies: ReadonlyMap<number, readonly LoggedBlock[]>;
  readonly transactions: number;
  /** Commits of the oldest and the newest transaction; null when there is none. */
  readonly fromNs: Nanoseconds | null;
  readonly toNs: Nanoseconds | null;
  /** Places in the run of transactions at which some are missing. */
  readonly holes: number;
}

/** Transaction numbers that a mount passes over. */
const MOUNT_GAP = 3;

/** Blocks that are read at once. */
const PIECE_BLOCKS = 256;

/** A descriptor with the copies that follow it, or a revoke block. */
interface Piece {
  readonly start: number;
  readonly sequence: number;
  readonly tags: readonly JournalTag[];
  readonly revoked: readonly number[];
}

interface Commit {
  readonly at: number;
  readonly sequence: number;
  readonly committedNs: Nanoseconds;
}

/** Never throws for damage or refused reads: what cannot be read is a hole. */
export function readJournalHistory(journal: Journal): JournalHistory {
  const log = new LogBlocks(journal);
  return new Backwards(journal, log).run();
}

/** Every sound descriptor, revoke block and commit of the log, wherever it stands. */
class LogBlocks {
  /** By the block after the last one of the piece. */
  readonly piecesByEnd = new Map<number, Piece>();
  readonly commits: Commit[] = [];
  readonly commitAt = new Map<number, Commit>();
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
    for (let number = journal.first; number < journal.end; number += PIECE_BLOCKS) this.#lookThrough(number);
    this.commits.sort((left, right) => (isAfter(left.sequence, right.sequence) ? -1 : 1));
  }

  /** Most blocks are copies, without a header. */
  #lookThrough(first: number): void {
    const count = Math.min(PIECE_BLOCKS, this.#journal.end - first);
    const piece = unlessRefused(() => this.#journal.blocks(first, count));
    for (let index = 0; index < count; index++) {
      const block = piece?.subarray(index * this.#journal.blockSize, (index + 1) * this.#journal.blockSize);
      this.#look(first + index, () => block ?? this.#journal.block(first + index));
    }
  }

  #look(number: number, read: () => Uint8Array): void {
    unlessRefused(() => {
      const block = read();
      const header = this.#journal.header(block);
      if (header === null) return;
      if (header.type === BLOCK_TYPES.commit) this.#commit(number, block, header.sequence);
      else if (this.#journal.blockHolds(block)) this.#piece(number, block, header);
    });
  }

  #commit(at: number, block: Uint8Array, sequence: number): void {
    if (!this.#journal.commitHolds(block)) return;
    const { seconds, nanoseconds } = this.#journal.commitTime(block);
    const commit = { at, sequence, committedNs: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds) };
    this.commits.push(commit);
    this.commitAt.set(at, commit);
  }

  #piece(start: number, block: Uint8Array, { type, sequence }: { type: number; sequence: number }): void {
    if (type === BLOCK_TYPES.descriptor) {
      const tags = this.#journal.tags(block);
      this.piecesByEnd.set(this.#journal.ahead(start, 1 + tags.length), { start, sequence, tags, revoked: [] });
    } else if (type === BLOCK_TYPES.revoke) {
      const revoked = this.#journal.revoked(block, start);
      this.piecesByEnd.set(this.#journal.ahead(start, 1), { start, sequence, tags: [], revoked });
    }
  }
}

class Backwards {
  readonly #journal: Journal;
  readonly #log: LogBlocks;
  readonly #copies = new Map<number, LoggedBlock[]>();
  /** Newest transaction that revoked a block; the walk goes backwards, so the first that is met. */
  readonly #revoked = new Map<number, number>();
  /** Commits before this one, newest first, are not older than what was taken. */
  #next = 0;
  #room: number;
  #holes = 0;
  #transactions = 0;

  constructor(journal: Journal, log: LogBlocks) {
    this.#journal = journal;
    this.#log = log;
    this.#room = journal.end - journal.first;
  }

  run(): JournalHistory {
    const [newest] = this.#log.commits;
    let oldest: Commit | null = null;
    for (let commit = newest ?? null; commit !== null; ) {
      const start = this.#take(commit);
      if (start === null) break;
      oldest = commit;
      commit = this.#before(commit, start);
    }
    return {
      copies: this.#copies,
      transactions: this.#transactions,
      fromNs: oldest?.committedNs ?? null,
      toNs: oldest === null ? null : (newest?.committedNs ?? null),
      holes: this.#holes,
    };
  }

  /** The first block of the transaction; null when the log has been gone round: what is left is overwritten in part. */
  #take(commit: Commit): number | null {
    const pieces: Piece[] = [];
    let start = commit.at;
    for (let piece = this.#pieceBefore(start, commit); piece !== undefined; piece = this.#pieceBefore(start, commit)) {
      pieces.push(piece);
      start = piece.start;
      if (pieces.length > this.#room) return null;
    }
    const length = 1 + pieces.reduce((sum, { tags }) => sum + 1 + tags.length, 0);
    if (length > this.#room) return null;
    this.#room -= length;
    this.#transactions++;
    for (const piece of pieces) for (const block of piece.revoked) this.#revoke(block, commit.sequence);
    for (const piece of pieces) this.#keep(piece, commit);
    return start;
  }

  #pieceBefore(end: number, { sequence }: Commit): Piece | undefined {
    const piece = this.#log.piecesByEnd.get(end);
    return piece?.sequence === sequence ? piece : undefined;
  }

  #revoke(block: number, sequence: number): void {
    if (!this.#revoked.has(block)) this.#revoked.set(block, sequence);
  }

  #keep({ start, tags }: Piece, { sequence, committedNs }: Commit): void {
    for (const [index, tag] of tags.entries()) {
      if (this.#revoked.has(tag.block)) continue;
      const logBlock = this.#journal.ahead(start, 1 + index);
      const copy = { logBlock, tag, sequence, committedNs, hasHoleAfter: this.#holes > 0 };
      const known = this.#copies.get(tag.block);
      if (known === undefined) this.#copies.set(tag.block, [copy]);
      else known.push(copy);
    }
  }

  /**
   * The transaction before. Kernels that keep no head start at the log's first block with each mount: what comes before a
   * transaction there stands elsewhere. Anything else that is not adjacent is behind a hole.
   */
  #before(commit: Commit, start: number): Commit | null {
    const adjacent = this.#log.commitAt.get(this.#journal.ahead(start, -1));
    if (adjacent !== undefined && isAfter(commit.sequence, adjacent.sequence)) return adjacent;
    const next = this.#olderThan(commit.sequence);
    if (next === null) return null;
    const isMount = start === this.#journal.first && commit.sequence - next.sequence <= MOUNT_GAP;
    if (!isMount) this.#holes++;
    return next;
  }

  #olderThan(sequence: number): Commit | null {
    const { commits } = this.#log;
    for (; this.#next < commits.length; this.#next++) {
      const commit = commits[this.#next];
      if (commit !== undefined && isAfter(sequence, commit.sequence)) return commit;
    }
    return null;
  }
}
