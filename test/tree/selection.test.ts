import { describe, expect, test } from 'vitest';
import { bytesOfText } from '../../src/path.ts';
import { selectionOf } from '../../src/tree/selection.ts';

function excludes(glob: string, path: string): boolean {
  return !selectionOf({ include: [], exclude: [glob] }).includes(path, false);
}

describe('an exclusion', () => {
  test.each([
    ['*.pyc', '/a.pyc', true],
    ['*.pyc', '/usr/lib/a.pyc', true],
    ['*.pyc', '/usr/lib/a.py', false],
    ['*.pyc', '/.pyc', true],
    ['cache', '/srv/cache/below', true],
    ['/cache', '/srv/cache', false],
    ['/srv/app', '/srv/app', true],
    ['/srv/app', '/srv/app/x/y', true],
    ['/srv/app', '/srv/apple', false],
    ['/srv/app/', '/srv/app/x', true],
    ['/var/log/**', '/var/log', false],
    ['/var/log/**', '/var/log/x', true],
    ['/d/**/e', '/d/e', true],
    ['/d/**/e', '/d/f/g/e', true],
    ['*.{pyc,pyo}', '/d/x.pyo', true],
    ['[!a]b', '/cb', true],
    ['[!a]b', '/ab', false],
    ['[[:digit:]]x', '/1x', true],
    ['/!x', '/!x', true],
    ['/!x', '/y', false],
    ['/foo (1).txt', '/foo (1).txt', true],
    ['!(a|b)', '/c', true],
    ['!(a|b)', '/a', false],
    ['line?feed', '/line\nfeed', true],
    ['*', '/\r', true],
    ['/back\\\\slash', '/back\\slash', true],
    ['/$x^', '/$x^', true],
    ['/./x//y', '/x/y', true],
    ['./x', '/a/x', true],
  ])('%j of %j: %j', (glob, path, expected) => {
    expect(excludes(glob, path)).toBe(expected);
  });

  test('counts letters, not bytes, where the name is UTF-8', () => {
    expect(excludes('/?', bytesOfText('/é'))).toBe(true);
    expect(excludes('/[é]', bytesOfText('/é'))).toBe(true);
    expect(excludes('/*\u202e*', bytesOfText('/a\u202eb'))).toBe(true);
    expect(excludes('/?', '/\xff')).toBe(true);
    expect(excludes('/é/*', `${bytesOfText('/é')}/\xff\xfe`)).toBe(true);
  });
});

describe('an inclusion', () => {
  const selection = selectionOf({ include: ['/srv/app/*.conf', '*.key'], exclude: ['/srv/app/old.conf'] });

  test('takes what matches, and the directories on the way', () => {
    expect(selection.includes('/', true)).toBe(true);
    expect(selection.includes('/srv/app/a.conf', false)).toBe(true);
    expect(selection.includes('/etc/ssl/x.key', false)).toBe(true);
    expect(selection.includes('/srv/app/a.txt', false)).toBe(false);
  });

  test('loses against an exclusion', () => {
    expect(selection.includes('/srv/app/old.conf', false)).toBe(false);
  });

  test('with a fixed beginning does not enter what lies aside', () => {
    const fixed = selectionOf({ include: ['/srv/app/**'], exclude: [] });
    expect(['/srv', '/srv/app', '/srv/app/x', '/etc', '/srv/apple'].filter(path => fixed.includes(path, true))).toEqual(
      ['/srv', '/srv/app', '/srv/app/x'],
    );
  });
});
