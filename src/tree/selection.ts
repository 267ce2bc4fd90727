// Which paths a run looks at: globs of the command line against paths within the target.

import picomatch from 'picomatch';
import type { BytePath } from '../model.ts';
import { bytesOfText } from '../path.ts';

export interface Selection {
  /** Whether the path is looked at; a directory that is not is not entered. */
  includes(path: BytePath, directory: boolean): boolean;
}

/** Globs as typed (UTF-8): `/var/log/**`, `*.pyc` (any directory), `/srv/app` (and all below). */
export interface SelectionGlobs {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/**
 * An exclusion wins over an inclusion. With inclusions, a directory is entered when it may lead to one. Picomatch's `.`
 * matches no line end, so names carry them as two letters outside latin1.
 */
export function selectionOf(globs: SelectionGlobs): Selection {
  if (globs.include.length === 0 && globs.exclude.length === 0) return { includes: () => true };
  const included = globs.include.map(matcherOf);
  const prefixes = globs.include.map(fixedPrefix);
  const excluded = globs.exclude.map(matcherOf);
  return {
    includes(path, directory) {
      if (path === '/') return true;
      const text = matchable(path);
      if (excluded.some(matches => matches(text))) return false;
      if (included.length === 0 || included.some(matches => matches(text))) return true;
      return directory && prefixes.some(prefix => leadsTo(text, prefix));
    },
  };
}

const LINE_FEED = '\u010a';
const CARRIAGE_RETURN = '\u010d';

function matchable(path: BytePath): string {
  return path.replaceAll('\n', LINE_FEED).replaceAll('\r', CARRIAGE_RETURN);
}

function matcherOf(glob: string): (text: string) => boolean {
  const pattern = matchable(bytesOfText(glob)).replace(/\/+$/, '');
  const anchored = pattern.startsWith('/') ? pattern : `/**/${pattern}`;
  return picomatch([anchored, `${anchored}/**`], { dot: true, strictSlashes: true });
}

/** The part before the first wildcard, up to its last slash; "/" for a glob that may match anywhere. */
function fixedPrefix(glob: string): string {
  if (!glob.startsWith('/')) return '/';
  const pattern = matchable(bytesOfText(glob));
  const wildcard = pattern.search(/[*?[\]{}()!+@\\]/);
  const fixed = wildcard < 0 ? pattern : pattern.slice(0, wildcard);
  return fixed.slice(0, fixed.lastIndexOf('/') + 1);
}

/** Whether a directory lies on the way to, or below, a glob's fixed part. */
function leadsTo(directory: string, prefix: string): boolean {
  return prefix.startsWith(`${directory}/`) || `${directory}/`.startsWith(prefix);
}
