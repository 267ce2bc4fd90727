// Names that are gone, and names that are back: deleted or lost? As far as a mounted tree can tell, the inodes say.

import type { Stat } from '../model.ts';
import {
  directoriesHeld,
  holdsInode,
  knowsTheEnd,
  mayBeStampedBack,
  newestPast,
  type PastState,
  type PathCase,
  sameInode,
  timelineOf,
} from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const NAME_RULES: readonly Rule[] = [
  {
    name: 'gone-below-a-finding',
    scanner: 'baseline',
    says: 'The directory above is missing or unreadable, and this was below it.',
    innocent: ['as those of the directory above'],
    accuse: goneBelow,
  },
  {
    name: 'gone-under-unchanged-directory',
    scanner: 'baseline',
    says: 'The name is gone, and its directory has not changed since it had it.',
    innocent: [
      'a deletion or rename stamps the directory’s ctime',
      'a clock that was set back: `likely` unless the ctime is the generation’s, or that of an older one',
    ],
    accuse: goneUnderUnchangedDirectory,
  },
  {
    name: 'gone-but-in-lost-and-found',
    scanner: 'baseline',
    says: 'The name is gone, and its inode lies in lost+found.',
    innocent: [
      'an orphan of an earlier repair, linked out of lost+found and unlinked again: stamps the inode, `possible` alone',
      'moved there by hand: stamps the inode, `possible` alone',
    ],
    raisedByLosses: true,
    accuse: goneToLostAndFound,
  },
  {
    name: 'gone-but-inode-untouched',
    scanner: 'baseline',
    says: 'The name is gone, and its inode lives under another name without having been renamed.',
    innocent: [
      'a rename or unlink stamps the inode',
      'a directory above was moved: that moves the inode’s directory too',
    ],
    accuse: goneButInodeUntouched,
  },
  {
    name: 'gone-subdirectory-still-counted',
    scanner: 'baseline',
    says: 'The subdirectory is gone, and its parent’s link count still counts it.',
    innocent: ['file systems that do not count subdirectories (a count of 1): exempt'],
    accuse: goneStillCounted,
  },
  {
    name: 'gone-as-if-never-made',
    scanner: 'baseline',
    says: 'The name was made, or renamed to, between the last two generations; it is gone.',
    innocent: ['a deletion, or a rename back: `possible`, unless other names of the directory went back beyond doubt'],
    raisedByDirectory: true,
    accuse: goneAsIfNeverMade,
  },
  {
    name: 'gone',
    scanner: 'baseline',
    says: 'The newest generation has the name, the target does not.',
    innocent: ['a deletion'],
    accuse: gone,
  },
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
    name: 'back-as-if-never-removed',
    scanner: 'baseline',
    says: 'The newest generation no longer had the name; it is there again, with the inode that it had before.',
    innocent: ['renamed back by hand: `possible`, unless other names of the directory went back beyond doubt'],
    raisedByDirectory: true,
    accuse: backAsBefore,
  },
  {
    name: 'name-of-another-inode',
    scanner: 'tree',
    says: 'More names lead to the inode than its link count allows, and the newest generation does not have this one.',
    innocent: [
      'a rename during the scan: the inode must not have changed since the scan began',
      'this is the true name and the other one is of old: an older generation must have had the number under this name',
    ],
    accuse: falseName,
  },
  {
    name: 'new-name-of-an-old-inode',
    scanner: 'baseline',
    says: 'The name was made since the generation, and leads to an inode that nothing has touched since before it.',
    innocent: [
      'a rename or a link stamps the inode',
      'a directory above was moved: every one must be the inode that it was',
    ],
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

interface Gone {
  readonly past: PastState;
  readonly formerly: Stat;
}

function goneSince(known: PathCase): Gone | null {
  const past = newestPast(known);
  const formerly = past?.expectation?.stat ?? null;
  return known.seen === null && past !== null && formerly !== null ? { past, formerly } : null;
}

/** Against a generation that does not know the window's end every name may have been deleted in the window. */
function missing(
  known: PathCase,
  past: PastState,
  confidence: 'proven' | 'likely' | 'possible',
  why: string,
): Accusation {
  const detail = `${past.generation.id} has it, and it is gone: ${why}.`;
  const most = knowsTheEnd(known) ? confidence : 'possible';
  return { verdict: 'missing', confidence: most, detail, expected: past.expectation };
}

function goneBelow(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  const { above } = known;
  if (lost === null || above === null) return null;
  if (!['missing', 'unreadable'].includes(above.verdict) && !isDirectoryOfOld(known)) return null;
  const why = `so is the directory above (${above.verdict})`;
  return { ...missing(known, lost.past, above.confidence, why), causedByDirectory: true };
}

/** Evidence that the name above leads to another inode than the newest generation's directory. */
const LEADS_ELSEWHERE = new Set(['another-inode-of-old', 'name-of-another-inode', 'entry-of-another-type']);

/** What stands in the place of the directory above is another inode, left from before the newest generation. */
function isDirectoryOfOld(known: PathCase): boolean {
  const { above } = known;
  if (above === null || above.confidence === 'possible') return false;
  return above.evidence.some(evidence => LEADS_ELSEWHERE.has(evidence.rule));
}

function goneUnderUnchangedDirectory(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || !isDirectoryUnchanged(known)) return null;
  return missing(known, lost.past, sureOfDirectory(known), 'its directory has not changed since');
}

/** The directory above is the inode that it was in the newest generation, and its ctime has not moved on. */
function isDirectoryUnchanged(known: PathCase): boolean {
  const directory = known.parent?.seen?.stat ?? null;
  if (known.parent === null || directory === null) return false;
  const formerly = newestPast(known.parent)?.expectation?.stat ?? null;
  return formerly !== null && sameInode(directory, formerly) && directory.ctimeNs <= formerly.ctimeNs;
}

