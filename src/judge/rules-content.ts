// Content against the generations of a baseline. "Newest" is the newest generation by the time it stands for.

import type { BytePath, Expectation, FindingRange, Stat } from '../model.ts';
import { baseName } from '../path.ts';
import { classifyDamage, olderMatch, olderStates, spansAgainst } from './damage-class.ts';
import {
  agreement,
  directoriesHeld,
  holdsInode,
  isAfterWindow,
  isNameVouchedByLog,
  mayBeStampedBack,
  newestPast,
  type PastState,
  type PathCase,
  sameInode,
} from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';
import { isRenamedInWindow } from './rules-names-back.ts';

/**
 * A shared mapping stamps the inode at its first store and may store on, unstamped, until the kernel cleans the page:
 * dirty_expire (30 s) and writeback interval (5 s), doubled. Younger stamps in a generation prove nothing by themselves.
 */
const MAPPED_STORE_NS = 70_000_000_000n;

export const CONTENT_RULES: readonly Rule[] = [
  {
    name: 'changed-under-unchanged-inode',
    scanner: 'baseline',
    says: 'The content differs from the newest generation, and the inode has not changed since.',
    innocent: [
      'a shared mapping that stored new bytes after its stamp: `possible` alone while the stamp was fresh at the capture',
      'a shared mapping that stored bytes of an older day, of another file, or zeros: nothing new, so `likely` then',
      'a clock that was set back: `likely` unless the ctime is the generation’s, or that of an older one',
      'another inode under the name: not the same inode',
    ],
    raisedByLosses: true,
    severalAreLosses: true,
    accuse: changedUnderInode,
  },
  {
    name: 'older-content',
    scanner: 'baseline',
    says: 'The content is that of an older generation, and the times are those of the newer one or older still.',
    innocent: [
      'a rollback, a restore, a file that alternates: its ctime is newer than the newest generation',
      'directories exchanged by a deployment: only where every directory above is the inode that it was',
      'a rollback that sets the newer time again (`touch -r`), or the older one (`cp -p`): `possible` alone',
    ],
    raisedByLosses: true,
    isLossOfContent: true,
    accuse: olderContent,
  },
  {
    name: 'mixed-generations',
    scanner: 'baseline',
    says: 'Blocks of an older generation stand among blocks that only the newest one has.',
    innocent: ['a program that writes single old blocks back (a database, a ring of records): `possible` alone'],
    raisedByLosses: true,
    isLossOfContent: true,
    accuse: mixedGenerations,
  },
  {
    name: 'changed-under-unchanged-mtime',
    scanner: 'baseline',
    says: 'The content differs from the newest generation while the inode’s time of modification is the same to the nanosecond.',
    innocent: [
      'written in place by a program that sets the old time again (`touch -r`, taggers): `possible` alone',
      'a time that a program set, in whole seconds (`cp -p`, SOURCE_DATE_EPOCH): exempt',
    ],
    raisedByLosses: true,
    isLossOfContent: true,
    accuse: changedUnderMtime,
  },
  {
    name: 'another-inode-of-old',
    scanner: 'baseline',
    says: 'The name leads to an inode that has not changed since before the newest generation, which had another one here.',
    innocent: [
      'a rename stamps the inode',
      'an exchange of names, which stamps no inode on some file systems: exempt where the former name leads to another one, else `possible` alone',
      'a directory above was exchanged: every one must be the inode that it was',
    ],
    raisedByLosses: true,
    isOfName: true,
    accuse: anotherInode,
  },
  {
    name: 'written-yet-unchanged',
    scanner: 'baseline',
    says: 'The file was written since the generation, and its content is the same.',
    innocent: [
      'touch',
      'the same bytes written again: a mounted tree shows no extents, so `possible` here; where a block map shows them, that tells',
    ],
    accuse: writtenYetUnchanged,
  },
  {
    name: 'differs-from-baseline',
    scanner: 'baseline',
    says: 'The content differs from the newest generation, and nothing speaks against a later legitimate change.',
    innocent: ['any later change'],
    accuse: differs,
  },
];

interface Compared {
  readonly stat: Stat;
  readonly past: PastState;
  readonly newest: Expectation;
  readonly formerly: Stat;
}

/** The path now and in the newest generation, when both are there. */
function compared(known: PathCase): Compared | null {
  const stat = known.seen?.stat ?? null;
  const past = newestPast(known);
  const newest = past?.expectation ?? null;
  if (stat === null || past === null || newest?.stat == null) return null;
  return { stat, past, newest, formerly: newest.stat };
}

