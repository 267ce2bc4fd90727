// Names that are gone: deleted or lost? As far as a mounted tree can tell, the inodes say.

import type { Stat } from '../model.ts';
import { isDirectoryOfOld, isDirectoryUnchanged, LOST_AND_FOUND, sureOfDirectory } from './directory-above.ts';
import { holdsInode, knowsTheEnd, newestPast, type PastState, type PathCase, timelineOf } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const GONE_RULES: readonly Rule[] = [
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

function goneUnderUnchangedDirectory(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || !isDirectoryUnchanged(known)) return null;
  return missing(known, lost.past, sureOfDirectory(known), 'its directory has not changed since');
}

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
