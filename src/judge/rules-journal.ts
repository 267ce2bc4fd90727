// What the file system's own log has in a newer state than stands at home. A log is written before what it tells of: on a
// sound volume that was left in order nothing is behind it.

import type { Expectation } from '../model.ts';
import { classifyDamage, olderStates } from './damage-class.ts';
import { LOST_AND_FOUND } from './directory-above.ts';
import { agreement, type PathCase, sameInode } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

/** A file system that was not left in order, or was copied while in use, is not asked (`asLogged`). */
const NOT_IN_ORDER = 'a copy that was made in use, a log that was not written home: not asked';

export const JOURNAL_RULES: readonly Rule[] = [
  {
    name: 'name-in-newer-log',
    scanner: 'journal',
    says: 'The log holds a newer copy of the directory than the disk, with this name in it.',
    innocent: [NOT_IN_ORDER],
    accuse: nameLost,
  },
  {
    name: 'name-removed-in-log',
    scanner: 'journal',
    says: 'The log holds a newer copy of the directory than the disk, without this name.',
    innocent: [NOT_IN_ORDER, 'lost+found, where a repair puts what it finds: exempt'],
    accuse: nameRemoved,
  },
  {
    name: 'other-content-in-log',
    scanner: 'journal',
    says: 'The log holds a newer copy of the inode, or of the name, and that leads to other content.',
    innocent: [NOT_IN_ORDER],
    accuse: otherContent,
  },
  {
    name: 'newer-inode-in-log',
    scanner: 'journal',
    says: 'The log holds a newer copy of the inode than the disk, and the content is the same.',
    innocent: [
      NOT_IN_ORDER,
      'a repair that moved the content of a directory, or changed its links: the ctime did not go back',
    ],
    accuse: newerInode,
  },
];

/** What the log says of the path where it disagrees with the disk. */
function loggedState({ expected, scan }: PathCase): Expectation | null {
  return expected.find(({ reference }) => scan.references.get(reference)?.kind === 'journal') ?? null;
}

function nameLost(known: PathCase): Accusation | null {
  const logged = loggedState(known);
  if (logged === null || logged.absent === true || known.seen !== null) return null;
  const detail = 'The file system’s log holds a newer state, in which the name is there.';
  return { verdict: 'missing', confidence: 'proven', detail, expected: logged };
}

function nameRemoved(known: PathCase): Accusation | null {
  const logged = loggedState(known);
  if (logged?.absent !== true || known.seen === null || `${known.path}/`.startsWith(LOST_AND_FOUND)) return null;
  const detail = 'The file system’s log holds a newer state, in which the name is gone.';
  return { verdict: 'resurrected', confidence: 'proven', detail };
}

function otherContent(known: PathCase): Accusation | null {
  const logged = loggedState(known);
  if (logged?.stat == null || known.seen?.stat == null) return null;
  if (agreement(known.seen, logged) !== 'different') return null;
  const leads = sameInode(known.seen.stat, logged.stat)
    ? 'the inode leads'
    : 'the name leads to another inode, and that';
  const detail = `The file system’s log holds a newer state, in which ${leads} to other content.`;
  return { ...damageOf(known, logged), confidence: 'proven', detail, expected: logged };
}

/** An older generation that has the whole content says more than blocks do. */
function damageOf(known: PathCase, logged: Expectation): Pick<Accusation, 'verdict' | 'ranges'> {
  const { seen } = known;
  const isOld = olderStates(known, logged).some(
    ({ expectation }) => seen !== null && expectation !== null && agreement(seen, expectation) === 'same',
  );
  return isOld ? { verdict: 'stale', ranges: [] } : classifyDamage(known, logged);
}

function newerInode(known: PathCase): Accusation | null {
  const logged = loggedState(known);
  if (logged?.stat == null || known.seen?.stat == null || known.seen.fault !== null) return null;
  if (agreement(known.seen, logged) === 'different' || known.seen.content?.state === 'unreadable') return null;
  if (known.seen.stat.ctimeNs >= logged.stat.ctimeNs) return null;
  const detail = 'The file system’s log holds a newer copy of the inode; the content is the same.';
  return { verdict: 'stale', confidence: 'proven', metadataOnly: true, detail, expected: logged };
}
