// Content against generations.

import { expect } from 'vitest';
import {
  accusation,
  day,
  directory,
  file,
  hashOfWord,
  LATE_WINDOW,
  parentCase,
  pathCase,
  ranges,
} from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const SECONDS = 1_000_000_000n;
/** The directory above is another inode than it was in the generations. */
const exchanged = parentCase([directory(4), directory(5)], directory(5, { inode: 77n }));

const UNDER_INODE = 'changed-under-unchanged-inode';
const OLDER = 'older-content';
const MIXED = 'mixed-generations';
const UNDER_MTIME = 'changed-under-unchanged-mtime';
const ANOTHER = 'another-inode-of-old';
const UNCHANGED = 'written-yet-unchanged';
const DIFFERS = 'differs-from-baseline';

export const CONTENT_TESTS: readonly RuleTests[] = [
  {
    rule: UNDER_INODE,
    accuses: {
      'a block of nobody under the newest times is garbage, at its place': () => {
        const known = pathCase({ was: [file(16, 'a b c')], is: file(16, 'a x c') });
        expect(accusation(UNDER_INODE, known)).toBe('garbage proven');
        expect(ranges(UNDER_INODE, known)).toEqual(['garbage 4096+4096']);
      },
      'a block of an older generation under the newest times is stale': () => {
        const known = pathCase({ was: [file(5, 'a b c'), file(16, 'a d e')], is: file(16, 'a d c') });
        expect(accusation(UNDER_INODE, known)).toBe('stale proven');
        expect(ranges(UNDER_INODE, known)).toEqual(['stale 8192+4096']);
      },
      'the whole older content under the newest times is stale without ranges': () => {
        const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(16, 'a b') });
        expect(accusation(UNDER_INODE, known)).toBe('stale proven');
        expect(ranges(UNDER_INODE, known)).toEqual([]);
      },
      'content and inode of the older generation': () => {
        const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(5, 'a b') });
        expect(accusation(UNDER_INODE, known)).toBe('stale proven');
      },
    },
    innocent: {
      'a shared mapping that stored new bytes after its stamp: `possible` alone while the stamp was fresh at the capture':
        () => {
          const was = [file(16, 'a b')];
          const is = file(16, 'a x');
          const captured = (after: bigint) => pathCase({ was, is, capturedNs: day(16) + after });
          expect(accusation(UNDER_INODE, captured(69n * SECONDS))).toBe('garbage possible');
          expect(accusation(UNDER_INODE, captured(71n * SECONDS))).toBe('garbage proven');
        },
      'a shared mapping that stored bytes of an older day, of another file, or zeros: nothing new, so `likely` then':
        () => {
          const capturedNs = day(16) + 69n * SECONDS;
          const zeroed = pathCase({ was: [file(16, 'a b')], is: file(16, 'a zero'), capturedNs });
          expect(accusation(UNDER_INODE, zeroed)).toBe('garbage likely');
          const donors = new Map([[hashOfWord('x'), ['/d/other']]]);
          const foreign = pathCase({ was: [file(16, 'a b')], is: file(16, 'a x'), capturedNs, donors });
          expect(accusation(UNDER_INODE, foreign)).toBe('garbage likely');
          const older = pathCase({ was: [file(5, 'a o'), file(16, 'a b')], is: file(16, 'a o'), capturedNs });
          expect(accusation(UNDER_INODE, older)).toBe('stale likely');
        },
      'a clock that was set back: `likely` unless the ctime is the generation’s, or that of an older one': () => {
        const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(14, 'x y') });
        expect(accusation(UNDER_INODE, known)).toBe('stale likely');
      },
      'another inode under the name: not the same inode': () => {
        const was = [file(16, 'a b')];
        const number = pathCase({ was, is: file(16, 'a x', { stat: { inode: 13n } }) });
        const birth = pathCase({ was, is: file(16, 'a x', { stat: { crtimeNs: day(2) } }) });
        expect([accusation(UNDER_INODE, number), accusation(UNDER_INODE, birth)]).toEqual([null, null]);
      },
    },
  },
  {
    rule: OLDER,
    accuses: {
      'content and inode of the older generation': () => {
        const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(5, 'a b') });
        expect(accusation(OLDER, known)).toBe('stale proven');
      },
      'content of the older generation under an inode that is older still': () => {
        const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(4, 'a b') });
        expect(accusation(OLDER, known)).toBe('stale likely');
      },
    },
    innocent: {
      'a rollback, a restore, a file that alternates: its ctime is newer than the newest generation': () => {
        const known = pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is: file(22, 'a b') });
        expect(accusation(OLDER, known)).toBeNull();
        const restored = file(22, 'a', { stat: { mtimeNs: day(5), inode: 13n } });
        expect(accusation(OLDER, pathCase({ was: [file(5, 'a'), file(16, 'c')], is: restored }))).toBeNull();
      },
      'directories exchanged by a deployment: only where every directory above is the inode that it was': () => {
        const was = [file(5, 'a b'), file(16, 'c d', { stat: { inode: 13n } })];
        expect(accusation(OLDER, pathCase({ was, is: file(5, 'a b'), parent: exchanged }))).toBeNull();
        expect(accusation(OLDER, pathCase({ was, is: file(5, 'a b') }))).toBe('stale proven');
      },
      'a rollback that sets the newer time again (`touch -r`), or the older one (`cp -p`): `possible` alone': () => {
        const withTime = (mtimeNs: bigint) => {
          const is = file(22, 'a b', { stat: { mtimeNs } });
          return accusation(OLDER, pathCase({ was: [file(5, 'a b'), file(16, 'c d')], is }));
        };
        expect([withTime(day(16)), withTime(day(5)), withTime(day(7))]).toEqual([
          'stale possible',
          'stale possible',
          null,
        ]);
      },
    },
  },
  {
    rule: MIXED,
    accuses: {
      'an old block among new ones under the newest times': () => {
        const known = pathCase({ was: [file(5, 'a b c'), file(16, 'a d e')], is: file(16, 'a d c') });
        expect(accusation(MIXED, known)).toBe('stale possible');
        expect(ranges(MIXED, known)).toEqual(['stale 8192+4096']);
      },
      'a block that nothing knows since a later write is no more than altered': () => {
        const known = pathCase({ was: [file(5, 'a b c'), file(16, 'd e f')], is: file(22, 'd b x') });
        expect(accusation(MIXED, known)).toBe('altered possible');
      },
    },
    innocent: {
      'a program that writes single old blocks back (a database, a ring of records): `possible` alone': () => {
        const known = pathCase({ was: [file(5, 'a b c'), file(16, 'a d e')], is: file(22, 'a d c') });
        expect(accusation(MIXED, known)).toBe('stale possible');
      },
    },
  },
  {
    rule: UNDER_MTIME,
    accuses: {
      'another content under the same time of modification': () => {
        const known = pathCase({ was: [file(16, 'a b')], is: file(22, 'a x', { stat: { mtimeNs: day(16) } }) });
        expect(accusation(UNDER_MTIME, known)).toBe('garbage possible');
        expect(ranges(UNDER_MTIME, known)).toEqual(['garbage 4096+4096']);
      },
    },
    innocent: {
      'written in place by a program that sets the old time again (`touch -r`, taggers): `possible` alone': () => {
        const known = pathCase({ was: [file(16, 'a b')], is: file(22, 'c d', { stat: { mtimeNs: day(16) } }) });
        expect(accusation(UNDER_MTIME, known)).toBe('garbage possible');
      },
      'a time that a program set, in whole seconds (`cp -p`, SOURCE_DATE_EPOCH): exempt': () => {
        const whole = { stat: { mtimeNs: 1_400_000_000n * SECONDS } };
        const known = pathCase({ was: [file(16, 'a b', whole)], is: file(22, 'a x', whole) });
        expect(accusation(UNDER_MTIME, known)).toBeNull();
      },
    },
  },
  {
    rule: ANOTHER,
    accuses: {
      'an older inode with the older content': () => {
        const was = [file(5, 'a b', { stat: { inode: 13n } }), file(16, 'c d')];
        const known = pathCase({ was, is: file(5, 'a b', { stat: { inode: 13n } }) });
        expect(accusation(ANOTHER, known)).toBe('stale likely');
      },
      'an older inode with the right content is wrong in its metadata': () => {
        const known = pathCase({ was: [file(16, 'a b')], is: file(5, 'a b', { stat: { inode: 13n } }) });
        expect(accusation(ANOTHER, known)).toBe('stale metadata likely');
      },
      'an older inode that was another name’s, with content that was never here': () => {
        const is = file(5, 'x y', { stat: { inode: 13n } });
        const known = pathCase({ was: [file(16, 'a b')], is, inode: { cameFrom: ['/d/g'] } });
        expect(accusation(ANOTHER, known)).toBe('garbage likely');
        expect(ranges(ANOTHER, known)).toEqual(['garbage 0+8192']);
      },
      'an older inode of a day that no generation knows': () => {
        const known = pathCase({ was: [file(16, 'a b')], is: file(5, 'x y', { stat: { inode: 13n } }) });
        expect(accusation(ANOTHER, known)).toBe('stale likely');
      },
    },
    innocent: {
      'a rename stamps the inode': () => {
        const known = pathCase({ was: [file(16, 'a b')], is: file(22, 'x y', { stat: { inode: 13n } }) });
        expect(accusation(ANOTHER, known)).toBeNull();
      },
      'an exchange of names, which stamps no inode on some file systems: exempt where the former name leads to another one, else `possible` alone':
        () => {
          const is = file(5, 'x y', { stat: { inode: 13n } });
          const exchanged = (unstampedExchange: 'seen' | 'possible') =>
            pathCase({ was: [file(16, 'a b')], is, inode: { unstampedExchange } });
          expect(accusation(ANOTHER, exchanged('seen'))).toBeNull();
          expect(accusation(ANOTHER, exchanged('possible'))).toBe('stale possible');
        },
      'a directory above was exchanged: every one must be the inode that it was': () => {
        const is = file(5, 'x y', { stat: { inode: 13n } });
        expect(accusation(ANOTHER, pathCase({ was: [null, file(16, 'a b')], is, parent: exchanged }))).toBeNull();
      },
    },
  },
  {
    rule: UNCHANGED,
    accuses: {
      'written in the window after the generation, and the same': () => {
        const known = pathCase({ was: [file(16, 'a b')], is: file(22, 'a b'), window: LATE_WINDOW });
        expect(accusation(UNCHANGED, known)).toBe('stale possible');
      },
    },
    innocent: {
      touch: () => {
        const long = { stat: { mtimeNs: day(3) } };
        const set = pathCase({ was: [file(2, 'a b')], is: file(22, 'a b', long), window: LATE_WINDOW });
        const habit = { was: [file(16, 'a b')], is: file(22, 'a b'), window: LATE_WINDOW };
        expect(accusation(UNCHANGED, set)).toBeNull();
        for (const path of ['/d/session.lock', '/run/app.pid', '/d/.stamp', '/d/daily-heartbeat']) {
          expect(accusation(UNCHANGED, pathCase({ ...habit, path }))).toBeNull();
        }
      },
      'the same bytes written again: a mounted tree shows no extents, so `possible` here; where a block map shows them, that tells':
        () => {
          const known = pathCase({ was: [file(16, 'a b')], is: file(22, 'a b'), window: LATE_WINDOW });
          expect(accusation(UNCHANGED, known)).toBe('stale possible');
          expect(accusation(UNCHANGED, pathCase({ was: [file(16, 'a b')], is: file(22, 'a b') }))).toBeNull();
        },
    },
  },
  {
    rule: DIFFERS,
    accuses: {
      'another content since': () =>
        expect(accusation(DIFFERS, pathCase({ was: [file(16, 'a b')], is: file(22, 'x y') }))).toBe('altered possible'),
    },
    innocent: {
      'any later change': () =>
        expect(accusation(DIFFERS, pathCase({ was: [file(16, 'a b')], is: file(22, 'a b c') }))).toBe(
          'altered possible',
        ),
    },
  },
];
