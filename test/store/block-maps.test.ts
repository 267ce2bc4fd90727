import { statSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { BlockMap } from '../../src/digest/block-map.ts';
import { BlockOwners, packOwners } from '../../src/digest/block-owners.ts';
import { PIECE_UNITS, UnitHashes } from '../../src/digest/unit-hashes.ts';
import { UsageError } from '../../src/errors.ts';
import { BLOCK_ROLES, type OwnedRun } from '../../src/model.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { captureMap, keepMap, numbers, piecesOf, run, SampleDisk, said } from './sample-maps.ts';
import { fileRecord, request } from './sample-records.ts';
import { capture, sqlite3, storePath } from './samples.ts';

vi.setConfig({ testTimeout: 120_000 });

const RUN = fc.record<OwnedRun>({
  role: fc.constantFrom(...BLOCK_ROLES),
  inode: fc.oneof(
    fc.nat(40),
    fc.nat(60_000),
    fc.maxSafeNat().map(number => Math.floor(number / 4)),
  ),
  generation: fc.oneof(fc.constant(7), fc.nat(2 ** 32 - 1)),
  logical: fc.oneof(fc.nat(20), fc.nat(2 ** 40)),
  physical: fc.oneof(fc.nat(200), fc.nat(2 ** 40)),
  length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 32 })),
  unwritten: fc.boolean(),
});

/** Few hashes and little room, so that runs, repetitions and zeros meet; the last piece is short. */
const UNITS = 2 * PIECE_UNITS + 100;
const EDIT = fc.record({
  at: fc.oneof(fc.nat(50), fc.nat(UNITS - 1)),
  count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 20_000 })),
  hash: fc.oneof(fc.constantFrom(0n, 1n, 5n), fc.bigInt(0n, 2n ** 64n - 1n)),
  step: fc.constantFrom(0n, 1n),
});
const STATE = fc.record({
  edits: fc.array(EDIT, { maxLength: 6 }),
  runs: fc.array(RUN, { maxLength: 12 }),
  keeps: fc.nat(100),
});
const ACT = fc.record({ at: fc.nat(12), drops: fc.boolean() });

type State = typeof STATE extends fc.Arbitrary<infer T> ? T : never;

/** Each state is the one before with some changes. */
function mapsOf(states: readonly State[]): BlockMap[] {
  const hashes = new BigUint64Array(UNITS);
  let runs: OwnedRun[] = [];
  return states.map(({ edits, runs: more, keeps }) => {
    for (const { at, count, hash, step } of edits) {
      for (let unit = at; unit < Math.min(UNITS, at + count); unit++) {
        hashes[unit] = BigInt.asUintN(64, hash + step * BigInt(unit));
      }
    }
    runs = [...runs.slice(0, Math.floor((runs.length * keeps) / 100)), ...more];
    return { hashes: new UnitHashes(4096, UNITS, piecesOf(hashes)), owners: new BlockOwners(packOwners(runs, 1)) };
  });
}

test('maps come back as they were kept, whatever is captured and dropped in whatever order', () => {
  fc.assert(
    fc.property(fc.array(STATE, { minLength: 1, maxLength: 6 }), fc.array(ACT, { maxLength: 20 }), (states, acts) => {
      const maps = mapsOf(states);
      const store = openStore(':memory:', 'write');
      const ids = new Map<number, number>();
      for (const { at, drops } of acts) {
        const which = at % maps.length;
        const [map, id] = [maps[which], ids.get(which)];
        if (map === undefined) continue;
        if (id === undefined) ids.set(which, captureMap(store, BigInt(which), map));
        else if (drops) store.dropGeneration(id);
        if (id !== undefined && drops) ids.delete(which);
        expectMaps(store, maps, ids);
      }
      store.close();
    }),
    { numRuns: 60 },
  );
});

function expectMaps(store: Store, maps: readonly BlockMap[], ids: ReadonlyMap<number, number>): void {
  for (const [which, id] of ids) {
    const [kept, given] = [store.blockMap(id, 0), maps[which]];
    if (kept === null || given === undefined) throw new Error(`no map of ${which}`);
    expect(said(kept)).toEqual(said(given));
  }
}

