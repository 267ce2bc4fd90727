import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { MIGRATIONS } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { fileRecord, request } from './sample-records.ts';
import { capture, sha256OfFile, sqlite3, storePath } from './samples.ts';

vi.setConfig({ testTimeout: 60_000 });

const IS_ROOT = process.geteuid?.() === 0;
if (!IS_ROOT) process.stdout.write('tests of permissions and of a full disk are skipped: they need root\n');

function madeStore(): string {
  const file = storePath();
  const store = openStore(file, 'write');
  capture(
    store,
    1n,
    Array.from({ length: 3000 }, (_, i) => fileRecord(`/${String(i).padStart(6, '0')}`, `${i}`)),
  );
  store.close();
  return file;
}

/** Both ways of opening refuse the file with this line, and leave it and its directory as they are. */
function expectRefused(
  file: string,
  line: string | RegExp,
  modes: readonly ('read' | 'write')[] = ['read', 'write'],
): void {
  const before = sha256OfFile(file);
  const listing = readdirSync(path.dirname(file));
  for (const mode of modes) {
    const error = refusal(() => openStore(file, mode).close());
    if (typeof line === 'string') expect(error.message).toBe(line);
    else expect(error.message).toMatch(line);
    expect(error.message).not.toContain('\n');
    expect(sha256OfFile(file)).toBe(before);
    expect(readdirSync(path.dirname(file))).toEqual(listing);
  }
}

function refusal(action: () => unknown): UsageError {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error as UsageError;
  }
  throw new Error('it was not refused');
}

test.each([
  ['text', 'A shopping list.\n'.repeat(20)],
  ['a short text', 'A shopping list.\n'],
  ['the beginning of an SQLite file', 'SQLite format 3\0'],
])('%s is no store', (_, text) => {
  const file = storePath();
  writeFileSync(file, text);
  expectRefused(file, `store ${file} is not an SQLite file`);
});

