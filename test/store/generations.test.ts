import { statSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import { openStore } from '../../src/store/store.ts';
import { blockHashes, fileRecord, request, STAT, sha256 } from './sample-records.ts';
import { capture, sqlite3, storePath, whole } from './samples.ts';

vi.setConfig({ testTimeout: 60_000 });

const DIRECTORY: BaselineRecord = {
  path: '/',
  stat: { ...STAT, type: 'directory', mode: 0o755, generation: null, crtimeNs: null, blocks512: null },
  linkTarget: null,
  content: null,
  unread: null,
};
const LINK: BaselineRecord = {
  path: '/a/link\xff',
  stat: { ...STAT, type: 'symlink', mode: 0o777 },
  linkTarget: '../caf\xc3\xa9',
  content: null,
  unread: null,
};
const REFUSED: BaselineRecord = { ...fileRecord('/a-b'), content: null, unread: 'EACCES: permission denied' };
const TREE = [DIRECTORY, fileRecord('/a'), LINK, fileRecord('/a/x'), REFUSED];

function files(count: number, width: number): BaselineRecord[] {
  return Array.from({ length: count }, (_, i) => fileRecord(`/${String(i).padStart(width, '0')}`, `text ${i}`));
}

test('a generation gives its records back, in tree order', () => {
  const store = openStore(':memory:', 'write');
  const id = capture(store, 1000n, TREE);
  expect(whole(store.records(id))).toEqual(TREE);
  expect([...store.records(id)].map(record => record.path)).toEqual(['/', '/a', '/a/link\xff', '/a/x', '/a-b']);
  store.close();
});

test('a generation is described with its counts and attributes', () => {
  const store = openStore(':memory:', 'write');
  const writer = store.createGeneration({ ...request(1000n), attributes: { volumes: 1 } });
  for (const record of TREE) writer.add(record);
  writer.finish({ skipped: 2 });
  const described = { ...request(1000n), id: writer.id, attributes: { volumes: 1, skipped: 2 } };
  expect(store.generations('nightly')).toEqual([
    { ...described, entries: 5, files: 3, bytes: 15, segments: 1, blockMaps: 0 },
  ]);
  expect(store.baselines()).toEqual([{ name: 'nightly', generations: 1, firstAtNs: 1000n, lastAtNs: 1000n }]);
  store.close();
});

test('one path is found without reading the others', () => {
  const store = openStore(':memory:', 'write');
  const id = capture(store, 1000n, files(3000, 6));
  for (const at of [0, 1, 511, 512, 513, 1535, 1536, 2999]) {
    const path = `/${String(at).padStart(6, '0')}`;
    expect(store.record(id, path)).toEqual(fileRecord(path, `text ${at}`));
  }
  for (const absent of ['/', '/000511x', '/000512x', '/zzz']) expect(store.record(id, absent)).toBeNull();
  store.close();
});

test('a record that comes out of order, or twice, is refused', () => {
  const store = openStore(':memory:', 'write');
  const writer = store.createGeneration(request(1000n));
  writer.add(fileRecord('/a-b'));
  expect(() => writer.add(fileRecord('/a/b'))).toThrow(RangeError);
  expect(() => writer.add(fileRecord('/a-b'))).toThrow(RangeError);
  expect(() => writer.add(fileRecord('/c', 'x', { mode: -1 }))).toThrow(RangeError);
  writer.add(fileRecord('/d'));
  writer.finish();
  expect([...store.records(writer.id)].map(record => record.path)).toEqual(['/a-b', '/d']);
  store.close();
});

test('volumes are kept apart, and may have the same paths', () => {
  const store = openStore(':memory:', 'write');
  const writer = store.createGeneration(request(1000n));
  const first = files(600, 4);
  const third = [fileRecord('/', 'other'), ...files(700, 4)];
  for (const record of first) writer.add(record, 0);
  for (const record of third) writer.add(record, 2);
  writer.finish();
  expect(whole(store.records(writer.id, 0))).toEqual(first);
  expect(whole(store.records(writer.id, 1))).toEqual([]);
  expect(whole(store.records(writer.id, 2))).toEqual(third);
  expect(store.record(writer.id, '/', 0)).toBeNull();
  expect(store.record(writer.id, '/', 1)).toBeNull();
  expect(store.record(writer.id, '/0699', 2)).toEqual(fileRecord('/0699', 'text 699'));
  store.close();
});

test('generations are ordered by the time they stand for, in whatever order they were captured', () => {
  const store = openStore(':memory:', 'write');
  const states = new Map([3000n, 1000n, 2000n, -5n].map(at => [at, [fileRecord('/same'), fileRecord(`/t${at}`)]]));
  for (const [at, records] of states) capture(store, at, records);
  const generations = store.generations('nightly');
  expect(generations.map(each => each.atNs)).toEqual([-5n, 1000n, 2000n, 3000n]);
  for (const each of generations) expect(whole(store.records(each.id))).toEqual(states.get(each.atNs));
  store.close();
});

test('a second generation of the same time is refused, also while the first is written', () => {
  const store = openStore(':memory:', 'write');
  const writer = store.createGeneration(request(1_401_588_000_500_000_000n));
  const refused = 'baseline nightly already has a generation of 2014-06-01T02:00:00.5Z in store :memory:';
  expect(() => store.createGeneration(request(1_401_588_000_500_000_000n))).toThrow(new UsageError(refused));
  writer.finish();
  expect(() => store.createGeneration(request(1_401_588_000_500_000_000n))).toThrow(new UsageError(refused));
  capture(store, 1_401_588_000_500_000_000n, [], 'weekly');
  expect(() => store.createGeneration(request(2n ** 63n))).toThrow(UsageError);
  expect(store.baselines().map(each => each.name)).toEqual(['nightly', 'weekly']);
  store.close();
});

test('an aborted generation leaves nothing', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const writer = store.createGeneration(request(1000n));
  for (const record of files(2000, 6)) writer.add(record);
  expect(store.generations('nightly')).toEqual([]);
  expect(() => [...store.records(writer.id)]).toThrow(UsageError);
  writer.abort();
  store.close();
  expect(sqlite3(file, 'SELECT (SELECT count(*) FROM entry) + (SELECT count(*) FROM segment)')).toBe('0');
  expect(sqlite3(file, 'SELECT (SELECT count(*) FROM generation) + (SELECT count(*) FROM baseline)')).toBe('0');
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
});

