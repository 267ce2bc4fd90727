// Names that are back, and names that lead to what is not theirs: made by somebody, or left from an older day?

import type { BytePath, Expectation, Stat } from '../model.ts';
import { classifyDamage, olderStates } from './damage-class.ts';
import { isDirectoryOfOld, isDirectoryUnchanged, LOST_AND_FOUND, sureOfDirectory } from './directory-above.ts';
import {
  agreement,
  directoriesHeld,
  holdsInode,
  isNameVouchedByLog,
  isRenamedHere,
  isWrittenSince,
  knowsTheEnd,
  newestPast,
  type PastState,
  type PathCase,
  sameInode,
  timelineOf,
} from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

const RULES: readonly Rule[] = [
  {
    name: 'back-below-a-finding',
    scanner: 'baseline',
    says: 'The directory above came back, and this with it.',
    innocent: ['as those of the directory above'],
    accuse: backBelow,
  },
  {
    name: 'back-under-unchanged-directory',
    scanner: 'baseline',
    says: 'The newest generation did not have the name; it is there, and its directory has not changed since.',
    innocent: [
      'a creation or rename stamps the directory’s ctime',
      'a clock that was set back: `likely` unless the ctime is the generation’s, or that of an older one',
      'made since, in a directory whose inode went back: what was born after the generation is exempt',
    ],
    accuse: backUnderUnchangedDirectory,
  },
  {
    name: 'back-with-untouched-inode',
    scanner: 'baseline',
    says: 'The newest generation no longer had the name; it is there, with an inode that nothing has touched since.',
    innocent: [
      'created again: a new inode',
      'renamed back: stamps the inode',
      'a directory above was moved: it must be the inode that it was',
    ],
    accuse: backUntouched,
  },
  {
    name: 'back-and-written-since',
    scanner: 'baseline',
    says: 'The newest generation no longer had the name; it is there again, and the inode that it had before was written.',
    innocent: [
      'renamed back by hand, and written then: `possible` alone',
      'a rename back leaves a ctime of its own: not said then',
    ],
    raisedByLosses: true,
    accuse: known => (isWrittenBack(known) ? backAsBefore(known) : null),
  },
  {
    name: 'back-as-if-never-removed',
    scanner: 'baseline',
    says: 'The newest generation no longer had the name; it is there again, with the inode that it had before.',
    innocent: ['renamed back by hand: `possible`, unless other names of the directory went back beyond doubt'],
    raisedByDirectory: true,
    accuse: backAsBefore,
  },
  {
    name: 'name-of-an-old-number',
    scanner: 'baseline',
    says: 'The name leads to the number that it led to in the older generation, and the number has become another inode’s since.',
    innocent: [
      'renamed back: the inode that it was',
      'made anew with the number of old: born after the newest generation',
      'renamed here, the number handed round by a rotation: stamped, and gone from the name that it had',
    ],
    accuse: oldNumber,
  },
  {
    name: 'inode-of-an-earlier-birth',
    scanner: 'baseline',
    says: 'The number of the inode is that of the newest generation, and its time of birth is earlier: its slot went back.',
    innocent: ['a number that is used again: born later', 'a clock that was set back: never more than `likely`'],
    accuse: earlierBirth,
  },
  {
    name: 'name-of-another-inode',
    scanner: 'tree',
    says: 'More names lead to the inode than its link count allows, and the newest generation does not have this one.',
    innocent: [
      'a rename during the scan: the inode must not have changed since the scan began',
      'this is the true name and the other one is of old: an older generation must have had the number under this name',
      'renamed to this name, and the other one is of old: the name of the newest generation must still be there',
      'renamed away and back, and the name between is back: exempt where the log has this one',
    ],
    accuse: falseName,
  },
  {
    name: 'new-name-of-an-old-inode',
    scanner: 'baseline',
    says: 'The name was made since the generation, and leads to an inode that nothing has touched since before it.',
    innocent: [
      'a rename or a link stamps the inode',
      'an exchange of names, which stamps no inode on some file systems: exempt where the former name leads to another one, else `possible` alone',
      'a directory above was moved: every one must be the inode that it was',
    ],
    raisedByLosses: true,
    accuse: oldInode,
  },
  {
    name: 'entry-of-another-type',
    scanner: 'tree',
    says: 'The directory states another type than the inode has.',
    innocent: ['file systems that state no types'],
    accuse: otherType,
  },
];

export const BACK_RULES: readonly Rule[] = RULES.map(rule => ({ ...rule, isOfName: true }));

