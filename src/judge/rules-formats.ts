// What self-describing files say of themselves, as scanners observed it.

import type { Observation } from '../model.ts';
import { words } from './block-states.ts';
import { isUnchanged } from './block-witness.ts';
import { agreement, holdsInode, knowsTheEnd, newestPast, type PastState, type PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';
import { windowPlace } from './window.ts';

export const FORMAT_RULES: readonly Rule[] = [
  {
    name: 'object-name-differs',
    scanner: 'git-objects',
    says: 'A git object is named by its digest, and its content has another one.',
    innocent: ['an object being written has a temporary name until it is whole'],
    isLossOfContent: true,
    accuse: known => {
      const observation = observed(known, 'object-name-differs');
      return observation && { verdict: 'garbage', confidence: 'proven', detail: observation.detail };
    },
  },
  {
    name: 'database-contradicts-itself',
    scanner: 'sqlite',
    says: 'SQLite’s own check finds that pages of a database contradict each other.',
    innocent: [
      'a write-ahead log or a journal that is still to be brought home: its scanner says nothing then',
      'what an application alone knows (a collation, a function, a tokenizer), or rows that break their table’s rules: its scanner says nothing of these',
      'broken since before the window, as a baseline, a package or the backup’s map has it: exempt',
      'copied while a program wrote to it, or written without a journal by a program that was killed: `possible` alone',
    ],
    raisedByLosses: true,
    isLossOfContent: true,
    accuse: known => (isOfOldTimes(known) ? null : database(known)),
  },
  {
    name: 'database-broken-before',
    scanner: 'sqlite',
    says: 'SQLite’s own check finds that pages of a database contradict each other, which was last written before the window.',
    innocent: ['broken since before the window by its times: `possible`, whatever else was lost'],
    accuse: known => (isOfOldTimes(known) ? database(known) : null),
  },
];

/** Of a path that should not be there at all, the content is no matter: other rules say that it came back. */
export function observed(known: PathCase, rule: string): Observation | null {
  const past = newestPast(known);
  if (past !== null && past.expectation === null && knowsTheEnd(known)) return null;
  return known.observations.find(seen => seen.supports && seen.rule === rule) ?? null;
}

function database(known: PathCase): Accusation | null {
  const observation = observed(known, 'database-contradicts-itself');
  if (observation === null || referencesWithSameBytes(known).length > 0) return null;
  const verdict = isPartlyAsThen(known) ? 'stale' : 'garbage';
  return { verdict, confidence: 'possible', detail: observation.detail };
}

/** And its inode is not known to be one that went back. */
function isOfOldTimes({ seen, scan, inode, newest }: PathCase): boolean {
  const mayBeNewer = inode.isAmongOldInodes || newest.inode === 'in-log';
  return !mayBeNewer && windowPlace(seen?.stat ?? null, scan.window) === 'outside';
}

/** What has the very same bytes on record: manifests, generations, maps of blocks. What is broken was so there already. */
export function referencesWithSameBytes({ seen, expected, blocks }: PathCase): string[] {
  if (seen === null) return [];
  const states = expected.filter(state => agreement(seen, state) === 'same');
  const maps = blocks.filter(map => isUnchanged(map) && map.formerly?.sizeBytes === seen.stat?.sizeBytes);
  return [...states, ...maps].map(({ reference }) => reference);
}

/** The same file was written in part since the backup, and all of it is its own: pages of it went back, or were left behind. */
function isPartlyAsThen(known: PathCase): boolean {
  const [witness] = known.blocks;
  if (witness === undefined) return hasBlocksOf(known, newestPast(known));
  const has = (...states: readonly string[]) => witness.spans.some(({ state }) => states.includes(state));
  const isOwn = witness.formerly !== null && !has('never-landed', 'never-landed-zeros');
  return isOwn && has('unchanged') && has('changed', 'landed');
}

/** The same by the hashes of a baseline, which knows no places. */
function hasBlocksOf(known: PathCase, past: PastState | null): boolean {
  const [now, then] = [known.seen?.content?.blocks ?? null, past?.expectation?.blocks ?? null];
  if (now === null || then === null || !holdsInode(known, past)) return false;
  const formerly = words(then);
  const isAsThen = [...words(now)].map((hash, index) => hash === formerly[index]);
  return isAsThen.includes(true) && isAsThen.includes(false);
}

/** Observations by which a file vouches for its own content. */
export const SELF_VOUCHING = new Map([
  ['object-name-matches', 'git'],
  ['checksum-matches', 'git'],
]);
