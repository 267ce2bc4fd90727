// The oracle is the C library's own fnmatch(3), which dpkg calls, through Python's ctypes.

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PathPattern } from '../../../src/references/dpkg/path-pattern.ts';

const SCRIPT = `
import ctypes, json, sys
fnmatch = ctypes.CDLL(None).fnmatch
print(json.dumps([fnmatch(p.encode('latin1'), s.encode('latin1'), 0) == 0 for p, s in json.load(sys.stdin)]))
`;

/** Null where there is no Python, or no such function. */
function fnmatch(pairs: readonly (readonly [string, string])[]): boolean[] | null {
  const run = spawnSync('python3', ['-c', SCRIPT], {
    input: JSON.stringify(pairs),
    encoding: 'utf8',
    env: { LC_ALL: 'C' },
  });
  return run.status === 0 ? JSON.parse(run.stdout) : null;
}

const NO_ORACLE = fnmatch([['a*', 'abc']])?.[0] !== true;
if (NO_ORACLE) process.stderr.write('fnmatch comparisons skipped: no python3 with a C library\n');

const PATTERNS = [
  '/usr/share/doc/*',
  '/usr/share/doc/*/copyright',
  '/usr/share/locale/[a-df-z]*/LC_MESSAGES/*.mo',
  '/usr/share/{man,info}/*',
  '*/.hidden',
  '/usr/??re/*',
  '/a[!b]c',
  '/a[^b]c',
  '/a[]b]c',
  '/a[b',
  '/a\\*b',
  '/[[:digit:][:upper:]]x',
  '/a[b-]c',
  '/a[/]b',
  '',
];
const PATHS = [
  '/usr/share/doc/bash',
  '/usr/share/doc/bash/copyright',
  '/usr/share/doc',
  '/usr/share/locale/de/LC_MESSAGES/bash.mo',
  '/usr/share/locale/en/LC_MESSAGES/bash.mo',
  '/usr/share/{man,info}/x',
  '/x/y/.hidden',
  '/abc',
  '/axc',
  '/a]c',
  '/a[b',
  '/a*b',
  '/axb',
  '/7x',
  '/Zx',
  '/a-c',
  '/a/b',
  '',
];

describe.skipIf(NO_ORACLE)('a pattern of path-exclude', () => {
  test('matches what fnmatch matches', () => {
    const pairs = PATTERNS.flatMap(pattern => PATHS.map(path => [pattern, path] as const));
    const ours = pairs.map(([pattern, path]) => new PathPattern(pattern).matches(path));
    expect(ours.filter(matched => matched).length).toBeGreaterThan(10);
    expect(describeMatches(pairs, ours)).toEqual(describeMatches(pairs, fnmatch(pairs) ?? []));
  });

  test('matches what fnmatch matches, whatever the pattern', () => {
    const pattern = fc.array(
      fc.constantFrom('a', 'b', 'c', '/', '*', '?', '.', '[ab]', '[!a]', '[a-b]', '\\*', '\\a', 'é'),
    );
    const path = fc.stringMatching(/^[abc/.*]{0,8}$/);
    const pairs = fc.sample(
      fc.tuple(
        pattern.map(parts => parts.join('')),
        path,
      ),
      { numRuns: 4000, seed: 1 },
    );
    const ours = pairs.map(([each, subject]) => new PathPattern(each).matches(subject));
    expect(describeMatches(pairs, ours)).toEqual(describeMatches(pairs, fnmatch(pairs) ?? []));
  });
});

test('a pattern with many stars is no trap', () => {
  const pattern = new PathPattern(`${'*a'.repeat(200)}b`);
  expect(pattern.matches('a'.repeat(4000))).toBe(false);
});

function describeMatches(pairs: readonly (readonly [string, string])[], matched: readonly boolean[]): string[] {
  return pairs.filter((_, index) => matched[index]).map(([pattern, path]) => `${pattern} matches ${path}`);
}
