// What the real git does in every way that it has: no file of it contradicts itself, whenever it is looked at.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { GIT_CHECKSUMS } from '../../scanners/git-checksums.ts';
import { ANY_FILE, FORMATS, GitRepository, MINOR, rulesOf } from './git-repository.ts';

const say = (path: string, content: Uint8Array) => rulesOf(GIT_CHECKSUMS, path, content);

const made: GitRepository[] = [];
afterEach(() => {
  for (const repository of made.splice(0)) repository.remove();
});

function newRepository(format: string, ...options: string[]): GitRepository {
  const repository = new GitRepository(format, ...options);
  made.push(repository);
  return repository;
}

/** What is said of each file that anything is said of; files that vanish meanwhile aside. */
function saidOf(repository: GitRepository, folder = '.git'): Map<string, string> {
  const said = new Map<string, string>();
  for (const file of repository.files(folder)) {
    const content = contentOf(join(repository.root, file));
    const rules = content === null ? '' : say(`/srv/${file}`, content);
    if (rules !== '') said.set(file, rules);
  }
  return said;
}

function contentOf(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

/** Files of the repository that are accused, and how many are known to be whole. */
function accused(repository: GitRepository, folder = '.git'): { accused: string[]; whole: number } {
  const said = [...saidOf(repository, folder)];
  const against = said.filter(([, rules]) => rules.startsWith('against')).map(([file]) => file);
  return { accused: against, whole: said.length - against.length };
}

describe.each(FORMATS)('in a repository of %s', format => {
  test.each(['2', '3', '4'])('an index of version %s is whole', version => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('update-index', '--index-version', version);
    if (version === '3') repository.git('update-index', '--skip-worktree', 'a-1');
    expect(repository.read('.git/index')[7]).toBe(Number(version));
    expect(say('/srv/.git/index', repository.read('.git/index'))).toBe('for: whole-of-some-day');
  });

  test('an index without entries, with an untracked cache, a file system monitor or a sparse tree is whole', () => {
    const repository = newRepository(format);
    repository.git('read-tree', '--empty');
    expect(accused(repository)).toEqual({ accused: [], whole: 1 });
    repository.commitFiles('a');
    mkdirSync(join(repository.root, 'folder'));
    repository.commitFiles('folder/b');
    repository.git('update-index', '--force-untracked-cache');
    writeFileSync(join(repository.root, 'untracked'), '');
    writeFileSync(join(repository.root, '.git/monitor'), "#!/bin/sh\nprintf 'token\\0/\\0'\n", { mode: 0o755 });
    repository.git('-c', 'core.fsmonitor=.git/monitor', 'update-index', '--fsmonitor');
    repository.git('-c', 'core.fsmonitor=.git/monitor', 'status');
    for (const extension of ['UNTR', 'FSMN']) expect(repository.read('.git/index').includes(extension)).toBe(true);
    expect(accused(repository)).toEqual({ accused: [], whole: 1 });
    repository.git('sparse-checkout', 'set', '--cone', '--sparse-index', 'nothing');
    expect(repository.read('.git/index').includes('sdir')).toBe(true);
    expect(accused(repository)).toEqual({ accused: [], whole: 1 });
  });

  test('a split index and its shared one are whole, through changes', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('update-index', '--split-index');
    for (const change of ['b', 'c', 'd']) {
      writeFileSync(join(repository.root, `a-${change.charCodeAt(0)}`), change);
      repository.git('add', '.');
      expect(accused(repository)).toEqual({ accused: [], whole: 2 });
    }
  });

  test('an index with conflicts, of a merge that stopped, is whole', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('branch', 'side');
    writeFileSync(join(repository.root, 'a-1'), 'ours\n');
    repository.git('commit', '-qam', 'ours');
    repository.git('checkout', '-q', 'side');
    writeFileSync(join(repository.root, 'a-1'), 'theirs\n');
    repository.git('commit', '-qam', 'theirs');
    expect(repository.fails('merge', '-')).toBe(true);
    expect(accused(repository)).toEqual({ accused: [], whole: 1 });
  });

  test('clones are whole: bare, shallow, partial, from a bundle', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.commitFiles('b');
    const url = `file://${repository.root}`;
    repository.git('clone', '-q', '--bare', url, 'bare.git');
    repository.git('clone', '-q', '--depth', '1', url, 'shallow');
    repository.git('clone', '-q', '--filter=blob:none', '--no-checkout', url, 'partial');
    repository.git('bundle', 'create', '-q', 'all.bundle', '--all');
    repository.git('clone', '-q', 'all.bundle', 'bundled');
    for (const clone of ['bare.git', 'shallow', 'partial', 'bundled']) {
      const { accused: none, whole } = accused(repository, clone);
      expect(none).toEqual([]);
      expect(whole).toBeGreaterThanOrEqual(2);
    }
  });

  test('housekeeping leaves whole files: gc, repack, loose objects, incremental packs, graphs', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('maintenance', 'run', '--task=loose-objects');
    repository.git('maintenance', 'run', '--task=loose-objects');
    expect([...saidOf(repository).keys()].some(file => /pack\/loose-[0-9a-f]+\.pack$/.test(file))).toBe(true);
    expect(accused(repository).accused).toEqual([]);
    const chores = [
      ['maintenance', 'run', '--task=incremental-repack'],
      ['maintenance', 'run', '--task=commit-graph'],
      ['gc', '-q'],
      ['repack', '-qad', '--write-bitmap-index'],
      ['-c', 'pack.indexVersion=1', 'repack', '-qadF'],
      ['multi-pack-index', 'write'],
      ['multi-pack-index', 'repack'],
      ['commit-graph', 'write', '--reachable', '--changed-paths'],
      ['pack-refs', '--all'],
    ];
    for (const chore of chores) {
      repository.commitFiles(chore.join('').replaceAll(/\W/g, ''));
      repository.git(...chore);
      expect(accused(repository).accused).toEqual([]);
    }
  });

  test('a pack that older gits named by its objects is whole, of whichever day', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('repack', '-qad');
    const other = 'b'.repeat(format === 'sha1' ? 40 : 64);
    const packs = [...saidOf(repository).keys()].filter(file => /\.(pack|idx)$/.test(file));
    expect(packs).toHaveLength(2);
    for (const file of packs) {
      const renamed = file.replace(/[0-9a-f]{40,64}/, other);
      expect(say(renamed, repository.read(file))).toBe('for: whole-of-some-day');
    }
  });

  test('a layer of a multi-pack index (git 2.47) is named by its digest', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('repack', '-qad');
    repository.git('multi-pack-index', 'write');
    const layer = repository.read('.git/objects/pack/multi-pack-index');
    const digest = layer.toString('hex', layer.length - (format === 'sha1' ? 20 : 32));
    const folder = '.git/objects/pack/multi-pack-index.d';
    expect(say(`${folder}/multi-pack-index-${digest}.midx`, layer)).toBe('for: checksum-matches');
    const other = 'b'.repeat(digest.length);
    expect(say(`${folder}/multi-pack-index-${other}.midx`, layer)).toBe('against: checksum-differs');
  });

  test('a graph or a shared index under the name of another one is not', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    repository.git('commit-graph', 'write', '--reachable', '--split=no-merge');
    repository.git('update-index', '--split-index');
    const other = 'b'.repeat(format === 'sha1' ? 40 : 64);
    const named = [...saidOf(repository).keys()].filter(file => /\.graph$|sharedindex/.test(file));
    expect(named).toHaveLength(2);
    for (const file of named) {
      const renamed = file.replace(/[0-9a-f]{40,64}/, other);
      expect(say(renamed, repository.read(file))).toBe('against: checksum-differs');
    }
  });

  test('git that is killed at work, at any time, leaves no file that contradicts itself', async () => {
    const repository = newRepository(format);
    const work =
      'for i in $(seq 99); do echo $i >> a-$i; git add .; git commit -qm $i; git repack -qd --write-midx -b; done';
    repository.commitFiles('a');
    for (const setting of ['gc.auto', 'maintenance.auto']) repository.git('config', setting, '0');
    for (let delay = 5; delay < 400; delay += 35) {
      const child = spawn('sh', ['-c', work], { cwd: repository.root, detached: true, stdio: 'ignore', env: IDENTITY });
      const exit = once(child, 'exit');
      await setTimeout(delay);
      const { accused: atWork } = accused(repository);
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await exit;
      expect([...atWork, ...accused(repository).accused]).toEqual([]);
      execFileSync('find', [join(repository.root, '.git'), '-name', '*.lock', '-delete']);
    }
    expect(accused(repository).whole).toBeGreaterThan(2);
  });

  test('an index without a digest is not judged, unless its last block is gone', () => {
    const repository = newRepository(format);
    repository.commitFiles('a');
    const index = withoutDigest(repository, format);
    expect(repository.fails('status')).toBe(false);
    expect(say('/srv/.git/index', index)).toBe('');
    index.fill(0, index.length - 600);
    expect(say('/srv/.git/index', index)).toBe('against: checksum-differs');
  });
});

