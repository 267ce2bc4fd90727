// Reflogs that git itself wrote, then damaged.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GIT_REFLOGS } from '../../scanners/git-reflogs.ts';
import { ReadError } from '../../src/errors.ts';
import { ALONE, ANY_FILE, FORMATS, GitRepository, inspected, rulesOf } from './git-repository.ts';

const BLOCK = 4096;
const BROKEN = 'against: reflog-broken';
const say = (path: string, content: Uint8Array) => rulesOf(GIT_REFLOGS, path, content);
const noticed = (path: string, content: Uint8Array) => inspected(GIT_REFLOGS, path, content)[0];

/** All reflogs of the repository, and what is said of them. */
function saidOf(repository: GitRepository, folder = '.git'): string[] {
  return repository.files(folder).flatMap(file => {
    const rules = say(`/srv/${file}`, repository.read(file));
    return rules === '' ? [] : [`${file} ${rules}`];
  });
}

describe.each(FORMATS)('a reflog of a repository of %s', format => {
  let repository: GitRepository;
  let log: Buffer;

  beforeAll(() => {
    repository = new GitRepository(format);
    repository.commitFiles('a');
    for (let index = 0; index < 80; index++) {
      repository.git('commit', '-q', '--allow-empty', '-m', `change ${index} of something, told in a few words`);
    }
    log = repository.read('.git/logs/HEAD');
  });
  afterAll(() => repository.remove());

  /** The byte after the line end before `at`. */
  const lineStart = (at: number) => log.lastIndexOf(0x0a, at - 1) + 1;

  test('is in order as git wrote it, whatever was done to it', () => {
    expect(log.length).toBeGreaterThan(3 * BLOCK);
    repository.git('branch', 'side/branch', 'HEAD~3');
    repository.git('checkout', '-q', 'side/branch');
    repository.git('checkout', '-q', '-');
    repository.git('reset', '-q', '--hard', 'HEAD~1');
    repository.git('commit', '-q', '--amend', '--allow-empty', '-m', 'a\ttab, and “words” of another kind');
    writeFileSync(join(repository.root, 'a-1'), 'stashed');
    repository.git('stash');
    repository.git('branch', '-m', 'side/branch', 'renamed');
    repository.git('update-ref', '--create-reflog', 'refs/tags/t', 'HEAD');
    repository.git('reflog', 'delete', 'HEAD@{2}');
    repository.git('reflog', 'expire', '--expire=1.second.ago', '--rewrite', 'refs/heads/renamed');
    repository.git('reflog', 'expire', '--expire=now', 'refs/tags/t');
    repository.git('worktree', 'add', '-q', 'other', 'HEAD');
    repository.git('clone', '-q', '.', 'clone');
    repository.git('-c', 'core.logAllRefUpdates=always', 'clone', '-q', '--bare', '.', 'bare.git');
    repository.git('-C', 'bare.git', '-c', 'core.logAllRefUpdates=always', 'update-ref', 'HEAD', 'HEAD~1');
    const logs = repository.files('.').filter(file => file.includes('logs/'));
    expect(logs.length).toBeGreaterThan(8);
    for (const file of logs) {
      expect(GIT_REFLOGS.wants(`/srv/${file}`, ANY_FILE)).toBe(true);
      expect(say(`/srv/${file}`, repository.read(file))).toBe('');
    }
    expect(saidOf(repository, '.')).toEqual([]);
  });

  test.each([
    ['an empty name', { name: '', email: 'a@b' }],
    ['an empty address', { name: 'A B', email: '' }],
    ['bytes of another encoding', { name: 'J\u00f6rg \u4eba', email: 'j@b' }],
    ['a long name', { name: 'n'.repeat(9000), email: 'j@b' }],
  ])('is in order with %s', (_, { name, email }) => {
    const ident = ['-c', `user.name=${name}`, '-c', `user.email=${email}`];
    repository.git(...ident, 'update-ref', '--create-reflog', 'refs/heads/x', 'HEAD');
    expect(repository.read('.git/logs/refs/heads/x').length).toBeGreaterThan(0);
    expect(saidOf(repository)).toEqual([]);
    repository.git('update-ref', '-d', 'refs/heads/x');
  });

  test('is in order while git appends to it', () => {
    const work = 'for i in 1 2 3 4 5 6 7 8 9; do git commit -q --allow-empty -m $i; done';
    const script = `(${work}) & while kill -0 $! 2>/dev/null; do cat .git/logs/HEAD > copy; tail -c1 copy | od -c; done`;
    execFileSync('sh', ['-c', script], { cwd: repository.root, stdio: 'pipe' });
    expect(say('/srv/.git/logs/HEAD', readFileSync(join(repository.root, 'copy')))).toBe('');
  });

  test('with a block of zeros says where they are', () => {
    for (const at of [0, BLOCK, 2 * BLOCK]) {
      const damaged = Buffer.from(log);
      damaged.fill(0, at, at + BLOCK);
      expect(say('/srv/.git/logs/HEAD', damaged)).toBe(BROKEN);
      expect(noticed('/srv/.git/logs/HEAD', damaged)?.ranges[0]).toEqual({ offset: at, length: BLOCK });
    }
  });

  test('with zeros at its end says where they begin', () => {
    const from = lineStart(BLOCK);
    const damaged = Buffer.concat([log.subarray(0, from), Buffer.alloc(500)]);
    const line = log.subarray(0, from).toString('latin1').split('\n').length;
    expect(noticed('/srv/.git/logs/HEAD', damaged)).toMatchObject({
      detail: `Line ${line} of the reflog holds zeros (500 bytes from byte ${from} on).`,
      ranges: [{ offset: from, length: 500 }],
    });
  });

  test('with another file’s text in a block says which lines that are', () => {
    const damaged = Buffer.from(log);
    Buffer.alloc(BLOCK, 'Jun  1 02:03:04 host daemon: started\n').copy(damaged, BLOCK);
    const end = log.indexOf(0x0a, 2 * BLOCK) + 1;
    expect(noticed('/srv/.git/logs/HEAD', damaged)?.ranges).toEqual([
      { offset: lineStart(BLOCK), length: end - lineStart(BLOCK) },
    ]);
  });

  test('cut within a line says that its last has no end', () => {
    const from = lineStart(BLOCK);
    const next = log.indexOf(0x0a, from);
    for (const end of [from + 1, from + 30, next - 1, next]) {
      expect(noticed('/srv/.git/logs/HEAD', log.subarray(0, end))?.ranges).toEqual([
        { offset: from, length: end - from },
      ]);
    }
    expect(noticed('/srv/.git/logs/HEAD', log.subarray(0, next))?.detail).toContain('has no end');
    expect(say('/srv/.git/logs/HEAD', log.subarray(0, from))).toBe('');
  });

  test('of nothing but another file’s bytes is broken below .git, and another program’s file elsewhere', () => {
    for (const content of [Buffer.alloc(300), Buffer.from('key: value\n'), randomBytes(BLOCK)]) {
      for (const path of ['logs/HEAD', 'logs/refs/heads/main', 'worktrees/w/logs/HEAD', 'modules/a/b/logs/HEAD']) {
        expect(say(`/srv/.git/${path}`, content)).toBe(BROKEN);
        expect(say(`/srv/foo.git/${path}`, content)).toBe(BROKEN);
        expect(say(`/srv/foo/${path}`, content)).toBe('');
      }
    }
  });

  test('of a bare repository of whatever name is known by its lines', () => {
    expect(say('/srv/foo/logs/refs/heads/main', Buffer.concat([log, Buffer.alloc(9)]))).toBe(BROKEN);
    expect(say('/srv/foo/logs/refs/heads/main', log)).toBe('');
  });

  test('broken in more than 100 places is broken as a whole', () => {
    const lines = log.toString('latin1').split('\n').slice(0, 1);
    const mixed = (count: number) => Buffer.from(`${lines[0]}\nx\n`.repeat(count), 'latin1');
    expect(noticed('/srv/.git/logs/HEAD', mixed(100))?.ranges).toHaveLength(100);
    expect(noticed('/srv/.git/logs/HEAD', mixed(101))?.ranges).toEqual([]);
  });

  test('with a flipped bit, in front of the message, in what git would not read is broken', () => {
    const damaged = Buffer.from(log);
    damaged.writeUInt8(damaged.readUInt8(7) ^ 0x40, 7);
    expect(say('/srv/.git/logs/HEAD', damaged)).toBe(BROKEN);
  });

  test('that the medium refuses is left to what the reading of it says', () => {
    const read = () => {
      throw new ReadError('x', 0, BLOCK);
    };
    const source = { name: 'x', size: 10, read };
    expect([...GIT_REFLOGS.inspect('/srv/.git/logs/HEAD', ANY_FILE, source, ALONE)]).toEqual([]);
  });
});

