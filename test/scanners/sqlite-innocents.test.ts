// Whole databases of every kind, made by SQLite itself: nothing is said of them. And of each, with a page of zeros, that it was
// looked into at all.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasProgram } from '../../fixtures/incident/processes.ts';
import { Databases, ROWS } from './sqlite-databases.ts';

let databases: Databases;
beforeEach(() => {
  databases = new Databases();
});
afterEach(() => databases.close());

/** What it is -> SQL that makes it, from ROWS on or in its stead. */
const KINDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536].map(size => [
      `pages of ${size} bytes`,
      `PRAGMA page_size = ${size};${ROWS}`,
    ]),
  ),
  'auto_vacuum full': `PRAGMA auto_vacuum = FULL;${ROWS}DELETE FROM t WHERE id % 3 = 0;`,
  'auto_vacuum incremental': `PRAGMA auto_vacuum = INCREMENTAL;${ROWS}DELETE FROM t WHERE id < 400; PRAGMA incremental_vacuum(2);`,
  'a free list': `${ROWS}DELETE FROM t WHERE id < 400;`,
  VACUUM: `${ROWS}DELETE FROM t WHERE id < 400; VACUUM;`,
  'UTF-16': `PRAGMA encoding = 'UTF-16be';${ROWS}`,
  'WITHOUT ROWID': `${ROWS}CREATE TABLE w (a TEXT, b INT, PRIMARY KEY (b, a)) WITHOUT ROWID; INSERT INTO w SELECT v, id FROM t;`,
  'generated columns': `${ROWS}CREATE TABLE g (a INT, b AS (a * 2) NOT NULL, c VARCHAR(9) AS (-a) STORED UNIQUE); INSERT INTO g SELECT id FROM t;`,
  'generated columns by functions': `${ROWS}CREATE TABLE g (a INT, b TEXT AS (hex(a)), c TEXT AS (upper(a)) STORED UNIQUE); INSERT INTO g SELECT id FROM t;`,
  'a partial index': `${ROWS}CREATE INDEX p ON t (v) WHERE id > 10 AND (k IS NOT NULL);`,
  'an index by an expression': `${ROWS}CREATE INDEX e ON t (lower(k), id + 1);`,
  'a descending index, of several columns': `${ROWS}CREATE UNIQUE INDEX d ON t (v DESC, k, id);`,
  FTS5: `${ROWS}CREATE VIRTUAL TABLE f USING fts5 (k, v); INSERT INTO f SELECT k, v FROM t;`,
  'FTS5 whose index is not kept up': `${ROWS}CREATE VIRTUAL TABLE f USING fts5 (k, content = 't', content_rowid = 'id'); INSERT INTO f (rowid, k) SELECT id, k FROM t WHERE id < 9;`,
  FTS4: `${ROWS}CREATE VIRTUAL TABLE f USING fts4 (k); INSERT INTO f SELECT k FROM t; INSERT INTO f (f) VALUES ('optimize');`,
  'an R-tree': `${ROWS}CREATE VIRTUAL TABLE r USING rtree (id, a, b); INSERT INTO r SELECT id, id, id + 2 FROM t;`,
  'ADD COLUMN NOT NULL DEFAULT': `${ROWS}ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 7;`,
  'rows that break CHECK and foreign keys': `${ROWS}PRAGMA ignore_check_constraints = ON; CREATE TABLE c (a CHECK (a > 5) REFERENCES t (id)); PRAGMA foreign_keys = OFF; INSERT INTO c VALUES (-1);`,
  'NOT NULL by writable_schema': `${ROWS}INSERT INTO t VALUES (9999, NULL, NULL); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'k TEXT', 'k TEXT NOT NULL') WHERE name = 't';`,
  'a tokenizer of an application': `${ROWS}CREATE VIRTUAL TABLE f USING fts5 (k); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE f USING fts5 (k, tokenize = ''icu de'')' WHERE name = 'f';`,
  'a virtual table of an application': `${ROWS}CREATE VIRTUAL TABLE f USING fts5 (k); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE VIRTUAL TABLE f USING spellfix1' WHERE name = 'f';`,
  'views and triggers of functions that are not there': `${ROWS}CREATE VIEW x AS SELECT its_own(k) FROM t; CREATE TRIGGER y AFTER INSERT ON t BEGIN SELECT its_own(NEW.k); END;`,
  'statistics of ANALYZE': `${ROWS}ANALYZE;`,
};

function withPageOfZeros(bytes: Buffer): Buffer {
  const pageBytes = bytes.readUInt16BE(16) === 1 ? 65536 : bytes.readUInt16BE(16);
  const hasPointerMap = bytes.readUInt32BE(52) !== 0;
  const at = pageBytes * (hasPointerMap ? 2 : 1);
  return bytes.fill(0, at, at + pageBytes);
}

