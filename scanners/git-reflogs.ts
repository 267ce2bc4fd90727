// A reflog is appended to, one line for each update of a reference: "old new name <email> seconds zone", perhaps a tab and a
// message. Lines of another form never were its own. Whether a line goes on from the one before is not asked: `git reflog
// expire` and `delete` take lines out. Follows what git's own reader accepts (refs/files-backend.c, show_one_reflog_ent).

import type { ByteSource } from '../src/bytes/byte-source.ts';
import type { BytePath, ByteRange, Observation, Stat } from '../src/model.ts';
import type { StructureScanner } from './scanner.ts';
import { readWhole } from './whole-file.ts';

const NAME = 'git-reflogs';
/** Some 300,000 updates of one reference; git forgets them after 90 days (gc.reflogExpire). */
const LARGEST_FILE_BYTES = 64 * 1024 * 1024;
/** Two digests, a name and a time; a message may be of any length. */
const LONGEST_START_BYTES = 64 * 1024;
/** Of more places than these all of the file is to be looked at. */
const RANGES_AT_MOST = 100;

const REFLOG = /(?:^|\/)logs\/(?:[A-Z_]*HEAD|refs\/[^\0-\x20\x7f~^:?*[\\]+)$/;
/** Names that no reference has (git-check-ref-format(1)), and what file managers of other systems leave in every folder. */
const NO_REFERENCE = /\/\.|\.\.|@\{|\.$|\.lock$|\/(?:desktop\.ini|thumbs\.db)$/i;
/** Elsewhere (a bare repository of whatever name) a line of the form must tell that it is git's. */
const IN_REPOSITORY = /(?:^|\/)[^/]*\.git\/(?:(?:modules|worktrees)\/.+\/)?logs\//;
const LINE_START = /^(?:[0-9a-f]{40} [0-9a-f]{40}|[0-9a-f]{64} [0-9a-f]{64}) [^>\0]*> [0-9]{1,20} [+-][0-9]{4}/;
const NEWLINE = 0x0a;

export const GIT_REFLOGS: StructureScanner = {
  name: NAME,

  wants(path: BytePath, stat: Stat): boolean {
    return stat.type === 'file' && stat.sizeBytes <= LARGEST_FILE_BYTES && isNamedAsReflog(path);
  },

  *inspect(path: BytePath, _stat: Stat, bytes: ByteSource): Iterable<Observation> {
    if (bytes.size > LARGEST_FILE_BYTES || !isNamedAsReflog(path)) return;
    const content = readWhole(bytes);
    if (content === null) return;
    const lines = brokenLines(content);
    if (lines.broken.length === 0 || !(lines.good > 0 || IN_REPOSITORY.test(path))) return;
    const detail = detailOf(content, lines);
    const ranges = lines.broken.length > RANGES_AT_MOST ? [] : lines.broken;
    yield { scanner: NAME, rule: 'reflog-broken', path, supports: true, detail, ranges };
  },
};

function isNamedAsReflog(path: BytePath): boolean {
  return path.includes('logs/') && REFLOG.test(path) && !NO_REFERENCE.test(path.slice(path.lastIndexOf('logs/')));
}

interface Lines {
  readonly good: number;
  /** Ascending; neighbours are one. */
  readonly broken: readonly ByteRange[];
  /** Of the first broken one, counted from 1. */
  readonly firstNumber: number;
}

function brokenLines(content: Buffer): Lines {
  const broken: ByteRange[] = [];
  let [good, firstNumber, number] = [0, 0, 0];
  for (let at = 0; at < content.length; ) {
    const newline = content.indexOf(NEWLINE, at);
    const end = newline < 0 ? content.length : newline + 1;
    number++;
    if (newline >= 0 && isLine(content.subarray(at, newline))) good++;
    else {
      if (broken.length === 0) firstNumber = number;
      addRange(broken, harmedOf(content, at, end));
    }
    at = end;
  }
  return { good, broken, firstNumber };
}

/** A message is text without NUL; nothing else is asked of it. */
function isLine(line: Buffer): boolean {
  return LINE_START.test(line.toString('latin1', 0, LONGEST_START_BYTES)) && !line.includes(0);
}

/** The zeros of a line that holds any, else all of it. */
function harmedOf(content: Buffer, from: number, end: number): ByteRange {
  const line = content.subarray(from, end);
  const first = line.indexOf(0);
  if (first < 0) return { offset: from, length: line.length };
  return { offset: from + first, length: line.lastIndexOf(0) + 1 - first };
}

function addRange(ranges: ByteRange[], range: ByteRange): void {
  const last = ranges.at(-1);
  if (last === undefined || last.offset + last.length !== range.offset) ranges.push(range);
  else ranges[ranges.length - 1] = { offset: last.offset, length: last.length + range.length };
}

function detailOf(content: Buffer, { broken, firstNumber }: Lines): string {
  const [first = { offset: 0, length: 0 }] = broken;
  const more = broken.length === 1 ? '' : `, and so on in ${broken.length - 1} more places`;
  const where = `${first.length} bytes from byte ${first.offset} on`;
  return `Line ${firstNumber} of the reflog ${faultOf(content, first)} (${where})${more}.`;
}

function faultOf(content: Buffer, { offset, length }: ByteRange): string {
  const range = content.subarray(offset, offset + length);
  if (range[0] === 0) return 'holds zeros';
  return isLine(range) ? 'has no end' : 'is not of the form of one';
}
