// One page of an older day in a database: what of it SQLite's own check can tell. The sqlite3 program is the oracle.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasProgram } from '../../fixtures/incident/processes.ts';
import { siblingsOf } from '../../scanners/siblings.ts';
import { SQLITE } from '../../scanners/sqlite.ts';
import { ReadError } from '../../src/errors.ts';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import { Databases, ROWS } from './sqlite-databases.ts';

const INCONSISTENT = 'SQLite finds the database inconsistent: ';
const hasOracle = hasProgram('sqlite3');
if (!hasOracle) process.stderr.write('sqlite tests without their oracle: sqlite3 is not installed\n');

let databases: Databases;
let old: Buffer;

beforeEach(() => {
  databases = new Databases();
  databases.write('app.db', ROWS);
  old = databases.bytes('app.db');
});
afterEach(() => databases.close());

function expectTold(message: string): void {
  if (hasOracle) expect(databases.isWhole('app.db')).toBe(false);
  expect(databases.said('app.db')).toEqual([expect.stringContaining(INCONSISTENT + message)]);
}

/** Page of the old state that holds the key, or 0. */
function pageWith(text: string, pages: readonly number[]): number {
  return pages.find(page => old.subarray((page - 1) * 4096, page * 4096).includes(text)) ?? 0;
}

describe('a database of which a page went back tells it where the page is', () => {
  test('a leaf of an index', () => {
    const leaf = pageWith('key 0500', databases.pages('app.db', 'i', 'leaf'));
    databases.write('app.db', "UPDATE t SET k = 'key 0500b' WHERE k = 'key 0500'");
    databases.putBack('app.db', old, leaf);
    expectTold('row 500 missing from index i');
  });

  test('a leaf of a table that has an index', () => {
    const [leaf = 0] = databases.pages('app.db', 't', 'leaf');
    databases.write('app.db', 'DELETE FROM t WHERE id = 3');
    databases.putBack('app.db', old, leaf);
    expectTold('wrong # of entries in index i');
  });

  test('an interior page of a table', () => {
    const [root = 0] = databases.pages('app.db', 't', 'internal');
    databases.write('app.db', "INSERT INTO t SELECT id + 600, k || 'c', v FROM t");
    databases.putBack('app.db', old, root);
    expectTold('Page ');
  });

  test('an interior page of an index', () => {
    const [root = 0] = databases.pages('app.db', 'i', 'internal');
    databases.write('app.db', "INSERT INTO t SELECT id + 600, k || 'c', v FROM t");
    databases.putBack('app.db', old, root);
    expectTold('');
  });

  test('a trunk page of the free list', () => {
    databases.write('app.db', 'CREATE TABLE u AS SELECT * FROM t; DELETE FROM u; DROP TABLE u');
    old = databases.bytes('app.db');
    const trunk = old.readUInt32BE(32);
    databases.write('app.db', 'CREATE TABLE w (a); INSERT INTO w SELECT v FROM t WHERE id < 200');
    const now = databases.bytes('app.db').readUInt32BE(32);
    expect(now).toBe(trunk);
    databases.putBack('app.db', old, trunk);
    expectTold('Freelist: ');
  });

  test('page 1, by pages that are not free any more, or not yet', () => {
    databases.write('app.db', 'DELETE FROM t WHERE id > 300');
    databases.putBack('app.db', old, 1);
    expectTold('Page ');
  });

  test('and the range is that of the page that is named', () => {
    const [root = 0] = databases.pages('app.db', 't', 'internal');
    const bytes = databases.bytes('app.db');
    bytes.fill(0, (root - 1) * 4096, root * 4096);
    databases.put('app.db', bytes);
    expect(databases.inspect('app.db')).toMatchObject([
      {
        scanner: 'sqlite',
        rule: 'database-contradicts-itself',
        supports: true,
        ranges: [{ offset: (root - 1) * 4096, length: 4096 }],
      },
    ]);
  });

  test('the file’s end: fewer pages than it counts, of any size and name', () => {
    databases.put('app.db', old.subarray(0, old.length - 8192 - 100));
    expect(databases.said('app.db')).toEqual([
      `The database counts ${old.length / 4096} pages of 4096 bytes, and the file holds ${old.length / 4096 - 3}.`,
    ]);
    databases.put('nameless', old.subarray(0, old.length - 8192));
    expect(databases.inspect('nameless')).toHaveLength(1);
  });
});

describe('what leaves no contradiction', () => {
  test('rows of a table without an index that were updated in place', () => {
    databases.write('app.db', 'DROP INDEX i');
    old = databases.bytes('app.db');
    const [leaf = 0] = databases.pages('app.db', 't', 'leaf');
    databases.write('app.db', "UPDATE t SET k = 'new 0000' WHERE id = 3");
    databases.putBack('app.db', old, leaf);
    expect(databases.said('app.db')).toEqual([]);
    if (hasOracle) expect(databases.isWhole('app.db')).toBe(true);
  });

  test('a value that stands in an overflow page', () => {
    databases.write('app.db', 'CREATE TABLE o (a); INSERT INTO o VALUES (hex(zeroblob(9000)))');
    old = databases.bytes('app.db');
    const [page = 0] = databases.pages('app.db', 'o', 'overflow');
    databases.write('app.db', "UPDATE o SET a = replace(a, '0', '1')");
    databases.putBack('app.db', old, page);
    expect(databases.said('app.db')).toEqual([]);
  });

  test('page 1 of a day with fewer pages: a file may be longer than it counts (SQLITE_FCNTL_CHUNK_SIZE)', () => {
    databases.write('app.db', 'CREATE TABLE u (a); INSERT INTO u VALUES (1)');
    databases.putBack('app.db', old, 1);
    expect(databases.bytes('app.db').length).toBeGreaterThan(old.length);
    expect(databases.said('app.db')).toEqual([]);
    if (hasOracle) expect(databases.isWhole('app.db')).toBe(true);
  });
});

describe('a database whose bytes the medium refuses', () => {
  test('is left to what the reading of it says', () => {
    const read = () => {
      throw new ReadError('/app.db', 0, 4096);
    };
    const stat = { sizeBytes: 8192, mtimeNs: 0n } as Parameters<typeof SQLITE.inspect>[1];
    const siblings = siblingsOf(openHostFilesystem('/'), '/app.db');
    expect([...SQLITE.inspect('/app.db', stat, { name: '/app.db', size: 8192, read }, siblings)]).toEqual([]);
  });
});
