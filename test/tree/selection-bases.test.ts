import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { bytesOfText, parentPath } from '../../src/path.ts';
import { type Selection, selectionOf } from '../../src/tree/selection.ts';

function entered(include: string[], directories: string[]): string[] {
  const selection = selectionOf({ include, exclude: [] });
  return directories.filter(directory => selection.includes(directory, true));
}

function listed(include: string[], files: string[], exclude: string[] = []): string[] {
  const selection = selectionOf({ include, exclude });
  return files.filter(file => selection.includes(bytesOfText(file), false));
}

describe('with --include, a walk enters', () => {
  const directories = ['/', '/etc', '/srv', '/srv/app', '/srv/app/x', '/srv/cache', '/srv/cache/y', '/srv/db', '/var'];

  test('the way to a directory, and all of it', () => {
    expect(entered(['/srv/app/**'], directories)).toEqual(['/', '/srv', '/srv/app', '/srv/app/x']);
    expect(entered(['/srv/app'], directories)).toEqual(['/', '/srv', '/srv/app', '/srv/app/x']);
    expect(entered(['/srv/app/'], directories)).toEqual(['/', '/srv', '/srv/app', '/srv/app/x']);
  });

  test('each directory of a brace, and not what lies beside them', () => {
    expect(entered(['/srv/{app,db}/**'], directories)).toEqual(['/', '/srv', '/srv/app', '/srv/app/x', '/srv/db']);
    expect(entered(['/{etc,srv/{db,app}}'], directories)).toEqual([
      '/',
      '/etc',
      '/srv',
      '/srv/app',
      '/srv/app/x',
      '/srv/db',
    ]);
  });

  test('everything for a name without a directory', () => {
    expect(entered(['*.pyc'], directories)).toEqual(directories);
  });

  test('whatever a ? or a group may stand for', () => {
    expect(entered(['/srv/ap?/x'], directories)).toEqual(directories.filter(path => /^\/(srv|$)/.test(path)));
    expect(entered(['/sr(v)/app/x'], directories)).toEqual(directories);
  });
});

describe('a glob', () => {
  test('with a range counts as the shell does', () => {
    const files = Array.from({ length: 14 }, (_, index) => `/log/${index}`);
    expect(listed(['/log/{1..12}'], files)).toEqual(files.slice(1, 13));
    expect(listed(['/log/{08..10}'], ['/log/8', '/log/08', '/log/09', '/log/10'])).toEqual([
      '/log/08',
      '/log/09',
      '/log/10',
    ]);
  });

  test.each([
    ['/a/{1..1000000}', 'stands for too many names'],
    ['/{@()/{1..3}', 'makes no sense'],
  ])('%s is refused in one line', (glob, why) => {
    for (const globs of [
      { include: [glob], exclude: [] },
      { include: [], exclude: [glob] },
    ])
      expect(() => selectionOf(globs)).toThrow(new UsageError(`the glob ${glob} ${why}`));
  });

  test('matches names with line ends, dots and bytes beyond ASCII', () => {
    expect(listed(['/srv/**'], ['/srv/a\nb', '/srv/.c', '/srv/ü', '/etc/d'])).toEqual([
      '/srv/a\nb',
      '/srv/.c',
      '/srv/ü',
    ]);
    expect(listed(['/srv/ü'], ['/srv/ü', '/srv/ü/x', '/srv/u'])).toEqual(['/srv/ü', '/srv/ü/x']);
  });

  test('of --exclude wins', () => {
    expect(listed(['/srv/**'], ['/srv/a', '/srv/b'], ['/srv/{b,c}'])).toEqual(['/srv/a']);
    expect(selectionOf({ include: [], exclude: ['/srv/{b,c}/'] }).includes('/srv/c', true)).toBe(false);
  });
});

const SEGMENT = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ab',
    '?',
    '*',
    '**',
    '{a,b}',
    '{a,b/c}',
    'a{,b}',
    '{1..3}',
    '[ab]',
    '@(a|b)',
    'a(b)',
    '\\a',
  ),
  fc.string({ unit: fc.constantFrom('a', 'b', '{', '}', ',', '*', '?', '\\', '(', ')', '"', '.'), maxLength: 3 }),
);
const GLOB = fc.array(SEGMENT, { minLength: 1, maxLength: 4 }).map(segments => `/${segments.join('/')}`);
const NAME = fc.constantFrom('a', 'b', 'ab', 'c', '1', '2', '.a', '{a', 'a,b');
const PATH = fc.array(NAME, { minLength: 2, maxLength: 5 }).map(names => `/${names.join('/')}`);

function selectionOrNull(glob: string): Selection | null {
  try {
    return selectionOf({ include: [glob], exclude: [] });
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return null;
  }
}

test('no glob keeps a walk away from a file that it matches', () => {
  fc.assert(
    fc.property(GLOB, PATH, (glob, path) => {
      const selection = selectionOrNull(glob);
      if (!selection?.includes(path, false)) return;
      for (let above = parentPath(path); above !== null; above = parentPath(above)) {
        expect(selection.includes(above, true)).toBe(true);
      }
    }),
    { numRuns: 20_000, seed: 5 },
  );
});
