// Every rule of the judge's table: the cases in which it accuses, and each of its innocent explanations.

import { describe, expect, it } from 'vitest';
import { RULE_BY_NAME, RULES } from '../../src/judge/rule-table.ts';
import { BLOCK_TESTS } from './rules/blocks.ts';
import { CONTENT_TESTS } from './rules/content.ts';
import { END_TESTS } from './rules/ends.ts';
import { FORMAT_TESTS } from './rules/formats.ts';
import { GIT_TESTS } from './rules/git.ts';
import { GIT_FILE_TESTS } from './rules/git-files.ts';
import { HISTORY_TESTS } from './rules/history.ts';
import { LOG_TESTS } from './rules/log.ts';
import { METADATA_TESTS } from './rules/metadata.ts';
import { BACK_TESTS } from './rules/names-back.ts';
import { GONE_TESTS } from './rules/names-gone.ts';
import { PACKAGE_TESTS } from './rules/packages.ts';
import { READING_TESTS } from './rules/reading.ts';
import { SECOND_NAME_TESTS } from './rules/second-names.ts';

const TESTS = [
  ...READING_TESTS,
  ...SECOND_NAME_TESTS,
  ...LOG_TESTS,
  ...CONTENT_TESTS,
  ...BLOCK_TESTS,
  ...END_TESTS,
  ...HISTORY_TESTS,
  ...METADATA_TESTS,
  ...GONE_TESTS,
  ...BACK_TESTS,
  ...PACKAGE_TESTS,
  ...GIT_TESTS,
  ...FORMAT_TESTS,
  ...GIT_FILE_TESTS,
];

for (const { rule, accuses, innocent } of TESTS) {
  describe(`${rule} accuses`, () => {
    for (const [name, test] of Object.entries(accuses)) it(name, test);
  });
  describe(`${rule} knows as innocent`, () => {
    for (const [name, test] of Object.entries(innocent)) it(name, test);
  });
}

describe('the table', () => {
  it('has a name of its own for each rule', () => {
    expect(RULE_BY_NAME.size).toBe(RULES.length);
  });

  it('has tests of every rule, and of nothing else', () => {
    expect(TESTS.map(({ rule }) => rule).sort()).toEqual(RULES.map(({ name }) => name).sort());
  });

  it.each(RULES)('$name: has a case in which it accuses', ({ name }) => {
    const tests = TESTS.find(({ rule }) => rule === name);
    expect(Object.keys(tests?.accuses ?? {}).length).toBeGreaterThan(0);
  });

  it.each(RULES)('$name: names innocent explanations, and each has its test', ({ name, innocent }) => {
    const tests = TESTS.find(({ rule }) => rule === name);
    expect(innocent.length).toBeGreaterThan(0);
    expect(Object.keys(tests?.innocent ?? {}).sort()).toEqual([...innocent].sort());
  });
});
