// The options of one command, wherever they came from: the command line wins over the configuration file.

import { UsageError } from '../errors.ts';
import type { ConfigFile } from './config-file.ts';
import { type OptionName, rowOf } from './option-table.ts';

export type Argv = Readonly<Record<string, unknown>>;

export interface Settings {
  /** Null when it was not given. */
  text(name: OptionName): string | null;
  list(name: OptionName): readonly string[];
  flag(name: OptionName): boolean;
  /** A flag that was given as `--no-NAME`, or `false` in the file. */
  isOff(name: OptionName): boolean;
}

/** UsageError for an option that was given twice or without a value. */
export function readSettings(argv: Argv, config: ConfigFile | null): Settings {
  const valuesOf = (name: OptionName): readonly string[] => {
    const values = argvValues(argv, name) ?? config?.values.get(name) ?? [];
    if (values.some(value => value === '')) throw new UsageError(`--${name}: the value is empty`);
    return values;
  };
  return {
    text(name) {
      const values = valuesOf(name);
      if (values.length > 1) throw new UsageError(`--${name} was given ${values.length} times`);
      return values[0] ?? null;
    },
    list: valuesOf,
    flag: name => valuesOf(name)[0] === 'true',
    isOff: name => valuesOf(name)[0] === 'false',
  };
}

function argvValues(argv: Argv, name: OptionName): readonly string[] | null {
  const value = argv[name];
  if (value === undefined) return null;
  const values = (Array.isArray(value) ? value : [value]).map(String);
  return rowOf(name).kind === 'flag' ? values.slice(-1) : values;
}

/** Flattens `a,b` and repeated options into trimmed, non-empty words. */
export function words(list: readonly string[], name: OptionName): string[] {
  const found = list.flatMap(text => text.split(',')).map(word => word.trim());
  if (found.some(word => word === '')) throw new UsageError(`--${name}: an entry of the list is empty`);
  return found;
}

/** One of a few words. */
export function choice<Choice extends string>(text: string, name: OptionName, choices: readonly Choice[]): Choice {
  const found = choices.find(word => word === text);
  if (found === undefined) throw new UsageError(`--${name}: "${text}": expected ${choices.join(' or ')}`);
  return found;
}

/** More threads than any machine has processors are a slip of the finger. */
const MOST_JOBS = 1024;

/** --jobs: a whole number from 1. */
export function parseJobs(text: string | null, processors: number): number {
  if (text === null) return Math.max(1, processors);
  const jobs = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (jobs < 1 || jobs > MOST_JOBS) throw new UsageError(`--jobs: "${text}" is no whole number from 1 to ${MOST_JOBS}`);
  return jobs;
}
