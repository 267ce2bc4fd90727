import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Connection } from '../../src/store/connection.ts';
import { MIGRATIONS, migrate } from '../../src/store/schema.ts';
import { openStore } from '../../src/store/store.ts';
import { fileRecord } from './sample-records.ts';
import { capture, sqlite3, storePath } from './samples.ts';

const NEXT = 'ALTER TABLE baseline ADD COLUMN remark TEXT; UPDATE baseline SET remark = upper(name);';
const BROKEN = 'ALTER TABLE baseline ADD COLUMN other TEXT; INSERT INTO nowhere VALUES (1);';

function upgrade(file: string, migrations: readonly string[]): void {
  const connection = new Connection(file, new Database(file));
  try {
    migrate(connection, 1, migrations);
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
  expect(sqlite3(file, 'PRAGMA user_version; SELECT remark FROM baseline')).toBe('2\nNIGHTLY');
});

test('a migration that fails leaves the store at its version', () => {
  const file = storePath();
  openStore(file, 'write').close();
  expect(() => upgrade(file, [...MIGRATIONS, NEXT, BROKEN])).toThrow('no such table: nowhere');
  expect(sqlite3(file, 'PRAGMA user_version; PRAGMA table_info(baseline)')).toBe(
    '1\n0|id|INTEGER|0||1\n1|name|TEXT|1||0',
  );
});
