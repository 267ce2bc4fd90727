// What self-describing files say of themselves, as scanners observed it.

import type { Confidence, FindingRange, Observation } from '../model.ts';
import { agreement, isAfterWindow, knowsTheEnd, newestPast, type PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

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
    name: 'checksum-differs',
    scanner: 'git-checksums',
    says: 'A pack, index or graph of git ends with the digest of all before it, and its content has another one.',
    innocent: [
      'one being written has a temporary name until it is whole',
      'an index without a digest (`index.skipHash`): exempt',
      'an index that a program wrote in place and was killed over: `likely` alone',
      'test data that is broken on purpose: `possible` where a manifest or an older generation has it so',
    ],
    isLossOfContent: true,
    accuse: checksumDiffers,
  },
  {
    name: 'git-start-differs',
    scanner: 'git-checksums',
    says: 'A pack, index or graph of git, by a name that is git’s alone, begins with other bytes.',
    innocent: [
      'files encrypted one by one under their plain names (eCryptfs): `possible` alone',
      'a format of a git to come: `possible` alone',
    ],
    raisedByLosses: true,
    needsLossesOfContent: true,
    isLossOfContent: true,
    accuse: known => asPossible(observed(known, 'git-start-differs')),
  },
  {
    name: 'reflog-broken',
    scanner: 'git-reflogs',
    says: 'A reflog of git holds bytes that are no lines of one.',
    innocent: [
      'a crash while it was appended to leaves zeros at its end: `possible` alone',
      'somebody edited it by hand: `possible` alone',
      'lines that were taken out (`git reflog expire`, `delete`): exempt',
    ],
    raisedByLosses: true,
    needsLossesOfContent: true,
    isLossOfContent: true,
    accuse: known => asPossible(observed(known, 'reflog-broken')),
  },
];

/** Of a path that should not be there at all, the content is no matter: other rules say that it came back. */
function observed(known: PathCase, rule: string): Observation | null {
  const past = newestPast(known);
  if (past !== null && past.expectation === null && knowsTheEnd(known)) return null;
  return known.observations.find(seen => seen.supports && seen.rule === rule) ?? null;
}

function checksumDiffers(known: PathCase): Accusation | null {
  const observation = observed(known, 'checksum-differs');
  if (observation === null) return null;
  return { verdict: 'garbage', confidence: confidenceOf(known), detail: observation.detail };
}

function confidenceOf(known: PathCase): Confidence {
  if (wasSoBefore(known)) return 'possible';
  return isWrittenInPlace(known) ? 'likely' : 'proven';
}

/** Libraries that are not git itself (go-git, isomorphic-git) write an index without a temporary name. */
function isWrittenInPlace({ path }: PathCase): boolean {
  return path.endsWith('/index');
}

/** A manifest has it like that, or a generation that may not have captured the damage, which vouches against garbage. */
function wasSoBefore({ seen, expected, scan }: PathCase): boolean {
  if (seen === null) return false;
  const { window } = scan;
  const late = scan.generations.filter(({ atNs }) => window !== null && isAfterWindow(atNs, window));
  return expected.some(
    expectation => !late.some(({ id }) => id === expectation.reference) && agreement(seen, expectation) === 'same',
  );
}

function asPossible(observation: Observation | null): Accusation | null {
  if (observation === null) return null;
  const { detail, ranges } = observation;
  const places = ranges.length === 0 ? {} : { ranges: ranges.map(asGarbage) };
  return { verdict: 'garbage', confidence: 'possible', detail, ...places };
}

function asGarbage(range: Observation['ranges'][number]): FindingRange {
  return { ...range, state: 'garbage', physical: null, detail: null };
}

/** Observations by which a file vouches for its own content. */
export const SELF_VOUCHING = new Map([
  ['object-name-matches', 'git'],
  ['checksum-matches', 'git'],
]);
