// What is expected of the files of real repositories, against git's own words and the inodes themselves; and what git's settings,
// flags and layouts take out of it.

import {
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isInStateRead } from '../../../src/judge/read-stamp.ts';
import type { Stat } from '../../../src/model.ts';
import { comparePaths } from '../../../src/path.ts';
import { GitWorld } from './git-world.ts';

let world: GitWorld;
beforeEach(() => {
  world = new GitWorld();
});
afterEach(() => world.close());

const INDEX = 'r/.git/index';

function makeRepository(...args: readonly string[]): void {
  world.init('r', ...args);
  for (const name of ['a/x', 'a-b', 'b', 'empty']) world.write(`r/${name}`, name === 'empty' ? '' : `${name}\n`);
  world.add('r');
}

function statOf(path: string): Stat {
  const { size, ino, mtimeNs, ctimeNs } = lstatSync(world.at(path), { bigint: true });
  return { sizeBytes: Number(size), inode: ino, mtimeNs, ctimeNs } as Stat;
}

describe('a repository of git', () => {
  it.each(['sha1', 'sha256'])('is expected to be as git read it, in tree order (%s)', format => {
    makeRepository(`--object-format=${format}`);
    const expected = world.expectations();
    const names = ['a/x', 'a-b', 'b', 'empty'];
    expect(expected.map(({ path }) => path)).toEqual(names.map(name => `/r/${name}`));
    const ids = names.map(name => ({ [`git-${format}`]: world.git('r', 'hash-object', name).trim() }));
    expect(expected.map(({ digests }) => digests)).toEqual(ids);
    expect(expected.every(({ path, readAs }) => readAs !== undefined && isInStateRead(statOf(path), readAs))).toBe(
      true,
    );
  });

  it('says nothing of a file that was written, touched, renamed over or changed in its mode since', () => {
    makeRepository();
    const before = statOf('r/b');
    const [, , b] = world.expectations();
    utimesSync(world.at('r/b'), new Date(), Number(before.mtimeNs / 1_000_000_000n));
    expect(b?.readAs && isInStateRead(before, b.readAs)).toBe(true);
    expect(b?.readAs && isInStateRead(statOf('r/b'), b.readAs)).toBe(false);
  });

  it('says nothing by a copy of it, whose inodes are others', () => {
    makeRepository();
    cpSync(world.at('r'), world.at('copy'), { recursive: true, preserveTimestamps: true });
    const ofCopy = world.expectations().filter(({ path }) => path.startsWith('/copy/'));
    expect(ofCopy.length).toBe(4);
    expect(ofCopy.some(({ path, readAs }) => readAs !== undefined && isInStateRead(statOf(path), readAs))).toBe(false);
  });

  it('says nothing of what was written in the second in which the index was', () => {
    makeRepository();
    const { mtimeNs } = statOf('r/b');
    const second = Number(mtimeNs / 1_000_000_000n);
    utimesSync(world.at(INDEX), second, second);
    expect(world.tracked()).toEqual([]);
    utimesSync(world.at(INDEX), second + 3600, second + 3600);
    expect(world.tracked().length).toBe(4);
  });

  it('says nothing of what git could not tell by its times: such entries have a size of 0', () => {
    makeRepository();
    const times = new Date(1_400_000_000_000);
    writeFileSync(world.at('r/b'), 'one\n');
    utimesSync(world.at('r/b'), times, times);
    world.git('r', 'add', 'b');
    utimesSync(world.at(INDEX), times, times);
    writeFileSync(world.at('r/b'), 'two\n');
    utimesSync(world.at('r/b'), times, times);
    world.git('r', 'update-index', '--chmod=+x', 'a-b');
    world.age(INDEX);
    expect(world.git('r', 'ls-files', '--debug', 'b')).toContain('size: 0');
    expect(world.tracked()).toEqual(['/r/a/x', '/r/a-b', '/r/empty']);
  });

  it.each(['--assume-unchanged', '--skip-worktree'])('says nothing of %s', flag => {
    makeRepository();
    world.git('r', 'update-index', flag, 'b');
    world.age(INDEX);
    expect(world.tracked()).toEqual(['/r/a/x', '/r/a-b', '/r/empty']);
  });

  it('says nothing of what is to be added later, of conflicts, links, submodules and directories left out', () => {
    makeRepository();
    world.git('r', 'commit', '-qm', 'one');
    world.git('r', 'checkout', '-qb', 'side');
    world.write('r/b', 'side\n');
    world.git('r', 'commit', '-qam', 'side');
    world.git('r', 'checkout', '-q', '-');
    world.write('r/b', 'main\n');
    world.git('r', 'commit', '-qam', 'main');
    expect(() => world.git('r', 'merge', 'side')).toThrow();
    symlinkSync('b', world.at('r/link'));
    world.init('r/sub');
    world.write('r/sub/inner', 'inner\n');
    world.git('r/sub', 'add', 'inner');
    world.git('r/sub', 'commit', '-qm', 'inner');
    world.git('r', 'add', 'link', 'sub');
    world.write('r/later', 'later\n');
    world.git('r', 'add', '-N', 'later');
    world.age(INDEX);
    expect(world.git('r', 'ls-files', '-u')).not.toBe('');
    expect(world.tracked().filter(path => !path.startsWith('/r/sub/'))).toEqual(['/r/a/x', '/r/a-b', '/r/empty']);
  });

  it('with a sparse index says what its other entries say', () => {
    makeRepository();
    world.git('r', 'commit', '-qm', 'one');
    world.git('r', 'sparse-checkout', 'set', '--cone', '--sparse-index');
    world.age(INDEX);
    expect(world.git('r', 'ls-files', '--sparse', '--stage')).toContain('040000');
    expect(world.tracked()).toEqual(['/r/a-b', '/r/b', '/r/empty']);
  });

  it('whose index is watched by a monitor says the same', () => {
    makeRepository();
    writeFileSync(world.at('monitor'), "#!/bin/sh\nprintf 'token\\0'\n", { mode: 0o755 });
    world.git('r', 'config', 'core.fsmonitor', world.at('monitor'));
    world.git('r', 'update-index', '--fsmonitor');
    world.git('r', 'status');
    world.age(INDEX);
    expect(readFileSync(world.at(INDEX)).includes('FSMN')).toBe(true);
    expect(world.tracked().length).toBe(4);
  });

  it('without a checksum is believed where an entry lies in one sector', () => {
    makeRepository();
    for (let index = 0; index < 40; index++) world.write(`r/c/${index + 10}`, String(index));
    world.add('r');
    const bytes = readFileSync(world.at(INDEX));
    writeFileSync(world.at(INDEX), Buffer.concat([bytes.subarray(0, -20), Buffer.alloc(20)]));
    world.age(INDEX);
    const whole = world.git('r', 'ls-files').split('\n').length - 1;
    const torn = whole - world.tracked().length;
    expect(whole).toBe(44);
    expect(torn).toBeGreaterThan(3);
    expect(torn).toBeLessThan(12);
  });

  it('is not asked where its index is damaged or split, and that is told', () => {
    makeRepository();
    const bytes = readFileSync(world.at(INDEX));
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(world.at(INDEX), bytes);
    const damaged = world.reference();
    expect([...damaged.expectations(), ...damaged.expectations()]).toEqual([]);
    expect(damaged.errors.map(({ path, code }) => [path, code])).toEqual([['/r/.git', 'git-index']]);
    world.init('s');
    world.write('s/f', 'f');
    world.git('s', 'add', '-A');
    world.git('s', 'update-index', '--split-index');
    const split = world.reference();
    expect([...split.expectations()]).toEqual([]);
    expect(split.errors.map(({ path }) => path)).toEqual(['/r/.git', '/s/.git']);
  });
});

