// Content against what git has read of it. What is left out of the index's word is not expected at all: test/references/git shows that.

import { expect } from 'vitest';
import type { Digests, Expectation } from '../../../src/model.ts';
import { accusation, type CaseParts, day, file, pathCase, type State, seenOf } from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const DIFFERS = 'differs-from-git-index';
const SECOND_NS = 1_000_000_000n;

/** What git read from the inode of `then`. @param recorded the day on which the index was written. */
export function readByGit(then: State, id: string, recorded = 17): Expectation {
  const { inode, sizeBytes, mtimeNs, ctimeNs } = then.stat;
  const readAs = { inode: Number(inode), sizeBytes, mtimeNs, ctimeNs, recordedAtNs: day(recorded) };
  const silent = { type: null, sizeBytes: null, blocks: null, linkTarget: null, stat: null, owner: null };
  const rest = { editable: false, installedAtNs: null, remedy: null };
  return { reference: 'git', path: '/d/f', digests: { 'git-sha1': id }, ...silent, ...rest, readAs };
}

/** The file as it is, with the ids of its content. */
export function gitCase(is: State, found: Digests, entry: Expectation | null, parts: CaseParts = {}) {
  const seen = seenOf(is);
  const content = seen.content === null ? null : { ...seen.content, digests: { ...seen.content.digests, ...found } };
  return pathCase({ manifests: entry === null ? [] : [entry], ...parts, seen: { ...seen, content } });
}

const NOW = file(16, 'a b');
const OTHER = { 'git-sha1': 'bad' };

export const GIT_TESTS: readonly RuleTests[] = [
  {
    rule: DIFFERS,
    accuses: {
      'other content in the inode that git read': () =>
        expect(accusation(DIFFERS, gitCase(NOW, OTHER, readByGit(NOW, 'good')))).toBe('garbage likely'),
      'content of a generation from before git read it': () => {
        const known = gitCase(NOW, OTHER, readByGit(NOW, 'good'), { was: [file(3, 'a b')] });
        expect(accusation(DIFFERS, known)).toBe('stale likely');
      },
      'an inode that the log has newer: the content is of another day than it': () => {
        const newest = { inode: 'in-log', names: false } as const;
        expect(accusation(DIFFERS, gitCase(NOW, OTHER, readByGit(NOW, 'good'), { newest }))).toBe('stale likely');
      },
      'numbers and sizes beyond 32 bits, and times beyond 2106': () => {
        const stat = { inode: (5n << 32n) + 12n, sizeBytes: 2 ** 33 + 8192, ctimeNs: (SECOND_NS << 32n) + 7n };
        const is = file(16, 'a b', { stat });
        const read = readByGit(file(16, 'a b', { stat: { sizeBytes: 8192, ctimeNs: 7n } }), 'good');
        expect(accusation(DIFFERS, gitCase(is, OTHER, read))).toBe('garbage likely');
      },
    },
    innocent: {
      'written, renamed or changed in its mode since, also with its old time set again: its ctime has moved': () => {
        const is = file(16, 'a b', { stat: { ctimeNs: NOW.stat.ctimeNs + 1n } });
        expect(accusation(DIFFERS, gitCase(is, OTHER, readByGit(NOW, 'good')))).toBeNull();
      },
      'a repository that was copied, unpacked or restored: other inodes, or other times of change': () => {
        const is = file(16, 'a b', { stat: { inode: 13n } });
        expect(accusation(DIFFERS, gitCase(is, OTHER, readByGit(NOW, 'good')))).toBeNull();
      },
      'text that git keeps with other line ends than the working tree (core.autocrlf, text, eol): that form is asked as well':
        () => {
          const found = { 'git-sha1': 'bad', 'git-sha1-lf': 'good' };
          expect(accusation(DIFFERS, gitCase(NOW, found, readByGit(NOW, 'good')))).toBeNull();
        },
      'a filter, ident or working-tree-encoding: what attributes in the target ask for is left out, others are rare, so `likely`':
        () => expect(accusation(DIFFERS, gitCase(NOW, OTHER, null))).toBeNull(),
      'written again in the second in which git wrote its index (git does not trust it either): left out': () =>
        expect(accusation(DIFFERS, gitCase(NOW, OTHER, null))).toBeNull(),
      'assume-unchanged, skip-worktree, intent-to-add, a conflict, a link or a submodule: left out': () =>
        expect(accusation(DIFFERS, gitCase(NOW, OTHER, null))).toBeNull(),
      'a shared mapping that stored on, unstamped, after git had read it: `likely`': () =>
        expect(accusation(DIFFERS, gitCase(NOW, OTHER, readByGit(NOW, 'good')))).toBe('garbage likely'),
      'a crash or a copy in use that has a write in place, and not yet the inode that it stamped: `likely`': () =>
        expect(accusation(DIFFERS, gitCase(NOW, OTHER, readByGit(NOW, 'good')))).toBe('garbage likely'),
    },
  },
];
