// What self-describing files say of themselves.

import { expect } from 'vitest';
import { accusation, file, LATE_WINDOW, pathCase } from '../path-case-of.ts';
import type { RuleTests } from './rule-tests.ts';

const observation = (rule: string, supports: boolean) => ({
  scanner: 'git-objects',
  rule,
  path: '/d/f',
  supports,
  detail: 'what it is',
  ranges: [],
});

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
];