describe('content that git may convert is left out', () => {
  it.each([
    ['filter', 'b filter=lfs'],
    ['ident', '*.c ident diff=cpp'],
    ['working-tree-encoding', 'a-b text working-tree-encoding=UTF-16LE'],
    ['a macro', '[attr]big filter=big -text'],
  ])('by attributes of the working tree (%s)', (_, line) => {
    makeRepository();
    world.write('r/.gitattributes', `# filter=none\n${line}\n`);
    expect(world.tracked()).toEqual([]);
  });

  it('not by others', () => {
    makeRepository();
    world.write('r/.gitattributes', '# b filter=lfs\n* text=auto eol=crlf -ident !filter\nidentity diff=ident\n');
    expect(world.tracked().length).toBe(4);
  });

  it('below the directory that has the attributes only', () => {
    makeRepository();
    world.write('r/a/.gitattributes', '* ident\n');
    expect(world.tracked()).toEqual(['/r/a-b', '/r/b', '/r/empty']);
  });

  it('by attributes that are in the index, and not in the working tree', () => {
    makeRepository();
    world.write('r/a/.gitattributes', '* -text\n');
    world.add('r');
    expect(world.tracked().length).toBe(5);
    rmSync(world.at('r/a/.gitattributes'));
    expect(world.tracked()).toEqual(['/r/a-b', '/r/b', '/r/empty']);
  });

  it.each([
    ['attributes of the repository', 'r/.git/info/attributes', 'b ident\n'],
    ['attributes of a user', 'home/u/.config/git/attributes', 'b ident\n'],
    ['attributes of the system', 'etc/gitattributes', 'b ident\n'],
    [
      'attributes that a user names and that are not there',
      'home/u/.gitconfig',
      '[core]\n\tattributesFile = ~/.none\n',
    ],
  ])('by %s', (_, file, text) => {
    makeRepository();
    world.write(file, text);
    expect(world.tracked()).toEqual([]);
  });

  it('not by attributes of a user that convert nothing', () => {
    makeRepository();
    world.write('home/u/.gitconfig', '[core]\n\tattributesFile = ~/.attributes\n');
    world.write('home/u/.attributes', '*.c diff=cpp\n');
    expect(world.tracked().length).toBe(4);
  });

  it.each([
    ['further attributes', ['core.attributesFile', '../more']],
    ['further settings', ['include.path', '../more']],
  ])('by settings that name %s', (_, [name = '', value = '']) => {
    makeRepository();
    world.git('r', 'config', name, value);
    expect(world.tracked()).toEqual([]);
  });
});

