// What the file system's own log has in a newer state than the disk.

import { expect } from 'vitest';
import { judgePath } from '../../../src/judge/judge-path.ts';
import { JOURNAL_RULES } from '../../../src/judge/rules-journal.ts';
import { openJournalReference } from '../../../src/references/journal.ts';
import {
  accusation,
  type CaseParts,
  day,
  directory,
  file,
  logged,
  loggedAbsence,
  pathCase,
  ranges,
} from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const LOST = 'name-in-newer-log';
const REMOVED = 'name-removed-in-log';
const OTHER = 'other-content-in-log';
const NEWER = 'newer-inode-in-log';

const NOT_IN_ORDER = 'a copy that was made in use, a log that was not written home: not asked';

/** Without a newer state in the log there is nothing to compare with. */
function saysNothing(): void {
  const state = { sinceNs: day(1), untilNs: day(20), newer: null, isWhole: true };
  expect(openJournalReference({} as never, state)).toBeNull();
  for (const { name } of JOURNAL_RULES) expect(accusation(name, pathCase({ is: file(16, 'a') }))).toBeNull();
}

const told = (rule: string, parts: CaseParts) => accusation(rule, pathCase(parts));

export const JOURNAL_TESTS: readonly RuleTests[] = [
  {
    rule: LOST,
    accuses: {
      'a name that only the log has': () => {
        expect(told(LOST, { is: null, manifests: [logged(file(16, 'a'))] })).toBe('missing proven');
        expect(told(LOST, { is: file(16, 'a'), manifests: [logged(file(16, 'a'))] })).toBeNull();
        expect(told(LOST, { is: null, manifests: [loggedAbsence()] })).toBeNull();
      },
    },
    innocent: { [NOT_IN_ORDER]: saysNothing },
  },
  {
    rule: REMOVED,
    accuses: {
      'a name that the log has no more': () => {
        expect(told(REMOVED, { is: file(5, 'a'), manifests: [loggedAbsence()] })).toBe('resurrected proven');
        expect(told(REMOVED, { is: null, manifests: [loggedAbsence()] })).toBeNull();
      },
    },
    innocent: {
      [NOT_IN_ORDER]: saysNothing,
      'lost+found, where a repair puts what it finds: exempt': () => {
        for (const path of ['/lost+found', '/lost+found/131'])
          expect(told(REMOVED, { path, is: file(5, 'a'), manifests: [loggedAbsence()] })).toBeNull();
      },
    },
  },
  {
    rule: OTHER,
    accuses: {
      'an inode of an older day with the content of that day is stale': () => {
        const parts = { was: [file(5, 'a b')], is: file(5, 'a b'), manifests: [logged(file(16, 'c d'))] };
        expect(told(OTHER, parts)).toBe('stale proven');
        expect(ranges(OTHER, pathCase(parts))).toEqual([]);
      },
      'a name that leads to another file’s inode is garbage': () => {
        const is = file(5, 'x y', { stat: { inode: 13n } });
        const known = {
          was: [file(5, 'a b')],
          is,
          manifests: [logged(file(16, 'c d'))],
          inode: { cameFrom: ['/d/g'] },
        };
        expect(told(OTHER, known)).toBe('garbage proven');
      },
      'whatever manifests and baselines vouch for': () => {
        const { finding } = judgePath(
          pathCase({ was: [file(5, 'a'), file(5, 'a')], is: file(5, 'a'), manifests: [logged(file(16, 'b'))] }),
        );
        expect(finding?.evidence[0]?.rule).toBe(OTHER);
      },
    },
    innocent: { [NOT_IN_ORDER]: saysNothing },
  },
  {
    rule: NEWER,
    accuses: {
      'the content is right, and the inode is of an older day': () =>
        expect(told(NEWER, { is: file(5, 'a'), manifests: [logged(file(16, 'a'))] })).toBe('stale metadata proven'),
    },
    innocent: {
      [NOT_IN_ORDER]: saysNothing,
      'a repair that moved the content of a directory, or changed its links: the ctime did not go back': () => {
        const manifests = [logged(directory(16, { sizeBytes: 4096 }))];
        expect(told(NEWER, { is: directory(16), manifests })).toBeNull();
        expect(told(NEWER, { is: directory(22), manifests })).toBeNull();
      },
    },
  },
];
