// Blocks of a file by what several block maps say of their places: what went A, B, A is back in a state that had been replaced.

import type { FindingRange } from '../model.ts';
import type { GoneBackSpan } from './block-witness.ts';
import type { PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const HISTORY_RULES: readonly Rule[] = [
  {
    name: 'block-went-back',
    scanner: 'blocks',
    says: 'Blocks of it hold what an older map has there, while the newest one has something else; the rest moved on.',
    innocent: [
      'a program that writes single old blocks back (a database, a ring of records): `possible` alone',
      'the same bytes written again to the same place, as a file deleted before that day: `possible` alone',
    ],
    raisedByLosses: true,
    isLossOfContent: true,
    accuse: known => wentBack(known, true),
  },
  {
    name: 'block-went-back-or-put-back',
    scanner: 'blocks',
    says: 'The same of the beginning of a file, of a whole file, or of another file’s block at the same place of it.',
    innocent: [
      'a mark of being open or clean at its beginning, a file that alternates, is rolled back or checked out again: `possible`',
    ],
    accuse: known => wentBack(known, false),
  },
];

function wentBack({ goneBack }: PathCase, isTelling: boolean): Accusation | null {
  const [first] = goneBack;
  if (first === undefined || goneBack.some(span => span.isTelling) !== isTelling) return null;
  const bytes = goneBack.reduce((sum, { length }) => sum + length, 0);
  const detail = `${bytes} bytes of it are back in a state that had been replaced, that of ${first.backTo}.`;
  const verdict = goneBack.every(({ isOwn }) => isOwn) ? 'stale' : 'garbage';
  return { verdict, confidence: 'possible', detail, ranges: goneBack.map(rangeOf) };
}

function rangeOf({ offset, length, physical, backTo, isOwn }: GoneBackSpan): FindingRange {
  return isOwn
    ? { offset, length, physical, state: 'stale', detail: `as in ${backTo}` }
    : { offset, length, physical, state: 'garbage', detail: `what the disk held there in ${backTo}` };
}

/** Ranges, and what went back beside them; ascending. */
export function withGoneBack(ranges: readonly FindingRange[], { goneBack }: PathCase): FindingRange[] {
  const beside = goneBack.flatMap(span => uncovered(rangeOf(span), ranges));
  return [...ranges, ...beside].sort((left, right) => left.offset - right.offset);
}

/** What of a range none of the others covers. */
function uncovered(range: FindingRange, others: readonly FindingRange[]): FindingRange[] {
  let left = [range];
  for (const other of others) left = left.flatMap(piece => without(piece, other));
  return left;
}

function without(piece: FindingRange, { offset, length }: FindingRange): FindingRange[] {
  const [end, otherEnd] = [piece.offset + piece.length, offset + length];
  if (otherEnd <= piece.offset || end <= offset) return [piece];
  const before = offset > piece.offset ? [{ ...piece, length: offset - piece.offset }] : [];
  const behind = otherEnd < end ? [{ ...piece, ...cutTo(piece, otherEnd) }] : [];
  return [...before, ...behind];
}

function cutTo(
  { offset, length, physical }: FindingRange,
  from: number,
): Pick<FindingRange, 'offset' | 'length' | 'physical'> {
  const cut = from - offset;
  return { offset: from, length: length - cut, physical: physical === null ? null : physical + cut };
}
