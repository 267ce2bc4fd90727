// Which paths a run looks at: globs of the command line against paths within the target.

import fastGlob from 'fast-glob';
import picomatch from 'picomatch';
import { UsageError } from '../errors.ts';
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
 * An exclusion wins over an inclusion. With inclusions, a directory is entered when it may lead to one. UsageError for a
 * glob that makes no sense, and for a range of braces that stands for too many names.
 */
export function selectionOf(globs: SelectionGlobs): Selection {
  if (globs.include.length === 0 && globs.exclude.length === 0) return { includes: () => true };
  const included = globs.include.flatMap(globsOf);
  const excluded = globs.exclude.flatMap(globsOf);
  return {
    includes(path, directory) {
      if (path === '/') return true;
      const text = matchable(path);
      if (excluded.some(glob => glob.matches(text))) return false;
      if (included.length === 0 || included.some(glob => glob.matches(text))) return true;
      return directory && included.some(({ base }) => leadsTo(text, base));
    },
  };
}

interface Glob {
  readonly matches: (text: string) => boolean;
  /** All matches lie below this directory; it ends with a slash. */
  readonly base: string;
}

/** fast-glob writes the braces out: `/srv/{app,db}/**` is two directories, not a search through all of /srv. */
function globsOf(glob: string): Glob[] {
  const tasks = expanded(anchored(glob));
  return tasks.flatMap(({ base, positive }) =>
    positive.map(pattern => ({
      matches: picomatch([pattern, `${pattern}/**`], { dot: true, strictSlashes: true }),
      base: safeBase(pattern, base),
    })),
  );
}

const LINE_FEED = '\u010a';
const CARRIAGE_RETURN = '\u010d';

/** Picomatch's `.` matches no line end, so names carry them as two letters outside latin1. */
function matchable(path: BytePath): string {
  return path.replaceAll('\n', LINE_FEED).replaceAll('\r', CARRIAGE_RETURN);
}

/** A glob without a leading slash matches at any depth. */
function anchored(glob: string): string {
  const pattern = matchable(bytesOfText(glob)).replace(/\/+$/, '');
  return pattern.startsWith('/') ? pattern : `/**/${pattern}`;
}

/** Its parser of braces throws a RangeError or, at nonsense such as `{()/{1..3}`, a TypeError. */
function expanded(pattern: string): { base: string; positive: readonly string[] }[] {
  try {
    return fastGlob.generateTasks(pattern, { dot: true });
  } catch (error) {
    const why = error instanceof RangeError ? 'stands for too many names' : 'makes no sense';
    throw new UsageError(`the glob ${pattern} ${why}`);
  }
}

const WILDCARD = /[*?[\]{}()!+@\\]/;

/**
 * A glob without wildcards is its own base. fast-glob takes `?` and groups in a base for names: there it is cut, since too
 * high a directory costs time, while too low a one loses files.
 */
function safeBase(pattern: string, base: string): string {
  if (!WILDCARD.test(pattern)) return `${pattern}/`;
  const whole = base.endsWith('/') ? base : `${base}/`;
  const wildcard = whole.search(WILDCARD);
  return wildcard < 0 ? whole : whole.slice(0, whole.lastIndexOf('/', wildcard) + 1);
}

/** Whether a directory lies on the way to, or below, a base directory. */
function leadsTo(directory: string, base: string): boolean {
  return base.startsWith(`${directory}/`) || `${directory}/`.startsWith(base);
}
