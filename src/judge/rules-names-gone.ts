// Names that are gone: deleted or lost? As far as a mounted tree can tell, the inodes say.

import type { BytePath, Stat } from '../model.ts';
import { isDirectoryOfOld, isDirectoryUnchanged, LOST_AND_FOUND, sureOfDirectory } from './directory-above.ts';
import {
  holdsInode,
  isWrittenSince,
  knowsTheEnd,
  type NamedInode,
  newestPast,
  type PastState,
  type PathCase,
  sameInode,
  timelineOf,
} from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

const RULES: readonly Rule[] = [
  {
    name: 'gone-below-a-finding',
    scanner: 'baseline',
    says: 'The directory above is missing or unreadable, and this was below it.',
    innocent: [
      'as those of the directory above',
      'deleted since, in a directory that is unreadable and has changed: `likely` at most',
    ],
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
    name: 'gone-but-still-linked',
    scanner: 'baseline',
    says: 'The name is gone, and its inode lives on under its other names and still counts this one.',
    innocent: [
      'a deletion: the inode counts a link less',
      'another link made where the scan does not look, or while it looks: `possible` alone',
    ],
    raisedByLosses: true,
    raisedByDirectory: true,
    accuse: goneStillLinked,
  },
  {
    name: 'gone-with-its-inode-block',
    scanner: 'baseline',
    says: 'The name is gone, and its inode, made since the older generation, was in a block of the inode table that went back.',
    innocent: ['a deletion before its inode’s block went back, a clock that was set back: `possible` alone'],
    raisedByLosses: true,
    accuse: goneWithInodeBlock,
  },
  {
    name: 'gone-as-if-never-made',
    scanner: 'baseline',
    says: 'The name was made between the last two generations; it is gone.',
    innocent: [
      'a deletion: `possible`, unless other names of the directory went back beyond doubt',
      'a directory above was moved, and the name with it: no finding',
    ],
    raisedByDirectory: true,
    accuse: goneAsIfNeverMade,
  },
  {
    name: 'gone-and-written-at-its-old-name',
    scanner: 'baseline',
    says: 'The name was given between the last two generations; it is gone, and its inode was written under its older name.',
    innocent: [
      'a rename back, and a write after it: `possible` alone',
      'a rename back leaves a ctime of its own: not said then',
    ],
    raisedByLosses: true,
    accuse: known => (isWrittenAtOldName(known) ? goneAsIfNeverRenamed(known) : null),
  },
  {
    name: 'gone-as-if-never-renamed',
    scanner: 'baseline',
    says: 'The name was given between the last two generations; it is gone, and its inode has its older name.',
    innocent: ['a rename back: `possible`, unless other names of the directory went back beyond doubt'],
    raisedByDirectory: true,
    accuse: goneAsIfNeverRenamed,
  },
  {
    name: 'gone-and-renamed-on',
    scanner: 'baseline',
    says: 'The name was made between the last two generations; it is gone, and its inode has another name by now.',
    innocent: ['a rename: no finding, unless other names of the directory went back beyond doubt'],
    raisedByDirectory: true,
    droppedUnlessRaised: true,
    accuse: goneRenamedOn,
  },
  {
    name: 'gone',
    scanner: 'baseline',
    says: 'The newest generation has the name, the target does not.',
    innocent: ['a deletion'],
    accuse: gone,
  },
];

export const GONE_RULES: readonly Rule[] = RULES.map(rule => ({ ...rule, isOfName: true }));

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
  const mayBeDeleted = above.verdict === 'unreadable' && above.confidence === 'proven' && !isDirectoryUnchanged(known);
  const confidence = mayBeDeleted ? 'likely' : above.confidence;
  return { ...missing(known, lost.past, confidence, why), causedByDirectory: true };
}

function goneUnderUnchangedDirectory(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || !isDirectoryUnchanged(known)) return null;
  return missing(known, lost.past, sureOfDirectory(known), 'its directory has not changed since');
}

