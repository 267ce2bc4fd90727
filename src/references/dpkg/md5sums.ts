// info/PACKAGE.md5sums: "digest, two spaces, path without its leading slash" for each regular file. dpkg refuses a whole
// file for one broken line; here every line stands for itself, and what a broken one plainly means is still taken.

import type { BytePath, DigestAlgorithm } from '../../model.ts';
import { excerpt, faultOfPath, type Line, linesOf, type Report, tidyPath } from './lines.ts';

export interface SumLine {
  readonly path: BytePath;
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hex. */
  readonly digest: string;
  /** As dpkg writes it. Otherwise the line was reported, and counts only if the package's list names the path. */
  readonly sound: boolean;
}

const SOUND = /^([0-9a-f]{32}) {2}([^/].*)$/s;
/** Other digests, upper case, one space, a tab, md5sum's mark for binary mode, an absolute path, a carriage return. */
const LENIENT = /^([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})[ \t]+\*?([^ \t].*?)\r?$/is;
const ALGORITHM_OF_LENGTH: Readonly<Record<number, DigestAlgorithm>> = { 32: 'md5', 40: 'sha1', 64: 'sha256' };

export function* parseSums(bytes: Buffer, report: Report): Iterable<SumLine> {
  for (const line of linesOf(bytes)) {
    const parsed = parseLine(line);
    if (parsed.fault !== null) report(line.number, parsed.fault);
    if (parsed.sum !== null) yield parsed.sum;
  }
}

interface ParsedLine {
  readonly sum: SumLine | null;
  readonly fault: string | null;
}

function parseLine(line: Line): ParsedLine {
  const match = (line.text.endsWith('\r') ? null : SOUND.exec(line.text)) ?? LENIENT.exec(line.text);
  if (match === null) return { sum: null, fault: faultOfText(line.text) };
  const [, digest = '', name = ''] = match;
  const path = tidyPath(`/${name.replace(/^(?:\.?\/)+/, '')}`);
  const algorithm = ALGORITHM_OF_LENGTH[digest.length];
  const fault = faultOfPath(path);
  if (algorithm === undefined || fault !== null) return { sum: null, fault };
  const oddity = oddityOf(line, digest, name);
  return { sum: { path, algorithm, digest: digest.toLowerCase(), sound: oddity === null }, fault: oddity };
}

/** Why a line that can be understood is still not as it should be. */
function oddityOf(line: Line, digest: string, name: string): string | null {
  const shown = excerpt(line.text);
  if (line.text.endsWith('\r')) return `ends with a carriage return: ${shown}`;
  if (!line.ended) return `has no newline, and may have been cut: ${shown}`;
  if (name.startsWith('/')) return `names an absolute path: ${shown}`;
  if (digest.length !== 32) return `holds a digest of ${digest.length} digits where MD5 has 32: ${shown}`;
  if (SOUND.test(line.text)) return null;
  return /[A-F]/.test(digest) ? `holds a digest in upper case: ${shown}` : `lacks the two spaces: ${shown}`;
}

function faultOfText(text: string): string {
  if (text === '') return 'is empty';
  if (text.includes('\0')) return 'holds NUL bytes';
  if (/^[0-9a-f]{32}(?![0-9a-f])/i.test(text)) return `lacks the two spaces: ${excerpt(text)}`;
  return `does not start with an MD5 digest: ${excerpt(text)}`;
}
