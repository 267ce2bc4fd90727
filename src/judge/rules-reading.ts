// What the medium or its metadata refuses. No permission, encrypted, unsupported are not refusals but skips.

import { byteFigure, countOf } from '../figures.ts';
import type { FindingRange, Seen } from '../model.ts';
import type { PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';
import { isShownInVain } from './rules-second-names.ts';

export const READING_RULES: readonly Rule[] = [
  {
    name: 'name-leads-nowhere',
    scanner: 'tree',
    says: 'The directory lists the name, and looking it up fails.',
    innocent: [
      'deleted between listing and look-up: the name must be listed still',
      'a directory’s second name below another one: shown at its home, and not listed over and over',
    ],
    accuse: known =>
      known.seen?.stat === null && !isShownElsewhere(known.seen)
        ? refusal(known, 'The directory lists the name, but')
        : null,
  },
  {
    name: 'listing-refused',
    scanner: 'tree',
    says: 'The directory, or the symbolic link, cannot be read.',
    innocent: ['no permission: a skip', 'a directory shown where nothing should be: said at its home'],
    accuse: known => (known.seen?.stat != null && !isShownInVain(known) ? refusal(known, 'Reading it fails:') : null),
  },
  {
    name: 'bytes-refused',
    scanner: 'tree',
    says: 'Some bytes of the file cannot be read.',
    innocent: ['no permission, encrypted: a skip', 'the file changes while it is read: read again'],
    accuse: bytesRefused,
  },
];

function isShownElsewhere({ viaSecondName, fault }: Seen): boolean {
  return viaSecondName === true && fault?.code === 'ELOOP';
}

function refusal(known: PathCase, opening: string): Accusation | null {
  const fault = known.seen?.fault ?? null;
  if (fault?.kind !== 'unreadable') return null;
  return { verdict: 'unreadable', confidence: 'proven', detail: `${opening} ${fault.message}.` };
}

function bytesRefused(known: PathCase): Accusation | null {
  const content = known.seen?.content ?? null;
  if (content?.state !== 'unreadable') return null;
  const ranges: FindingRange[] = content.unreadable.map(range => ({
    ...range,
    state: 'unreadable',
    physical: null,
    detail: null,
  }));
  const bytes = ranges.reduce((sum, range) => sum + range.length, 0);
  const refused = `${byteFigure(bytes)} in ${countOf(ranges.length, 'place')}`;
  const what = content.fault === null ? refused : content.fault.message;
  return { verdict: 'unreadable', confidence: 'proven', detail: `Reading it fails: ${what}.`, ranges };
}
