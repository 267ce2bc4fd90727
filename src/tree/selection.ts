// Which paths a run looks at: globs of the command line against paths within the target.

import { isUtf8 } from 'node:buffer';
import picomatch from 'picomatch';
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
      return directory && prefixes.some(prefix => leadsTo(`/${text}`, prefix));
    },
  };
}

/** Private characters, which no picomatch syntax knows. */
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

/** posix: `[!a]` and `[[:digit:]]`; nonegate: `!name` is a name. */
const OPTIONS = { dot: true, strictSlashes: true, posix: true, nonegate: true };

/** Picomatch takes `(1)` for a group of an expression; in a name it is itself, but for `!(a|b)` and its like. */
function withPlainParentheses(glob: string): string {
  return /[!?*+@]\(/.test(glob) ? glob : glob.replaceAll(/(?<!\\)[()]/g, '\\$&');
}

function matcherOf(glob: string): (text: string) => boolean {
  const pattern = withPlainParentheses(withoutLineEnds(glob).replace(/\/+$/, ''));
  const anchored = pattern.startsWith('/') ? pattern.replace(/^\/+/, '') : `**/${pattern}`;
  return picomatch([anchored, `${anchored}/**`], OPTIONS);
}

/** The part before the first wildcard, up to its last slash; "/" for a glob that may match anywhere. */
function fixedPrefix(glob: string): string {
  if (!glob.startsWith('/')) return '/';
  const pattern = withoutLineEnds(glob);
  const wildcard = pattern.search(/[*?[\]{}()!+@\\]/);
  const fixed = wildcard < 0 ? pattern : pattern.slice(0, wildcard);
  return fixed.slice(0, fixed.lastIndexOf('/') + 1);
}

/** Whether a directory lies on the way to, or below, a glob's fixed part. */
function leadsTo(directory: string, prefix: string): boolean {
  return prefix.startsWith(`${directory}/`) || `${directory}/`.startsWith(prefix);
}
