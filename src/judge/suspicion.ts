// What is worth a look though nothing speaks against it: at risk, vouched for by no reference, and not cleared by what the file
// system's own log and the backup's map show.

import type { EntryType } from '../model.ts';
import { isUnchanged } from './block-witness.ts';
import { isNamedInLog, logCoversWindow, type PathCase, type ScanFacts } from './path-case.ts';
import type { Charge, Rule } from './rule.ts';
import { isNameAtRisk, windowPlace } from './window.ts';

const SUSPICION: Rule = {
  name: 'at-risk-and-unvouched',
  scanner: 'tree',
  says: 'A change inside the window cannot be excluded, and no reference that could know vouches for the content.',
  innocent: ['everything: this is a hint where to look'],
  accuse: () => null,
};

/** Null where the path needs no look. @param known a path at risk, which no reference that could know vouches for. */
export function suspicion(known: PathCase): Charge | null {
  const type = known.seen?.stat?.type;
  if (type === undefined || !SUSPECT_TYPES.has(type)) return null;
  if (isVouchedByLog(known)) return null;
  if (type === 'directory' && !(isNameAtRisk(known) && known.expected.length > 0)) return null;
  return { rule: SUSPICION, verdict: 'suspect', confidence: 'possible', detail: SUSPICION.says };
}

/**
 * The log shows that the path leads where it should and that its inode is as it should be: only content that was written
 * inside the window may then be of an older day.
 */
function isVouchedByLog(known: PathCase): boolean {
  if (known.seen?.stat?.type === 'file' && !isOutside(known) && !isUnwritten(known)) return false;
  if (logCoversWindow(known.scan)) return true;
  return logEndsWithWindow(known.scan) && (isNewest(known) || isQuiet(known)) && isPathNewest(known);
}

/** Commits that a kernel makes of what is left when it unmounts. */
const UNMOUNT_NS = 5_000_000_000n;

/**
 * Nothing was logged after the window: what is read from the disk after a loss, and written with a neighbour's change, goes
 * into the log as if it was the newest.
 */
function logEndsWithWindow({ log, window }: ScanFacts): boolean {
  return log !== null && (window?.toNs == null || log.toNs <= window.toNs + UNMOUNT_NS);
}

/** The inode is as it should be, and says that nothing was written since before the window: nor was it. Or the file is empty. */
function isUnwritten({ seen, newest, blocks, scan }: PathCase): boolean {
  const stat = seen?.stat ?? null;
  const [witness] = blocks;
  if (stat === null || newest.inode !== 'in-place') return false;
  if (stat.sizeBytes === 0) return true;
  const formerly = witness?.formerly ?? null;
  const fromNs = scan.window?.fromNs ?? null;
  if (witness === undefined || formerly === null || fromNs === null || formerly.mtimeNs >= fromNs) return false;
  return formerly.mtimeNs === stat.mtimeNs && formerly.sizeBytes === stat.sizeBytes && isUnchanged(witness);
}

/** Each name on the way: its inode was not renamed in the window, or its directory is as it should be. */
function isPathNewest(known: PathCase): boolean {
  for (let at = known; at.parent !== null; at = at.parent) {
    const { parent } = at;
    if (!(isUntouched(at) || isQuiet(parent) || (parent.newest.names && isNamedInLog(at)))) return false;
  }
  return true;
}

/** Nothing happened to the inode in the window: it is the newest there is, or else lies in a block that was written since. */
function isUntouched(known: PathCase): boolean {
  const isRewritten = known.newest.inode === 'unknown' && known.blocks[0]?.isInodeRewritten === true;
  return isOutside(known) && (isNewest(known) || isRewritten);
}

function isNewest({ newest }: PathCase): boolean {
  return newest.inode === 'in-place';
}

/** Not changed in the window, as far as its inode tells. */
function isQuiet(known: PathCase): boolean {
  const { newest, inode } = known;
  if (!isOutside(known) || newest.inode === 'in-log') return false;
  return isNewest(known) || !(inode.isAmongOldInodes || inode.lostSubdirectories > 0);
}

function isOutside({ seen, scan }: PathCase): boolean {
  return windowPlace(seen?.stat ?? null, scan.window) === 'outside';
}

/** What holds content; and directories, which may stand under a name of an older day. */
const SUSPECT_TYPES: ReadonlySet<EntryType> = new Set(['file', 'symlink', 'directory']);