test.each([
  ['with a log', 'PRAGMA journal_mode = wal; CREATE TABLE t (a); INSERT INTO t VALUES (1)'],
  ['without a log', 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'],
  ['with another application id', 'PRAGMA application_id = 252006673; PRAGMA user_version = 1; CREATE TABLE t (a)'],
])("another program's SQLite file, %s, is no store", (_, sql) => {
  const file = storePath();
  sqlite3(file, sql);
  expectRefused(file, `store ${file} is another program's SQLite file`);
});

test('a store of a newer version is refused, both versions said', () => {
  const file = madeStore();
  sqlite3(file, 'PRAGMA user_version = 7');
  expectRefused(
    file,
    `store ${file} has version 7, this lostwrite knows version ${MIGRATIONS.length}: a newer lostwrite wrote it`,
  );
});

test('a store without its version is damaged', () => {
  const file = madeStore();
  sqlite3(file, 'PRAGMA user_version = 0');
  expectRefused(file, `store ${file} is damaged: it has version 0`);
});

test('a store that lacks a table is damaged', () => {
  const file = madeStore();
  sqlite3(file, 'DROP TABLE segment');
  const before = sha256OfFile(file);
  for (const mode of ['write', 'read'] as const) {
    expect(refusal(() => openStore(file, mode)).message).toBe(`store ${file} is damaged: no such table: segment`);
    expect(sha256OfFile(file)).toBe(before);
  }
});

test.each([100, 4096, 50_000, 81_920])('a store truncated to %i bytes is damaged', length => {
  const file = madeStore();
  expect(statSync(file).size).toBeGreaterThan(length);
  truncateSync(file, length);
  const before = sha256OfFile(file);
  for (const mode of ['write', 'read'] as const) {
    expect(refusal(() => openStore(file, mode)).message).toMatch(/^store .*store\.db is damaged: /);
    expect(sha256OfFile(file)).toBe(before);
  }
});

test('a directory, a name below a file, a device, a pipe, and nothing at all', () => {
  const file = storePath();
  expect(refusal(() => openStore(file, 'read')).message).toBe(`store ${file} does not exist`);
  expect(existsSync(file)).toBe(false);
  mkdirSync(file);
  const pipe = path.join(file, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const mode of ['read', 'write'] as const) {
    expect(refusal(() => openStore(pipe, mode)).message).toBe(`store ${pipe} is not a file`);
    expect(refusal(() => openStore(file, mode)).message).toBe(`store ${file} is not a file`);
    expect(refusal(() => openStore('/dev/null', mode)).message).toBe('store /dev/null is not a file');
  }
  writeFileSync(path.join(file, 'text'), '');
  const below = path.join(file, 'text', 'store.db');
  const notDirectory = `store ${below} lies below something that is not a directory (ENOTDIR)`;
  for (const mode of ['read', 'write'] as const)
    expect(refusal(() => openStore(below, mode)).message).toBe(notDirectory);
  expectRefused(path.join(file, 'text'), `store ${path.join(file, 'text')} is empty`, ['read']);
});

test('a store and the directories above it are made for their owner only', () => {
  const file = path.join(path.dirname(storePath()), 'state', 'lostwrite', 'store.db');
  openStore(file, 'write').close();
  const mode = (each: string): number => statSync(each).mode & 0o777;
  expect([mode(file), mode(path.dirname(file)), mode(path.dirname(path.dirname(file)))]).toEqual([0o600, 0o700, 0o700]);
  expect(readdirSync(path.dirname(file)).sort()).toEqual(['store.db', 'store.db-lock']);
  expect(sqlite3(file, 'PRAGMA application_id; PRAGMA user_version; PRAGMA journal_mode').split('\n')).toEqual([
    '1280791380',
    String(MIGRATIONS.length),
    'wal',
  ]);
});

test('an empty file becomes a store, a link to a store is followed', () => {
  const file = storePath();
  const link = `${file}-link`;
  writeFileSync(file, '');
  symlinkSync(file, link);
  const store = openStore(link, 'write');
  expect(store.path).toBe(file);
  capture(store, 1n, [fileRecord('/a')]);
  store.close();
  expect(openStore(file, 'read').baselines()).toHaveLength(1);
});

test('a second writer is refused, a reader is not', () => {
  const file = madeStore();
  const store = openStore(file, 'write');
  const locked = `store ${file} is locked: another lostwrite is writing it`;
  expect(refusal(() => openStore(file, 'write')).message).toBe(locked);
  const reader = openStore(file, 'read');
  expect(reader.baselines()).toHaveLength(1);
  reader.close();
  store.close();
  openStore(file, 'write').close();
});

test('a store that another program holds locked is refused after a short wait', async () => {
  const file = madeStore();
  const store = openStore(file, 'write');
  const holder = await holdLocked(file);
  expect(refusal(() => store.createGeneration(request(2n))).message).toMatch(
    /^store .*store\.db is locked by another program: database is locked \(SQLITE_BUSY\)$/,
  );
  holder.stdin?.end();
  await once(holder, 'exit');
  capture(store, 2n, [fileRecord('/a')]);
  expect(store.generations('nightly')).toHaveLength(2);
  store.close();
});

async function holdLocked(file: string): Promise<ChildProcess> {
  const holder = spawn('sqlite3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void holder.kill());
  holder.stdin.write("BEGIN IMMEDIATE; SELECT 'held';\n");
  await once(holder.stdout, 'data');
  return holder;
}

test.skipIf(!IS_ROOT)('a store that may not be read or written is refused', () => {
  const file = madeStore();
  chmodSync(path.dirname(file), 0o755);
  const denied = `store ${file} may not be opened: permission denied (EACCES)`;
  asNobody(() => expectDenied(file, denied, ['read', 'write']));
  chmodSync(file, 0o644);
  chmodSync(`${file}-lock`, 0o644);
  asNobody(() => expect(refusal(() => openStore(file, 'write')).message).toMatch(/^store .* cannot be written: /));
  const absent = path.join(path.dirname(file), 'below', 'store.db');
  asNobody(() => expectDenied(absent, `store ${absent} may not be opened: permission denied (EACCES)`, ['write']));
});

function expectDenied(file: string, line: string, modes: readonly ('read' | 'write')[]): void {
  for (const mode of modes) expect(refusal(() => openStore(file, mode)).message).toBe(line);
}

function asNobody(action: () => void): void {
  process.seteuid?.(65534);
  try {
    action();
  } finally {
    process.seteuid?.(0);
  }
}

test.skipIf(!IS_ROOT)('a full disk ends the writing with one line, and costs no earlier generation', () => {
  const place = path.join(path.dirname(storePath()), 'small');
  mkdirSync(place);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', place]);
  onTestFinished(() => void execFileSync('umount', [place]));
  const file = path.join(place, 'store.db');
  const store = openStore(file, 'write');
  const id = capture(store, 1n, [fileRecord('/a')]);
  const writer = store.createGeneration(request(2n));
  const { run } = store.openRun('key');
  const fill = (): void => {
    for (let i = 0; i < 100_000; i++) {
      writer.add(fileRecord(`/${String(i).padStart(6, '0')}`, `${i}`));
      if (i % 1000 === 999) run.flush();
    }
  };
  const full = refusal(fill).message;
  expect(full).toMatch(/^store .*store\.db cannot grow: no space left: .* \(SQLITE_FULL\)$/);
  expect(refusal(() => writer.finish()).message).toBe(full);
  expect(refusal(() => store.openRun('other')).message).toBe(full);
  writer.abort();
  expect([...store.records(id)].map(record => record.path)).toEqual(['/a']);
  store.close();
  execFileSync('mount', ['-o', 'remount,size=64m', place]);
  const again = openStore(file, 'write');
  expect(again.generations('nightly').map(each => each.id)).toEqual([id]);
  capture(again, 2n, [fileRecord('/b')]);
  again.close();
  expect(sqlite3(file, 'SELECT count(*) FROM entry; PRAGMA integrity_check').split('\n')).toEqual(['2', 'ok']);
});

test.skipIf(!IS_ROOT)('a store on a read-only medium is read, not written', () => {
  const file = madeStore();
  const directory = path.dirname(file);
  execFileSync('mount', ['--bind', directory, directory]);
  onTestFinished(() => void execFileSync('umount', [directory]));
  execFileSync('mount', ['-o', 'remount,ro,bind', directory]);
  expectRefused(file, `store ${file} lies on a read-only file system (EROFS)`, ['write']);
  const store = openStore(file, 'read');
  expect([...store.records(1)].length).toBe(3000);
  store.close();
});

test('a copy of a store is a store', () => {
  const file = madeStore();
  copyFileSync(file, `${file}-copy`);
  const store = openStore(`${file}-copy`, 'write');
  expect([...store.records(1)].length).toBe(3000);
  store.close();
});
