// Which blocks a mount would write home from a journal that was not checkpointed: the kernel's three passes, in memory.
// Follows fs/jbd2/recovery.c of Linux 6.18: a log ends where a transaction has no sound commit; revoked copies are passed over.

import { DamageError, ReadError } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import type { Journal, JournalTag } from './journal.ts';
import { BLOCK_TYPES } from './journal-layout.ts';
import { badChecksum, following, isAfter, LogScan } from './journal-scan.ts';

/** A block's newest copy in the log. */
export interface LoggedCopy {
  /** Block of the log. */
  readonly logBlock: number;
  readonly escaped: boolean;
  /** The transaction's number. */
  readonly sequence: number;
}

export interface ReplayedLog {
  /** By block of the file system. */
  readonly copies: ReadonlyMap<number, LoggedCopy>;
  readonly firstSequence: number;
  /** One after the last transaction that counts. */
  readonly endSequence: number;
  /** Copies passed over because their block was revoked. */
  readonly revokedCopies: number;
  readonly lastCommitNs: Nanoseconds | null;
  /** What a mount would fail with, after it had written home what is in `copies`. */
  readonly errors: readonly (DamageError | ReadError)[];
}

/** Seen when walking the log; the same walk serves all passes. */
interface Visitor {
  descriptor?(tags: readonly JournalTag[], sequence: number, firstCopy: number): void;
  revoke?(block: Uint8Array, number: number, sequence: number): void;
}

/** @param blocksCount of the file system: copies of blocks beyond it are damage. Never throws for damage or refused reads. */
export function replayLog(journal: Journal, blocksCount: number): ReplayedLog {
  return new Replay(journal, blocksCount).run();
}

class Replay {
  readonly #journal: Journal;
  readonly #blocksCount: number;
  readonly #errors: (DamageError | ReadError)[] = [];
  readonly #copies = new Map<number, LoggedCopy>();
  /** Newest transaction that revoked a block. */
  readonly #revoked = new Map<number, number>();
  #revokedCopies = 0;
  #lastCommitNs: Nanoseconds | null = null;

  constructor(journal: Journal, blocksCount: number) {
    this.#journal = journal;
    this.#blocksCount = blocksCount;
  }

  run(): ReplayedLog {
    const firstSequence = this.#journal.raw.sequence;
    let endSequence = firstSequence;
    if (this.#journal.raw.start !== 0) {
      endSequence = this.#guarded(() => this.#scan()) ?? firstSequence;
      const end = endSequence;
      this.#guarded(() =>
        this.#walk(end, { revoke: (block, number, sequence) => this.#revoke(block, number, sequence) }),
      );
      this.#guarded(() =>
        this.#walk(end, { descriptor: (tags, sequence, first) => this.#copy(tags, sequence, first) }),
      );
    }
    return {
      copies: this.#copies,
      firstSequence,
      endSequence,
      revokedCopies: this.#revokedCopies,
      lastCommitNs: this.#lastCommitNs,
      errors: this.#errors,
    };
  }

  #guarded<T>(pass: () => T): T | null {
    try {
      return pass();
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
      this.#errors.push(error);
      return null;
    }
  }

  /** The number after the last transaction that has a sound commit. Throws where a mount would fail. */
  #scan(): number {
    const scan = new LogScan(this.#journal);
    const end = scan.run();
    this.#lastCommitNs = scan.lastCommitNs;
    if (scan.corrupt !== null) this.#errors.push(scan.corrupt);
    return end;
  }

  /** Goes through the transactions before `end`. */
  #walk(end: number, visitor: Visitor): void {
    let sequence = this.#journal.raw.sequence;
    let number = this.#startBlock();
    for (let read = 0; read < this.#journal.end && sequence !== end; read++) {
      const block = this.#journal.block(number);
      const header = this.#journal.header(block);
      if (header === null || header.sequence !== sequence) return;
      const at = number;
      number = this.#journal.after(number);
      if (header.type === BLOCK_TYPES.descriptor) {
        const tags = this.#journal.tags(block);
        visitor.descriptor?.(tags, sequence, number);
        number = this.#journal.ahead(number, tags.length);
      } else if (header.type === BLOCK_TYPES.revoke) visitor.revoke?.(block, at, sequence);
      else if (header.type === BLOCK_TYPES.commit) sequence = following(sequence);
      else return;
    }
  }

  #startBlock(): number {
    const { start } = this.#journal.raw;
    if (start >= this.#journal.first && start < this.#journal.end) return start;
    throw new DamageError(
      'journal_superblock_s s_start',
      0x1c,
      start,
      `${this.#journal.first} to ${this.#journal.end - 1}`,
    );
  }

  #revoke(block: Uint8Array, number: number, sequence: number): void {
    if (!this.#journal.blockHolds(block)) throw badChecksum('revoke block', number * this.#journal.blockSize, sequence);
    for (const revoked of this.#journal.revoked(block, number)) {
      const known = this.#revoked.get(revoked);
      if (known === undefined || isAfter(sequence, known)) this.#revoked.set(revoked, sequence);
    }
  }

  #copy(tags: readonly JournalTag[], sequence: number, firstCopy: number): void {
    let logBlock = firstCopy;
    for (const tag of tags) {
      this.#guarded(() => this.#copyOne(tag, sequence, logBlock));
      logBlock = this.#journal.after(logBlock);
    }
  }

  #copyOne(tag: JournalTag, sequence: number, logBlock: number): void {
    const revoked = this.#revoked.get(tag.block);
    if (revoked !== undefined && !isAfter(sequence, revoked)) {
      this.#revokedCopies++;
      return;
    }
    const at = logBlock * this.#journal.blockSize;
    if (tag.block >= this.#blocksCount)
      throw new DamageError('journal_block_tag_s t_blocknr', at, tag.block, `below ${this.#blocksCount}`);
    if (!this.#journal.copyHolds(tag, sequence, this.#journal.block(logBlock)))
      throw badChecksum('copy in the log', at, sequence);
    this.#copies.set(tag.block, { logBlock, escaped: tag.escaped, sequence });
  }
}
