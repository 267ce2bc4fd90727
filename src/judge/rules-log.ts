// What the file system's own log knows: names and inodes of which it holds a newer copy than the one in place. Metadata goes
// through the log before it goes to its place, and nothing else writes it: a newer copy there is a write that was lost.

import type { Expectation, Stat } from '../model.ts';
import { classifyDamage, olderStates } from './damage-class.ts';
import { LOST_AND_FOUND } from './directory-above.ts';
import { agreement, logCoversWindow, type PathCase, sameInode } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

/** What none of the rules can rule out for one path; the volume shows that something of the kind was there. */
const WRITTEN_BESIDE =
  'repaired, changed by a tool that does not use the log (debugfs), crashed, or a log with holes: `likely` where the volume shows it';

export const LOG_RULES: readonly Rule[] = [
  {
    name: 'named-in-log',
    scanner: 'journal',
    says: 'The log’s newest copy of the directory has the name, the directory in place has not.',
    innocent: [
      WRITTEN_BESIDE,
      'removed since: the directory in place is then the newer one, exempt',
      'removed before the log begins from a directory that is lost, or not in its place: `likely` below such a one',
    ],
    accuse: namedInLog,
  },
  {
    name: 'removed-in-log',
    scanner: 'journal',
    says: 'The log’s newest copy of the directory no longer has the name, the directory in place has.',
    innocent: [
      WRITTEN_BESIDE,
      'made since: the directory in place is then the newer one, exempt',
      'what a repair puts into lost+found: exempt',
      'a directory that the log has not whole: exempt',
    ],
    accuse: removedInLog,
  },
  {
    name: 'newer-inode-in-log',
    scanner: 'journal',
    says: 'The log holds a newer copy of the inode than the one in place.',
    innocent: [
      WRITTEN_BESIDE,
      'a clock that was set back: the log’s own times show it, exempt',
      'an inode that a repair counted anew (links, blocks): exempt',
    ],
    accuse: newerInode,
  },
  {
    name: 'another-inode-in-log',
    scanner: 'journal',
    says: 'By the log’s newest copy of the directory the name leads to another inode.',
    innocent: [
      WRITTEN_BESIDE,
      'replaced since: the directory in place is then the newer one, exempt',
      'copied by a repair to another number, times and all: exempt',
      'what a repair puts into lost+found: exempt',
    ],
    accuse: anotherInodeInLog,
  },
];

/** How sure a contradiction with the log is. */
function confidenceOf({ scan }: PathCase): 'proven' | 'likely' {
  return scan.log?.isUndisturbed === true ? 'proven' : 'likely';
}

function namedInLog(known: PathCase): Accusation | null {
  const { logged, seen, parent } = known;
  if (logged === null || seen !== null || known.path.startsWith(LOST_AND_FOUND)) return null;
  if (parent === null || isNewerThanLog(parent)) return null;
  const detail = 'The file system’s log has a newer copy of its directory, and that names it.';
  const causedByDirectory = known.above?.verdict === 'missing' || known.above?.verdict === 'unreadable';
  // Of a directory that is not in its place the names may be those on the disk, which the log has forgotten.
  const isInPlace =
    parent.seen?.stat != null && parent.logged?.stat != null && sameInode(parent.seen.stat, parent.logged.stat);
  const confidence = isInPlace || logCoversWindow(known.scan) ? confidenceOf(known) : 'likely';
  return { verdict: 'missing', confidence, detail, expected: logged, causedByDirectory };
}

/** By a newer copy of its directory there is no such name. */
export function isRemovedInLog(known: PathCase): boolean {
  return removedInLog(known) !== null;
}

function removedInLog(known: PathCase): Accusation | null {
  const { logged, seen, parent } = known;
  // Of a directory that could not be read whole the log says that it is there, not what it is.
  if (logged !== null || seen === null || parent === null || known.path.startsWith(LOST_AND_FOUND)) return null;
  if (known.path === LOST_AND_FOUND.slice(0, -1)) return null;
  const isBelow = known.above?.verdict === 'resurrected' && known.above.evidence[0]?.rule === 'removed-in-log';
  if (!isBelow && (parent.logged?.stat == null || isNewerThanLog(parent))) return null;
  const detail = 'The file system’s log has a newer copy of its directory, and that no longer names it.';
  return { verdict: 'resurrected', confidence: confidenceOf(known), detail, causedByDirectory: isBelow };
}

/** The directory in place was changed after the log's newest copy of it: by something that did not write the log. */
function isNewerThanLog({ logged, seen }: PathCase): boolean {
  const [then, now] = [logged?.stat ?? null, seen?.stat ?? null];
  return then !== null && now !== null && sameInode(now, then) && now.ctimeNs > then.ctimeNs;
}

interface Both {
  readonly stat: Stat;
  readonly then: Stat;
  readonly logged: Expectation;
}

/** None of lost+found: what stands there now a repair has named. */
function bothOf({ path, logged, seen }: PathCase): Both | null {
  const [stat, then] = [seen?.stat ?? null, logged?.stat ?? null];
  if (path.startsWith(LOST_AND_FOUND)) return null;
  return logged === null || stat === null || then === null ? null : { stat, then, logged };
}

function newerInode(known: PathCase): Accusation | null {
  const both = bothOf(known);
  if (both === null || !sameInode(both.stat, both.then) || !isOlder(both)) return null;
  return accusation(known, both, 'The file system’s log has a newer copy of its inode');
}

/** By the time of its last change. With the same time: size and place follow it when the bytes are written out. */
function isOlder({ stat, then, logged }: Both): boolean {
  if (stat.ctimeNs !== then.ctimeNs) return stat.ctimeNs < then.ctimeNs;
  return logged.digests.sha256 !== undefined;
}

function anotherInodeInLog(known: PathCase): Accusation | null {
  const both = bothOf(known);
  const { parent } = known;
  if (both === null || sameInode(both.stat, both.then) || parent === null || isNewerThanLog(parent)) return null;
  const isReused = both.then.inode === both.stat.inode;
  const instead = isReused ? 'which is another file in place' : `not ${both.stat.inode}`;
  return accusation(known, both, `The file system’s log has it as inode ${both.then.inode}, ${instead}`);
}

/** What tells of an inode's day; a repair may have copied all of it to another number. */
const METADATA = ['mode', 'uid', 'gid', 'mtimeNs', 'ctimeNs'] as const;

/** What the content is: right, an older state, or not this file's. */
function accusation(known: PathCase, { logged, stat, then }: Both, what: string): Accusation | null {
  const common = { confidence: confidenceOf(known), expected: logged };
  const same = known.seen === null ? 'unknown' : agreement(known.seen, logged);
  const isDirectory = stat.type === 'directory' && then.type === 'directory';
  if (same === 'same' && METADATA.every(field => stat[field] === then[field])) return null;
  if (isDirectory || same === 'same')
    return { ...common, verdict: 'stale', metadataOnly: true, detail: `${what}; its content is right.` };
  if (same === 'unknown') return null;
  if (isOlderState(known, logged)) return { ...common, verdict: 'stale', detail: `${what}.` };
  return { ...common, ...classifyDamage(known, logged), detail: `${what}.` };
}

function isOlderState(known: PathCase, logged: Expectation): boolean {
  const { seen } = known;
  if (seen === null) return false;
  return olderStates(known, logged).some(
    ({ expectation }) => expectation !== null && agreement(seen, expectation) === 'same',
  );
}
