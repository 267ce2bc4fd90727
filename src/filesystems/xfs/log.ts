// The log as a ring of blocks of 512 bytes, and its records. Each block begins with the number of the turn in which it was
// written (its cycle); what it held there is kept in the record's header.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { readExactly } from '../../bytes/read-exactly.ts';
import { slice } from '../../bytes/slice.ts';
import { DamageError, UnsupportedError } from '../../errors.ts';
import { rawCrc32c } from '../../struct/crc32c.ts';
import { u32be } from '../../struct/integers.ts';
import type { StructOf } from '../../struct/struct.ts';
import {
  CHECKED_HEADER_BYTES,
  CHECKED_MORE_BYTES,
  CYCLE_WORDS,
  CYCLE_WORDS_AT,
  HEADER_COVERS_BYTES,
  LARGEST_RECORD_BYTES,
  LOG_BLOCK_BYTES,
  MORE_CYCLE_WORDS_AT,
  RECORD_CHECKSUM_AT,
  RECORD_MAGIC,
  recordHeader,
} from './log-layout.ts';
import type { XfsVolume } from './volume.ts';

/** A record of the log, read whole. */
export interface LogRecord {
  /** Block of the log at which its header lies. */
  readonly block: number;
  /** Blocks, with those of the header. */
  readonly blocks: number;
  readonly header: StructOf<typeof recordHeader>;
  /** As it was before it was written: the first words of the blocks put back. */
  readonly bytes: Uint8Array;
  /** Whether its checksum is right; true where it has none. */
  readonly holds: boolean;
}

export class Log {
  readonly name: string;
  /** In blocks of 512 bytes. */
  readonly blocks: number;
  readonly #source: ByteSource;

  /** Throws UnsupportedError for a log on another device, DamageError for one that is not within the volume. */
  constructor(volume: XfsVolume) {
    const { superblock, blockSize, source } = volume;
    const { logStart, logBlocks, blocksCount } = superblock;
    if (logStart === null) throw new UnsupportedError('XFS: its log is on another device');
    if (logBlocks === 0 || logStart + logBlocks > blocksCount)
      throw new DamageError('xfs_dsb sb_logblocks', 96, logBlocks, `at most ${blocksCount - logStart}`);
    this.name = `${source.name} (log)`;
    this.#source = slice(source, logStart * blockSize, logBlocks * blockSize, this.name);
    this.blocks = (logBlocks * blockSize) / LOG_BLOCK_BYTES;
  }

  /** `count` blocks, over the end to the start. Throws DamageError for more than there are, ReadError. */
  read(block: number, count: number): Uint8Array {
    if (count > this.blocks) throw new DamageError(this.name, block * LOG_BLOCK_BYTES, count, `${this.blocks} blocks`);
    const first = Math.min(count, this.blocks - block);
    const start = readExactly(this.#source, block * LOG_BLOCK_BYTES, first * LOG_BLOCK_BYTES, 'log');
    if (first === count) return start;
    const whole = new Uint8Array(count * LOG_BLOCK_BYTES);
    whole.set(start);
    whole.set(readExactly(this.#source, 0, (count - first) * LOG_BLOCK_BYTES, 'log'), first * LOG_BLOCK_BYTES);
    return whole;
  }

  /** The turn in which a block was written. */
  cycleAt(block: number): number {
    return cycleOf(this.read(block, 1), 0);
  }

  /** Block `count` after another one, or before it. */
  after(block: number, count: number): number {
    return (((block + count) % this.blocks) + this.blocks) % this.blocks;
  }

  /** Throws DamageError when no record begins there, ReadError. */
  record(block: number): LogRecord {
    const header = recordHeader.at(this.read(block, 1), 0, block * LOG_BLOCK_BYTES);
    this.#checkHeader(header);
    const headers = headerBlocks(header);
    const data = Math.ceil(header.length / LOG_BLOCK_BYTES);
    const raw = this.read(block, headers + data);
    const holds = checksumHolds(header.checksum, raw, headers, header.length);
    const bytes = unpacked(raw, headers, data).subarray(0, header.length);
    return { block, blocks: headers + data, header, bytes, holds };
  }

  #checkHeader({ magic, version, length, size, origin }: StructOf<typeof recordHeader>): void {
    const fail = (field: string, found: number, expected: string | number) => {
      throw new DamageError(`xlog_rec_header ${field}`, origin, found, expected);
    };
    if (magic !== RECORD_MAGIC) fail('h_magicno', magic, RECORD_MAGIC);
    if (version !== 1 && version !== 2) fail('h_version', version, '1 or 2');
    if (length === 0 || length > LARGEST_RECORD_BYTES) fail('h_len', length, `1 to ${LARGEST_RECORD_BYTES}`);
    if (version === 2 && size > LARGEST_RECORD_BYTES) fail('h_size', size, `at most ${LARGEST_RECORD_BYTES}`);
  }
}

/** The turn in which a block was written; in the first block of a record, the magic number comes before it. */
export function cycleOf(bytes: Uint8Array, at: number): number {
  const word = u32be(bytes, at);
  return word === RECORD_MAGIC ? u32be(bytes, at + 4) : word;
}

/** Version 1 has one, whatever the record's length. */
function headerBlocks({ version, size, length }: StructOf<typeof recordHeader>): number {
  if (version === 1) return 1;
  // A record may be longer than its header says that records are: mkfs wrote such.
  return Math.max(1, Math.ceil(Math.max(size, length > size ? length : 0) / HEADER_COVERS_BYTES));
}

function unpacked(raw: Uint8Array, headers: number, blocks: number): Uint8Array {
  const bytes = raw.slice(headers * LOG_BLOCK_BYTES);
  for (let index = 0; index < blocks; index++) {
    const header = Math.floor(index / CYCLE_WORDS);
    if (header >= headers) break;
    const words = header * LOG_BLOCK_BYTES + (header === 0 ? CYCLE_WORDS_AT : MORE_CYCLE_WORDS_AT);
    const word = words + (index % CYCLE_WORDS) * 4;
    bytes.set(raw.subarray(word, word + 4), index * LOG_BLOCK_BYTES);
  }
  return bytes;
}

const NO_CHECKSUM = new Uint8Array(4);

function checksumHolds(stored: number, raw: Uint8Array, headers: number, length: number): boolean {
  if (stored === 0) return true;
  return CHECKED_HEADER_BYTES.some(headerBytes => {
    let crc = rawCrc32c(-1, raw, 0, RECORD_CHECKSUM_AT);
    crc = rawCrc32c(crc, NO_CHECKSUM);
    crc = rawCrc32c(crc, raw, RECORD_CHECKSUM_AT + 4, headerBytes);
    for (let header = 1; header < headers; header++) {
      crc = rawCrc32c(crc, raw, header * LOG_BLOCK_BYTES, header * LOG_BLOCK_BYTES + CHECKED_MORE_BYTES);
    }
    const data = headers * LOG_BLOCK_BYTES;
    return ~rawCrc32c(crc, raw, data, data + length) >>> 0 === stored;
  });
}
