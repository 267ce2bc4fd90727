// What self-describing files say of themselves, as scanners observed it.

import { knowsTheEnd, newestPast, type PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const FORMAT_RULES: readonly Rule[] = [
  {
    name: 'object-name-differs',
    scanner: 'git-objects',
    says: 'A git object is named by its digest, and its content has another one.',
    innocent: ['an object being written has a temporary name until it is whole'],
    isLossOfContent: true,
    accuse: known => observed(known, 'object-name-differs'),
  },
];

/** Of a path that should not be there at all, the content is no matter: other rules say that it came back. */
function observed(known: PathCase, rule: string): Accusation | null {
  const past = newestPast(known);
  if (past !== null && past.expectation === null && knowsTheEnd(known)) return null;
  const observation = known.observations.find(seen => seen.supports && seen.rule === rule);
  if (observation === undefined) return null;
  return { verdict: 'garbage', confidence: 'proven', detail: observation.detail };
}

/** Observations by which a file vouches for its own content. */
export const SELF_VOUCHING = new Map([['object-name-matches', 'git']]);
