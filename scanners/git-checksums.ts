// What git writes beside its loose objects ends with a digest of all that stands before it, so a file of which some blocks
// are of another day contradicts itself. A digest that fits says that the file is whole; of which day, only a name that is
// made of a digest says. Whether packs, indexes and references fit each other is not asked here.

import { createHash, type Hash } from 'node:crypto';
import type { ByteSource } from '../src/bytes/byte-source.ts';
import { unlessRefused } from '../src/errors.ts';
import { type ChecksummedFile, checksummedFileOf, isCertainlyGits } from '../src/formats/git/checksummed-files.ts';
import type { BytePath, Observation, Stat } from '../src/model.ts';
import type { StructureScanner } from './scanner.ts';

const NAME = 'git-checksums';
/**
 * Beyond one buffer a file is read a second time for this, and a scan cannot be stopped meanwhile: at the 150 MB/s of a hard
 * disk so much takes half a minute.
 */
const LARGEST_FILE_BYTES = 4 * 1024 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
/** Magic, version and counts; a bitmap's name stands behind as much. */
const HEADER_BYTES = 12;
/** The smallest piece that a disk loses. */
const SECTOR_BYTES = 512;
/** A digest left out (32 bytes), and twice what an entry's padding or a bitmap's last words put before it. */
const ZEROS_OF_WHOLE_AT_MOST = 96;

const ALGORITHMS = [
  { algorithm: 'sha1', bytes: 20 },
  { algorithm: 'sha256', bytes: 32 },
] as const;
type Algorithm = (typeof ALGORITHMS)[number];

export const GIT_CHECKSUMS: StructureScanner = {
  name: NAME,

  wants(path: BytePath, stat: Stat): boolean {
    return stat.type === 'file' && stat.sizeBytes <= LARGEST_FILE_BYTES && checksummedFileOf(path) !== null;
  },

  *inspect(path: BytePath, _stat: Stat, bytes: ByteSource): Iterable<Observation> {
    const file = checksummedFileOf(path);
    if (file === null || bytes.size > LARGEST_FILE_BYTES) return;
    // What the medium refuses, the reading of the file tells already, with its ranges.
    const noticed = unlessRefused(() => noticedIn(path, file, bytes));
    if (noticed !== null) yield { scanner: NAME, path, ranges: [], ...noticed };
  },
};

type Noticed = Pick<Observation, 'rule' | 'supports' | 'detail'>;

/** Null: another program's file of such a name, or one of git's that carries no digest. */
function noticedIn(path: BytePath, file: ChecksummedFile, bytes: ByteSource): Noticed | null {
  const { kind } = file;
  const begins = beginsAsItsKind(file, bytes);
  const isNamed = holdsItsName(file, bytes);
  if (!begins && !isNamed && !isCertainlyGits(path, file)) return null;
  if (begins && kind.mayLackDigest && (file.named === null || isNamed) && isWithoutDigest(bytes)) return null;
  if (!fitsItsDigest(file, bytes)) {
    if (begins) return differs(faultBehindStart(bytes));
    const detail = `It does not begin as ${kind.what} does.`;
    return isNamed || beginsWithZeros(bytes) ? differs(detail) : { rule: 'git-start-differs', supports: true, detail };
  }
  if (kind.isAlwaysNamedSo && !isNamed) return differs(`It is whole, and ${kind.what} of another name.`);
  return kind.isFixedByName && isNamed ? VOUCHED : WHOLE;
}

const VOUCHED: Noticed = {
  rule: 'checksum-matches',
  supports: false,
  detail: 'The content has the digest that it ends with and is named by.',
};
const WHOLE: Noticed = {
  rule: 'whole-of-some-day',
  supports: false,
  detail: 'The content has the digest that it ends with, which does not tell of which day it is.',
};

function differs(detail: string): Noticed {
  return { rule: 'checksum-differs', supports: true, detail };
}

function faultBehindStart(bytes: ByteSource): string {
  const zerosFrom = startOfLastZeros(bytes);
  if (bytes.size - zerosFrom > ZEROS_OF_WHOLE_AT_MOST) {
    return `From byte ${zerosFrom} to its end, where its digest should stand, it holds zeros.`;
  }
  return 'It does not end with the digest of all that stands before.';
}

function beginsAsItsKind({ kind }: ChecksummedFile, bytes: ByteSource): boolean {
  const head = readPart(bytes, 0, HEADER_BYTES).toString('latin1');
  return kind.beginnings.some(beginning => head.startsWith(beginning));
}

function beginsWithZeros(bytes: ByteSource): boolean {
  const head = readPart(bytes, 0, SECTOR_BYTES);
  return head.every(byte => byte === 0) && (head.length === 0 || head.length === SECTOR_BYTES);
}

/** It holds the digest of its name where one of its kind does: no other program's file would. */
function holdsItsName({ kind, named }: ChecksummedFile, bytes: ByteSource): boolean {
  if (named === null || kind.placeOfName === null) return false;
  const length = named.length / 2;
  const at = { trailer: bytes.size - length, 'before-trailer': bytes.size - 2 * length, 'after-header': HEADER_BYTES };
  return readPart(bytes, at[kind.placeOfName], length).toString('hex') === named;
}

/** A digest of zeros that was written so, not a last block that was lost. */
function isWithoutDigest(bytes: ByteSource): boolean {
  const zeros = bytes.size - startOfLastZeros(bytes);
  return zeros >= ALGORITHMS[0].bytes && zeros <= ZEROS_OF_WHOLE_AT_MOST;
}

/** The offset from which on only zeros stand; the size where the last byte is none. */
function startOfLastZeros(bytes: ByteSource): number {
  for (let end = bytes.size; end > 0; end -= CHUNK_BYTES) {
    const from = Math.max(0, end - CHUNK_BYTES);
    const last = readPart(bytes, from, end - from).findLastIndex(byte => byte !== 0);
    if (last >= 0) return from + last + 1;
  }
  return 0;
}

/** By the algorithm of its name; whether a repository is of SHA-1 or SHA-256, files without such a name do not all tell. */
function fitsItsDigest({ named }: ChecksummedFile, bytes: ByteSource): boolean {
  const algorithms = ALGORITHMS.filter(({ bytes: length }) => named === null || named.length === 2 * length);
  const sums = algorithms
    .filter(({ bytes: length }) => bytes.size >= HEADER_BYTES + length)
    .map(algorithm => ({ ...algorithm, hash: createHash(algorithm.algorithm) }));
  digestAll(bytes, sums);
  return sums.some(({ hash, bytes: length }) => hash.digest().equals(readPart(bytes, bytes.size - length, length)));
}

/** Feeds each hash with all bytes but its digest's, in one pass. */
function digestAll(bytes: ByteSource, sums: readonly (Algorithm & { readonly hash: Hash })[]): void {
  const buffer = Buffer.alloc(Math.min(bytes.size, CHUNK_BYTES));
  for (let at = 0; at < bytes.size; ) {
    const chunk = buffer.subarray(0, bytes.read(buffer, at));
    if (chunk.length === 0) return;
    for (const { hash, bytes: length } of sums) hash.update(chunk.subarray(0, Math.max(0, bytes.size - length - at)));
    at += chunk.length;
  }
}

/** Less where the file ends, nothing where it has not begun. */
function readPart(bytes: ByteSource, at: number, length: number): Buffer {
  const part = Buffer.alloc(length);
  return at < 0 ? Buffer.alloc(0) : part.subarray(0, bytes.read(part, at));
}
