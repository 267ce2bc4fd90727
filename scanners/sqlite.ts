// A SQLite database whose pages are of several days contradicts itself: an index lacks a row, a page belongs to nothing, the
// free list counts what is in use. SQLite's own check tells, without any reference. What follows a database in files beside it
// (a journal, a write-ahead log) is not replayed: while there is such, nothing is said.

import type { ByteSource } from '../src/bytes/byte-source.ts';
import { unlessRefused } from '../src/errors.ts';
import { contradictionOf } from '../src/formats/sqlite/contradiction.ts';
import { type DatabaseHeader, readHeader } from '../src/formats/sqlite/header.ts';
import { JOURNAL_SUFFIX, SMALLEST_PAGE_BYTES, WAL_SUFFIX } from '../src/formats/sqlite/layout.ts';
import type { BytePath, ByteRange, Observation, Stat } from '../src/model.ts';
import type { Siblings, StructureScanner } from './scanner.ts';
import { readWhole } from './whole-file.ts';

const NAME = 'sqlite';
/** Whatever it is called, a whole database is a number of pages. These names are looked into at any size. */
const NAMED_AS_DATABASE = /\.(?:db3?|s3db|sdb|sl3|sqlite[23]?)$/i;
/**
 * A database is loaded whole, twice for a moment: by two workers this much stays below half of the memory that a scan may take.
 * Of a larger one only the header is looked at.
 */
const LARGEST_FILE_BYTES = 64 * 1024 * 1024;
/** Two writes within the coarsest unit of a file system's times (FAT: two seconds) leave the inode as it is. */
const COARSEST_TIME_NS = 2_000_000_000n;

export const SQLITE: StructureScanner = {
  name: NAME,

  /** A database of two names may be in use under the other one, and its journal beside that. */
  wants(path: BytePath, stat: Stat): boolean {
    if (stat.type !== 'file' || stat.links > 1 || stat.sizeBytes < SMALLEST_PAGE_BYTES) return false;
    return stat.sizeBytes % SMALLEST_PAGE_BYTES === 0 || NAMED_AS_DATABASE.test(path);
  },

  *inspect(path: BytePath, stat: Stat, bytes: ByteSource, siblings: Siblings): Iterable<Observation> {
    // What the medium refuses is told by the reading of the file.
    const contradiction = unlessRefused(() => lookedInto(bytes));
    if (contradiction === null || isInUse(stat) || isUnfinished(siblings)) return;
    yield { scanner: NAME, rule: 'database-contradicts-itself', path, supports: true, ...contradiction };
  },
};

type Contradiction = Pick<Observation, 'detail' | 'ranges'>;

function lookedInto(bytes: ByteSource): Contradiction | null {
  const header = readHeader(bytes);
  if (header === null) return null;
  const short = cutShort(header, bytes.size);
  if (short !== null || bytes.size > LARGEST_FILE_BYTES) return short;
  const content = readWhole(bytes);
  const message = content === null ? null : contradictionOf(content, header.pageBytes);
  if (message === null) return null;
  const ranges = pagesOf(message).map(page => rangeOf(page, header, bytes.size));
  return { detail: `SQLite finds the database inconsistent: ${shortened(message)}.`, ranges };
}

/** Pages beyond the count are no contradiction: SQLite may have been told to grow a file by larger pieces. */
function cutShort({ sizePages, pageBytes }: DatabaseHeader, sizeBytes: number): Contradiction | null {
  const whole = Math.floor(sizeBytes / pageBytes);
  if (sizePages === null || whole >= sizePages) return null;
  return {
    detail: `The database counts ${sizePages} pages of ${pageBytes} bytes, and the file holds ${whole}.`,
    ranges: [],
  };
}

const LONGEST_MESSAGE = 160;

/** Its first line of substance; names in it are those of the database, of any characters. */
function shortened(message: string): string {
  const text = message
    .replace(/^\*\*\* in database main \*\*\*\n/, '')
    .replace(/\n.*/s, '')
    .replace(/\p{C}/gu, '\ufffd');
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}…` : text;
}

function pagesOf(message: string): number[] {
  const page = /^(?:Tree \d+ page|Page) (\d+)/m.exec(message)?.[1];
  return page === undefined ? [] : [Number(page)];
}

function rangeOf(page: number, { pageBytes }: DatabaseHeader, sizeBytes: number): ByteRange {
  const offset = Math.min((page - 1) * pageBytes, sizeBytes);
  return { offset, length: Math.min(pageBytes, sizeBytes - offset) };
}

/** Somebody may be at it between the reading of the inode and of the bytes, and no time would tell. */
function isInUse({ mtimeNs }: Stat): boolean {
  const ageNs = BigInt(Date.now()) * 1_000_000n - mtimeNs;
  return ageNs > -COARSEST_TIME_NS && ageNs < COARSEST_TIME_NS;
}

/** As SQLite itself decides it: a journal is to be rolled back unless its first byte is zero (PRAGMA journal_mode=PERSIST). */
function isUnfinished(siblings: Siblings): boolean {
  const log = siblings.first(WAL_SUFFIX, 1);
  const journal = siblings.first(JOURNAL_SUFFIX, 1);
  if (log === 'unreadable' || journal === 'unreadable') return true;
  return (log?.length ?? 0) > 0 || (journal?.[0] ?? 0) !== 0;
}
