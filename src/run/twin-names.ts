// Names that stand for one file through its rewritings: `.dpkg-new`, backups, numbered logs, temporary names. Such a file
// may be written again with the same bytes into blocks that its predecessor has left.

import type { BytePath } from '../model.ts';
import { parentPath } from '../path.ts';

const PREFIX = /^[.#]+/;
const SUFFIXES =
  /(?:[._-](?:dpkg-(?:new|tmp|old|dist)|ucf-\w+|new|old|bak|backup|orig|tmp|temp|part|partial|save|sav|lock|swp|swx|prev)|\.(?:[0-9]+|gz|xz|zst|bz2|[A-Za-z0-9]{6})|[~#]+)$/;

/** The same path, or two names in one directory that differ by what programs add to such names. */
export function isTwin(left: BytePath, right: BytePath): boolean {
  if (left === right) return true;
  return parentPath(left) === parentPath(right) && stem(left) === stem(right);
}

function stem(path: BytePath): string {
  let name = path.slice(path.lastIndexOf('/') + 1).replace(PREFIX, '');
  for (
    let shorter = name.replace(SUFFIXES, '');
    shorter !== name && shorter !== '';
    shorter = name.replace(SUFFIXES, '')
  )
    name = shorter;
  return name;
}
