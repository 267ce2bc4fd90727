// A store may lie on the very disk that loses writes. Each page of a store is damaged in turn: what is then read is
// right, or the store says in one line that it is damaged. It never hands out other records than those put in.

import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { keepMap, SampleDisk, said } from './sample-maps.ts';
import { blockHashes, fileRecord, request, sha256 } from './sample-records.ts';
import { sqlite3, storePath } from './samples.ts';

vi.setConfig({ testTimeout: 60_000 });

const PAGE_BYTES = 4096;

function tree(seed: string): BaselineRecord[] {
  return Array.from({ length: 250 }, (_, i) => {
    const text = `${i % 7 === 0 ? seed : 'same'} ${i}`;
    const blocks = blockHashes(i % 50 === 0 ? 1500 : i % 20, text);
    return { ...fileRecord(`/${String(i).padStart(5, '0')}`, text), content: { sha256: sha256(text), blocks } };
  });
}

function captureBoth(store: Store, atNs: bigint, records: readonly BaselineRecord[], disk: SampleDisk): void {
  const writer = store.createGeneration(request(atNs));
  for (const record of records) writer.add(record);
  keepMap(writer, 0, disk.map());
  writer.finish();
}

/** A store, and what it was before its last generation. */
function madeStores(): { readonly file: string; readonly older: Buffer } {
  const file = storePath();
  const store = openStore(file, 'write');
  const disk = new SampleDisk(40_000);
  while (disk.files < 600) disk.create(1 + (disk.files % 5));
  captureBoth(store, 1n, tree('first'), disk);
  const { run } = store.openRun('key');
  for (let number = 0; number < 12; number++) run.putBlob('shard', number, blockHashes(150 * number, `${number}`));
  store.close();
  const older = readFileSync(file);
  const again = openStore(file, 'write');
  for (let index = 0; index < 60; index++) disk.replace();
  disk.write(39_000);
  captureBoth(again, 2n, tree('second'), disk);
  again.close();
  return { file, older };
}

/** All that the store tells, or the line with which it refuses. */
function reading(file: string): string {
  try {
    const store = openStore(file, 'read');
    try {
      return allOf(store);
    } finally {
      store.close();
    }
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
}

function allOf(store: ReturnType<typeof openStore>): string {
  const all = createHash('sha256');
  const generations = store.generations('nightly');
  for (const { id } of generations) {
    for (const record of store.records(id)) {
      const { content, ...rest } = record;
      all.update(JSON.stringify(rest, (_, value) => (typeof value === 'bigint' ? `${value}` : value)));
      all.update(content?.sha256 ?? '').update(content?.blocks ?? '');
    }
    const map = store.blockMap(id, 0);
    all.update(map === null ? 'no map' : JSON.stringify(said(map)));
  }
  if (generations.length > 0)
    for (const [number, bytes] of store.openRun('key').run.blobs('shard')) all.update(`${number}`).update(bytes);
  return `${generations.length} generations ${all.digest('hex')}`;
}

interface Outcome {
  readonly right: number;
  readonly refused: number;
  readonly wrong: readonly string[];
}

function damageEach(file: string, accepted: readonly string[], damaged: (page: Buffer, at: number) => Buffer): Outcome {
  const sound = readFileSync(file);
  const place = `${file}-damaged`;
  const outcome = { right: 0, refused: 0, wrong: [] as string[] };
  for (let at = 0; at < sound.length; at += PAGE_BYTES) {
    const bytes = Buffer.from(sound);
    damaged(sound.subarray(at, at + PAGE_BYTES), at).copy(bytes, at);
    writeFileSync(place, bytes);
    const answer = reading(place);
    if (accepted.includes(answer)) outcome.right += 1;
    else if (isRefusal(answer, place)) outcome.refused += 1;
    else outcome.wrong.push(`page ${at / PAGE_BYTES}: ${answer}`);
  }
  return outcome;
}

function isRefusal(answer: string, place: string): boolean {
  const known = ['is damaged: ', 'is not an SQLite file', "is another program's SQLite file", 'has version '];
  return !answer.includes('\n') && known.some(each => answer.startsWith(`store ${place} ${each}`));
}

test('a page of zeros is noticed, wherever it is', () => {
  const { file } = madeStores();
  const outcome = damageEach(file, [reading(file)], page => Buffer.alloc(page.length));
  expect(outcome.wrong).toEqual([]);
  expect(outcome.refused).toBeGreaterThan(outcome.right);
});

test('a page of noise is noticed, wherever it is', () => {
  const { file } = madeStores();
  const outcome = damageEach(file, [reading(file)], (page, at) => Buffer.from(blockHashes(page.length / 8, `${at}`)));
  expect(outcome.wrong).toEqual([]);
  expect(outcome.refused).toBeGreaterThan(outcome.right);
});

test('a page from before the last generation is noticed, or that generation is not there', () => {
  const { file, older } = madeStores();
  writeFileSync(`${file}-older`, older);
  const accepted = [reading(file), reading(`${file}-older`)];
  const outcome = damageEach(file, accepted, (page, at) =>
    at < older.length ? older.subarray(at, at + page.length) : page,
  );
  expect(outcome.wrong).toEqual([]);
  expect(outcome.refused).toBeGreaterThan(0);
});

test('a flipped bit in each page is noticed, or changes nothing', () => {
  const { file } = madeStores();
  const outcome = damageEach(file, [reading(file)], (page, at) => {
    const flipped = Buffer.from(page);
    const where = (at / PAGE_BYTES) * 37 + 1500;
    flipped[where % PAGE_BYTES] = (flipped[where % PAGE_BYTES] ?? 0) ^ 4;
    return flipped;
  });
  expect(outcome.wrong).toEqual([]);
  expect(outcome.refused).toBeGreaterThan(outcome.right);
});

test('a damaged store that is opened to write says so too', () => {
  const { file } = madeStores();
  const root = Number(sqlite3(file, "SELECT rootpage FROM sqlite_schema WHERE name = 'generation'"));
  const bytes = readFileSync(file);
  bytes.fill(0, (root - 1) * PAGE_BYTES, root * PAGE_BYTES);
  writeFileSync(file, bytes);
  expect(() => openStore(file, 'write')).toThrow(
    new UsageError(`store ${file} is damaged: database disk image is malformed (SQLITE_CORRUPT)`),
  );
  expect(sha256(readFileSync(file))).toBe(sha256(bytes));
});