test('several generations are read in step, while another is written', () => {
  const store = openStore(storePath(), 'write');
  const old = files(1500, 6);
  const a = store.records(capture(store, 1n, old));
  const b = store.records(capture(store, 2n, old.slice(700)));
  const writer = store.createGeneration(request(3n));
  for (const record of old) {
    expect(a.next().value).toEqual(record);
    if (record.path >= '/000700') expect(b.next().value).toEqual(record);
    writer.add(record);
  }
  expect([a.next().done, b.next().done]).toEqual([true, true]);
  writer.finish();
  expect(whole(store.records(writer.id))).toEqual(old);
  store.close();
});

test.each([20, 200])('an unchanged file with a path of %i bytes costs less than 100 bytes', width => {
  const file = storePath();
  const store = openStore(file, 'write');
  const records = files(20_000, width - 1);
  capture(store, 1000n, records);
  const before = statSync(file).size;
  capture(store, 2000n, records);
  capture(store, 1500n, records);
  store.close();
  expect((statSync(file).size - before) / (2 * records.length)).toBeLessThan(100);
  expect(sqlite3(file, 'SELECT count(*) FROM entry')).toBe('20000');
});

test('a generation between two others shares with both', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  capture(store, 1n, [fileRecord('/a'), fileRecord('/b', 'old')]);
  capture(store, 3n, [fileRecord('/b', 'new'), fileRecord('/c')]);
  capture(store, 2n, [fileRecord('/a'), fileRecord('/b', 'new'), fileRecord('/c')]);
  store.close();
  expect(sqlite3(file, 'SELECT count(*) FROM entry')).toBe('4');
});

const GIB_BLOCKS = 2 ** 30 / 4096;

function digestOfBlocks(record: BaselineRecord | null): string {
  return sha256(record?.content?.blocks ?? '');
}

test('a chmod of a file of 1 GiB does not store its block list again', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const content = { sha256: sha256('a GiB'), blocks: blockHashes(GIB_BLOCKS, 'a GiB') };
  const before: BaselineRecord = { ...fileRecord('/disk.img', '', { sizeBytes: 2 ** 30 }), content };
  const after: BaselineRecord = { ...before, stat: { ...before.stat, mode: 0o600 } };
  const first = capture(store, 1000n, [before]);
  const size = statSync(file).size;
  const second = capture(store, 2000n, [after]);
  const moved = capture(store, 2000n, [{ ...after, path: '/moved.img' }], 'another');
  expect(size).toBeGreaterThan(GIB_BLOCKS * 8);
  expect(statSync(file).size - size).toBeLessThan(65536);
  const digest = sha256(content.blocks);
  expect(digestOfBlocks(store.record(first, '/disk.img'))).toBe(digest);
  expect(digestOfBlocks(store.record(second, '/disk.img'))).toBe(digest);
  expect(store.record(second, '/disk.img')?.stat).toEqual(after.stat);
  store.dropGeneration(first);
  expect(digestOfBlocks(store.record(moved, '/moved.img'))).toBe(digest);
  store.dropGeneration(second);
  expect(digestOfBlocks(store.record(moved, '/moved.img'))).toBe(digest);
  store.dropBaseline('another');
  store.close();
  expect(sqlite3(file, 'SELECT (SELECT count(*) FROM content) + (SELECT count(*) FROM content_blocks)')).toBe('0');
  expect(statSync(file).size).toBeLessThan(262144);
});

