// How far a journal's log can be believed: the first of the kernel's three passes over it.
// A log ends where a transaction has no sound commit; debris of an older log is told from damage by the commits' times.

import { DamageError } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import { rawCrc32Be } from './crc32-be.ts';
import type { Journal } from './journal.ts';
import { BLOCK_TYPES, COMMIT_CRC32, COMMIT_CRC32_BYTES, commitHeader, JOURNAL_INCOMPAT } from './journal-layout.ts';

export class LogScan {
  readonly #journal: Journal;
  lastCommitNs: Nanoseconds | null = null;
  /** A commit whose checksum is wrong, though it is not older than the one before: a mount is refused. */
  corrupt: DamageError | null = null;
  #sequence: number;
  #number: number;
  /** A block's own checksum was wrong: stale debris of an older log, or damage; the commit's time tells. */
  #doubtful = false;
  #lastSeconds = 0;
  /** Of the transaction so far, for the first kind of checksum. */
  #sum = 0xffffffff;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#sequence = journal.raw.sequence;
    this.#number = journal.raw.start;
  }

  run(): number {
    const { first, end } = this.#journal;
    if (this.#number < first || this.#number >= end) {
      throw new DamageError('journal_superblock_s s_start', 0x1c, this.#number, `${first} to ${end - 1}`);
    }
    for (let read = 0; read < end; read++) {
      const number = this.#number;
      const block = this.#journal.block(number);
      const header = this.#journal.header(block);
      if (header === null || header.sequence !== this.#sequence) return this.#sequence;
      this.#number = this.#journal.after(number);
      if (!this.#goesOn(header.type, block, number)) return this.#sequence;
    }
    throw new DamageError(
      'journal',
      this.#number * this.#journal.blockSize,
      'no end',
      'a log shorter than the journal',
    );
  }

  #goesOn(type: number, block: Uint8Array, number: number): boolean {
    if (type === BLOCK_TYPES.descriptor) {
      this.#descriptor(block);
      return true;
    }
    if (type === BLOCK_TYPES.revoke) {
      if (!this.#journal.blockHolds(block)) this.#doubtful = true;
      return true;
    }
    return type === BLOCK_TYPES.commit && this.#commit(block, number);
  }

  #descriptor(block: Uint8Array): void {
    if (!this.#journal.blockHolds(block)) this.#doubtful = true;
    const { length } = this.#journal.tags(block);
    if (this.#journal.sumsTransactions && !this.#doubtful) this.#sumUp(block, length);
    this.#number = this.#journal.ahead(this.#number, length);
  }

  #sumUp(descriptor: Uint8Array, copies: number): void {
    this.#sum = rawCrc32Be(this.#sum, descriptor);
    let number = this.#number;
    for (let copy = 0; copy < copies; copy++) {
      this.#sum = rawCrc32Be(this.#sum, this.#journal.block(number));
      number = this.#journal.after(number);
    }
  }

  /** False where the log ends before this commit. */
  #commit(block: Uint8Array, number: number): boolean {
    const { seconds, nanoseconds } = this.#journal.commitTime(block);
    const debris = seconds < this.#lastSeconds;
    const bad = badChecksum('transaction', number * this.#journal.blockSize, this.#sequence);
    if (this.#doubtful && !debris) throw bad;
    if (this.#doubtful) return false;
    if (!this.#sumHolds(block) || !this.#journal.commitHolds(block)) {
      if (!debris && !this.#journal.has(JOURNAL_INCOMPAT.asyncCommit)) this.corrupt = bad;
      return false;
    }
    this.#sum = 0xffffffff;
    this.#lastSeconds = seconds;
    this.lastCommitNs = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
    this.#sequence = following(this.#sequence);
    return true;
  }

  #sumHolds(block: Uint8Array): boolean {
    if (!this.#journal.sumsTransactions) return true;
    const { checksum, checksumType, checksumSize } = commitHeader.at(block);
    if (checksumType === 0 && checksumSize === 0 && checksum === 0) return true;
    return checksumType === COMMIT_CRC32 && checksumSize === COMMIT_CRC32_BYTES && checksum === this.#sum;
  }
}

export function following(sequence: number): number {
  return (sequence + 1) >>> 0;
}

/** Transaction numbers wrap around. */
export function isAfter(left: number, right: number): boolean {
  return ((left - right) | 0) > 0;
}

export function badChecksum(what: string, at: number, sequence: number): DamageError {
  return new DamageError(
    `journal: ${what}`,
    at,
    `a wrong checksum in transaction ${sequence}`,
    'the right one',
    'EBADMSG',
  );
}
