// What the medium refuses, and what is no refusal.

import { expect } from 'vitest';
import { judgePath } from '../../../src/judge/judge-path.ts';
import { accusation, directory, fault, file, loggedAs, pathCase, ranges, seenOf } from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const nameless = (kind: Parameters<typeof fault>[0], code: string) =>
  pathCase({ seen: { direntType: 'file', stat: null, linkTarget: null, fault: fault(kind, code), content: null } });

const unread = seenOf(file(5, 'a b c')).content;

export const READING_TESTS: readonly RuleTests[] = [
  {
    rule: 'name-leads-nowhere',
    accuses: {
      'the look-up fails with damage': () =>
        expect(accusation('name-leads-nowhere', nameless('unreadable', 'EUCLEAN'))).toBe('unreadable proven'),
    },
    innocent: {
      'deleted between listing and look-up: the name must be listed still': () =>
        expect(accusation('name-leads-nowhere', nameless('absent', 'ENOENT'))).toBeNull(),
      'a directory’s second name below another one: shown at its home, and not listed over and over': () => {
        const { seen, ...known } = nameless('unreadable', 'ELOOP');
        expect(accusation('name-leads-nowhere', { ...known, seen })).toBe('unreadable proven');
        const again = seen === null ? null : { ...seen, viaSecondName: true };
        expect(accusation('name-leads-nowhere', { ...known, seen: again })).toBeNull();
      },
    },
  },
  {
    rule: 'listing-refused',
    accuses: {
      'a directory that cannot be listed': () => {
        const seen = seenOf(directory(5), { fault: fault('unreadable') });
        expect(accusation('listing-refused', pathCase({ seen }))).toBe('unreadable proven');
      },
    },
    innocent: {
      'no permission: a skip': () => {
        const seen = seenOf(directory(5), { fault: fault('permission', 'EACCES') });
        expect(accusation('listing-refused', pathCase({ seen }))).toBeNull();
      },
      'a directory shown where nothing should be: said at its home': () => {
        const seen = seenOf(directory(5), { fault: fault('unreadable'), viaSecondName: true });
        expect(accusation('listing-refused', pathCase({ seen }))).toBeNull();
        expect(accusation('listing-refused', pathCase({ seen, was: [file(5, 'a')] }))).toBe('unreadable proven');
        const logged = loggedAs(directory(5));
        expect(accusation('listing-refused', pathCase({ seen, logged }))).toBe('unreadable proven');
      },
    },
  },
  {
    rule: 'bytes-refused',
    accuses: {
      'two ranges of a file': () => {
        const content = unread && {
          ...unread,
          state: 'unreadable' as const,
          unreadable: [
            { offset: 0, length: 512 },
            { offset: 8192, length: 4096 },
          ],
        };
        const known = pathCase({ seen: seenOf(file(5, 'a b c'), { content }) });
        expect(accusation('bytes-refused', known)).toBe('unreadable proven');
        expect(ranges('bytes-refused', known)).toEqual(['unreadable 0+512', 'unreadable 8192+4096']);
        expect(judgePath(known).finding?.evidence[0]?.detail).toBe('Reading it fails: 4.5 KiB in 2 places.');
      },
    },
    innocent: {
      'no permission, encrypted: a skip': () => {
        for (const kind of ['permission', 'encrypted'] as const) {
          const content = unread && { ...unread, state: 'skipped' as const, fault: fault(kind, 'ENOKEY') };
          expect(accusation('bytes-refused', pathCase({ seen: seenOf(file(5, 'a'), { content }) }))).toBeNull();
        }
      },
      'the file changes while it is read: read again': () => {
        const content = unread && { ...unread, state: 'changing' as const };
        expect(accusation('bytes-refused', pathCase({ seen: seenOf(file(5, 'a'), { content }) }))).toBeNull();
      },
    },
  },
];
