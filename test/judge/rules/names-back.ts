// Names that are back, and names that lead to what is not theirs.

import { expect } from 'vitest';
import { findingOf } from '../finding-of.ts';
import {
  accusation,
  day,
  directory,
  file,
  LATE_WINDOW,
  loggedAs,
  parentCase,
  pathCase,
  type State,
  seenOf,
} from '../path-case-of.ts';
import { changed, exchanged, stampedBack, unchanged } from './directories-above.ts';
import type { RuleTests } from './rule-tests.ts';

const was = [file(5, 'a'), file(16, 'b')];
/** There in g0, not in g1, and there now. */
const back = (is: State, parts: Parameters<typeof pathCase>[0] = {}) =>
  pathCase({ was: [file(5, 'a'), null], is, ...parts });

/** Born between the generations. */
const newborn = file(16, 'b', { stat: { crtimeNs: day(16) } });

export const BACK_TESTS: readonly RuleTests[] = [
  {
    rule: 'back-below-a-finding',
    accuses: {
      'the directory above came back': () => {
        const above = findingOf('back-under-unchanged-directory', { verdict: 'resurrected', confidence: 'proven' });
        expect(accusation('back-below-a-finding', back(file(5, 'a'), { above }))).toBe('resurrected proven');
      },
      'and this was in it, under the name that the directory had, and was used since': () => {
        const above = findingOf('back-under-unchanged-directory', { verdict: 'resurrected', confidence: 'proven' });
        const parent = parentCase([null, null], directory(22), { inode: { cameFrom: ['/e'] } });
        const known = back(file(22, 'a'), { above, parent, inode: { cameFrom: ['/e/f'] } });
        expect(accusation('back-below-a-finding', known)).toBe('resurrected proven');
      },
      'and this, born before the newest generation, was used since': () => {
        const above = findingOf('back-under-unchanged-directory', { verdict: 'resurrected', confidence: 'proven' });
        expect(accusation('back-below-a-finding', back(file(22, 'a'), { above }))).toBe('resurrected proven');
      },
    },
    innocent: {
      'as those of the directory above': () => {
        const above = findingOf('back-as-if-never-removed', { verdict: 'resurrected', confidence: 'possible' });
        expect(accusation('back-below-a-finding', back(file(5, 'a'), { above }))).toBe('resurrected possible');
        const madeAnew = file(22, 'a', { stat: { crtimeNs: day(22) } });
        expect(accusation('back-below-a-finding', back(madeAnew, { above }))).toBeNull();
        const movedIn = { above, inode: { cameFrom: ['/elsewhere/a'] } };
        expect(accusation('back-below-a-finding', back(file(22, 'a'), movedIn))).toBeNull();
      },
    },
  },
  {
    rule: 'back-under-unchanged-directory',
    accuses: {
      'the directory is as it was when it had not the name': () =>
        expect(accusation('back-under-unchanged-directory', back(file(22, 'x'), { parent: unchanged }))).toBe(
          'resurrected proven',
        ),
    },
    innocent: {
      'a creation or rename stamps the directory’s ctime': () => {
        expect(accusation('back-under-unchanged-directory', back(file(22, 'x'), { parent: changed }))).toBeNull();
        const late = { parent: unchanged, window: LATE_WINDOW };
        expect(accusation('back-under-unchanged-directory', back(file(22, 'x'), late))).toBeNull();
      },
      'a clock that was set back: `likely` unless the ctime is the generation’s, or that of an older one': () =>
        expect(accusation('back-under-unchanged-directory', back(file(14, 'x'), { parent: stampedBack }))).toBe(
          'resurrected likely',
        ),
      'made since, in a directory whose inode went back: what was born after the generation is exempt': () => {
        const born = (on: number) => back(file(22, 'x', { stat: { crtimeNs: day(on) } }), { parent: unchanged });
        expect(accusation('back-under-unchanged-directory', born(22))).toBeNull();
        expect(accusation('back-under-unchanged-directory', born(5))).toBe('resurrected proven');
      },
    },
  },
  {
    rule: 'back-with-untouched-inode',
    accuses: {
      'with the inode that it had, unstamped': () =>
        expect(accusation('back-with-untouched-inode', back(file(5, 'a'), { parent: changed }))).toBe(
          'resurrected proven',
        ),
      'with an inode of a day before': () =>
        expect(accusation('back-with-untouched-inode', back(file(7, 'x'), { parent: changed }))).toBe(
          'resurrected likely',
        ),
    },
    innocent: {
      'created again: a new inode': () =>
        expect(accusation('back-with-untouched-inode', back(file(22, 'a', { stat: { inode: 13n } })))).toBeNull(),
      'renamed back: stamps the inode': () => {
        const renamed = file(5, 'a', { stat: { ctimeNs: day(22) } });
        expect(accusation('back-with-untouched-inode', back(renamed))).toBeNull();
      },
      'a directory above was moved: it must be the inode that it was': () =>
        expect(accusation('back-with-untouched-inode', back(file(5, 'a'), { parent: exchanged }))).toBeNull(),
    },
  },
  {
    rule: 'back-as-if-never-removed',
    accuses: {
      'with the inode that it had, stamped since': () => {
        const renamed = file(5, 'a', { stat: { ctimeNs: day(22) } });
        expect(accusation('back-as-if-never-removed', back(renamed))).toBe('resurrected possible');
      },
    },
    innocent: {
      'renamed back by hand: `possible`, unless other names of the directory went back beyond doubt': () => {
        const renamed = file(5, 'a', { stat: { ctimeNs: day(22) } });
        expect(accusation('back-as-if-never-removed', back(renamed))).toBe('resurrected possible');
        expect(accusation('back-as-if-never-removed', back(file(22, 'a', { stat: { inode: 13n } })))).toBeNull();
      },
    },
  },
  {
    rule: 'back-and-written-since',
    accuses: {
      'with the inode that it had, written since': () =>
        expect(accusation('back-and-written-since', back(file(22, 'x')))).toBe('resurrected possible'),
    },
    innocent: {
      'renamed back by hand, and written then: `possible` alone': () =>
        expect(accusation('back-and-written-since', back(file(22, 'x')))).toBe('resurrected possible'),
      'a rename back leaves a ctime of its own: not said then': () => {
        const renamed = file(5, 'a', { stat: { ctimeNs: day(22) } });
        expect(accusation('back-and-written-since', back(renamed))).toBeNull();
      },
    },
  },
  {
    rule: 'name-of-an-old-number',
    accuses: {
      'the number is another file’s since': () => {
        const reborn = file(22, 'x', { stat: { crtimeNs: day(16) } });
        expect(accusation('name-of-an-old-number', back(reborn))).toBe('resurrected likely');
        const replaced = pathCase({ was: [file(5, 'a'), file(16, 'b', { stat: { inode: 13n } })], is: reborn });
        expect(accusation('name-of-an-old-number', replaced)).toBe('garbage likely');
      },
    },
    innocent: {
      'renamed back: the inode that it was': () =>
        expect(accusation('name-of-an-old-number', back(file(22, 'a')))).toBeNull(),
      'renamed here, the number handed round by a rotation: stamped, and gone from the name that it had': () => {
        const rotated = file(16, 'x', { stat: { crtimeNs: day(16), ctimeNs: day(22) } });
        expect(accusation('name-of-an-old-number', back(rotated, { inode: { cameFrom: ['/d/log'] } }))).toBeNull();
        const stillThere = { cameFrom: ['/d/log'], rivals: ['/d/log'] };
        expect(accusation('name-of-an-old-number', back(rotated, { inode: stillThere }))).toBe('resurrected likely');
      },
      'made anew with the number of old: born after the newest generation': () =>
        expect(accusation('name-of-an-old-number', back(file(22, 'x', { stat: { crtimeNs: day(22) } })))).toBeNull(),
    },
  },
  {
    rule: 'inode-of-an-earlier-birth',
    accuses: {
      'the slot holds a file of before': () => {
        const known = pathCase({ was: [null, newborn], is: file(22, 'x') });
        expect(accusation('inode-of-an-earlier-birth', known)).toBe('garbage likely');
      },
      'which is the one that this path had': () => {
        const known = pathCase({ was: [file(5, 'a'), newborn], is: file(22, 'a') });
        expect(accusation('inode-of-an-earlier-birth', known)).toBe('stale likely');
      },
      'of the same content': () => {
        const known = pathCase({ was: [null, newborn], is: file(22, 'b') });
        expect(accusation('inode-of-an-earlier-birth', known)).toBe('stale metadata likely');
      },
    },
    innocent: {
      'a number that is used again: born later': () => {
        const is = file(22, 'x', { stat: { crtimeNs: day(22) } });
        expect(accusation('inode-of-an-earlier-birth', pathCase({ was: [null, newborn], is }))).toBeNull();
        const another = file(22, 'x', { stat: { inode: 13n } });
        expect(accusation('inode-of-an-earlier-birth', pathCase({ was: [null, newborn], is: another }))).toBeNull();
      },
      'a clock that was set back: never more than `likely`': () => {
        const known = pathCase({ was: [null, newborn], is: file(5, 'x') });
        expect(accusation('inode-of-an-earlier-birth', known)).toBe('garbage likely');
      },
    },
  },
  {
    rule: 'name-of-another-inode',
    accuses: {
      'a new name of an inode whose own name is still there': () => {
        const inode = { rivals: ['/d/true'], cameFrom: ['/d/true'] };
        expect(accusation('name-of-another-inode', back(file(22, 'x'), { inode }))).toBe('resurrected likely');
      },
      'a name of old that leads to another name’s inode': () => {
        const known = back(file(22, 'x'), { inode: { rivals: ['/d/true'], isNameOfOld: true } });
        expect(accusation('name-of-another-inode', known)).toBe('resurrected likely');
      },
      'a name that should lead elsewhere': () => {
        const known = pathCase({
          was: [file(5, 'a'), file(16, 'b', { stat: { inode: 13n } })],
          is: file(22, 'x'),
          inode: { rivals: ['/d/true'], isNameOfOld: true },
        });
        expect(accusation('name-of-another-inode', known)).toBe('garbage likely');
      },
      'the only name that the generation before the window had of the inode’s number': () => {
        const inode = { rivals: ['/d/younger'] };
        const parts = { was: [file(16, 'b')], inode, window: LATE_WINDOW };
        expect(accusation('name-of-another-inode', pathCase({ ...parts, is: file(22, 'b') }))).toBe(
          'resurrected likely',
        );
        const reused = file(22, 'x', { stat: { crtimeNs: day(21) } });
        expect(accusation('name-of-another-inode', pathCase({ ...parts, is: reused }))).toBe('garbage likely');
      },
    },
    innocent: {
      'a rename during the scan: the inode must not have changed since the scan began': () => {
        const known = back(file(30, 'x'), { inode: { rivals: ['/d/true'], isNameOfOld: true } });
        expect(accusation('name-of-another-inode', known)).toBeNull();
      },
      'this is the true name and the other one is of old: an older generation must have had the number under this name':
        () => {
          const known = back(file(22, 'x'), { inode: { rivals: ['/d/of-old'] } });
          expect(accusation('name-of-another-inode', known)).toBeNull();
          const linked = { rivals: ['/d/link'], cameFrom: ['/d/link'] };
          const late = { was: [file(16, 'b')], window: LATE_WINDOW };
          expect(
            accusation('name-of-another-inode', pathCase({ ...late, is: file(22, 'b'), inode: linked })),
          ).toBeNull();
          const another = file(22, 'x', { stat: { inode: 13n } });
          const inode = { rivals: ['/d/of-old'] };
          expect(accusation('name-of-another-inode', pathCase({ ...late, is: another, inode }))).toBeNull();
        },
      'renamed to this name, and the other one is of old: the name of the newest generation must still be there':
        () => {
          const inode = { rivals: ['/d/of-old'], cameFrom: ['/d/true'] };
          expect(accusation('name-of-another-inode', back(file(22, 'x'), { inode }))).toBeNull();
        },
      'renamed away and back, and the name between is back: exempt where the log has this one': () => {
        const inode = { rivals: ['/d/between'] };
        const is = file(22, 'b');
        const parts = { was: [file(16, 'b')], inode, window: LATE_WINDOW, is, logged: loggedAs(is) };
        expect(accusation('name-of-another-inode', pathCase(parts))).toBe('resurrected likely');
        const parent = parentCase([], directory(22), { newest: { inode: 'in-place', names: true } });
        expect(accusation('name-of-another-inode', pathCase({ ...parts, parent }))).toBeNull();
        expect(accusation('name-of-another-inode', pathCase({ ...parts, parent, logged: null }))).toBe(
          'resurrected likely',
        );
      },
    },
  },
  {
    rule: 'new-name-of-an-old-inode',
    accuses: {
      'made since the generation, with an inode from before it': () => {
        const known = pathCase({ was: [null], is: file(5, 'x'), window: LATE_WINDOW });
        expect(accusation('new-name-of-an-old-inode', known)).toBe('garbage likely');
      },
    },
    innocent: {
      'a rename or a link stamps the inode': () => {
        const linked = file(5, 'x', { stat: { ctimeNs: day(22) } });
        expect(
          accusation('new-name-of-an-old-inode', pathCase({ was: [null], is: linked, window: LATE_WINDOW })),
        ).toBeNull();
      },
      'an exchange of names, which stamps no inode on some file systems: exempt where the former name leads to another one, else `possible` alone':
        () => {
          const exchanged = (unstampedExchange: 'seen' | 'possible') =>
            pathCase({ was: [null], is: file(5, 'x'), window: LATE_WINDOW, inode: { unstampedExchange } });
          expect(accusation('new-name-of-an-old-inode', exchanged('seen'))).toBeNull();
          expect(accusation('new-name-of-an-old-inode', exchanged('possible'))).toBe('garbage possible');
        },
      'a directory above was moved: every one must be the inode that it was': () => {
        const parent = parentCase([directory(5)], directory(5, { inode: 77n }), { window: LATE_WINDOW });
        const known = pathCase({ was: [null], is: file(5, 'x'), window: LATE_WINDOW, parent });
        expect(accusation('new-name-of-an-old-inode', known)).toBeNull();
      },
    },
  },
  {
    rule: 'entry-of-another-type',
    accuses: {
      'the entry says directory, the inode is a file': () => {
        const seen = seenOf(file(16, 'b'), { direntType: 'directory' });
        expect(accusation('entry-of-another-type', pathCase({ was, seen }))).toBe('garbage likely');
        expect(accusation('entry-of-another-type', pathCase({ was: [file(5, 'a'), null], seen }))).toBe(
          'resurrected likely',
        );
      },
    },
    innocent: {
      'file systems that state no types': () => {
        const seen = seenOf(file(16, 'b'), { direntType: null });
        expect(accusation('entry-of-another-type', pathCase({ was, seen }))).toBeNull();
      },
    },
  },
];
