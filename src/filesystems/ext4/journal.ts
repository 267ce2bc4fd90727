// The journal (jbd2) as a log of blocks: its superblock, its geometry, and what each kind of log block says.
// Which transactions count is decided in journal-replay.ts.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { DamageError, ReadError, UnsupportedError } from '../../errors.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import type { StructOf } from '../../struct/struct.ts';
import {
  BLOCK_HEADER_BYTES,
  BLOCK_TAIL_BYTES,
  BLOCK_TYPES,
  blockHeader,
  CHECKSUM_CRC32C,
  COMMIT_CHECKSUM_AT,
  commitHeader,
  DEFAULT_FAST_COMMIT_BLOCKS,
  JOURNAL_CHECKSUM_AT,
  JOURNAL_COMPAT,
  JOURNAL_INCOMPAT,
  JOURNAL_MAGIC,
  JOURNAL_SUPERBLOCK_BYTES,
  journalSuperblock,
  LEAST_LOG_BLOCKS,
  REVOKE_COUNT_AT,
  REVOKE_HEADER_BYTES,
  TAG_FLAGS,
  TAG_UUID_BYTES,
} from './journal-layout.ts';

/** What a descriptor says of one block of the log. */
export interface JournalTag {
  /** The block of the file system that it is a copy of. */
  readonly block: number;
  /** Its first word is the journal's magic, and stands as zeros in the log. */
  readonly escaped: boolean;
  /** 32 bits, or 16 before version 3; 0 without checksums. */
  readonly checksum: number;
}

export interface JournalHeader {
  readonly type: number;
  readonly sequence: number;
}

const ZEROS = new Uint8Array(4);
const KNOWN_INCOMPAT = Object.values(JOURNAL_INCOMPAT).reduce((all, bit) => all | bit, 0);

export class Journal {
  readonly raw: StructOf<typeof journalSuperblock>;
  /** First block of the log proper. */
  readonly first: number;
  /** One after the last block of the log proper; the log wraps from here to `first`. */
  readonly end: number;
  /** Blocks of the fast commit area, `fastEnd` exclusive; equal when there is none. */
  readonly fastFirst: number;
  readonly fastEnd: number;
  readonly blockSize: number;
  readonly #content: ByteSource;
  readonly #seed: number;
  readonly #origin: number;

