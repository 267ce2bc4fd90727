// What git's own files say of themselves: the digests that they end with, and the form of a reflog's lines.

import type { Confidence, FindingRange, Observation } from '../model.ts';
import { isAfterWindow, type PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';
import { observed, referencesWithSameBytes } from './rules-formats.ts';

export const GIT_FILE_RULES: readonly Rule[] = [
  {
    name: 'checksum-differs',
    scanner: 'git-checksums',
    says: 'A pack, index or graph of git ends with the digest of all before it, and its content has another one.',
    innocent: [
      'one being written has a temporary name until it is whole',
      'an index without a digest (`index.skipHash`): exempt',
      'an index that a program wrote in place and was killed over: `likely` alone',
      'a crash over what git did not bring to the disk (it does so with packs and their indexes): `likely`',
      'test data that is broken on purpose: `possible` where a manifest, an older generation or its map has it so',
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

function checksumDiffers(known: PathCase): Accusation | null {
  const observation = observed(known, 'checksum-differs');
  return observation && { verdict: 'garbage', confidence: confidenceOf(known), detail: observation.detail };
}

function confidenceOf(known: PathCase): Confidence {
  if (wasSoBefore(known)) return 'possible';
  return BROUGHT_TO_DISK.test(known.path) ? 'proven' : 'likely';
}

/**
 * Written under a temporary name, synchronised, renamed. The index and what is derived from packs need not be synchronised
 * (core.fsync), and libraries that are not git itself (go-git, isomorphic-git) write an index in place.
 */
const BROUGHT_TO_DISK = /\/pack-[0-9a-f]+\.(?:pack|idx)$/;

/** By what may not have captured the damage: that vouches against garbage. */
function wasSoBefore(known: PathCase): boolean {
  const { generations, window } = known.scan;
  const late = generations.filter(({ atNs }) => window !== null && isAfterWindow(atNs, window)).map(({ id }) => id);
  return referencesWithSameBytes(known).some(reference => !late.includes(reference));
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
