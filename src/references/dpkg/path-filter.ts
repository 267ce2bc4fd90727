// Which paths of its packages a system was told not to unpack: path-exclude and path-include of dpkg.cfg(5).

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

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** The last rule that matches decides. */
  excludes(path: BytePath): boolean {
    for (let index = this.#rules.length - 1; index >= 0; index--) {
      const rule = this.#rules[index];
      if (rule?.pattern.matches(path)) return !rule.include;
    }
    return false;
  }
}

/** Reads the options in dpkg's order: /etc/dpkg/dpkg.cfg.d/* by name, /etc/dpkg/dpkg.cfg, /root/.dpkg.cfg. */
export function readPathFilter(target: Filesystem, resolver: PathResolver, troubles: Troubles): PathFilter {
  const rules: Rule[] = [];
  for (const path of optionFiles(target, resolver)) {
    const file = resolver.target(path);
    if (file === null || file.stat === null || file.stat.type !== 'file') continue;
    const bytes = readFile(target, file, troubles);
    if (bytes !== null) rules.push(...rulesOf(bytes));
  }
  return new PathFilter(rules);
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
