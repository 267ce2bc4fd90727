// When content that is as git read it is vouched for, and what that silences.

import { describe, expect, it } from 'vitest';
import { judgePath } from '../../src/judge/judge-path.ts';
import { day, file, WINDOW } from './path-case-of.ts';
import { gitCase, readByGit } from './rules/git.ts';

const GOOD = { 'git-sha1': 'good' };
const INSIDE = file(16, 'a b');
const BEFORE = file(3, 'a b');

describe('content that is as git read it', () => {
  it('is vouched for where it was written after the window began', () => {
    expect(judgePath(gitCase(INSIDE, GOOD, readByGit(INSIDE, 'good'))).vouchers).toEqual(['git']);
  });

  it('is no suspect then, which it is without git', () => {
    expect(judgePath(gitCase(INSIDE, GOOD, readByGit(INSIDE, 'good'))).finding).toBeNull();
    expect(judgePath(gitCase(INSIDE, GOOD, null)).finding?.verdict).toBe('suspect');
  });

  it('is vouched for in its form with LF', () => {
    const found = { 'git-sha1': 'crlf', 'git-sha1-lf': 'good' };
    expect(judgePath(gitCase(INSIDE, found, readByGit(INSIDE, 'good'))).vouchers).toEqual(['git']);
  });

  it('is not where it and the index are from before the window’s end: both may have gone back', () => {
    expect(judgePath(gitCase(BEFORE, GOOD, readByGit(BEFORE, 'good', 17))).vouchers).toEqual([]);
  });

  it('is where the index was written after the window, and where nothing is suspected', () => {
    expect(judgePath(gitCase(BEFORE, GOOD, readByGit(BEFORE, 'good', 19))).vouchers).toEqual(['git']);
    expect(judgePath(gitCase(BEFORE, GOOD, readByGit(BEFORE, 'good'), { window: null })).vouchers).toEqual(['git']);
  });

  it('is not where the window has no beginning, unless the index is from after it', () => {
    const window = { fromNs: null, toNs: WINDOW.toNs };
    expect(judgePath(gitCase(INSIDE, GOOD, readByGit(INSIDE, 'good'), { window })).vouchers).toEqual([]);
    expect(judgePath(gitCase(INSIDE, GOOD, readByGit(INSIDE, 'good', 19), { window })).vouchers).toEqual(['git']);
  });

  it('is not in an inode that was written since git read it, which stays a suspect', () => {
    const entry = readByGit(file(16, 'a b', { stat: { ctimeNs: day(16) - 1n } }), 'good');
    const judgement = judgePath(gitCase(INSIDE, GOOD, entry));
    expect([judgement.vouchers, judgement.finding?.verdict]).toEqual([[], 'suspect']);
  });

  it('is nothing to packages: git’s word is no manifest', () => {
    const judgement = judgePath(gitCase(INSIDE, { 'git-sha1': 'bad' }, readByGit(INSIDE, 'good')));
    expect(judgement.finding?.evidence.map(({ rule }) => rule)).toEqual(['differs-from-git-index']);
  });
});

it('a file that is gone from the working tree is no finding', () => {
  const known = { ...gitCase(INSIDE, GOOD, readByGit(INSIDE, 'good')), seen: null };
  expect(judgePath(known).finding).toBeNull();
});