function sureOfDirectory({ parent }: PathCase): 'proven' | 'likely' {
  const directory = parent?.seen?.stat ?? null;
  return parent !== null && directory !== null && mayBeStampedBack(parent, directory) ? 'likely' : 'proven';
}

const LOST_AND_FOUND = '/lost+found/';

function goneToLostAndFound(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  const orphan = known.inode.livesAt.find(named => named.path.startsWith(LOST_AND_FOUND));
  if (lost === null || orphan === undefined) return null;
  const isStamped = orphan.stat.ctimeNs > lost.formerly.ctimeNs;
  const found = missing(known, lost.past, isStamped ? 'possible' : 'likely', 'its inode lies in lost+found');
  return { ...found, foundAt: orphan.path };
}

function goneButInodeUntouched(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || known.parent?.seen == null) return null;
  const untouched = known.inode.livesAt.find(named => named.stat.ctimeNs <= lost.formerly.ctimeNs);
  if (untouched === undefined || untouched.path.startsWith(LOST_AND_FOUND)) return null;
  if (!holdsInode(known.parent, newestPast(known.parent))) return null;
  return missing(
    known,
    lost.past,
    'likely',
    'its inode is in use elsewhere and was neither renamed nor unlinked since',
  );
}

function goneStillCounted(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost?.formerly.type !== 'directory' || known.inode.livesAt.length > 0) return null;
  if ((known.parent?.inode.lostSubdirectories ?? 0) === 0) return null;
  return missing(known, lost.past, 'likely', 'the directory above still counts it among its links');
}

function goneAsIfNeverMade(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  const older = timelineOf(known).at(-2) ?? null;
  if (lost === null || older === null || older.expectation !== null) return null;
  const isBackAtOldName = known.inode.livesAt.some(named => named.isNameOfOld);
  if (isRenamedSince(known, lost) && !isBackAtOldName) return null;
  return missing(known, lost.past, 'possible', `as it was in ${older.generation.id}`);
}

function gone(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || isRenamedSince(known, lost)) return null;
  return missing(known, lost.past, 'possible', 'deleted or lost, nothing tells');
}

/** Its inode lives on under another name, stamped or moved with its directory since the generation. */
function isRenamedSince(known: PathCase, lost: Gone): boolean {
  const elsewhere = known.inode.livesAt.filter(named => !named.path.startsWith(LOST_AND_FOUND));
  return elsewhere.some(named => named.stat.ctimeNs > lost.formerly.ctimeNs) || isDirectoryMoved(known);
}

function isDirectoryMoved(known: PathCase): boolean {
  for (let above = known.parent; above !== null; above = above.parent) {
    if (above.inode.livesAt.some(named => !named.path.startsWith(LOST_AND_FOUND))) return true;
  }
  return false;
}

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

function backBelow(known: PathCase): Accusation | null {
  const back = backSince(known);
  const { above } = known;
  if (back === null || above === null || !isOlderThanNewest(known, back)) return null;
  if (above.verdict !== 'resurrected' && !isDirectoryOfOld(known)) return null;
  const detail = `${back.newest.generation.id} no longer had it; it came back with the directory above.`;
  return { verdict: 'resurrected', confidence: above.confidence, detail, causedByDirectory: true };
}

/** Untouched since the newest generation; or born before it, when it knew the inode nowhere, and used since. */
function isOlderThanNewest(known: PathCase, { stat, newest }: Back): boolean {
  const { atNs } = newest.generation;
  if (stat.ctimeNs <= atNs) return true;
  return stat.crtimeNs !== null && stat.crtimeNs <= atNs && known.inode.cameFrom.length === 0;
}

function backUnderUnchangedDirectory(known: PathCase): Accusation | null {
  const back = backSince(known);
  if (back === null || !isDirectoryUnchanged(known)) return null;
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

function falseName(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  if (stat === null || known.inode.rivals.length === 0 || stat.ctimeNs >= known.scan.startedAtNs) return null;
  const newest = newestPast(known);
  if (newest === null) return null;
  const detail = `Its inode belongs to another name, and counts only ${stat.links} link(s).`;
  if (!knowsTheEnd(known)) return falseNameOfOld(known, newest, detail);
  if (holdsInode(known, newest)) return null;
  const isFalse = known.inode.isNameOfOld || known.inode.cameFrom.length > 0;
  if (!isFalse) return null;
  if (newest.expectation === null) return { verdict: 'resurrected', confidence: 'likely', detail };
  return { verdict: 'garbage', confidence: 'likely', detail, expected: newest.expectation };
}

/**
 * The generation had the inode's number under this name, and under none of the others: they are the younger ones. The same
 * inode was renamed away and its old name is back; another one took the number of what the name led to.
 */
function falseNameOfOld(known: PathCase, newest: PastState, detail: string): Accusation | null {
  const { rivals, cameFrom } = known.inode;
  const formerly = newest.expectation?.stat ?? null;
  if (formerly === null || formerly.inode !== known.seen?.stat?.inode) return null;
  if (rivals.some(rival => cameFrom.includes(rival))) return null;
  const verdict = holdsInode(known, newest) ? 'resurrected' : 'garbage';
  return { verdict, confidence: 'likely', detail, expected: newest.expectation };
}

function oldInode(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const newest = newestPast(known);
  if (stat === null || newest === null || newest.expectation !== null || knowsTheEnd(known)) return null;
  if (known.path.startsWith(LOST_AND_FOUND)) return null;
  if (stat.ctimeNs > newest.generation.atNs || !directoriesHeld(known)) return null;
  const detail = `${newest.generation.id} does not have the name, yet nothing has touched its inode since before that day.`;
  return { verdict: 'garbage', confidence: 'likely', detail };
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
