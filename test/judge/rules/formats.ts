// What self-describing files say of themselves.

import { expect } from 'vitest';
import { blockWitness } from '../block-witness-of.ts';
import { findingOf } from '../finding-of.ts';
import { accusation, type CaseParts, day, file, LATE_WINDOW, manifest, pathCase } from '../path-case-of.ts';
import { raisedAmongLosses } from './among-losses.ts';
import type { RuleTests } from './rule-tests.ts';

const observation = (rule: string, supports: boolean, scanner = 'git-objects') => ({
  scanner,
  rule,
  path: '/d/f',
  supports,
  detail: 'what it is',
  ranges: [],
});

/** What is said of a database whose scanner found a contradiction. */
function ofDatabase(parts: CaseParts, rule = 'database-contradicts-itself'): string | null {
  const observations = [observation('database-contradicts-itself', true, 'sqlite')];
  return accusation(rule, pathCase({ observations, ...parts }));
}
const ofOldDatabase = (parts: CaseParts) => ofDatabase(parts, 'database-broken-before');

export const FORMAT_TESTS: readonly RuleTests[] = [
  {
    rule: 'object-name-differs',
    accuses: {
      'a git object whose content is not what it is named by': () => {
        const observations = [observation('object-name-differs', true)];
        expect(accusation('object-name-differs', pathCase({ is: file(5, 'a'), observations }))).toBe('garbage proven');
      },
      'an object that was made since the backup': () => {
        const observations = [observation('object-name-differs', true)];
        const made = { was: [null], is: file(22, 'a'), observations };
        expect(accusation('object-name-differs', pathCase({ ...made, window: LATE_WINDOW }))).toBe('garbage proven');
        expect(accusation('object-name-differs', pathCase(made))).toBeNull();
      },
    },
    innocent: {
      'an object being written has a temporary name until it is whole': () => {
        expect(accusation('object-name-differs', pathCase({ is: file(5, 'a'), observations: [] }))).toBeNull();
        const observations = [observation('object-name-differs', false)];
        expect(accusation('object-name-differs', pathCase({ is: file(5, 'a'), observations }))).toBeNull();
      },
    },
  },
  {
    rule: 'database-contradicts-itself',
    accuses: {
      'a database that nobody else knows': () => {
        expect(ofDatabase({ is: file(16, 'a b') })).toBe('garbage possible');
        expect(ofDatabase({ is: file(16, 'a b'), window: null })).toBe('garbage possible');
      },
      'one that was written in part since the backup, as stale': () => {
        const was = [file(14, 'a b')];
        const witness = (states: string, parts = {}) =>
          ofDatabase({ is: file(16, 'a c'), blocks: [blockWitness(states, parts)] });
        expect(ofDatabase({ was, is: file(16, 'a c') })).toBe('stale possible');
        expect(ofDatabase({ was, is: file(16, 'c d') })).toBe('garbage possible');
        expect(ofDatabase({ was, is: file(16, 'a c', { stat: { inode: 13n } }) })).toBe('garbage possible');
        expect(witness('unchanged changed')).toBe('stale possible');
        expect(witness('unchanged landed')).toBe('stale possible');
        expect(witness('changed landed')).toBe('garbage possible');
        expect(witness('unchanged changed never-landed')).toBe('garbage possible');
        expect(witness('unchanged changed', { formerly: null })).toBe('garbage possible');
      },
      'one whose inode may be of old times, whatever these say': () => {
        expect(ofDatabase({ is: file(3, 'a b'), inode: { isAmongOldInodes: true } })).toBe('garbage possible');
        expect(ofDatabase({ is: file(3, 'a b'), newest: { inode: 'in-log', names: false } })).toBe('garbage possible');
      },
    },
    innocent: {
      'a write-ahead log or a journal that is still to be brought home: its scanner says nothing then': () => {
        expect(ofDatabase({ is: file(16, 'a b'), observations: [] })).toBeNull();
      },
      'what an application alone knows (a collation, a function, a tokenizer), or rows that break their table’s rules: its scanner says nothing of these':
        () => {
          expect(ofDatabase({ is: file(16, 'a b'), observations: [] })).toBeNull();
        },
      'broken since before the window, as a baseline, a package or the backup’s map has it: exempt': () => {
        expect(ofDatabase({ was: [file(14, 'a b')], is: file(16, 'a b') })).toBeNull();
        expect(ofDatabase({ was: [file(14, 'a b')], is: file(16, 'a b'), window: LATE_WINDOW })).toBeNull();
        expect(ofDatabase({ is: file(16, 'a b'), manifests: [manifest(file(1, 'a b'))] })).toBeNull();
        expect(ofDatabase({ is: file(16, 'a b'), blocks: [blockWitness('unchanged unchanged')] })).toBeNull();
      },
      'copied while a program wrote to it, or written without a journal by a program that was killed: `possible` alone':
        () => {
          const copied = { is: file(16, 'a b'), blocks: [blockWitness('landed landed', { formerly: null })] };
          expect(ofDatabase(copied)).toBe('garbage possible');
          const finding = findingOf('database-contradicts-itself', { scanner: 'sqlite', verdict: 'garbage' });
          expect([2, 3].map(losses => raisedAmongLosses(finding, losses))).toEqual(['possible', 'likely']);
        },
    },
  },
  {
    rule: 'database-broken-before',
    accuses: {
      'one that was last written before the window': () => {
        expect(ofOldDatabase({ is: file(3, 'a b') })).toBe('garbage possible');
        expect(ofDatabase({ is: file(3, 'a b') })).toBeNull();
        expect(ofOldDatabase({ is: file(22, 'a b', { stat: { crtimeNs: day(21) } }) })).toBe('garbage possible');
        expect(ofOldDatabase({ is: file(16, 'a b') })).toBeNull();
      },
    },
    innocent: {
      'broken since before the window by its times: `possible`, whatever else was lost': () => {
        const finding = findingOf('database-broken-before', { scanner: 'sqlite', verdict: 'garbage' });
        expect(raisedAmongLosses(finding, 9)).toBe('possible');
      },
    },
  },
];