interface Back {
  readonly stat: Stat;
  readonly newest: PastState;
}

/** There now, not there in the newest generation. lost+found is where repairs put things: never "back". */
function backSince(known: PathCase): Back | null {
  const stat = known.seen?.stat ?? null;
  const newest = newestPast(known);
  if (stat === null || newest === null || newest.expectation !== null || !knowsTheEnd(known)) return null;
  return known.path.startsWith(LOST_AND_FOUND) ? null : { stat, newest };
}

/** Where the newest generation had it, the directory above was as well: both came along. */
function cameWithDirectory(known: PathCase): boolean {
  const origins = known.parent?.inode.cameFrom ?? [];
  const name = known.path.slice(known.path.lastIndexOf('/'));
  return known.inode.cameFrom.every(path => origins.some(origin => path === origin + name));
}

function backBelow(known: PathCase): Accusation | null {
  const back = backSince(known);
  const { above } = known;
  if (back === null || above === null || !isOlderThanNewest(known, back)) return null;
  if (above.verdict !== 'resurrected' && !isDirectoryOfOld(known)) return null;
  const detail = `${back.newest.generation.id} no longer had it; it came back with the directory above.`;
  return { verdict: 'resurrected', confidence: above.confidence, detail, causedByDirectory: true };
}

/** Untouched since the newest generation; or used since, born before it, when it had it nowhere or in the same directory. */
function isOlderThanNewest(known: PathCase, { stat, newest }: Back): boolean {
  const { atNs } = newest.generation;
  if (stat.ctimeNs <= atNs) return true;
  return stat.crtimeNs !== null && stat.crtimeNs <= atNs && cameWithDirectory(known);
}

function backUnderUnchangedDirectory(known: PathCase): Accusation | null {
  const back = backSince(known);
  if (back === null || !isDirectoryUnchanged(known)) return null;
  if (back.stat.crtimeNs !== null && back.stat.crtimeNs > back.newest.generation.atNs) return null;
  const detail = `${back.newest.generation.id} did not have the name, and its directory has not changed since.`;
  return { verdict: 'resurrected', confidence: sureOfDirectory(known), detail };
}

function backUntouched(known: PathCase): Accusation | null {
  const back = backSince(known);
  if (back === null || back.stat.ctimeNs > back.newest.generation.atNs || !directoriesHeld(known)) return null;
  const older = timelineOf(known).findLast(state => holdsInode(known, state));
  const same = older?.expectation?.stat?.ctimeNs === back.stat.ctimeNs;
  const was = older === undefined ? 'an inode of a day before it' : `its inode of ${older.generation.id}`;
  const detail = `${back.newest.generation.id} no longer had the name; it is back, with ${was}.`;
  const unnamed = known.inode.cameFrom.length === 0;
  return { verdict: 'resurrected', confidence: same && unnamed ? 'proven' : 'likely', detail };
}

function backAsBefore(known: PathCase): Accusation | null {
  const back = backSince(known);
  const older = timelineOf(known).findLast(state => holdsInode(known, state));
  if (back === null || older === undefined) return null;
  const detail = `${back.newest.generation.id} no longer had the name; it is there again, with its inode of ${older.generation.id}.`;
  return { verdict: 'resurrected', confidence: 'possible', detail };
}

function isWrittenBack(known: PathCase): boolean {
  const back = backSince(known);
  return back !== null && isWrittenSince(back.stat, back.newest.generation.atNs);
}

function oldNumber(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const newest = newestPast(known);
  const older = timelineOf(known).at(-2)?.expectation?.stat ?? null;
  if (stat === null || newest === null || older === null || !knowsTheEnd(known)) return null;
  if (older.inode !== stat.inode || sameInode(older, stat) || newest.expectation?.stat?.inode === stat.inode)
    return null;
  if (stat.crtimeNs === null || stat.crtimeNs > newest.generation.atNs || isRenamedHere(known)) return null;
  const detail = `The name leads to inode ${stat.inode}, as it did before ${newest.generation.id}; that number is another file’s by now.`;
  if (newest.expectation === null) return { verdict: 'resurrected', confidence: 'likely', detail };
  return { ...damageOf(known, newest.expectation), confidence: 'likely', detail, expected: newest.expectation };
}