function differsFromNewest(known: PathCase): Compared | null {
  const both = compared(known);
  if (both === null || known.seen === null || agreement(known.seen, both.newest) !== 'different') return null;
  return both;
}

function changedUnderInode(known: PathCase): Accusation | null {
  const both = differsFromNewest(known);
  if (both === null || !sameInode(both.stat, both.formerly) || both.stat.ctimeNs > both.formerly.ctimeNs) return null;
  const { past, newest, stat, formerly } = both;
  const mayBeMapped =
    stat.ctimeNs === formerly.ctimeNs && past.generation.capturedNs - formerly.ctimeNs < MAPPED_STORE_NS;
  const older = olderMatch(known, newest);
  const damage = older === null ? damageUnderInode(known, newest) : ({ verdict: 'stale', ranges: [] } as const);
  const clock = stat.ctimeNs === formerly.ctimeNs ? 'has not changed since' : 'went back to an older day';
  const what = older === null ? 'differs from' : `is that of ${older.generation.id}, not that of`;
  const detail = `The content ${what} ${past.generation.id}, while the inode ${clock}.`;
  const surely = mayBeStampedBack(known, stat) ? 'likely' : 'proven';
  const mapped = older !== null || isOfElsewhere(damage.ranges) ? 'likely' : 'possible';
  return { ...damage, confidence: mayBeMapped ? mapped : surely, detail, expected: newest };
}

/**
 * Where a map shows that all that differs was written in place and is claimed by nobody else, the inode is what went back,
 * unless the file system's own log knows better.
 */
function damageUnderInode(known: PathCase, newest: Expectation): ReturnType<typeof classifyDamage> {
  const damage = classifyDamage(known, newest);
  const witness = known.blocks.find(({ reference }) => reference === newest.reference);
  const changed = witness?.spans.filter(({ state }) => state === 'changed') ?? [];
  const isOwn = changed.length > 0 && witness?.sameBlocks === true && changed.every(span => !span.isClaimedTwice);
  if (!isOwn || isNameVouchedByLog(known) || isOfElsewhere(damage.ranges)) return damage;
  return { verdict: 'stale', ranges: damage.ranges.map(range => ({ ...range, state: 'unknown' })) };
}

/** Blocks of an older day, of another file, or of zeros: a program that stores on through a mapping makes new ones. */
function isOfElsewhere(ranges: readonly FindingRange[]): boolean {
  return ranges.some(range => range.state === 'zero' || range.detail !== null);
}

function olderContent(known: PathCase): Accusation | null {
  const both = differsFromNewest(known);
  if (both === null) return null;
  const older = olderMatch(known, both.newest);
  if (older?.expectation?.stat == null) return null;
  const { stat, formerly, newest, past } = both;
  const detail = (why: string) =>
    `The content is that of ${older.generation.id}, not that of ${past.generation.id}; ${why}.`;
  if (
    sameInode(stat, older.expectation.stat) &&
    stat.ctimeNs <= older.expectation.stat.ctimeNs &&
    directoriesHeld(known)
  ) {
    const confidence = stat.ctimeNs === older.expectation.stat.ctimeNs ? 'proven' : 'likely';
    return { verdict: 'stale', confidence, detail: detail('so is the inode'), expected: newest };
  }
  const why = restamped(stat, formerly, older.expectation.stat);
  if (why === null || !sameInode(stat, formerly)) return null;
  return { verdict: 'stale', confidence: 'possible', detail: detail(why), expected: newest };
}

/** What the time of modification says of old content under a newer ctime: only acts that set it leave it so. */
function restamped({ mtimeNs }: Stat, formerly: Stat, older: Stat): string | null {
  if (older.mtimeNs === formerly.mtimeNs) return null;
  if (mtimeNs === formerly.mtimeNs) return 'its time of modification is still the newer one';
  if (mtimeNs === older.mtimeNs && mtimeNs % SECOND_NS !== 0n) return 'so is its time of modification';
  return null;
}

