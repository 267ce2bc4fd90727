// What became of the names that a directory gained, lost or gave to other inodes between the last two generations: together
// they tell whether its blocks went back. Counts only, by directory; names themselves are judged path by path.

import type { BytePath, Stat } from '../model.ts';
import { parentPath } from '../path.ts';
import {
  directoriesHeld,
  holdsInode,
  isRenamedHere,
  newestPast,
  type PastState,
  type PathCase,
  sameInode,
  timelineOf,
} from './path-case.ts';

/** Of one directory that is the same inode as in the newer generation, and as in the older one if that had it. */
export interface NameChanges {
  /** Not in the older generation, and those of them that are gone. */
  made: number;
  madeGone: number;
  /** Not in the newer generation, and those of them that are there again with the inode that they had. */
  removed: number;
  removedBack: number;
  /** Given to another inode, and those of them that lead to the older one again. */
  replaced: number;
  replacedBack: number;
  /** Those of `replacedBack` whose inode nothing has stamped since the newer generation. */
  replacedBeyondDoubt: number;
  /** Names of both generations that are gone. */
  olderGone: number;
  /** Names made or replaced that stand as in the newer generation. */
  kept: number;
}

export const NO_CHANGES: NameChanges = {
  made: 0,
  madeGone: 0,
  removed: 0,
  removedBack: 0,
  replaced: 0,
  replacedBack: 0,
  replacedBeyondDoubt: 0,
  olderGone: 0,
  kept: 0,
};

/** The key of a path's directory in the counters by directory. */
export function directoryKey({ volume, path }: { readonly volume: number; readonly path: BytePath }): string {
  return `${volume}:${parentPath(path)}`;
}

/** Adds the path to the counts of its directory. */
export function countName(changes: Map<string, NameChanges>, known: PathCase): void {
  const change = changeOf(known);
  if (change === null) return;
  const key = directoryKey(known);
  const counts = changes.get(key) ?? { ...NO_CHANGES };
  changes.set(key, counts);
  for (const name of change) counts[name]++;
}

function changeOf(known: PathCase): (keyof NameChanges)[] | null {
  const newest = newestPast(known);
  const older = timelineOf(known).at(-2);
  if (newest === null || older === undefined || !isDirectoryKept(known)) return null;
  const [then, before] = [newest.expectation?.stat ?? null, older.expectation?.stat ?? null];
  if (then === null && before === null) return null;
  const kept = holdsInode(known, newest) ? (['kept'] as const) : [];
  if (before === null) return known.seen === null ? ['made', 'madeGone'] : ['made', ...kept];
  const isBack = hasNumberOfOld(known, before, newest);
  if (then === null) return isBack ? ['removed', 'removedBack'] : ['removed'];
  if (then.inode === before.inode) return known.seen === null ? ['olderGone'] : null;
  if (!isBack) return ['replaced', ...kept];
  return isBeyondDoubt(known, before, newest)
    ? ['replaced', 'replacedBack', 'replacedBeyondDoubt']
    : ['replaced', 'replacedBack'];
}

/** The name leads to the number that it led to before, and not because that was used again, or handed round. */
function hasNumberOfOld(known: PathCase, before: Stat, newest: PastState): boolean {
  const stat = known.seen?.stat ?? null;
  if (stat === null || stat.inode !== before.inode) return false;
  if (sameInode(stat, before)) return true;
  return stat.crtimeNs !== null && stat.crtimeNs <= newest.generation.atNs && !isRenamedHere(known);
}

/** Nobody renamed it back: nothing has stamped the inode since, or it is another one that took the number. */
function isBeyondDoubt(known: PathCase, before: Stat, newest: PastState): boolean {
  const stat = known.seen?.stat ?? null;
  if (stat === null || !directoriesHeld(known)) return false;
  return !sameInode(stat, before) || stat.ctimeNs <= newest.generation.atNs;
}

function isDirectoryKept({ parent }: PathCase): boolean {
  if (parent === null || !holdsInode(parent, newestPast(parent))) return false;
  const older = timelineOf(parent).at(-2) ?? null;
  return older?.expectation == null || holdsInode(parent, older);
}