function goneToLostAndFound(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  const orphan = known.inode.livesAt.find(named => named.path.startsWith(LOST_AND_FOUND));
  // What was deleted in the window, and whose inode went back, lies there as well: only who knows its end can tell.
  if (lost === null || orphan === undefined || !knowsTheEnd(known)) return null;
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

function goneStillLinked(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || !known.inode.linkStillCounted) return null;
  return missing(known, lost.past, 'possible', 'its inode lives on under other names, and counts one more than it has');
}

function goneWithInodeBlock(known: PathCase): Accusation | null {
  const made = madeBetween(known);
  const birthNs = made?.formerly.crtimeNs ?? null;
  if (made === null || birthNs === null || birthNs <= made.older.generation.atNs) return null;
  if (!known.inode.inodeBlockWentBack || known.inode.livesAt.length > 0) return null;
  return missing(known, made.past, 'possible', 'the block of the inode table that had its inode went back');
}

interface MadeBetween extends Gone {
  /** The generation before the newest. */
  readonly older: PastState;
}

/** The name leads to another inode in the newest generation than in the one before it, or did not exist then. */
function madeBetween(known: PathCase): MadeBetween | null {
  const lost = goneSince(known);
  const older = timelineOf(known).at(-2) ?? null;
  if (lost === null || older === null || !knowsTheEnd(known)) return null;
  return older.expectation?.stat != null && sameInode(older.expectation.stat, lost.formerly)
    ? null
    : { ...lost, older };
}

function goneAsIfNeverMade(known: PathCase): Accusation | null {
  const made = madeBetween(known);
  if (made === null || made.older.expectation !== null || isRenamedSince(known, made)) return null;
  return missing(known, made.past, 'possible', `as it was in ${made.older.generation.id}`);
}

function goneAsIfNeverRenamed(known: PathCase): Accusation | null {
  const made = madeBetween(known);
  if (made === null || made.older.expectation !== null || hasMovedAlong(known)) return null;
  if (oldNameOf(known) === undefined) return null;
  return missing(known, made.past, 'possible', `its inode has the name that it had in ${made.older.generation.id}`);
}

function oldNameOf(known: PathCase): NamedInode | undefined {
  return known.inode.livesAt.find(named => named.isNameOfOld);
}

/** Its last stamp is that of a write. A rename would have left one that the time of modification does not share. */
function isWrittenAtOldName(known: PathCase): boolean {
  const stat = oldNameOf(known)?.stat;
  const past = newestPast(known);
  return stat !== undefined && past !== null && isWrittenSince(stat, past.generation.atNs);
}

function goneRenamedOn(known: PathCase): Accusation | null {
  const made = madeBetween(known);
  if (made === null || made.older.expectation !== null || hasMovedAlong(known)) return null;
  if (oldNameOf(known) !== undefined || !isRenamedSince(known, made)) return null;
  return missing(known, made.past, 'possible', 'its inode was given another name since');
}

function gone(known: PathCase): Accusation | null {
  const lost = goneSince(known);
  if (lost === null || isRenamedSince(known, lost)) return null;
  return missing(known, lost.past, 'possible', 'deleted or lost, nothing tells');
}

/** Its inode lives on under a name that it had not, stamped, or moved with a directory, since the generation. */
function isRenamedSince(known: PathCase, lost: Gone): boolean {
  const elsewhere = known.inode.livesAt.filter(named => named.isNew && !named.path.startsWith(LOST_AND_FOUND));
  return elsewhere.some(named => named.stat.ctimeNs > lost.formerly.ctimeNs) || movedDirectoryOf(known) !== null;
}

interface MovedDirectory {
  readonly from: BytePath;
  readonly to: readonly BytePath[];
}

/** The nearest directory above that is gone and lives elsewhere. */
function movedDirectoryOf(known: PathCase): MovedDirectory | null {
  for (let above = known.parent; above !== null; above = above.parent) {
    const to = above.inode.livesAt.map(named => named.path).filter(path => !path.startsWith(LOST_AND_FOUND));
    if (to.length > 0) return { from: above.path, to };
  }
  return null;
}

/** The name stands where its directory has moved to. */
function hasMovedAlong(known: PathCase): boolean {
  const moved = movedDirectoryOf(known);
  if (moved === null) return false;
  const there = new Set(moved.to.map(path => path + known.path.slice(moved.from.length)));
  return known.inode.livesAt.some(named => there.has(named.path));
}
