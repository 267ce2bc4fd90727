// Which paths of its packages a system was told not to keep: path-exclude and path-include of dpkg.cfg(5), and the languages
// that localepurge(8) removes after each installation.

import type { Filesystem } from '../../filesystems/filesystem.ts';
import type { BytePath } from '../../model.ts';
import { baseName } from '../../path.ts';
import type { PathResolver } from '../../tree/resolve-path.ts';
import { linesOf } from './lines.ts';
import { PathPattern } from './path-pattern.ts';
import { readFile } from './read-file.ts';
import type { Troubles } from './troubles.ts';

interface Rule {
  readonly include: boolean;
  readonly pattern: PathPattern;
}

export class PathFilter {
  readonly #rules: readonly Rule[];
  readonly #keptLocales: ReadonlySet<string> | null;

  /** @param keptLocales null: all. */
  constructor(rules: readonly Rule[], keptLocales: ReadonlySet<string> | null) {
    this.#rules = rules;
    this.#keptLocales = keptLocales;
  }

  excludes(path: BytePath): boolean {
    return this.#isOfPurgedLocale(path) || this.#isExcludedByRule(path);
  }

  #isOfPurgedLocale(path: BytePath): boolean {
    if (this.#keptLocales === null) return false;
    const locale = LOCALE_PATHS.map(pattern => pattern.exec(path)?.[1]).find(found => found !== undefined);
    return locale !== undefined && !this.#keptLocales.has(locale);
  }

  /** The last rule that matches decides. */
  #isExcludedByRule(path: BytePath): boolean {
    for (let index = this.#rules.length - 1; index >= 0; index--) {
      const rule = this.#rules[index];
      if (rule?.pattern.matches(path)) return !rule.include;
    }
    return false;
  }
}

/** Where localepurge looks, the locale first in brackets; "man1" and its like hold the pages in English. */
const LOCALE_PATHS: readonly RegExp[] = [
  /^\/usr\/share\/(?:locale|help|doc\/kde\/HTML|gnome\/help\/[^/]+)\/([^/]+)\//,
  /^\/usr\/share\/man\/((?!man)[^/]+)\//,
  /^\/usr\/share\/omf\/[^/]+\/[^/]*-([^/-]+)\.omf$/,
];
/** One locale to keep a line, among options in capitals and comments. */
const LOCALE_LIST = '/etc/locale.nopurge';

/** Reads the options in dpkg's order: /etc/dpkg/dpkg.cfg.d/* by name, /etc/dpkg/dpkg.cfg, /root/.dpkg.cfg. */
export function readPathFilter(target: Filesystem, resolver: PathResolver, troubles: Troubles): PathFilter {
  const read = (path: BytePath): Buffer | null => {
    const file = resolver.target(path);
    return file === null || file.stat === null || file.stat.type !== 'file' ? null : readFile(target, file, troubles);
  };
  const rules = optionFiles(target, resolver).flatMap(path => {
    const bytes = read(path);
    return bytes === null ? [] : [...rulesOf(bytes)];
  });
  const locales = read(LOCALE_LIST);
  return new PathFilter(rules, locales === null ? null : new Set([...linesOf(locales)].map(line => line.text.trim())));
}

function optionFiles(target: Filesystem, resolver: PathResolver): BytePath[] {
  const directory = resolver.directory('/etc/dpkg/dpkg.cfg.d');
  const inDirectory = directory === null ? [] : [...target.list(directory).entries].map(entry => entry.path);
  const named = inDirectory.filter(path => /^[A-Za-z0-9_-]+$/.test(baseName(path))).sort();
  return [...named, '/etc/dpkg/dpkg.cfg', '/root/.dpkg.cfg'];
}

const OPTION = /^path-(exclude|include)(?:=|(?=\s))\s*(.+?)\s*$/s;

function* rulesOf(bytes: Buffer): Iterable<Rule> {
  for (const { text } of linesOf(bytes)) {
    const [, kind, value] = OPTION.exec(text) ?? [];
    if (value === undefined) continue;
    const pattern = /^(["'])(.*)\1$/s.exec(value)?.[2] ?? value;
    yield { include: kind === 'include', pattern: new PathPattern(pattern) };
  }
}