describe('nothing is said of a whole database', () => {
  test.each(Object.entries(KINDS))('with %s, and something once its second page is lost', (_, sql) => {
    databases.write('app.db', sql);
    expect(databases.said('app.db')).toEqual([]);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    expect(databases.said('app.db')).toEqual([expect.stringMatching(/^SQLite finds the database inconsistent: /)]);
  });

  test('with a function of an application in an index, and something once its second page is lost', () => {
    const database = new Database(databases.at('app.db'));
    database.function('its_own', { deterministic: true }, text => [...String(text)].reverse().join(''));
    database.exec(`${ROWS}CREATE INDEX o ON t (its_own(k));`);
    database.close();
    expect(databases.said('app.db')).toEqual([]);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test.skipIf(!hasProgram('sqlite3'))('with bytes at the end of each page that are another’s', () => {
    const input = `.filectrl reserve_bytes 24\nVACUUM;\n${ROWS}\nVACUUM;\n`;
    execFileSync('sqlite3', [databases.at('app.db')], { input, stdio: ['pipe', 'ignore', 'inherit'] });
    expect(databases.bytes('app.db').readUInt8(20)).toBe(24);
    expect(databases.said('app.db')).toEqual([]);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    expect(databases.inspect('app.db')).toHaveLength(1);
  });
});

describe.skipIf(!hasProgram('python3'))('nothing is said of a collation of an application', () => {
  const reversed = 'lambda a, b: (a[::-1] > b[::-1]) - (a[::-1] < b[::-1])';
  const make = (name: string, sql: string) =>
    execFileSync('python3', [
      '-c',
      `import sqlite3, sys\nc = sqlite3.connect(sys.argv[1])\nc.create_collation(sys.argv[2], ${reversed})\nc.executescript(sys.argv[3])`,
      databases.at('app.db'),
      name,
      sql,
    ]);

  test('that only it knows', () => {
    make('its_own', `${ROWS}CREATE INDEX o ON t (k COLLATE its_own);`);
    expect(databases.said('app.db')).toEqual([]);
  });

  test('that it has in the place of NOCASE, while other indexes are checked', () => {
    make('nocase', `${ROWS}CREATE INDEX o ON t (k COLLATE NOCASE);`);
    expect(databases.said('app.db')).toEqual([]);
    const old = databases.bytes('app.db');
    const [leaf = 0] = databases.pages('app.db', 'i', 'leaf');
    make('nocase', "UPDATE t SET k = 'a' WHERE id % 50 = 0;");
    databases.putBack('app.db', old, leaf);
    expect(databases.inspect('app.db')).toHaveLength(1);
  });
});

/** A process that writes and is killed before it can close the database. */
function killedWhile(pragmas: string, statements: string): void {
  const module = JSON.stringify(import.meta.resolve('better-sqlite3'));
  const script = `
    import Database from ${module};
    const database = new Database(process.argv[1]).unsafeMode();
    database.exec(process.argv[2]);
    database.exec(process.argv[3]);
    process.kill(process.pid, 'SIGKILL');`;
  const options = ['--input-type=module', '-e', script, databases.at('app.db'), pragmas, statements];
  expect(spawnSync(process.execPath, options).signal).toBe('SIGKILL');
}

/** Half of a change: one page is of the old day. */
function putBackHalf(old: Buffer): void {
  const [root = 0] = databases.pages('app.db', 't', 'internal');
  databases.putBack('app.db', old, root);
}

const CHANGE = "INSERT INTO t SELECT id + 600, k || 'c', v FROM t;";

describe('nothing is said while files beside a database are to be brought home', () => {
  test('a write-ahead log, after its process was killed', () => {
    databases.write('app.db', `PRAGMA journal_mode = WAL;${ROWS}`);
    killedWhile('PRAGMA wal_autocheckpoint = 0;', CHANGE);
    expect(databases.bytes('app.db-wal').length).toBeGreaterThan(4096);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    expect(databases.said('app.db')).toEqual([]);
    truncateSync(databases.at('app.db-wal'));
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test('a write-ahead log that was brought home when the database was closed', () => {
    databases.write('app.db', `PRAGMA journal_mode = WAL;${ROWS}`);
    expect(databases.bytes('app.db').readUInt8(18)).toBe(2);
    expect(databases.said('app.db')).toEqual([]);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test('a journal, after its process was killed within a transaction', () => {
    databases.write('app.db', ROWS);
    killedWhile('PRAGMA cache_size = 1; PRAGMA cache_spill = 1;', `BEGIN;${CHANGE}DELETE FROM t WHERE id % 2;`);
    expect(databases.bytes('app.db-journal').readUInt8(0)).toBe(0xd9);
    expect(databases.said('app.db')).toEqual([]);
  });

  test('a journal that is kept, and ended: that is none', () => {
    databases.write('app.db', ROWS);
    const old = databases.bytes('app.db');
    databases.write('app.db', `PRAGMA journal_mode = PERSIST;${CHANGE}`);
    expect(databases.bytes('app.db-journal').readUInt8(0)).toBe(0);
    expect(databases.said('app.db')).toEqual([]);
    putBackHalf(old);
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test('a journal that is kept and emptied: that is none', () => {
    databases.write('app.db', ROWS);
    const old = databases.bytes('app.db');
    databases.write('app.db', `PRAGMA journal_mode = TRUNCATE;${CHANGE}`);
    expect(databases.bytes('app.db-journal')).toHaveLength(0);
    putBackHalf(old);
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test('a directory of such a name is no journal', () => {
    databases.write('app.db', ROWS);
    mkdirSync(databases.at('app.db-journal'));
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test('a database with a second name, whose journal may lie beside that', () => {
    databases.write('app.db', ROWS);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    linkSync(databases.at('app.db'), databases.at('other.db'));
    expect(databases.said('app.db')).toEqual([]);
  });

  test('a database of which a program maps the pages: it writes them as others do, and that stamps the inode', () => {
    databases.write('app.db', ROWS);
    const database = new Database(databases.at('app.db'));
    const mtimeNs = () => statSync(databases.at('app.db'), { bigint: true }).mtimeNs;
    try {
      expect(database.pragma('mmap_size = 1000000', { simple: true })).toBe(1_000_000);
      database.exec('SELECT count(*) FROM t');
      utimesSync(databases.at('app.db'), 1, 1);
      database.exec(CHANGE);
      expect(mtimeNs()).toBeGreaterThan(BigInt(Date.now() - 60_000) * 1_000_000n);
    } finally {
      database.close();
    }
  });

  test('a database that was written a moment ago', () => {
    databases.write('app.db', ROWS);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    const nowNs = BigInt(Date.now()) * 1_000_000n;
    expect(databases.inspect('app.db', nowNs)).toEqual([]);
    expect(databases.inspect('app.db', nowNs - 5_000_000_000n)).toHaveLength(1);
  });
});

describe('what is told all the same, so that the judge is not certain', () => {
  test('a database without a journal, whose process was killed within a transaction', () => {
    databases.write('app.db', ROWS);
    killedWhile('PRAGMA journal_mode = OFF; PRAGMA cache_size = 1; PRAGMA cache_spill = 1;', `BEGIN;${CHANGE}`);
    expect(databases.inspect('app.db')).toHaveLength(1);
  });

  test('a copy of half of a change', () => {
    databases.write('app.db', ROWS);
    const old = databases.bytes('app.db');
    databases.write('app.db', CHANGE);
    putBackHalf(old);
    copyFileSync(databases.at('app.db'), databases.at('copy.db'));
    expect(databases.inspect('copy.db')).toHaveLength(1);
  });
});

describe('nothing is said of what this SQLite cannot read', () => {
  const HEADER_NOISE: readonly (readonly [string, number])[] = [
    ['a version to come', 18],
    ['an encrypted one behind a header in the clear', 60],
    ['a schema of a version to come', 47],
  ];
  test.each(HEADER_NOISE)('%s', (_, at) => {
    databases.write('app.db', ROWS);
    const bytes = databases.bytes('app.db');
    bytes.fill(at === 60 ? 0xa7 : 9, at, at === 60 ? bytes.length : at + 1);
    databases.put('app.db', bytes);
    expect(databases.said('app.db')).toEqual([]);
  });

  test('an encrypted database, another file of its name, an empty one', () => {
    writeFileSync(databases.at('app.db'), Buffer.alloc(8192, 0xa7));
    expect(databases.said('app.db')).toEqual([]);
    writeFileSync(databases.at('app.db'), '');
    expect(databases.said('app.db')).toEqual([]);
  });

  test('a schema in words of a version to come', () => {
    databases.write(
      'app.db',
      `${ROWS}CREATE TABLE u (a); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE u (a) IN ORDER' WHERE name = 'u';`,
    );
    expect(databases.said('app.db')).toEqual([]);
  });

  test('one that is larger than what is loaded, but for its end', () => {
    databases.write('app.db', ROWS);
    databases.put('app.db', withPageOfZeros(databases.bytes('app.db')));
    truncateSync(databases.at('app.db'), 64 * 1024 * 1024 + 4096);
    expect(databases.said('app.db')).toEqual([]);
  });
});
