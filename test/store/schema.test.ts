import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Connection } from '../../src/store/connection.ts';
import { APPLICATION_ID, MIGRATIONS, migrate } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { captureMap, SampleDisk, said } from './sample-maps.ts';
import { fileRecord } from './sample-records.ts';
import { capture, sqlite3, storePath, whole } from './samples.ts';

const NEXT = 'ALTER TABLE baseline ADD COLUMN remark TEXT; UPDATE baseline SET remark = upper(name);';
const BROKEN = 'ALTER TABLE baseline ADD COLUMN other TEXT; INSERT INTO nowhere VALUES (1);';

const LATEST = MIGRATIONS.length;

function upgrade(file: string, migrations: readonly string[], version = LATEST): void {
  const connection = new Connection(file, new Database(file));
  try {
    migrate(connection, version, migrations);
  } finally {
    connection.close();
  }
}

test('a store of an earlier version gets the migrations that it lacks, once', () => {
  const file = storePath();
  const store = openStore(file, 'write');
  capture(store, 1n, [fileRecord('/a')]);
  store.close();
  upgrade(file, [...MIGRATIONS, NEXT]);
  expect(sqlite3(file, 'PRAGMA user_version; SELECT remark FROM baseline')).toBe(`${LATEST + 1}\nNIGHTLY`);
});

test('a migration that fails leaves the store at its version', () => {
  const file = storePath();
  openStore(file, 'write').close();
  expect(() => upgrade(file, [...MIGRATIONS, NEXT, BROKEN])).toThrow('no such table: nowhere');
  expect(sqlite3(file, 'PRAGMA user_version; PRAGMA table_info(baseline)')).toBe(
    `${LATEST}\n0|id|INTEGER|0||1\n1|name|TEXT|1||0`,
  );
});

test('a store of version 1 keeps its generations when it is opened to write, and takes block maps', () => {
  const file = storePath();
  upgrade(file, MIGRATIONS.slice(0, 1), 0);
  sqlite3(
    file,
    `PRAGMA application_id = ${APPLICATION_ID}; INSERT INTO baseline VALUES (1, 'nightly');
    INSERT INTO generation (baseline, at_ns, captured_ns, target, tool_version, digest_algorithm, attributes, finished)
    VALUES (1, 5, 6, 'vm042', '0.1.0', 'sha256', '{}', 1)`,
  );
  expect(() => openStore(file, 'read')).toThrow(
    `store ${file} has version 1: a command that writes it must upgrade it first`,
  );
  const disk = new SampleDisk(200);
  disk.create(3);
  const store = openStore(file, 'write');
  const [old] = store.generations('nightly');
  if (old === undefined) throw new Error('the generation is gone');
  const later = captureMap(store, 7n, disk.map());
  expect([whole(store.records(old.id)), store.blockMap(old.id, 0), store.mappedVolumes(old.id)]).toEqual([
    [],
    null,
    [],
  ]);
  expect([store.blockMap(later, 0)].map(map => (map === null ? null : said(map)))).toEqual([said(disk.map())]);
  store.close();
  expect(sqlite3(file, 'PRAGMA user_version')).toBe('2');
});
