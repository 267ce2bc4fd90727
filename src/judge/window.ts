// Where an inode's times lie against the suspect window. It directs attention and fills `suspect`; it never filters evidence.

import type { Stat, Window, WindowPlace } from '../model.ts';
import type { PathCase } from './path-case.ts';

/** `later` and `inside` are at risk: a change inside the window cannot be excluded. */
export function windowPlace(stat: Stat | null, window: Window | null): WindowPlace {
  if (stat === null || window === null) return 'unknown';
  const { fromNs, toNs } = window;
  const lastNs = newest(stat.ctimeNs, stat.mtimeNs, stat.crtimeNs);
  if (toNs !== null && stat.crtimeNs !== null && stat.crtimeNs > toNs) return 'outside';
  if (fromNs !== null && lastNs < fromNs) return 'outside';
  return toNs !== null && lastNs > toNs ? 'later' : 'inside';
}

function newest(ctimeNs: bigint, mtimeNs: bigint, crtimeNs: bigint | null): bigint {
  const latest = ctimeNs > mtimeNs ? ctimeNs : mtimeNs;
  return crtimeNs !== null && crtimeNs > latest ? crtimeNs : latest;
}

/** The place that draws most attention among the directories above, the nearest first. */
export function directoryPlace(known: PathCase): WindowPlace {
  const places = new Set<WindowPlace>();
  for (let above = known.parent; above !== null; above = above.parent) {
    places.add(windowPlace(above.seen?.stat ?? null, known.scan.window));
  }
  for (const place of ['inside', 'later', 'unknown', 'outside'] as const) if (places.has(place)) return place;
  return 'unknown';
}

/** A change inside the window cannot be excluded: by the times, or because the times themselves are of an older day. */
export function isAtRisk(known: PathCase): boolean {
  if (known.scan.window === null) return false;
  if (known.inode.isAmongOldInodes || isBelowOldDirectory(known)) return true;
  const own = windowPlace(known.seen?.stat ?? null, known.scan.window);
  return own === 'inside' || own === 'later' || ['inside', 'later'].includes(directoryPlace(known));
}

/** A directory above has an inode of an older day, or lacks names that its inode counts: its times say nothing of its names. */
function isBelowOldDirectory(known: PathCase): boolean {
  for (let above = known.parent; above !== null; above = above.parent) {
    if (above.inode.isAmongOldInodes || above.inode.lostSubdirectories > 0) return true;
  }
  return false;
}

/** The directory that names it may have changed inside the window: the name itself may be of an older day. */
export function isNameAtRisk(known: PathCase): boolean {
  const { parent } = known;
  if (parent === null || known.scan.window === null) return false;
  if (parent.inode.isAmongOldInodes || parent.inode.lostSubdirectories > 0) return true;
  return ['inside', 'later'].includes(windowPlace(parent.seen?.stat ?? null, known.scan.window));
}
