import { expect, test, vi } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { openStore } from '../../src/store/store.ts';
import { blockHashes } from './sample-records.ts';
import { sqlite3, storePath } from './samples.ts';

vi.setConfig({ testTimeout: 60_000 });

const DAY_MS = 24 * 60 * 60 * 1000;
const bytes = (text: string): Uint8Array => Buffer.from(text);
const texts = (blobs: Iterable<[number, Uint8Array]>): [number, string][] =>
  [...blobs].map(([number, blob]) => [number, Buffer.from(blob).toString()]);

test('a run resumes with what it has put', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const { run, resumed } = store.openRun('target, options');
  expect(resumed).toBe(false);
  run.putBlob('shard', 7, bytes('seven'));
  run.putBlob('shard', 3, bytes('three'));
  run.putBlob('shard', 7, bytes('seven again'));
  run.putBlob('finding', 7, bytes(''));
  run.setAttribute('phase', 'listing');
  run.setAttribute('phase', 'reading');
  store.close();

  const again = openStore(file, 'write');
  const opened = again.openRun('target, options');
  expect(opened.resumed).toBe(true);
  expect(texts(opened.run.blobs('shard'))).toEqual([
    [3, 'three'],
    [7, 'seven again'],
  ]);
  expect([...opened.run.numbers('shard')]).toEqual([3, 7]);
  expect(opened.run.blob('finding', 7)).toEqual(Buffer.alloc(0));
  expect(opened.run.blob('finding', 3)).toBeNull();
  expect(opened.run.attribute('phase')).toBe('reading');
  expect(opened.run.attribute('other')).toBeNull();
  expect(again.openRun('other options').resumed).toBe(false);
  again.close();
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
});

test('thousands of blobs, small and large, come back in order of their numbers', () => {
  const store = openStore(':memory:', 'write');
  const { run } = store.openRun('many');
  for (let number = 2999; number >= 0; number--) run.putBlob('small', number * 2 ** 21, bytes(`blob ${number}`));
  for (let number = 0; number < 5; number++) run.putBlob('large', number, blockHashes(50_000, `${number}`));
  const expected = Array.from({ length: 3000 }, (_, i) => [i * 2 ** 21, `blob ${i}`]);
  expect(texts(run.blobs('small'))).toEqual(expected);
  expect([...run.numbers('small')]).toEqual(expected.map(([number]) => number));
  const large = [...run.blobs('large')].map(([, blob]) => Buffer.from(blob).equals(blockHashes(50_000, 'x')));
  expect(large).toEqual([false, false, false, false, false]);
  for (const [number, blob] of run.blobs('large')) {
    expect(Buffer.compare(blob, blockHashes(50_000, `${number}`))).toBe(0);
  }
  store.close();
});

test('blobs may be put while others are read', () => {
  const store = openStore(':memory:', 'write');
  const { run } = store.openRun('both');
  for (let number = 0; number < 2500; number++) run.putBlob('in', number, bytes(String(number)));
  for (const [number, blob] of run.blobs('in')) run.putBlob('out', number, blob);
  expect([...run.numbers('out')].length).toBe(2500);
  store.close();
});

test('what is put reaches the file within half a second, at once with flush', async () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const { run } = store.openRun('key');
  run.putBlob('shard', 1, bytes('one'));
  run.flush();
  expect(sqlite3(file, 'SELECT count(*) FROM run_blob')).toBe('1');
  run.putBlob('shard', 2, bytes('two'));
  await expect.poll(() => sqlite3(file, 'SELECT count(*) FROM run_blob'), { timeout: 4000 }).toBe('2');
  store.close();
});

test('what is put together is kept together, however much it is', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const { run } = store.openRun('key');
  run.flush();
  const kept = (): string => sqlite3(file, 'SELECT count(*) FROM run_blob');
  run.together(() => {
    for (let number = 0; number < 20; number++) run.putBlob('shard', number, new Uint8Array(1_000_000));
    expect(kept()).toBe('0');
    expect(() => run.flush()).toThrow('must not be parted');
    run.setAttribute('next', '20');
  });
  expect(kept()).toBe('20');
  store.close();
});

test('a dropped run leaves nothing, and other runs stay', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const kept = store.openRun('kept').run;
  const { run } = store.openRun('dropped');
  for (const each of [kept, run]) {
    each.putBlob('shard', 1, bytes('one'));
    each.setAttribute('phase', 'reading');
  }
  run.drop();
  expect(store.openRun('dropped').resumed).toBe(false);
  expect(texts(kept.blobs('shard'))).toEqual([[1, 'one']]);
  expect(kept.attribute('phase')).toBe('reading');
  store.close();
  expect(sqlite3(file, 'SELECT (SELECT count(*) FROM run_blob) + (SELECT count(*) FROM run_attribute)')).toBe('2');
});

test('runs that nobody has written to for seven days are removed at the next opening', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  for (const key of ['old', 'young']) store.openRun(key).run.putBlob('shard', 1, bytes(key));
  store.close();
  sqlite3(file, `UPDATE run SET used_ms = ${Date.now() - 7 * DAY_MS - 60_000} WHERE key = 'old'`);
  sqlite3(file, `UPDATE run SET used_ms = ${Date.now() - 7 * DAY_MS + 60_000} WHERE key = 'young'`);
  const again = openStore(file, 'write');
  expect(again.openRun('young').resumed).toBe(true);
  expect(again.openRun('old').resumed).toBe(false);
  again.close();
  expect(sqlite3(file, 'SELECT count(*) FROM run_blob')).toBe('1');
});

test('a resumed run counts as written to', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  store.openRun('key').run.putBlob('shard', 1, bytes('one'));
  store.close();
  sqlite3(file, `UPDATE run SET used_ms = ${Date.now() - 6 * DAY_MS}`);
  const again = openStore(file, 'write');
  again.openRun('key').run.putBlob('shard', 2, bytes('two'));
  again.close();
  expect(Number(sqlite3(file, 'SELECT used_ms FROM run'))).toBeGreaterThan(Date.now() - DAY_MS);
});

test('a blob whose bytes changed in the file is refused, not handed out', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  store.openRun('key').run.putBlob('shard', 1, bytes('one'));
  store.close();
  sqlite3(file, "UPDATE run_blob SET bytes = CAST('two' AS BLOB)");
  const again = openStore(file, 'write');
  const damage = `store ${file} is damaged: blob 1 (shard) of a scan run fails its checksum`;
  expect(() => again.openRun('key').run.blob('shard', 1)).toThrow(new UsageError(damage));
  expect(() => [...again.openRun('key').run.blobs('shard')]).toThrow(new UsageError(damage));
  again.close();
});

test('a million-sized number is no obstacle, a fraction is refused', () => {
  const store = openStore(':memory:', 'write');
  const { run } = store.openRun('key');
  run.putBlob('shard', Number.MAX_SAFE_INTEGER, bytes('last'));
  expect([...run.numbers('shard')]).toEqual([Number.MAX_SAFE_INTEGER]);
  expect(() => run.putBlob('shard', 0.5, bytes('half'))).toThrow(RangeError);
  store.close();
});
