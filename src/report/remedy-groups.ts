// Gathers the remedies of many findings into few: packages to reinstall become one command. What it keeps is bounded by the
// number of packages, never by the number of findings.

import type { BytePath, Finding } from '../model.ts';
import { type Action, actionOf } from './words.ts';

/** What a shell takes as it stands. A damaged package database may name anything: no other name enters a command. */
const SHELL_WORD = /^[A-Za-z0-9][A-Za-z0-9+.:~=_@/-]*$/;
const SHELL_PREFIX = /^[A-Za-z0-9+.:~=_@/ -]+$/;

/** A command may hold backslashes, but nothing that steers the terminal or ends the line. */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Cs}]/u;

const EXAMPLES = 3;

export interface ActionGroup {
  readonly action: Action;
  count: number;
  readonly examples: { readonly path: BytePath; readonly volume: number; readonly command: string | null }[];
}

export interface RemedyGroups {
  /** `apt-get install --reinstall` -> the packages, in the order they were met. */
  readonly packages: ReadonlyMap<string, ReadonlySet<string>>;
  /** Paths that those packages will put right. */
  readonly packagePaths: number;
  readonly actions: readonly ActionGroup[];
}

export interface RemedyCollector {
  /** `explained`: another finding is its cause; such a path is no good example. */
  add(finding: Finding, explained: boolean): void;
  groups(): RemedyGroups;
}

export function createRemedyCollector(): RemedyCollector {
  const prefixes = new Map<string, string>();
  const actions = new Map<Action, ActionGroup>();
  let packagePaths = 0;

  return {
    add(finding, explained) {
      const merged = mergeable(finding);
      if (merged === null) return count(actions, finding, explained);
      packagePaths += 1;
      const known = prefixes.get(merged.word) ?? '';
      if (merged.prefix.length > known.length) prefixes.set(merged.word, merged.prefix);
    },
    groups: () => ({ packages: wordsByPrefix(prefixes), packagePaths, actions: [...actions.values()] }),
  };
}

/** Each package once. The command with more options does what the plain one does, and more. */
function wordsByPrefix(prefixes: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const packages = new Map<string, Set<string>>();
  for (const [word, prefix] of prefixes) packages.set(prefix, (packages.get(prefix) ?? new Set()).add(word));
  return packages;
}

/** A command of one package, split before the package's name; null when it cannot stand in one line with others. */
function mergeable(finding: Finding): { prefix: string; word: string } | null {
  const command = finding.remedy?.command ?? null;
  if (command === null || actionOf(finding) !== 'reinstall') return null;
  const split = command.lastIndexOf(' ');
  const prefix = command.slice(0, split);
  const word = command.slice(split + 1);
  return split > 0 && SHELL_PREFIX.test(prefix) && SHELL_WORD.test(word) ? { prefix, word } : null;
}

function count(actions: Map<Action, ActionGroup>, finding: Finding, explained: boolean): void {
  const action = actionOf(finding);
  const group = actions.get(action) ?? { action, count: 0, examples: [] };
  actions.set(action, group);
  group.count += 1;
  if (!explained && group.examples.length < EXAMPLES) {
    const { path, volume, remedy } = finding;
    group.examples.push({ path, volume, command: printableCommand(remedy?.command ?? null) });
  }
}

/** The command as a person may paste it; null when it holds what must not reach a terminal. */
function printableCommand(command: string | null): string | null {
  return command === null || STEERING.test(command) ? null : command;
}
