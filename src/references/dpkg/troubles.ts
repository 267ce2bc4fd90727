// What went wrong while a database was read: a few rows a file, however broken it is, and a count of the rest.

import type { BytePath, ScanError } from '../../model.ts';

/** Broken lines of one file that are told one by one. */
const LINES_SHOWN = 5;
/** Files with the same trouble (all lists missing, say) that are told one by one. */
const FILES_SHOWN = 20;

interface Group {
  readonly shown: ScanError[];
  /** The first that is not shown. */
  next: ScanError | null;
  hidden: number;
}

export class Troubles {
  readonly #groups = new Map<string, Group>();

  /** @param line counted from 1; null where the trouble is the whole file's. */
  add(path: BytePath, code: string, message: string, line: number | null = null): void {
    const key = line === null ? code : path;
    const group = this.#groups.get(key) ?? { shown: [], next: null, hidden: 0 };
    this.#groups.set(key, group);
    const row = { path, code, message: line === null ? message : `line ${line} ${message}` };
    if (group.shown.length < (line === null ? FILES_SHOWN : LINES_SHOWN)) group.shown.push(row);
    else {
      group.next ??= row;
      group.hidden++;
    }
  }

  /** Grouped, in the order in which each group first gave trouble. */
  rows(): ScanError[] {
    return [...this.#groups.values()].flatMap(group => [...group.shown, ...summaryOf(group)]);
  }
}

function summaryOf({ next, hidden }: Group): ScanError[] {
  return next === null ? [] : [{ ...next, message: `${next.message} (and ${hidden - 1} more like this)` }];
}