const IDENTITY = {
  ...process.env,
  GIT_AUTHOR_NAME: 'N',
  GIT_AUTHOR_EMAIL: 'n@example.org',
  GIT_COMMITTER_NAME: 'N',
  GIT_COMMITTER_EMAIL: 'n@example.org',
};

/** By git itself where it can (2.40), else as gitformat-index(5) says. */
function withoutDigest(repository: GitRepository, format: string): Buffer {
  if (MINOR >= 40) {
    repository.git('-c', 'index.skipHash=true', 'update-index', '--force-write-index');
    return repository.read('.git/index');
  }
  const index = repository.read('.git/index');
  index.fill(0, index.length - (format === 'sha1' ? 20 : 32));
  repository.write('.git/index', index);
  return index;
}

describe('a file that only has such a name', () => {
  const index = Buffer.concat([Buffer.from('DIRC\0\0\0\x02\0\0\0\0'), Buffer.alloc(200, 7)]);

  test.each([
    '/srv/index',
    '/srv/repository.gitted/index',
    '/srv/.git/refs/heads/index',
    '/srv/.git/modules/a/refs/heads/index',
    '/srv/.git/logs/refs/heads/index',
    '/srv/.git/index.lock',
    '/srv/.git/objects/pack/tmp_pack_a1B2c3',
    `/srv/.git/objects/pack/.tmp-123-pack-${'a'.repeat(40)}.pack`,
    `/srv/.git/objects/pack/pack-${'a'.repeat(39)}.pack`,
    `/srv/.git/objects/pack/pack-${'a'.repeat(40)}.keep`,
    `/srv/.git/objects/pack/pack-${'a'.repeat(40)}.promisor`,
    '/srv/.git/objects/info/packs',
    '/srv/.git/objects/info/commit-graphs/commit-graph-chain',
  ])('like %s is left alone', path => {
    expect(say(path, index)).toBe('');
    expect(say(path, Buffer.alloc(4096))).toBe('');
    expect(say(path, Buffer.alloc(0))).toBe('');
  });

  test.each([
    '/srv/objects/pack/multi-pack-index',
    '/srv/objects/info/commit-graph',
    '/srv/foo/objects/pack/multi-pack-index',
  ])('like %s is left alone where its bytes are not git’s', path => {
    expect(say(path, index)).toBe('');
    expect(say(path, Buffer.from('MIDX is not what begins so'))).toBe('');
    expect(say(path, Buffer.from('CGPH\x02 of a version to come'))).toBe('');
  });

  test('is judged in a bare repository of whatever name by its magic', () => {
    expect(say('/srv/pool/objects/info/commit-graph', Buffer.from('CGPH\x01'.padEnd(200)))).toBe(
      'against: checksum-differs',
    );
  });

  test('and is too large to be read again is not judged', () => {
    const stat = { ...ANY_FILE, sizeBytes: 4 * 1024 ** 3 + 1 };
    expect(GIT_CHECKSUMS.wants('/srv/.git/index', stat)).toBe(false);
    expect(GIT_CHECKSUMS.wants('/srv/.git/index', { ...stat, sizeBytes: 4 * 1024 ** 3 })).toBe(true);
    expect(GIT_CHECKSUMS.wants('/srv/.git/index', { ...ANY_FILE, type: 'directory' })).toBe(false);
  });
});
