// Names that lead to a directory which is at home under another one. A directory has one name: its own ".." and the parent
// that names it agree on the home, so that the other is left of an older day, or its inode's number has become another's since.

import type { Expectation, Stat } from '../model.ts';
import { parentPath } from '../path.ts';
import { holdsInode, knowsTheEnd, newestPast, type PathCase, sameInode } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';
import { isRemovedInLog } from './rules-log.ts';

const SECOND_NAME = 'second-name-of-a-directory';
const BELOW = 'below-a-second-name';

const RULES: readonly Rule[] = [
  {
    name: SECOND_NAME,
    scanner: 'tree',
    says: 'The name leads to a directory that is at home under another name.',
    innocent: [
      'the true name, the other one is of old: exempt where the log or the newest generation, knowing the window’s end, has it here',
      'renamed to this name since the generation, which had it elsewhere: `possible` alone',
      'renamed within its directory since the generation, and back: `possible` alone',
    ],
    raisedByDirectory: true,
    accuse: secondName,
  },
  {
    name: BELOW,
    scanner: 'tree',
    says: 'The directory above has this name beside its own one, and shows what lies there a second time.',
    innocent: ['as those of the directory above'],
    accuse: belowSecondName,
  },
];

export const SECOND_NAME_RULES: readonly Rule[] = RULES.map(rule => ({ ...rule, isOfName: true }));

/** Evidence that the name above should not lead where it does. */
const LEADS_ASTRAY = new Set([SECOND_NAME, BELOW, 'removed-in-log', 'another-inode-in-log']);

/** Nothing should be here: what is wrong with what is shown is a matter of its home. */
export function isShownInVain(known: PathCase): boolean {
  return (secondName(known) ?? belowSecondName(known))?.verdict === 'resurrected';
}

function secondName(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  if (known.seen?.viaSecondName !== true || known.parent?.seen?.viaSecondName === true || stat === null) return null;
  if (isTrueName(known, stat)) return null;
  const confidence = isPerhapsTrue(known) ? 'possible' : 'likely';
  const { homePath } = known.inode;
  const home = homePath === null ? 'no home of its own' : `its home at ${homePath}`;
  const detail = `The name leads to directory inode ${stat.inode}, which has ${home}; a directory has one name only.`;
  return { ...damageOf(known, stat), confidence, detail };
}

/** The log, or a generation that knows every change, has this very directory here. */
function isTrueName(known: PathCase, stat: Stat): boolean {
  const { logged } = known;
  if (logged?.stat != null) return sameInode(logged.stat, stat);
  return knowsTheEnd(known) && holdsInode(known, newestPast(known));
}

/**
 * By a generation of before the window's end. A directory that it has elsewhere was given this name since, one that it has
 * here was given the other: that one is true if ".." went along, while of two names in one directory it may have been undone.
 */
function isPerhapsTrue(known: PathCase): boolean {
  if (known.logged?.stat != null || knowsTheEnd(known)) return false;
  const { cameFrom, homePath } = known.inode;
  if (!holdsInode(known, newestPast(known))) return cameFrom.length > 0;
  return homePath === null || parentPath(homePath) === parentPath(known.path) || cameFrom.includes(homePath);
}

/** What is known to be wrong: another thing was there, another directory, or nothing. */
function damageOf(known: PathCase, stat: Stat): Pick<Accusation, 'verdict' | 'metadataOnly' | 'expected'> {
  const expected = wordOn(known);
  if (expected === null || isOf(expected, stat)) return { verdict: 'resurrected' };
  if (expected.type === 'directory') return { verdict: 'stale', metadataOnly: true, expected };
  return { verdict: 'garbage', expected };
}

/** The newest that is known of the name. */
function wordOn(known: PathCase): Expectation | null {
  if (isRemovedInLog(known)) return null;
  return known.logged?.stat != null ? known.logged : (newestPast(known)?.expectation ?? null);
}

function isOf({ stat: then }: Expectation, stat: Stat): boolean {
  return then !== null && sameInode(then, stat);
}

function belowSecondName(known: PathCase): Accusation | null {
  const { seen, parent, above } = known;
  if (seen?.viaSecondName !== true || parent?.seen?.viaSecondName !== true || above === null) return null;
  if (!above.evidence.some(({ rule }) => LEADS_ASTRAY.has(rule))) return null;
  const detail = `It is what inode ${parent.seen.stat?.inode} holds, which the name above should not lead to.`;
  const damage = seen.stat === null ? ({ verdict: 'resurrected' } as const) : damageOf(known, seen.stat);
  return { ...damage, confidence: above.confidence, detail, causedByDirectory: true };
}