describe('a file that is no reflog', () => {
  test.each([
    '/srv/.git/logs/refs/heads/.DS_Store',
    '/srv/.git/logs/refs/heads/desktop.ini',
    '/srv/.git/logs/refs/heads/main.lock',
    '/srv/.git/logs/refs/heads/main~',
    '/srv/.git/logs/refs/heads/main (conflicted copy)',
    '/srv/.git/logs/refs/heads/a..b',
    '/srv/.git/logs/refs/heads/Icon\r',
    '/srv/.git/logs/access.log',
    '/srv/.git/catalogs/HEAD',
    '/var/log/apache/access',
  ])('like %j is left alone', path => {
    expect(say(path, Buffer.alloc(100))).toBe('');
  });

  test('is neither one that is too large, nor a folder', () => {
    const stat = { ...ANY_FILE, sizeBytes: 64 * 1024 ** 2 };
    expect(GIT_REFLOGS.wants('/srv/.git/logs/HEAD', stat)).toBe(true);
    expect(GIT_REFLOGS.wants('/srv/.git/logs/HEAD', { ...stat, sizeBytes: stat.sizeBytes + 1 })).toBe(false);
    expect(GIT_REFLOGS.wants('/srv/.git/logs/HEAD', { ...stat, type: 'directory' })).toBe(false);
  });

  test.each([
    ['one line of a million spaces', Buffer.alloc(1 << 20, ' ')],
    ['a line that is all digits', Buffer.alloc(1 << 20, 'a')],
    ['digests, and a name without an end', Buffer.from(`${'a'.repeat(40)} ${'b'.repeat(40)} ${'<'.repeat(1 << 20)}`)],
    ['nothing but newlines', Buffer.alloc(1 << 20, '\n')],
    ['zeros', Buffer.alloc(1 << 20)],
  ])('of %s is judged in no time', (_, content) => {
    const startedMs = performance.now();
    expect(say('/srv/.git/logs/HEAD', content)).toBe(BROKEN);
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});