test('the zeros of a sparse file of 1 GiB cost a few bytes', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const size = statSync(file).size;
  const blocks = new Uint8Array(GIB_BLOCKS * 8).fill(7);
  blocks.set(blockHashes(2, 'start'), 0);
  blocks.set(blockHashes(1, 'middle'), GIB_BLOCKS * 4);
  const record = { ...fileRecord('/sparse'), content: { sha256: sha256('sparse'), blocks } };
  const id = capture(store, 1n, [record]);
  expect(statSync(file).size - size).toBeLessThan(65536);
  expect(digestOfBlocks(store.record(id, '/sparse'))).toBe(sha256(blocks));
  store.close();
});

test('dropping a middle generation leaves the others as they were', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const long = (at: string, seed: string): BaselineRecord => ({
    ...fileRecord(at),
    content: { sha256: sha256(seed), blocks: blockHashes(100, seed) },
  });
  const first = [fileRecord('/a'), fileRecord('/b', 'one'), long('/l', 'one'), long('/z', 'always')];
  const middle = [fileRecord('/b', 'two'), long('/l', 'two'), fileRecord('/only'), long('/z', 'always')];
  const last = [fileRecord('/a'), fileRecord('/b', 'one'), long('/l', 'three'), long('/z', 'always')];
  const ids = [capture(store, 1n, first), capture(store, 3n, last), capture(store, 2n, middle)] as const;
  store.dropGeneration(ids[2]);
  expect(store.generations('nightly').map(each => each.atNs)).toEqual([1n, 3n]);
  expect(whole(store.records(ids[0]))).toEqual(first);
  expect(whole(store.records(ids[1]))).toEqual(last);
  store.close();
  expect(sqlite3(file, 'SELECT count(*) FROM content')).toBe('3');
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
  const again = openStore(file, 'write');
  again.dropGeneration(ids[0]);
  expect(whole(again.records(ids[1]))).toEqual(last);
  again.close();
  expect(sqlite3(file, 'SELECT count(*) FROM entry')).toBe('4');
});

test('dropping a baseline leaves other baselines, and gives the space back', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const records = files(5000, 6);
  const kept = capture(store, 1n, records.slice(0, 10), 'kept');
  const size = statSync(file).size;
  capture(store, 1n, records);
  capture(store, 2n, records);
  store.dropBaseline('nightly');
  expect(store.baselines().map(each => each.name)).toEqual(['kept']);
  expect(whole(store.records(kept))).toEqual(records.slice(0, 10));
  expect(() => store.dropBaseline('nightly')).toThrow(UsageError);
  expect(() => store.dropGeneration(99)).toThrow(UsageError);
  store.close();
  expect(statSync(file).size - size).toBeLessThan(65536);
  expect(sqlite3(file, 'SELECT count(*) FROM entry')).toBe('10');
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
});

test('a reader sees what another connection has finished, while that writes', () => {
  const file = storePath();
  const writing = openStore(file, 'write');
  const id = capture(writing, 1n, TREE);
  const reading = openStore(file, 'read');
  const writer = writing.createGeneration(request(2n));
  for (const record of files(3000, 6)) writer.add(record);
  expect(reading.generations('nightly').map(each => each.id)).toEqual([id]);
  expect(whole(reading.records(id))).toEqual(TREE);
  writer.finish();
  expect([...reading.records(writer.id)].length).toBe(3000);
  expect(() => reading.createGeneration(request(3n))).toThrow(UsageError);
  reading.close();
  writing.close();
});

test('the owners of a block are found, short lists and long ones, at most three of them', () => {
  const store = openStore(':memory:', 'write');
  const zeros = new Uint8Array(80).fill(9);
  const shared = blockHashes(40, 'shared');
  const withBlocks = (at: string, blocks: Uint8Array): BaselineRecord => ({
    ...fileRecord(at),
    content: { sha256: sha256(blocks), blocks },
  });
  const holders = ['/1', '/2', '/3', '/4'].map(at => withBlocks(at, zeros));
  const writer = store.createGeneration(request(1n));
  for (const record of [...holders, withBlocks('/5', shared)]) writer.add(record, 0);
  writer.add(withBlocks('/6', shared), 1);
  writer.finish();
  const last = new DataView(shared.buffer).getBigUint64(39 * 8, true);
  const owners = store.ownersOfBlocks(writer.id, [0x0909090909090909n, last, last + 65536n]);
  expect([...owners]).toEqual([
    [0x0909090909090909n, ['/1', '/2', '/3'].map(path => ({ volume: 0, path }))],
    [
      last,
      [
        { volume: 0, path: '/5' },
        { volume: 1, path: '/6' },
      ],
    ],
  ]);
  store.close();
});
