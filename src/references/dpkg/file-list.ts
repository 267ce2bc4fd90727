// info/PACKAGE.list: every path that a package brought, directories too, one a line, absolute.

import type { BytePath } from '../../model.ts';
import { isBelow } from '../../path.ts';
import { excerpt, faultOfPath, type Line, linesOf, type Report, tidyPath } from './lines.ts';

/** The paths of the sound lines; the others are reported and left out. */
export function* parseFileList(bytes: Buffer, report: Report): Iterable<BytePath> {
  for (const line of linesOf(bytes)) {
    const fault = faultOfLine(line);
    if (fault === null) yield tidyPath(line.text);
    else report(line.number, fault);
  }
}

/** Those with nothing below them: dpkg lists a directory right before what is in it. */
export function leavesOf(paths: readonly BytePath[]): BytePath[] {
  return paths.filter((path, index) => {
    const next = paths[index + 1];
    return next === undefined || !isBelow(next, path);
  });
}

function faultOfLine(line: Line): string | null {
  if (line.text === '') return 'is empty';
  if (line.text.endsWith('\r')) return `ends with a carriage return: ${excerpt(line.text)}`;
  const fault = faultOfPath(tidyPath(line.text));
  if (fault !== null || line.ended) return fault;
  return `has no newline, and may have been cut: ${excerpt(line.text)}`;
}