  /**
   * @param content what log blocks are numbered in: the journal file's bytes, or an external journal's whole device.
   * @param superblockBlock the block of `content` that holds the journal's superblock.
   * Throws DamageError when the superblock is broken (EBADMSG for the checksum alone), UnsupportedError, ReadError.
   */
  constructor(content: ByteSource, blockSize: number, superblockBlock = 0) {
    this.#content = content;
    this.blockSize = blockSize;
    this.#origin = superblockBlock * blockSize;
    const bytes = new Uint8Array(JOURNAL_SUPERBLOCK_BYTES);
    const filled = content.read(bytes, this.#origin);
    this.raw = journalSuperblock.at(bytes.subarray(0, filled), 0, this.#origin);
    this.#check();
    this.#seed = rawCrc32c(-1, this.raw.uuid);
    this.first = this.raw.first;
    const fast = this.has(JOURNAL_INCOMPAT.fastCommit);
    const reserved = this.raw.fastCommitBlocks || DEFAULT_FAST_COMMIT_BLOCKS;
    const room = fast && this.raw.maxLength - reserved >= LEAST_LOG_BLOCKS;
    this.end = room ? this.raw.maxLength - reserved : this.raw.maxLength;
    if (this.first >= this.end) throw this.#wrong('s_first', 0x14, this.first, `1 to ${this.end - 1}`);
    this.fastFirst = this.end + 1;
    this.fastEnd = fast ? this.raw.maxLength : this.fastFirst;
  }

  has(incompat: number): boolean {
    return this.raw.type === BLOCK_TYPES.superblockV2 && (this.raw.incompat & incompat) !== 0;
  }

  /** Transactions carry a checksum over all their blocks (version 1). */
  get sumsTransactions(): boolean {
    return this.raw.type === BLOCK_TYPES.superblockV2 && (this.raw.compat & JOURNAL_COMPAT.checksum) !== 0;
  }

  /** Blocks carry checksums (version 2 or 3). */
  get sumsBlocks(): boolean {
    return this.has(JOURNAL_INCOMPAT.checksumV2) || this.has(JOURNAL_INCOMPAT.checksumV3);
  }

  /** A block of the log. Throws ReadError, DamageError where the journal's own map is broken. */
  block(number: number): Uint8Array {
    return this.blocks(number, 1);
  }

  /** Consecutive blocks of the log, which does not wrap between them. Throws like block. */
  blocks(number: number, count: number): Uint8Array {
    const bytes = new Uint8Array(this.blockSize * count);
    const filled = this.#content.read(bytes, number * this.blockSize);
    if (filled < bytes.length) throw new ReadError(this.#content.name, number * this.blockSize, bytes.length);
    return bytes;
  }

  /** The next block of the log proper. */
  after(number: number): number {
    return number + 1 >= this.end ? this.first : number + 1;
  }

  /** The block of the log proper that many blocks on, or back. */
  ahead(number: number, count: number): number {
    const length = this.end - this.first;
    return this.first + ((((number - this.first + count) % length) + length) % length);
  }

  /** Null when the block is none of the journal's. */
  header(block: Uint8Array): JournalHeader | null {
    const header = blockHeader.at(block);
    return header.magic === JOURNAL_MAGIC ? { type: header.type, sequence: header.sequence } : null;
  }

  tags(block: Uint8Array): JournalTag[] {
    const size = this.#tagBytes;
    const end = block.length - (this.sumsBlocks ? BLOCK_TAIL_BYTES : 0);
    const tags: JournalTag[] = [];
    let at = BLOCK_HEADER_BYTES;
    while (at + size <= end) {
      const flags = u16be(block, at + 6);
      tags.push(this.#tag(block, at, flags));
      at += size + (flags & TAG_FLAGS.sameUuid ? 0 : TAG_UUID_BYTES);
      if (flags & TAG_FLAGS.last) break;
    }
    return tags;
  }

  #tag(block: Uint8Array, at: number, flags: number): JournalTag {
    const high = this.has(JOURNAL_INCOMPAT['64bit']) ? u32be(block, at + 8) : 0;
    const wide = this.has(JOURNAL_INCOMPAT.checksumV3);
    return {
      block: u32be(block, at) + high * 2 ** 32,
      escaped: (flags & TAG_FLAGS.escaped) !== 0,
      checksum: wide ? u32be(block, at + 12) : this.sumsBlocks ? u16be(block, at + 4) : 0,
    };
  }

  get #tagBytes(): number {
    if (this.has(JOURNAL_INCOMPAT.checksumV3)) return 16;
    const sum = this.has(JOURNAL_INCOMPAT.checksumV2) ? 2 : 0;
    return (this.has(JOURNAL_INCOMPAT['64bit']) ? 12 : 8) + sum;
  }

  /** Blocks that a revoke block names. Throws DamageError when it claims more than it has room for. */
  revoked(block: Uint8Array, number: number): number[] {
    const used = u32be(block, REVOKE_COUNT_AT);
    const end = block.length - (this.sumsBlocks ? BLOCK_TAIL_BYTES : 0);
    if (used > end) throw new DamageError('jbd2_journal_revoke_header_s r_count', number * this.blockSize, used, end);
    const wide = this.has(JOURNAL_INCOMPAT['64bit']);
    const step = wide ? 8 : 4;
    const blocks: number[] = [];
    for (let at = REVOKE_HEADER_BYTES; at + step <= used; at += step) {
      blocks.push(wide ? u32be(block, at) * 2 ** 32 + u32be(block, at + 4) : u32be(block, at));
    }
    return blocks;
  }

  /** Seconds since 1970, and the rest in nanoseconds. */
  commitTime(block: Uint8Array): { readonly seconds: number; readonly nanoseconds: number } {
    const commit = commitHeader.at(block);
    return { seconds: commit.secondsHigh * 2 ** 32 + commit.secondsLow, nanoseconds: commit.nanoseconds };
  }

  /** Whether a descriptor's or revoke block's own checksum holds. */
  blockHolds(block: Uint8Array): boolean {
    if (!this.sumsBlocks) return true;
    const tail = block.length - BLOCK_TAIL_BYTES;
    return u32be(block, tail) === rawCrc32c(rawCrc32c(this.#seed, block, 0, tail), ZEROS);
  }

  commitHolds(block: Uint8Array): boolean {
    if (!this.sumsBlocks) return true;
    let crc = rawCrc32c(this.#seed, block, 0, COMMIT_CHECKSUM_AT);
    crc = rawCrc32c(crc, ZEROS);
    return commitHeader.at(block).checksum === rawCrc32c(crc, block, COMMIT_CHECKSUM_AT + 4, block.length);
  }

  /** @param copy the block as it stands in the log. */
  copyHolds(tag: JournalTag, sequence: number, copy: Uint8Array): boolean {
    if (!this.sumsBlocks) return true;
    const full = this.copyChecksum(sequence, copy);
    return tag.checksum === (this.has(JOURNAL_INCOMPAT.checksumV3) ? full : full & 0xffff);
  }

  copyChecksum(sequence: number, copy: Uint8Array): number {
    const word = new Uint8Array(4);
    new DataView(word.buffer).setUint32(0, sequence);
    return rawCrc32c(rawCrc32c(this.#seed, word), copy);
  }

  #check(): void {
    const { raw } = this;
    if (raw.magic !== JOURNAL_MAGIC) throw this.#wrong('h_magic', 0, raw.magic, JOURNAL_MAGIC);
    if (raw.type !== BLOCK_TYPES.superblockV1 && raw.type !== BLOCK_TYPES.superblockV2)
      throw this.#wrong('h_blocktype', 4, raw.type, '3 or 4');
    if (raw.blockSize !== this.blockSize) throw this.#wrong('s_blocksize', 0x0c, raw.blockSize, this.blockSize);
    const most = Math.floor(this.#content.size / this.blockSize);
    if (raw.maxLength < 2 || raw.maxLength > most) throw this.#wrong('s_maxlen', 0x10, raw.maxLength, `2 to ${most}`);
    if (raw.first === 0 || raw.first >= raw.maxLength)
      throw this.#wrong('s_first', 0x14, raw.first, `1 to ${raw.maxLength - 1}`);
    this.#checkFeatures();
  }

  #wrong(field: string, at: number, found: number, expected: string | number): DamageError {
    return new DamageError(`journal_superblock_s ${field}`, this.#origin + at, found, expected);
  }

  #checkFeatures(): void {
    const { raw } = this;
    if (raw.type === BLOCK_TYPES.superblockV1) return;
    const unknown = (raw.incompat & ~KNOWN_INCOMPAT) >>> 0;
    if (unknown !== 0) throw new UnsupportedError(`journal: unknown incompatible features 0x${unknown.toString(16)}`);
    if (!this.sumsBlocks) return;
    if (raw.checksumType !== CHECKSUM_CRC32C)
      throw new UnsupportedError(`journal: unknown checksum type ${raw.checksumType}`);
    let crc = rawCrc32c(-1, raw.bytes, 0, JOURNAL_CHECKSUM_AT);
    crc = rawCrc32c(crc, ZEROS);
    crc = rawCrc32c(crc, raw.bytes, JOURNAL_CHECKSUM_AT + 4, JOURNAL_SUPERBLOCK_BYTES);
    if (crc !== raw.checksum)
      throw new DamageError('journal_superblock_s checksum', this.#origin, raw.checksum, crc, 'EBADMSG');
  }
}
