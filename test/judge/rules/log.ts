// What the file system's own log has otherwise than the disk.

import { expect } from 'vitest';
import type { LogFacts, PathCase } from '../../../src/judge/path-case.ts';
import {
  accusation,
  type CaseParts,
  day,
  directory,
  file,
  loggedAs,
  parentCase,
  pathCase,
  ranges,
  type State,
} from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const NAMED = 'named-in-log';
const REMOVED = 'removed-in-log';
const NEWER = 'newer-inode-in-log';
const ANOTHER = 'another-inode-in-log';
const BESIDE =
  'repaired, changed by a tool that does not use the log (debugfs), crashed, or a log with holes: `likely` where the volume shows it';

const UNDISTURBED: LogFacts = { fromNs: day(1), toNs: day(26), holes: 0, isUndisturbed: true, differs: true };
const DISTURBED: LogFacts = { ...UNDISTURBED, isUndisturbed: false };

/** The directory above: in place as changed on one day, in the log as on another. */
const above = (inPlace: number, inLog: number): PathCase =>
  parentCase([], directory(inPlace), { logged: loggedAs(directory(inLog)) });

/** The file in place and in the log, in a directory that the log has as it is. */
const known = (is: State | null, inLog: State | null, parts: CaseParts = {}): PathCase =>
  pathCase({ is, logged: inLog === null ? null : loggedAs(inLog), log: UNDISTURBED, parent: above(25, 25), ...parts });

const other = (changed: number, words: string) => file(changed, words, { stat: { inode: 77n } });

export const LOG_TESTS: readonly RuleTests[] = [
  {
    rule: NAMED,
    accuses: {
      'a name that only the log has': () =>
        expect(accusation(NAMED, known(null, file(16, 'a')))).toBe('missing proven'),
    },
    innocent: {
      [BESIDE]: () => expect(accusation(NAMED, known(null, file(16, 'a'), { log: DISTURBED }))).toBe('missing likely'),
      'removed since: the directory in place is then the newer one, exempt': () =>
        expect(accusation(NAMED, known(null, file(16, 'a'), { parent: above(26, 25) }))).toBeNull(),
      'removed before the log begins from a directory that is lost, or not in its place: `likely` below such a one':
        () => {
          const log = { ...UNDISTURBED, fromNs: day(16) };
          const logged = loggedAs(directory(25));
          const lost = parentCase([], null, { logged });
          const moved = parentCase([], directory(25, { inode: 3n }), { logged });
          for (const parent of [lost, moved]) {
            expect(accusation(NAMED, known(null, file(16, 'a'), { parent }))).toBe('missing proven');
            expect(accusation(NAMED, known(null, file(16, 'a'), { parent, log }))).toBe('missing likely');
          }
          expect(accusation(NAMED, known(null, file(16, 'a'), { log }))).toBe('missing proven');
        },
    },
  },
  {
    rule: REMOVED,
    accuses: {
      'a name that the log has no more': () =>
        expect(accusation(REMOVED, known(file(16, 'a'), null))).toBe('resurrected proven'),
      'what stands below a name that is no directory by the log': () => {
        const parent = parentCase([], directory(20), { logged: loggedAs(file(16, 'a')) });
        expect(accusation(REMOVED, known(file(16, 'a'), null, { parent }))).toBe('resurrected proven');
      },
    },
    innocent: {
      [BESIDE]: () =>
        expect(accusation(REMOVED, known(file(16, 'a'), null, { log: DISTURBED }))).toBe('resurrected likely'),
      'made since: the directory in place is then the newer one, exempt': () =>
        expect(accusation(REMOVED, known(file(16, 'a'), null, { parent: above(26, 25) }))).toBeNull(),
      'what a repair puts into lost+found: exempt': () => {
        for (const path of ['/lost+found', '/lost+found/#12'])
          expect(accusation(REMOVED, known(file(16, 'a'), null, { path }))).toBeNull();
      },
      'a directory that the log has not whole: exempt': () => {
        const parent = parentCase([], directory(20), { logged: { ...loggedAs(directory(20)), stat: null } });
        expect(accusation(REMOVED, known(file(16, 'a'), null, { parent }))).toBeNull();
        expect(accusation(REMOVED, known(file(16, 'a'), null, { parent: parentCase([], directory(20)) }))).toBeNull();
      },
    },
  },
  {
    rule: NEWER,
    accuses: {
      'content by the older inode that a generation has': () => {
        const was = [file(5, 'a b')];
        expect(accusation(NEWER, known(file(5, 'a b'), file(16, 'a c'), { was }))).toBe('stale proven');
      },
      'the same size by another map of blocks, written out later': () =>
        expect(accusation(NEWER, known(file(16, 'a zero'), file(16, 'a b')))).toBe('garbage proven'),
      'the block of it that is of an older day': () => {
        const was = [file(5, 'a b')];
        expect(ranges(NEWER, known(file(5, 'd b'), file(16, 'd c'), { was }))).toEqual(['stale 4096+4096']);
      },
      'only the inode where the content is right': () => {
        expect(accusation(NEWER, known(file(5, 'a'), file(16, 'a')))).toBe('stale metadata proven');
        expect(accusation(NEWER, known(directory(5), directory(16)))).toBe('stale metadata proven');
      },
    },
    innocent: {
      [BESIDE]: () =>
        expect(accusation(NEWER, known(file(5, 'a'), file(16, 'b'), { log: DISTURBED }))).toBe('stale likely'),
      'a clock that was set back: the log’s own times show it, exempt': () =>
        expect(accusation(NEWER, known(file(17, 'a'), file(16, 'b')))).toBeNull(),
      'an inode that a repair counted anew (links, blocks): exempt': () => {
        const is = file(16, 'a', { stat: { links: 2 } });
        expect(accusation(NEWER, known(is, file(16, 'a')))).toBeNull();
      },
    },
  },
  {
    rule: ANOTHER,
    accuses: {
      'the older file under its name': () => {
        const was = [file(5, 'a')];
        expect(accusation(ANOTHER, known(file(5, 'a'), other(16, 'b'), { was }))).toBe('stale proven');
      },
      'what never was this file’s': () =>
        expect(accusation(ANOTHER, known(other(16, 'x'), file(16, 'b'), { was: [file(5, 'a')] }))).toBe(
          'garbage proven',
        ),
      'times of another inode with the same content': () =>
        expect(accusation(ANOTHER, known(other(5, 'b'), file(16, 'b')))).toBe('stale metadata proven'),
    },
    innocent: {
      [BESIDE]: () =>
        expect(accusation(ANOTHER, known(other(5, 'x'), file(16, 'b'), { log: DISTURBED }))).toBe('stale likely'),
      'replaced since: the directory in place is then the newer one, exempt': () =>
        expect(accusation(ANOTHER, known(other(5, 'x'), file(16, 'b'), { parent: above(26, 25) }))).toBeNull(),
      'what a repair puts into lost+found: exempt': () =>
        expect(accusation(ANOTHER, known(other(5, 'x'), file(16, 'b'), { path: '/lost+found/#77' }))).toBeNull(),
      'copied by a repair to another number, times and all: exempt': () =>
        expect(accusation(ANOTHER, known(other(16, 'b'), file(16, 'b')))).toBeNull(),
    },
  },
];
