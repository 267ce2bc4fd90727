// Which paths a run looks at: globs of the command line against paths within the target.

import { isUtf8 } from 'node:buffer';
import fastGlob from 'fast-glob';
import picomatch from 'picomatch';
import { UsageError } from '../errors.ts';
import type { BytePath } from '../model.ts';

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
      return directory && included.some(({ base }) => leadsTo(`/${text}`, base));
    },
  };
}

/** Picomatch's `.` matches no line end, so names carry them as private characters, which no picomatch syntax knows. */
const LINE_FEED = '\ue00a';
const CARRIAGE_RETURN = '\ue00d';
const NOT_ASCII = /[\x80-\xff]/;

function withoutLineEnds(text: string): string {
  return text.replaceAll('\n', LINE_FEED).replaceAll('\r', CARRIAGE_RETURN);
}

/** A path as people see it, so that `?` is one letter; a name that is not UTF-8 stays one letter a byte. */
function matchable(path: BytePath): string {
  const text = NOT_ASCII.test(path) ? path.split('/').map(textOfName).join('/') : path;
  return withoutLineEnds(text.slice(1));
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOfName(name: BytePath): string {
  const bytes = Buffer.from(name, 'latin1');
  return isUtf8(bytes) ? utf8.decode(bytes) : name;
}

interface Glob {
  /** Of a path without its first slash. */
  readonly matches: (text: string) => boolean;
  /** All matches lie below this directory; it ends with a slash. */
  readonly base: string;
}

/** posix: `[!a]` and `[[:digit:]]`; nonegate: `!name` is a name. */
const OPTIONS = { dot: true, strictSlashes: true, posix: true, nonegate: true };

/** fast-glob writes the braces out: `/srv/{app,db}/**` is two directories, not a search through all of /srv. */
function globsOf(glob: string): Glob[] {
  return expanded(glob).flatMap(({ base, positive }) =>
    positive.map(withoutDots).map(pattern => {
      const within = pattern.slice(1) || '**';
      return { matches: picomatch([within, `${within}/**`], OPTIONS), base: safeBase(pattern, base) };
    }),
  );
}

/** `/./a` is `/a`. */
function withoutDots(pattern: string): string {
  return pattern.replaceAll(/\/(?:\.\/)+/g, '/');
}

/** Its parser of braces throws a RangeError or, at nonsense such as `{@()/{1..3}`, a TypeError. */
function expanded(glob: string): { base: string; positive: readonly string[] }[] {
  try {
    return fastGlob.generateTasks(anchored(glob), { dot: true });
  } catch (error) {
    const why = error instanceof RangeError ? 'stands for too many names' : 'makes no sense';
    throw new UsageError(`the glob ${glob} ${why}`);
  }
}

/** With one slash in front; a glob that was typed without matches at any depth. */
function anchored(glob: string): string {
  const pattern = withPlainParentheses(withoutLineEnds(glob).replace(/\/+$/, ''));
  const whole = pattern.startsWith('/') ? pattern : `/**/${pattern}`;
  return whole.replaceAll(/\/(?:\.?\/)+/g, '/');
}

/** Picomatch takes `(1)` for a group of an expression; in a name it is itself, but for `!(a|b)` and its like. */
function withPlainParentheses(glob: string): string {
  return /[!?*+@]\(/.test(glob) ? glob : glob.replaceAll(/(?<!\\)[()]/g, '\\$&');
}

const WILDCARD = /[*?[\]{}()!+@\\]/;

/**
 * A glob without wildcards is its own base. fast-glob takes `?` and groups in a base for names: there it is cut, since too
 * high a directory costs time, while too low a one loses files.
 */
function safeBase(pattern: string, base: string): string {
  if (!WILDCARD.test(pattern)) return `${pattern}/`;
  const whole = withoutDots(base.endsWith('/') ? base : `${base}/`);
  const wildcard = whole.search(WILDCARD);
  return wildcard < 0 ? whole : whole.slice(0, whole.lastIndexOf('/', wildcard) + 1);
}

/** Whether a directory lies on the way to, or below, a base directory. */
function leadsTo(directory: string, base: string): boolean {
  return base.startsWith(`${directory}/`) || `${directory}/`.startsWith(base);
}