test('a generation has maps of its volumes only, and a map has its unit', () => {
  const store = openStore(':memory:', 'write');
  const small: BlockMap = {
    hashes: new UnitHashes(1024, 3, piecesOf(BigUint64Array.of(9n, 0n, 1n))),
    owners: new BlockOwners(packOwners([run('data', { inode: 12, physical: 2 })], 1)),
  };
  const empty: BlockMap = { hashes: new UnitHashes(4096, 1000, []), owners: new BlockOwners(packOwners([], 1)) };
  const writer = store.createGeneration(request(1n));
  writer.add(fileRecord('/a'));
  keepMap(writer, 0, small);
  keepMap(writer, 3, empty);
  writer.finish();
  const without = capture(store, 2n, [fileRecord('/a')]);
  const last = store.createGeneration(request(3n));
  keepMap(last, 3, small);
  last.finish();
  const of = (id: number, volume: number) => {
    const map = store.blockMap(id, volume);
    return map === null ? null : said(map);
  };
  expect([0, 1, 3].map(volume => of(writer.id, volume))).toEqual([said(small), null, said(empty)]);
  expect([of(without, 0), of(last.id, 3)]).toEqual([null, said(small)]);
  const volumes = [writer.id, without, last.id].map(id => store.mappedVolumes(id).map(({ volume }) => volume));
  expect(volumes).toEqual([[0, 3], [], [3]]);
  expect(store.generations('nightly').map(({ blockMaps }) => blockMaps)).toEqual([2, 0, 1]);
  expect(() => store.blockMap(99, 0)).toThrow(new UsageError('store :memory: holds no generation 99'));
  store.close();
});

const KIB = 1024;
const MIB = 1024 * KIB;

/** Some hundred thousand files, as a system has them: most of them small. */
function systemDisk(units: number): SampleDisk {
  const disk = new SampleDisk(units, 5);
  const next = numbers(6);
  for (let left = units * 0.2; left > 0; ) {
    const length = next(10) < 7 ? 1 + next(4) : 1 + next(80);
    disk.create(length);
    left -= length;
  }
  return disk;
}

test('the first map of 10 GiB with 2 GiB of data takes two bytes a KiB, and zeros next to nothing', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const disk = systemDisk((10 * 1024 * MIB) / 4096);
  const before = statSync(file).size;
  captureMap(store, 1n, disk.map());
  store.close();
  expect(disk.files).toBeGreaterThan(35_000);
  expect(statSync(file).size - before).toBeLessThan((2 * 1024 * MIB) / 512 + 64 * 1024 + disk.files * 12);
  expect(statSync(file).size - before).toBeLessThan(6.4 * MIB);
});

test('an unchanged map takes some bytes a piece', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const map = systemDisk(64 * PIECE_UNITS).map();
  const ids = [captureMap(store, 1n, map)];
  const before = statSync(file).size;
  ids.push(captureMap(store, 3n, map), captureMap(store, 2n, map));
  for (const id of ids.slice(1)) expect(store.mappedVolumes(id)[0]?.addedBytes).toBeLessThan(100);
  store.close();
  expect(statSync(file).size - before).toBeLessThan(3 * 4096);
});

/** A day: logs and databases grow and change in place, files are replaced, the same metadata changes again and again. */
function liveADay(disk: SampleDisk, next: (below: number) => number): void {
  for (let index = 0; index < 400; index++) disk.rewrite();
  for (let index = 0; index < 150; index++) disk.replace();
  for (let index = 0; index < 150; index++) disk.append();
  for (let index = 0; index < 100; index++) disk.create(1 + next(8));
  for (let index = 0; index < 60; index++) disk.remove();
  for (let index = 0; index < 300; index++) disk.write(next(60));
  for (let index = 0; index < 300; index++) disk.write(900_000 + index);
}

