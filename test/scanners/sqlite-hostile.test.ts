// Databases that nobody wrote: bits turned, ends cut, and schemas made to hold up whoever checks them. An answer or none, soon.

import Database from 'better-sqlite3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contradictionOf } from '../../src/formats/sqlite/contradiction.ts';
import { Databases, ROWS } from './sqlite-databases.ts';

const RUNS = process.env.LOSTWRITE_LONG_TESTS ? 5000 : 300;
/** Far above what any of them takes, and below what a loop of twenty levels would. */
const SOON_MS = 5000;

let databases: Databases;
let whole: Buffer;

beforeEach(() => {
  databases = new Databases();
  databases.write(
    'app.db',
    `PRAGMA page_size = 512; ${ROWS} CREATE VIRTUAL TABLE f USING fts5 (k); INSERT INTO f SELECT k FROM t;
     CREATE TABLE w (a PRIMARY KEY, b AS (a + 1) NOT NULL) WITHOUT ROWID; INSERT INTO w (a) SELECT id FROM t;
     CREATE INDEX p ON t (v) WHERE id > 10; DELETE FROM t WHERE id < 100;`,
  );
  whole = databases.bytes('app.db');
});
afterEach(() => databases.close());

function timed(bytes: Buffer): string | null {
  const started = performance.now();
  const said = contradictionOf(bytes, 512);
  expect(performance.now() - started).toBeLessThan(SOON_MS);
  return said;
}

describe('a check ends soon, and throws nothing', () => {
  test('whatever bits of a database are turned', () => {
    const flips = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(7)), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(flips, turned => {
        const bytes = Buffer.from(whole);
        for (const [at, bit] of turned) bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        timed(bytes);
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  test('whatever pages of it stand in the place of others', () => {
    const page = fc.nat(whole.length / 512 - 1);
    fc.assert(
      fc.property(fc.array(fc.tuple(page, page), { minLength: 1, maxLength: 4 }), moved => {
        const bytes = Buffer.from(whole);
        for (const [from, to] of moved) whole.copy(bytes, to * 512, from * 512, from * 512 + 512);
        timed(bytes);
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  test('wherever its schema or its first pages hold other bytes', () => {
    const at = fc.nat(4096);
    fc.assert(
      fc.property(at, fc.uint8Array({ minLength: 1, maxLength: 64 }), (start, other) => {
        const bytes = Buffer.from(whole);
        bytes.set(other, start);
        timed(bytes);
      }),
      { numRuns: RUNS, seed: 7 },
    );
  });

  test('wherever it is cut', () => {
    for (let length = 0; length < whole.length; length += 97) timed(Buffer.from(whole.subarray(0, length)));
    for (let length = 512; length < whole.length; length += 512) {
      expect(timed(Buffer.from(whole.subarray(0, length)))).not.toBeNull();
    }
  });
});

describe('a schema cannot hold up its check', () => {
  const statements: Readonly<Record<string, string>> = {
    'an index by a function that makes gigabytes': 'CREATE INDEX x ON t (length(hex(zeroblob(400000000 + id))));',
    'an index of rows alike, by a pattern without end':
      "CREATE INDEX x ON t (id) WHERE v NOT LIKE '%0%0%0%0%0%0%0%0%0%0%0%0%1';",
    'a call behind a comment': 'CREATE INDEX x ON t (length/**/(hex(zeroblob(400000000 + id))));',
    'a column computed for each row': 'CREATE TABLE x (a, b AS (length(hex(zeroblob(400000000 + a)))) NOT NULL);',
    'the same as what a table must hold': 'CREATE TABLE x (a CHECK (length(hex(zeroblob(400000000 + a))) > 0));',
  };

  test.each(Object.entries(statements))('by %s', (_, sql) => {
    const rows = sql.includes('TABLE x') ? 'INSERT INTO x (a) SELECT id FROM t;' : '';
    const stand = sql.includes('TABLE x') ? 'CREATE TABLE x (a, b);' : 'CREATE INDEX x ON t (id);';
    const database = new Database(databases.at('app.db')).unsafeMode();
    database.exec(`${stand}${rows}PRAGMA writable_schema = ON;`);
    database.prepare("UPDATE sqlite_schema SET sql = ? WHERE name = 'x'").run(sql.replace(/;$/, ''));
    database.close();
    expect(timed(databases.bytes('app.db'))).toBeNull();
  });

  test('by a statement of a million characters', () => {
    const name = `"${'a('.repeat(500_000)}"`;
    databases.write('app.db', `CREATE INDEX ${name} ON t (k) WHERE id > 3;`);
    expect(timed(databases.bytes('app.db'))).toBeNull();
  });

  test('by thousands of tables with an index each, of which one is not tame', () => {
    const tables = Array.from({ length: 3000 }, (_, index) => `CREATE TABLE x${index} (a UNIQUE);`).join('');
    databases.write('app.db', `BEGIN; ${tables} CREATE INDEX x ON t (upper(k)); COMMIT;`);
    expect(timed(databases.bytes('app.db'))).toBeNull();
  });
});

/** A tree of interior pages each of which leads twice to the next: a million paths to one leaf. */
test('pages that lead many times to the same page are not gone through each time', () => {
  const bytes = Buffer.from(whole);
  const levels = 19;
  const [root = 0] = databases.pages('app.db', 't', 'internal');
  const free = databases.pages('app.db', 'i', 'leaf').slice(0, levels);
  [root, ...free].slice(0, levels).forEach((page, level) => {
    const next = free[level] ?? 0;
    const at = (page - 1) * 512;
    bytes.fill(0, at, at + 512);
    bytes.set([0x05, 0, 0, 0, 2, 1, 244, 0], at);
    bytes.writeUInt32BE(next, at + 8);
    bytes.writeUInt16BE(500, at + 12);
    bytes.writeUInt16BE(506, at + 14);
    bytes.writeUInt32BE(next, at + 500);
    bytes.writeUInt8(50, at + 504);
    bytes.writeUInt32BE(next, at + 506);
    bytes.writeUInt8(60, at + 510);
  });
  expect(timed(bytes)).toMatch(/2nd reference to page/);
});

/** Interior pages of one cell each, of which the last child of one is the next: as many levels as pages. */
test.each([
  [1_000, true],
  [20_000, false],
  [131_000, false],
])('a chain of %i pages does not exhaust the stack', (count, isChecked) => {
  const bytes = Buffer.alloc(count * 512);
  whole.copy(bytes);
  const [root = 0] = databases.pages('app.db', 't', 'internal');
  const first = whole.length / 512 + 1;
  for (const page of [root, ...Array.from({ length: count - first }, (_, index) => first + index)]) {
    const at = (page - 1) * 512;
    bytes.set([0x05, 0, 0, 0, 1, 1, 0xf8, 0], at);
    bytes.writeUInt32BE(page === root ? first : page + 1, at + 8);
    bytes.writeUInt16BE(0x1f8, at + 12);
  }
  bytes.writeUInt32BE(count, 28);
  expect(timed(bytes) !== null).toBe(isChecked);
});
