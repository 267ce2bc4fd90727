// What the README says that can be checked against the sources.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OPTIONS } from '../src/cli/option-table.ts';
import { CONFIDENCES, VERDICTS } from '../src/model.ts';
import { ROOT } from './set-up/compile.ts';

const textOf = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const README = textOf('README.md');

/** The first column of the table under this heading. */
function column(heading: string): string[] {
  const [, table = ''] = README.match(new RegExp(`^\\| ${heading} +\\|.*\n\\|[ -]+\\|.*\n((?:\\|.*\n)+)`, 'm')) ?? [];
  return [...table.matchAll(/^\| `?([^`|]*?)`? *\|/gm)].map(([, cell = '']) => cell);
}

test('it gives every dependency its line', () => {
  expect(column('dependency')).toEqual(Object.keys(JSON.parse(textOf('package.json')).dependencies));
});

test('it explains every verdict and every confidence', () => {
  expect(column('verdict')).toEqual(VERDICTS);
  expect([...column('confidence')].sort()).toEqual([...CONFIDENCES].sort());
});

test('it names only options and scripts that there are', () => {
  const known = [...Object.keys(OPTIONS), 'no-replay', 'name', 'at', 'help'].map(name => `--${name}`);
  const named = [...README.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option);
  expect(named.filter(option => !known.includes(option))).toEqual([]);
  const scripts = [...README.matchAll(/npm run ([a-z:]+)/g)].map(([, script]) => script);
  const { scripts: defined } = JSON.parse(textOf('package.json'));
  expect(scripts.filter(script => !Object.hasOwn(defined, script ?? ''))).toEqual([]);
  expect(scripts.length).toBeGreaterThan(3);
});
