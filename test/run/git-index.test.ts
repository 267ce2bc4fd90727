// Working trees of git on a real ext4: a block of a tracked file that went back is seen by git's index alone, and what git, its users
// and the kernel do to such files honestly is not held against them.

import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, statSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../fixtures/incident/processes.ts';
import type { Finding, Window } from '../../src/model.ts';
import { GitWorld } from '../references/git/git-world.ts';
import { line, worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';
import { MappedFile } from './mapped-file.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: git's index on ext4: ${obstacle}\n`);

const BLOCK = 4096;
/** The index is then of another second than the files. */
const NEXT_SECOND_MS = 1100;
const nowNs = (): bigint => BigInt(Date.now()) * 1_000_000n;
const words = (word: string): string => `${word} `.repeat(Math.ceil((BLOCK * 3 - 90) / (word.length + 1)));

function rewriteInPlace(path: string, content: string): void {
  const file = openSync(path, 'r+');
  writeSync(file, content, 0);
  closeSync(file);
}

/** Where debugfs says that a block of a file lies. */
function blockOf(disk: string, path: string, logical: number): number {
  return (
    Number(execFileSync('debugfs', ['-R', `bmap ${path} ${logical}`, disk], { stdio: ['ignore', 'pipe', 'ignore'] })) *
    BLOCK
  );
}

function putBack(world: ImageWorld, from: string, path: string, logical: number): void {
  const at = blockOf(world.disk, path, logical);
  const block = Buffer.alloc(BLOCK);
  const [older, newer] = [openSync(world.at(from), 'r'), openSync(world.disk, 'r+')];
  readSync(older, block, 0, BLOCK, at);
  writeSync(newer, block, 0, BLOCK, at);
  closeSync(older);
  closeSync(newer);
}

const said = (findings: readonly Finding[]): string[] =>
  findings.filter(({ confidence, verdict }) => confidence !== 'possible' && verdict !== 'suspect').map(line);

describe.skipIf(obstacle !== null)('a working tree of which a block went back', { timeout: 60_000 }, () => {
  let world: ImageWorld;
  let window: Window;
  const FILES = ['in-place', 'sound', 'edited', 'made'];

  beforeAll(async () => {
    world = new ImageWorld();
    world.mounted(root => {
      const git = new GitWorld(join(root, 'srv'));
      git.init('r');
      for (const name of FILES.slice(0, 3)) git.write(`r/${name}`, words('old'));
      writeFileSync(join(root, 'filler'), words('other'));
    });
    world.keep('t0');
    const fromNs = nowNs();
    await rest(NEXT_SECOND_MS);
    run('mount', ['-t', 'ext4', '-o', 'loop,rw,noatime', world.disk, world.root]);
    const git = new GitWorld(join(world.root, 'srv'));
    for (const name of ['in-place', 'sound', 'edited']) rewriteInPlace(git.at(`r/${name}`), words('new'));
    git.write('r/made', words('made'));
    await rest(NEXT_SECOND_MS);
    git.git('r', 'add', '-A');
    git.git('r', 'commit', '-qm', 'one');
    rewriteInPlace(git.at('r/edited'), words('edit'));
    run('umount', [world.root]);
    for (const [name, logical] of [
      ['in-place', 1],
      ['made', 2],
      ['edited', 0],
    ] as const)
      putBack(world, 't0', `/srv/r/${name}`, logical);
    window = { fromNs, toNs: nowNs() };
  }, 60_000);
  afterAll(() => world.close());

  it('is told of without any backup, where git read it and nobody has written it since', async () => {
    const found = await world.scan([], window);
    expect(said(found)).toEqual([
      '/srv/r/in-place: garbage, likely (differs-from-git-index)',
      '/srv/r/made: garbage, likely (differs-from-git-index)',
    ]);
    expect(found.find(({ path }) => path === '/srv/r/in-place')?.evidence[0]?.scanner).toBe('git');
  });

  it('is told of with the day that it is of, where there is a backup', async () => {
    const found = await world.scan(['t0'], window);
    const inPlace = found.find(({ path }) => path === '/srv/r/in-place');
    expect([inPlace?.verdict, inPlace?.confidence]).toEqual(['stale', 'likely']);
    expect(found.find(({ path }) => path === '/srv/r/made')?.verdict).toBe('garbage');
  });

  it('leaves what is as git read it out of the suspects, and what was written since among them', async () => {
    const suspects = (await world.scan([], window))
      .filter(({ verdict }) => verdict === 'suspect')
      .map(({ path }) => path);
    expect(suspects).not.toContain('/srv/r/sound');
    expect(suspects).toContain('/srv/r/edited');
  });
});

describe.skipIf(obstacle !== null)('an honest working tree', { timeout: 120_000 }, () => {
  let world: ImageWorld;
  /** Files whose bytes are not those of their blob, in inodes that are as git read them. */
  let unlike: string[] = [];

  /** @param names of files that git converts: their raw id is another than the index's. */
  function noteUnlike(git: GitWorld, repository: string, ...names: readonly string[]): void {
    for (const name of names) {
      const raw = git.git(repository, 'hash-object', '--no-filters', name).trim();
      if (!git.git(repository, 'ls-files', '--stage', name).includes(raw)) unlike.push(`${repository}/${name}`);
    }
  }

  function convert(git: GitWorld): void {
    const text = 'line of a text\r\n';
    git.init('crlf');
    git.git('crlf', 'config', 'core.autocrlf', 'true');
    git.write('crlf/small', text.repeat(10));
    git.write('crlf/large', text.repeat(150_000));
    git.init('eol');
    git.write('eol/.gitattributes', '*.txt text eol=crlf\n');
    git.write('eol/a.txt', text);
    git.init('ident');
    git.write('ident/.gitattributes', '*.c ident\n');
    git.write('ident/a.c', '/* $Id: what git replaces $ */\n');
    git.init('encoding');
    git.write('encoding/.gitattributes', '*.txt text working-tree-encoding=UTF-16LE\n');
    git.write('encoding/a.txt', Buffer.from('text', 'utf16le'));
    git.init('filter');
    git.git('filter', 'config', 'filter.upper.clean', 'tr a-z A-Z');
    git.write('filter/.git/info/attributes', '* filter=upper\n');
    git.write('filter/a', 'lower\n');
  }

  /** Content of the same size under an old time of modification: git with such settings does not see it. */
  function editUnseen(git: GitWorld): void {
    const path = git.at('minimal/a');
    const { atime, mtime } = statSync(path);
    rewriteInPlace(path, 'two\n');
    utimesSync(path, atime, mtime);
    expect(git.git('minimal', 'diff-files', '--name-only')).toBe('');
  }

  async function live(root: string): Promise<void> {
    const git = new GitWorld(join(root, 'srv'));
    convert(git);
    for (const name of ['minimal', 'unchanged', 'mapped']) {
      git.init(name);
      git.write(`${name}/a`, 'one\n');
    }
    git.git('minimal', 'config', 'core.trustctime', 'false');
    git.git('minimal', 'config', 'core.checkStat', 'minimal');
    await rest(NEXT_SECOND_MS);
    const converted = ['crlf', 'eol', 'ident', 'encoding', 'filter'];
    for (const name of [...converted, 'minimal', 'unchanged']) git.git(name, 'add', '-A');
    noteUnlike(git, 'crlf', 'small', 'large');
    noteUnlike(git, 'eol', 'a.txt');
    noteUnlike(git, 'ident', 'a.c');
    noteUnlike(git, 'encoding', 'a.txt');
    noteUnlike(git, 'filter', 'a');
    editUnseen(git);
    await storeOn(git);
    execFileSync('cp', ['-a', git.at('unchanged'), git.at('copied')]);
    rewriteInPlace(git.at('copied/a'), 'two\n');
    git.git('unchanged', 'update-index', '--assume-unchanged', 'a');
    rewriteInPlace(git.at('unchanged/a'), 'two\n');
  }

  /** A mapping that stores on after git has read it, within the same second. */
  async function storeOn(git: GitWorld): Promise<void> {
    const mapped = new MappedFile(git.at('mapped/a'), world.scratch);
    await rest(1100 - (Date.now() % 1000));
    mapped.store(0, 'two');
    git.git('mapped', 'add', 'a');
    const { ctimeNs } = statSync(git.at('mapped/a'), { bigint: true });
    mapped.store(0, 'six');
    expect(statSync(git.at('mapped/a'), { bigint: true }).ctimeNs).toBe(ctimeNs);
    noteUnlike(git, 'mapped', 'a');
    await mapped.close();
  }

  beforeAll(async () => {
    unlike = [];
    world = new ImageWorld();
    run('mount', ['-t', 'ext4', '-o', 'loop,rw,noatime', world.disk, world.root]);
    try {
      await live(world.root);
    } finally {
      run('umount', [world.root]);
    }
  }, 60_000);
  afterAll(() => world.close());

  it('has files of other bytes than their blobs, in inodes that git has not seen change', () => {
    expect(unlike).toEqual([
      'crlf/small',
      'crlf/large',
      'eol/a.txt',
      'ident/a.c',
      'encoding/a.txt',
      'filter/a',
      'mapped/a',
    ]);
  });

  it('has nothing that a scan finds, with a window or without', async () => {
    expect(said(await world.scan([]))).toEqual([]);
    expect(said(await world.scan([], { fromNs: 0n, toNs: nowNs() }))).toEqual([]);
    expect((await world.scan([])).map(line)).toEqual([]);
  });
});
