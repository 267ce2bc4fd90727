// The line-by-line files of a dpkg database, and the paths in them: as dpkg writes them, and as damage leaves them.

import type { BytePath } from '../../model.ts';

/** Says what is wrong with a line, counted from 1. */
export type Report = (line: number, message: string) => void;

/** For lines whose faults are told at another time, or do not matter. */
export const unreported: Report = () => undefined;

export interface Line {
  /** From 1. */
  readonly number: number;
  /** latin1, without the newline. */
  readonly text: string;
  /** It ends with a newline: a last line that does not may have been cut. */
  readonly ended: boolean;
}

/** Linux PATH_MAX, the longest that a path of a package can be. */
const LONGEST_PATH = 4096;
const NEWLINE = 10;

export function* linesOf(bytes: Buffer): Iterable<Line> {
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    number++;
    yield { number, text: bytes.toString('latin1', start, end), ended: newline >= 0 };
    start = end + 1;
  }
}

/** What is wrong with an absolute path as a file system could hold it, or null. "/." stands for the root. */
export function faultOfPath(path: string): string | null {
  if (path.includes('\0')) return 'holds NUL bytes';
  if (!path.startsWith('/')) return `does not name an absolute path: ${excerpt(path)}`;
  if (path.length > LONGEST_PATH) return `holds a path of ${path.length} bytes`;
  if (/\/\/|\/\.\.?(?:\/|$)/.test(path) && path !== '/.') return `names an impossible path: ${excerpt(path)}`;
  return null;
}

/** Without the slash at the end that older lists give directories; "/." is "/". */
export function tidyPath(path: string): BytePath {
  if (path === '/.') return '/';
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** The start of a line for a message; bytes that do not print become dots. */
export function excerpt(text: string): string {
  const start = text.slice(0, 60).replace(/[^ -~]/g, '.');
  return text.length > 60 ? `"${start}..."` : `"${start}"`;
}
