import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { build } from 'vite';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { openStore } from '../../src/store/store.ts';
import { fileRecord } from './sample-records.ts';
import { sqlite3, storePath, whole } from './samples.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const built = mkdtempSync(path.join(tmpdir(), 'lostwrite-child-'));
const child = path.join(built, 'child.mjs');

beforeAll(async () => {
  const sqlite = createRequire(import.meta.url).resolve('better-sqlite3');
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: path.join(import.meta.dirname, 'killed-writer-child.ts'),
      outDir: built,
      rollupOptions: {
        external: ['better-sqlite3'],
        output: { entryFileNames: 'child.mjs', paths: { 'better-sqlite3': sqlite } },
      },
    },
  });
});

afterAll(() => rmSync(built, { recursive: true, force: true }));

interface Writer {
  readonly process: ChildProcess;
  readonly lines: Interface;
}

function startWriter(file: string, perGeneration: number): Writer {
  const writer = spawn(process.execPath, [child, file, String(perGeneration)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void writer.kill('SIGKILL'));
  return { process: writer, lines: createInterface({ input: writer.stdout }) };
}

/** Kills the writer once it has kept so many blobs; gives all that it said. */
async function killAfter(writer: Writer, blobs: number): Promise<string[]> {
  const said: string[] = [];
  writer.lines.on('line', each => {
    said.push(each);
    if (numberAfter(said, 'kept') >= blobs) writer.process.kill('SIGKILL');
  });
  await once(writer.lines, 'close');
  return said;
}

function numberAfter(said: readonly string[], word: string): number {
  return Number(said.findLast(line => line.startsWith(word))?.split(' ')[1] ?? 0);
}

test('a writer killed in a generation and a run leaves what was finished, what was kept, and a sound store', async () => {
  const file = storePath();
  const first = await killAfter(startWriter(file, 7000), 25);
  expect(first[0]).toBe('opened first');
  expect(numberAfter(first, 'finished')).toBeGreaterThanOrEqual(3);
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
  expect(Number(sqlite3(file, 'SELECT count(*) FROM entry'))).toBeGreaterThan(21_000);

  const second = await killAfter(startWriter(file, 7000), 40);
  expect(second[0]).toBe('opened again');
  expect(numberAfter(second.slice(0, 2), 'kept')).toBeGreaterThan(numberAfter(first, 'kept'));

  const store = openStore(file, 'write');
  const generations = store.generations('nightly');
  expect(generations.map(each => each.entries)).toEqual(generations.map(() => 7000));
  expect(generations.length).toBe(numberAfter([...first, ...second], 'finished'));
  const expected = Array.from({ length: 7000 }, (_, i) => fileRecord(`/${String(i).padStart(9, '0')}`, `1 ${i}`));
  expect(whole(store.records(generations[1]?.id ?? 0))).toEqual(expected);
  const blobs = [...store.openRun('scan').run.blobs('shard')];
  expect(blobs.map(([number]) => number)).toEqual(blobs.map((_, i) => i));
  expect(blobs.length).toBeGreaterThanOrEqual(numberAfter(second, 'kept'));
  for (const [number, bytes] of blobs) expect(Buffer.alloc(5000, number % 256).equals(bytes)).toBe(true);
  store.close();
  expect(sqlite3(file, 'SELECT count(*) FROM generation WHERE finished = 0')).toBe('0');
  expect(Number(sqlite3(file, 'SELECT count(*) FROM entry'))).toBe(7000 * generations.length);
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
});

test('while a writer lives, its unfinished generation is left alone: another writer is refused, a reader is not', async () => {
  const file = storePath();
  const writer = startWriter(file, 10_000_000);
  await once(writer.lines, 'line');
  expect(() => openStore(file, 'write')).toThrow(
    new UsageError(`store ${file} is locked: another lostwrite is writing it`),
  );
  const reader = openStore(file, 'read');
  expect(reader.baselines()).toEqual([]);
  reader.close();
  writer.process.kill('SIGKILL');
  await once(writer.process, 'exit');
  const store = openStore(file, 'write');
  expect(store.baselines()).toEqual([]);
  store.close();
  expect(sqlite3(file, 'SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM baseline)')).toBe('0');
});

test.each([1, 2, 3, 4, 5, 6])('a writer killed at some moment (%i) leaves a sound store', async moment => {
  const file = storePath();
  const writer = startWriter(file, 300);
  await once(writer.lines, 'line');
  const lines: string[] = [];
  writer.lines.on('line', line => lines.push(line));
  await new Promise(resolve => setTimeout(resolve, moment * 37));
  writer.process.kill('SIGKILL');
  await once(writer.lines, 'close');
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
  const store = openStore(file, 'write');
  const finished = store.generations('nightly');
  expect(finished.length).toBeGreaterThanOrEqual(numberAfter(lines, 'finished'));
  for (const { id, atNs } of finished) {
    const expected = Array.from({ length: 300 }, (_, i) =>
      fileRecord(`/${String(i).padStart(9, '0')}`, `${atNs} ${i}`),
    );
    expect(whole(store.records(id))).toEqual(expected);
  }
  store.close();
  expect(Number(sqlite3(file, 'SELECT count(*) FROM entry'))).toBe(300 * finished.length);
});