describe('repositories are found', () => {
  it('within one another, and what both have counts once', () => {
    makeRepository();
    world.init('r/a');
    world.write('r/a/y', 'y');
    world.add('r/a');
    world.init('r/-');
    world.write('r/-/z', 'z');
    world.add('r/-');
    const tracked = world.tracked();
    expect(tracked).toEqual(['/r/-/z', '/r/a/x', '/r/a/y', '/r/a-b', '/r/b', '/r/empty']);
    expect(tracked).toEqual(tracked.toSorted(comparePaths));
  });

  it('by the file that a submodule has in place of a directory', () => {
    makeRepository();
    world.git('r', 'commit', '-qm', 'one');
    world.init('top');
    world.git('top', 'submodule', 'add', '-q', world.at('r'), 'sub');
    world.age('top/.git/modules/sub/index');
    expect(world.tracked().filter(path => path.startsWith('/top/'))).toEqual(
      ['a/x', 'a-b', 'b', 'empty'].map(name => `/top/sub/${name}`),
    );
  });

  it('by the file that a linked working tree has, where the path in it counts from the root of the volume', () => {
    makeRepository();
    world.git('r', 'commit', '-qm', 'one');
    world.git('r', 'worktree', 'add', '-q', world.at('linked'));
    world.age('r/.git/worktrees/linked/index');
    writeFileSync(world.at('linked/.git'), 'gitdir: /r/.git/worktrees/linked\n');
    expect(world.tracked().filter(path => path.startsWith('/linked/'))).toEqual(
      ['a/x', 'a-b', 'b', 'empty'].map(name => `/linked/${name}`),
    );
  });

  it('not where there is no index, none that it leads to, or something else of that name', () => {
    world.init('bare-start');
    world.write('nowhere/.git', 'gitdir: ../gone\n');
    world.write('else/.git', 'not git’s\n');
    mkdirSync(world.at('directory/.git/index'), { recursive: true });
    const reference = world.reference();
    expect([...reference.expectations()]).toEqual([]);
    expect(reference.errors).toEqual([]);
  });

  it('also where a tracked file has other names', () => {
    makeRepository();
    world.git('r', 'rm', '-q', '--cached', 'b');
    linkSync(world.at('r/b'), world.at('elsewhere'));
    world.add('r');
    const b = world.expectations().find(({ path }) => path === '/r/b');
    expect(b?.readAs && isInStateRead(statOf('elsewhere'), b.readAs)).toBe(true);
  });
});