function mixedGenerations(known: PathCase): Accusation | null {
  const both = differsFromNewest(known);
  if (both === null || !sameInode(both.stat, both.formerly)) return null;
  const spans = spansAgainst(known, both.newest);
  const older = spans?.filter(span => span.state === 'stale') ?? [];
  if (spans === null || older.length === 0 || !hasOnlyNewest(known, both.newest)) return null;
  const damage = classifyDamage(known, both.newest);
  const detail = `Blocks ${older[0]?.label ?? ''} stand among blocks that only ${both.past.generation.id} has.`;
  const legitimateSince = both.stat.ctimeNs > both.formerly.ctimeNs && spans.some(span => span.state === 'unknown');
  if (legitimateSince) return { verdict: 'altered', confidence: 'possible', detail, expected: both.newest };
  return { ...damage, confidence: 'possible', detail, expected: both.newest };
}

const SECOND_NS = 1_000_000_000n;

function changedUnderMtime(known: PathCase): Accusation | null {
  const both = differsFromNewest(known);
  if (both === null || !sameInode(both.stat, both.formerly) || both.stat.mtimeNs !== both.formerly.mtimeNs) return null;
  if (both.stat.mtimeNs % SECOND_NS === 0n || both.stat.type !== 'file') return null;
  const damage =
    olderMatch(known, both.newest) === null
      ? classifyDamage(known, both.newest)
      : ({ verdict: 'stale', ranges: [] } as const);
  const detail = `The content differs from ${both.past.generation.id} while the time of modification is the same.`;
  return { ...damage, confidence: 'possible', detail, expected: both.newest };
}

/** Some block of the file equals the newest state's and no older state's at that place. */
function hasOnlyNewest(known: PathCase, newest: Expectation): boolean {
  const older = olderStates(known, newest)[0]?.expectation ?? null;
  if (older === null) return false;
  const againstOlder = spansAgainst(known, older) ?? [];
  return againstOlder.some(span => span.state === 'stale');
}

function anotherInode(known: PathCase): Accusation | null {
  const both = compared(known);
  if (both === null || known.seen === null || sameInode(both.stat, both.formerly)) return null;
  const { stat, past, newest } = both;
  if (stat.ctimeNs > past.generation.atNs || !directoriesHeld(known)) return null;
  if (known.inode.unstampedExchange === 'seen') return null;
  const confidence = known.inode.unstampedExchange === null ? 'likely' : 'possible';
  const detail = `The name leads to inode ${stat.inode}, unchanged since before ${past.generation.id}, which had inode ${both.formerly.inode} here.`;
  const common = { confidence, detail, expected: newest } as const;
  if (agreement(known.seen, newest) === 'same') return { ...common, verdict: 'stale', metadataOnly: true };
  if (olderMatch(known, newest) !== null) return { ...common, verdict: 'stale' };
  if (isRenamedInWindow(known)) return { ...common, verdict: 'stale', metadataOnly: true };
  return { ...common, ...classifyDamage(known, newest) };
}

/** Names of files that programs touch without writing: stamps, locks, sessions. */
const TOUCHED_BY_HABIT =
  /(^|[._-])(stamp|lock|lck|session|sess|pid|touch|timestamp|heartbeat|keep|gitkeep)([._-]|$)|\.(lock|pid|stamp)$/i;

export function isTouchedByHabit(path: BytePath): boolean {
  return TOUCHED_BY_HABIT.test(baseName(path));
}

function writtenYetUnchanged(known: PathCase): Accusation | null {
  const both = compared(known);
  if (both === null || known.seen === null || both.stat.type !== 'file' || both.stat.sizeBytes === 0) return null;
  const { stat, formerly, past, newest } = both;
  if (known.blocks.some(({ reference }) => reference === newest.reference)) return null;
  if (isAfterWindow(past.generation.atNs, known.scan.window) || agreement(known.seen, newest) !== 'same') return null;
  if (!sameInode(stat, formerly) || stat.mtimeNs <= formerly.mtimeNs || stat.mtimeNs !== stat.ctimeNs) return null;
  if (isTouchedByHabit(known.path)) return null;
  const detail = `It was written since ${past.generation.id}, yet its content is the same.`;
  return { verdict: 'stale', confidence: 'possible', detail, expected: newest };
}

function differs(known: PathCase): Accusation | null {
  const both = differsFromNewest(known);
  if (both === null) return null;
  const when = holdsInode(known, both.past) ? 'it was written since' : 'it was replaced since';
  const detail = `The content differs from ${both.past.generation.id}; ${when}.`;
  return { verdict: 'altered', confidence: 'possible', detail, expected: both.newest };
}