/** The maps of so many days, and how many blocks changed from each to the next. */
function daysOfLife(days: number): { readonly maps: BlockMap[]; readonly changed: number } {
  const disk = systemDisk(16 * PIECE_UNITS);
  const next = numbers(8);
  const maps = [disk.map()];
  let changed = 0;
  for (let day = 1; day <= days; day++) {
    const before = disk.hashes.slice();
    liveADay(disk, next);
    changed += disk.changedSince(before);
    maps.push(disk.map());
  }
  return { maps, changed };
}

test('later maps take at most 16 bytes a changed block, owners and the short cuts of long chains included', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const { maps, changed } = daysOfLife(40);
  const sizes = maps.map((map, day) => {
    captureMap(store, BigInt(day), map);
    return statSync(file).size;
  });
  store.close();
  expect(changed).toBeGreaterThan(100_000);
  expect((statSync(file).size - (sizes[0] ?? 0)) / changed).toBeLessThan(16);
  const chains = `WITH RECURSIVE chain (id, links) AS (
    SELECT id, 0 FROM map_piece WHERE base IS NULL
    UNION ALL SELECT map_piece.id, links + 1 FROM map_piece JOIN chain ON base = chain.id)
    SELECT max(links), max(position) FROM chain JOIN map_piece USING (id)`;
  expect(sqlite3(file, chains)).toBe('31|40');
});

test('dropping and capturing between others rewrites none of them, and leaves nothing', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const { maps } = daysOfLife(12);
  const ids = new Map<number, number>();
  const take = (day: number): void => {
    const map = maps[day];
    if (map !== undefined) ids.set(day, captureMap(store, BigInt(day), map));
  };
  const rows = (): string =>
    sqlite3(file, `SELECT id, base, crc FROM map_piece WHERE id <= ${sqlite3(file, 'SELECT max(id) FROM map_piece')}`);
  for (const day of [0, 12, 3, 9, 6]) take(day);
  const before = rows();
  for (const day of [4, 1, 11, 5]) take(day);
  expect(rows().startsWith(before)).toBe(true);
  for (const day of [0, 6, 12, 4]) {
    store.dropGeneration(ids.get(day) ?? 0);
    ids.delete(day);
  }
  for (const day of [2, 12, 6]) take(day);
  expectMaps(store, maps, ids);
  store.dropBaseline('nightly');
  store.close();
  expect(sqlite3(file, 'SELECT (SELECT count(*) FROM block_map) + (SELECT count(*) FROM map_piece)')).toBe('0');
  expect(sqlite3(file, 'PRAGMA integrity_check')).toBe('ok');
});

test('a capture that is stopped while its map is written leaves nothing, also when it is killed', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  const hashes = new BigUint64Array(40 * PIECE_UNITS);
  for (let unit = 0; unit < hashes.length; unit += PIECE_UNITS) hashes[unit] = BigInt(unit + 7);
  const owners = new BlockOwners(packOwners([], 1));
  const map = { hashes: new UnitHashes(4096, hashes.length, piecesOf(hashes)), owners };
  const aborted = store.createGeneration(request(1n));
  aborted.keepBlockMap(0, map).next();
  expect(() => aborted.finish()).toThrow('is not whole');
  aborted.abort();
  const pieces = 'SELECT (SELECT count(*) FROM block_map), (SELECT count(*) FROM map_piece)';
  expect(sqlite3(file, pieces)).toBe('0|0');
  store.createGeneration(request(2n)).keepBlockMap(0, map).next();
  store.close();
  expect(sqlite3(file, pieces)).toBe('1|32');
  openStore(file, 'write').close();
  expect(sqlite3(file, pieces)).toBe('0|0');
});

test('owners that are out of order are refused', () => {
  const store = openStore(':memory:', 'write');
  const { columns } = new BlockOwners(packOwners([run('data', { inode: 9000 }), run('data', { inode: 90 })], 1));
  columns.inode.reverse();
  const map = { hashes: new UnitHashes(4096, 0, []), owners: new BlockOwners(columns) };
  expect(() => captureMap(store, 1n, map)).toThrow(new RangeError('owner 90 comes out of order'));
});
