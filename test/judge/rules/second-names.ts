// Names of a directory that is at home under another one, and what they show a second time.

import { expect } from 'vitest';
import { judgePath } from '../../../src/judge/judge-path.ts';
import type { LogFacts, PathCase } from '../../../src/judge/path-case.ts';
import { findingOf } from '../finding-of.ts';
import {
  accusation,
  type CaseParts,
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
import type { RuleTests } from './rule-tests.ts';

const SECOND = 'second-name-of-a-directory';
const BELOW = 'below-a-second-name';
const LOG: LogFacts = { fromNs: day(1), toNs: day(26), holes: 0, isUndisturbed: true, differs: true };

/** Born after the generations. */
const again = directory(24, { inode: 40n, crtimeNs: day(22) });
const old = directory(24, { inode: 40n });
const other = directory(5, { inode: 41n });

/** The name /d/f of a directory at home in /e. @param was in g1. */
const known = (was: State | null, is: State, parts: CaseParts = {}): PathCase =>
  pathCase({
    was: [was],
    seen: seenOf(is, { viaSecondName: true }),
    ...parts,
    inode: { homePath: '/e/f', ...parts.inode },
  });

/** The same, g1 being of a time before the window's end. */
const before = (was: State | null, is: State, parts: CaseParts = {}): PathCase =>
  known(was, is, { window: LATE_WINDOW, ...parts });

/** Something below /d, which is a second name and has a finding of that rule. */
const below = (rule: string, was: State | null, is: State | null): PathCase => {
  const seen = is === null ? null : seenOf(is, { viaSecondName: true });
  const parent = parentCase([file(5, 'a')], null, { seen: seenOf(again, { viaSecondName: true }) });
  const above = findingOf(rule, { scanner: 'tree', verdict: 'garbage', confidence: 'likely' });
  return pathCase({ was: [was], seen, parent, above, window: LATE_WINDOW });
};

export const SECOND_NAME_TESTS: readonly RuleTests[] = [
  {
    rule: SECOND,
    accuses: {
      'a name that was a file’s': () => {
        for (const make of [known, before])
          expect(accusation(SECOND, make(file(5, 'a'), again))).toBe('garbage likely');
      },
      'a name that was another directory’s': () =>
        expect(accusation(SECOND, before(other, again))).toBe('stale metadata likely'),
      'a name that was not there': () => {
        for (const make of [known, before]) expect(accusation(SECOND, make(null, again))).toBe('resurrected likely');
      },
      'a name that no generation could know': () =>
        expect(accusation(SECOND, known(null, again, { was: [] }))).toBe('resurrected likely'),
      'a name of old, when the directory was given a name in another directory since': () =>
        expect(accusation(SECOND, before(old, old))).toBe('resurrected likely'),
      'a name that leads to another inode by the log': () => {
        const logged = loggedAs(file(23, 'b'));
        expect(accusation(SECOND, before(other, again, { logged, log: LOG }))).toBe('garbage likely');
      },
      'a name that was a file’s, and is nothing’s by the log': () => {
        const parent = parentCase([directory(5)], directory(23), { logged: loggedAs(directory(24)) });
        const name = before(file(5, 'a'), again, { parent, log: LOG });
        expect(accusation(SECOND, name)).toBe('resurrected likely');
        expect(judgePath(name).finding?.confidence).toBe('proven');
      },
      'a name that was a file’s, by the log, and that shows nothing of it': () => {
        const logged = loggedAs(file(23, 'b'));
        expect(accusation('another-inode-in-log', before(null, again, { logged, log: LOG }))).toBe('garbage proven');
      },
      'nothing else, whatever else could be said of what is there': () => {
        const seen = seenOf(again, { viaSecondName: true, direntType: 'file' });
        const judged = judgePath(before(file(5, 'a'), again, { seen }));
        expect(judged.finding?.evidence.map(({ rule }) => rule)).toEqual([SECOND]);
        expect(judged.finding?.evidence[0]?.detail).toBe(
          'The name leads to directory inode 40, which has its home at /e/f; a directory has one name only.',
        );
      },
    },
    innocent: {
      'the true name, the other one is of old: exempt where the log or the newest generation, knowing the window’s end, has it here':
        () => {
          expect(accusation(SECOND, known(old, old))).toBeNull();
          expect(accusation(SECOND, before(file(5, 'a'), again, { logged: loggedAs(again), log: LOG }))).toBeNull();
        },
      'renamed to this name since the generation, which had it elsewhere: `possible` alone': () => {
        const inode = { cameFrom: ['/e/f'] };
        expect(accusation(SECOND, before(null, old, { inode }))).toBe('resurrected possible');
        expect(accusation(SECOND, before(file(5, 'a'), old, { inode }))).toBe('garbage possible');
        expect(accusation(SECOND, known(null, old, { inode }))).toBe('resurrected likely');
      },
      'renamed within its directory since the generation, and back: `possible` alone': () => {
        for (const homePath of ['/d/e', null])
          expect(accusation(SECOND, before(old, old, { inode: { homePath } }))).toBe('resurrected possible');
      },
    },
  },
  {
    rule: BELOW,
    accuses: {
      'what was not there, with the directory above as its cause': () => {
        const name = below(SECOND, null, file(23, 'b'));
        expect(accusation(BELOW, name)).toBe('resurrected likely');
        expect(judgePath(name).finding?.causePath).toBe('/d');
      },
      'what is in the place of another file': () =>
        expect(accusation(BELOW, below(SECOND, file(5, 'a'), file(23, 'b', { stat: { inode: 77n } })))).toBe(
          'garbage likely',
        ),
      'what is below that': () =>
        expect(accusation(BELOW, below(BELOW, null, file(23, 'b')))).toBe('resurrected likely'),
      'what is below a name that the log has not': () =>
        expect(accusation(BELOW, below('removed-in-log', null, file(23, 'b')))).toBe('resurrected likely'),
      'what is not shown a third time': () => {
        const seen = { direntType: 'directory', stat: null, linkTarget: null, content: null } as const;
        const fault = { kind: 'unreadable', code: 'ELOOP', message: 'it leads to what another name has' } as const;
        const name = { ...below(SECOND, null, null), seen: { ...seen, fault, viaSecondName: true } };
        expect(judgePath(name).finding?.verdict).toBe('resurrected');
      },
    },
    innocent: {
      'as those of the directory above': () => {
        expect(accusation(BELOW, below('newer-inode-in-log', null, file(23, 'b')))).toBeNull();
        expect(accusation(BELOW, { ...below(SECOND, null, file(23, 'b')), above: null })).toBeNull();
      },
    },
  },
];