function earlierBirth(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const expected = newestPast(known)?.expectation ?? null;
  const then = expected?.stat ?? null;
  if (stat?.crtimeNs == null || then?.crtimeNs == null || expected === null) return null;
  if (stat.inode !== then.inode || stat.crtimeNs >= then.crtimeNs) return null;
  const detail = `Inode ${stat.inode} was born later in ${expected.reference} than it is said to be now: its slot went back.`;
  return { ...damageOf(known, expected), confidence: 'likely', detail, expected };
}

function damageOf(known: PathCase, newest: Expectation): Pick<Accusation, 'verdict' | 'ranges' | 'metadataOnly'> {
  const { seen } = known;
  if (seen !== null && agreement(seen, newest) === 'same') return { verdict: 'stale', metadataOnly: true };
  const isOld = olderStates(known, newest).some(
    ({ expectation }) => seen !== null && expectation !== null && agreement(seen, expectation) === 'same',
  );
  return isOld ? { verdict: 'stale', ranges: [] } : classifyDamage(known, newest);
}

function falseName(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  if (stat === null || known.inode.rivals.length === 0 || stat.ctimeNs >= known.scan.startedAtNs) return null;
  const newest = newestPast(known);
  if (newest === null) return null;
  const detail = `Its inode belongs to another name, and counts only ${stat.links} link(s).`;
  if (!knowsTheEnd(known)) return falseNameOfOld(known, newest, detail);
  if (holdsInode(known, newest)) return null;
  const rightful = known.inode.cameFrom.filter(path => known.inode.rivals.includes(path));
  if (!known.inode.isNameOfOld && rightful.length === 0) return null;
  if (newest.expectation === null) return { verdict: 'resurrected', confidence: 'likely', detail };
  return { verdict: 'garbage', confidence: 'likely', detail, expected: newest.expectation };
}

/**
 * The generation had the inode's number under this name, and under none of the others: they are the younger ones. The same
 * inode was renamed away and its old name is back; another one took the number of what the name led to.
 */
function falseNameOfOld(known: PathCase, newest: PastState, detail: string): Accusation | null {
  if (isNameVouchedByLog(known)) return null;
  const { rivals, rivalsOfNewest, cameFrom } = known.inode;
  const formerly = newest.expectation?.stat ?? null;
  if (formerly === null || formerly.inode !== known.seen?.stat?.inode) return null;
  if (rivals.some(rival => cameFrom.includes(rival))) return null;
  const isKept = holdsInode(known, newest);
  const confidence = isKept && rivalsOfNewest.length > 0 ? 'possible' : 'likely';
  return { verdict: isKept ? 'resurrected' : 'garbage', confidence, detail, expected: newest.expectation };
}

function oldInode(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const newest = newestPast(known);
  if (stat === null || newest === null || newest.expectation !== null || knowsTheEnd(known)) return null;
  if (known.path.startsWith(LOST_AND_FOUND)) return null;
  if (stat.ctimeNs > newest.generation.atNs || !directoriesHeld(known)) return null;
  if (known.inode.unstampedExchange === 'seen') return null;
  const confidence = known.inode.unstampedExchange === null ? 'likely' : 'possible';
  const detail = `${newest.generation.id} does not have the name, yet nothing has touched its inode since before that day.`;
  const metadataOnly = isRenamedInWindow(known);
  return { verdict: metadataOnly ? 'stale' : 'garbage', confidence, detail, metadataOnly };
}

/**
 * An untouched inode under another name was renamed or linked, which would have stamped it, or its number was handed on and
 * the inode went back: then its blocks were given away. That it was renamed shows by names that were exchanged or kept
 * their last part; only its times are of old then. A generation that knows the window's end tells for itself.
 */
export function isRenamedInWindow(known: PathCase): boolean {
  if (knowsTheEnd(known)) return false;
  const { isExchanged, cameFrom } = known.inode;
  if (known.blocks[0]?.isAllocated === false) return false;
  return isExchanged || cameFrom.some(former => lastName(former) === lastName(known.path));
}

function lastName(path: BytePath): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function otherType(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const stated = known.seen?.direntType ?? null;
  if (stat === null || stated === null || stated === stat.type || known.seen?.fault != null) return null;
  const detail = `The directory says ${stated}, the inode is a ${stat.type}: one of the two is of another day.`;
  const newest = newestPast(known);
  const nameIsOlder = newest !== null && knowsTheEnd(known) && newest.expectation === null;
  return {
    verdict: nameIsOlder ? 'resurrected' : 'garbage',
    confidence: 'likely',
    detail,
    expected: newest?.expectation ?? null,
  };
}
