// What git's own files say of themselves.

import { expect } from 'vitest';
import { blockWitness, formerlyOf } from '../block-witness-of.ts';
import { findingOf } from '../finding-of.ts';
import { accusation, type CaseParts, file, LATE_WINDOW, manifest, pathCase, ranges } from '../path-case-of.ts';
import { raisedAmongLosses } from './among-losses.ts';
import type { RuleTests } from './rule-tests.ts';

const observation = (rule: string, supports: boolean) => ({
  scanner: 'git-checksums',
  rule,
  path: '/d/f',
  supports,
  detail: 'what it is',
  ranges: [],
});

const differs = [observation('checksum-differs', true)];
const PACK = `/d/.git/objects/pack/pack-${'0a'.repeat(20)}.pack`;
const checksum = (parts: CaseParts) =>
  accusation('checksum-differs', pathCase({ path: PACK, observations: differs, ...parts }));
const foreign = (is: ReturnType<typeof file>) =>
  accusation('git-start-differs', pathCase({ is, observations: [observation('git-start-differs', true)] }));
const broken = [{ ...observation('reflog-broken', true), ranges: [{ offset: 4096, length: 10 }] }];
const reflog = (parts: CaseParts) => accusation('reflog-broken', pathCase({ observations: broken, ...parts }));
const raisedReflog = (losses: number) =>
  raisedAmongLosses(findingOf('reflog-broken', { verdict: 'garbage', scanner: 'git-reflogs' }), losses);

export const GIT_FILE_TESTS: readonly RuleTests[] = [
  {
    rule: 'checksum-differs',
    accuses: {
      'a pack that does not end with its digest': () => {
        expect(checksum({ is: file(5, 'a') })).toBe('garbage proven');
      },
      'one that was made or changed since the backup': () => {
        expect(checksum({ was: [null], is: file(22, 'a'), window: LATE_WINDOW })).toBe('garbage proven');
        expect(checksum({ was: [file(4, 'b')], is: file(22, 'a'), window: LATE_WINDOW })).toBe('garbage proven');
        expect(checksum({ was: [null], is: file(22, 'a') })).toBeNull();
      },
      'one that a generation of after the window, which may have captured the damage, has so': () => {
        expect(checksum({ was: [file(5, 'a')], is: file(5, 'a') })).toBe('garbage proven');
      },
    },
    innocent: {
      'one being written has a temporary name until it is whole': () => {
        const observations = [observation('checksum-matches', false)];
        expect(checksum({ is: file(5, 'a'), observations: [] })).toBeNull();
        expect(checksum({ is: file(5, 'a'), observations })).toBeNull();
      },
      'an index without a digest (`index.skipHash`): exempt': () => {
        expect(checksum({ path: '/d/.git/index', is: file(5, 'a'), observations: [] })).toBeNull();
      },
      'an index that a program wrote in place and was killed over: `likely` alone': () => {
        expect(checksum({ path: '/d/.git/index', is: file(5, 'a') })).toBe('garbage likely');
      },
      'a crash over what git did not bring to the disk (it does so with packs and their indexes): `likely`': () => {
        expect(checksum({ path: PACK.replace('.pack', '.idx'), is: file(5, 'a') })).toBe('garbage proven');
        for (const path of [PACK.replace('.pack', '.bitmap'), '/d/.git/objects/info/commit-graph']) {
          expect(checksum({ path, is: file(5, 'a') })).toBe('garbage likely');
        }
      },
      'test data that is broken on purpose: `possible` where a manifest, an older generation or its map has it so':
        () => {
          const is = file(5, 'a');
          expect(checksum({ is, manifests: [manifest(is)] })).toBe('garbage possible');
          expect(checksum({ is, was: [is], window: LATE_WINDOW })).toBe('garbage possible');
          expect(checksum({ is, was: [is], window: null })).toBe('garbage possible');
          const [ofSize, ofAnother] = [formerlyOf(4096), formerlyOf(8192)];
          const inMap = (parts: typeof ofSize) =>
            checksum({ is, was: [file(4, 'b')], window: LATE_WINDOW, blocks: [blockWitness('unchanged', parts)] });
          expect(inMap(ofSize)).toBe('garbage possible');
          expect(inMap(ofAnother)).toBe('garbage proven');
        },
    },
  },
  {
    rule: 'git-start-differs',
    accuses: {
      'a pack that begins with another file’s bytes': () => {
        expect(foreign(file(5, 'a'))).toBe('garbage possible');
      },
      'more surely where other losses of content are beyond doubt': () => {
        expect(raisedAmongLosses(findingOf('git-start-differs', { verdict: 'garbage' }), 3)).toBe('likely');
      },
    },
    innocent: {
      'files encrypted one by one under their plain names (eCryptfs): `possible` alone': () => {
        expect(foreign(file(5, 'cipher'))).toBe('garbage possible');
        expect(raisedAmongLosses(findingOf('git-start-differs', { verdict: 'garbage' }), 2)).toBe('possible');
      },
      'a format of a git to come: `possible` alone': () => {
        expect(foreign(file(22, 'RIDX2'))).toBe('garbage possible');
      },
    },
  },
  {
    rule: 'reflog-broken',
    accuses: {
      'a reflog with other bytes than lines of it, and says where': () => {
        expect(reflog({ is: file(5, 'a') })).toBe('garbage possible');
        expect(ranges('reflog-broken', pathCase({ is: file(5, 'a'), observations: broken }))).toEqual([
          'garbage 4096+10',
        ]);
      },
      'more surely where other losses of content are beyond doubt': () => {
        expect(raisedReflog(3)).toBe('likely');
      },
    },
    innocent: {
      'a crash while it was appended to leaves zeros at its end: `possible` alone': () => {
        expect(reflog({ is: file(5, 'a zero') })).toBe('garbage possible');
        expect(raisedReflog(0)).toBe('possible');
      },
      'somebody edited it by hand: `possible` alone': () => {
        expect(reflog({ was: [file(4, 'b')], is: file(22, 'a'), window: LATE_WINDOW })).toBe('garbage possible');
        expect(raisedReflog(2)).toBe('possible');
      },
      'lines that were taken out (`git reflog expire`, `delete`): exempt': () => {
        expect(reflog({ is: file(5, 'a'), observations: [] })).toBeNull();
      },
    },
  },
];
