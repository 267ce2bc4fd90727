// Databases that SQLite itself wrote, in a folder of their own, and what the scanner says of them. The sqlite3 program, of
// another version, is the oracle of what is whole.

import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { siblingsOf } from '../../scanners/siblings.ts';
import { SQLITE } from '../../scanners/sqlite.ts';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import { statOfHost } from '../../src/filesystems/host/host-stat.ts';
import type { Observation } from '../../src/model.ts';

/** Rows of a table with an index, enough for trees of two levels in pages of 4 KiB. */
export const ROWS = `
  CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT, v TEXT);
  CREATE INDEX i ON t (k);
  WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 600)
    INSERT INTO t SELECT x, printf('key %04d', x * 7919 % 1000), hex(zeroblob(x % 60)) FROM n;`;

export class Databases {
  readonly folder = mkdtempSync(join(tmpdir(), 'lostwrite-sqlite-'));

  /** Runs SQL on a database, which is made if it is not there, and closes it. */
  write(name: string, sql: string): void {
    const database = new Database(this.at(name));
    try {
      database.unsafeMode().exec(sql);
    } finally {
      database.close();
    }
  }

  at(name: string): string {
    return join(this.folder, name);
  }

  bytes(name: string): Buffer {
    return readFileSync(this.at(name));
  }

  put(name: string, bytes: Uint8Array): void {
    writeFileSync(this.at(name), bytes);
  }

  /** Puts page `page` (from 1) of `old` in the place of that of the database. */
  putBack(name: string, old: Buffer, page: number, pageBytes = 4096): void {
    const bytes = this.bytes(name);
    old.copy(bytes, (page - 1) * pageBytes, (page - 1) * pageBytes, page * pageBytes);
    this.put(name, bytes);
  }

  /** Pages of a table or an index, by their kind in dbstat: leaf, internal, overflow. */
  pages(name: string, of: string, kind: string): number[] {
    const database = new Database(this.at(name), { readonly: true });
    try {
      return database
        .prepare('SELECT pageno FROM dbstat WHERE name = ? AND pagetype = ?')
        .pluck()
        .all(of, kind) as number[];
    } finally {
      database.close();
    }
  }

  /** Long after its last change, unless said otherwise. */
  inspect(name: string, mtimeNs = 0n): Observation[] {
    const path = this.at(name);
    const stat = { ...statOfHost(lstatSync(path, { bigint: true })), mtimeNs };
    if (!SQLITE.wants(path, stat)) return [];
    const siblings = siblingsOf(openHostFilesystem('/'), path);
    return [...SQLITE.inspect(path, stat, memoryBytes(path, this.bytes(name)), siblings)];
  }

  /** What is said of it, in words. */
  said(name: string): string[] {
    return this.inspect(name).map(({ detail }) => detail);
  }

  /** Whether the sqlite3 program finds it whole. */
  isWhole(name: string): boolean {
    const uri = `file:${this.at(name)}?immutable=1`;
    return execFileSync('sqlite3', [uri, 'PRAGMA integrity_check'], { encoding: 'utf8' }).trim() === 'ok';
  }

  close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
