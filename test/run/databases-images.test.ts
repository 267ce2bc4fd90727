// SQLite databases on an ext4 image that is scanned against its backup, and below its mount: files beside them are seen by both.

import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { siblingsOf } from '../../scanners/siblings.ts';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import type { Finding } from '../../src/model.ts';
import { ROWS } from '../scanners/sqlite-databases.ts';
import { worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stderr.write(`databases on images skipped: ${obstacle}\n`);

const NAMES = ['torn.db', 'whole.db', 'logged.db'];

function write(path: string, sql: string): void {
  const database = new Database(path);
  database.exec(sql);
  database.close();
}

/** The index's leaves are of the first state, all else of the second. */
function tear(path: string, old: Buffer): void {
  const bytes = readFileSync(path);
  const database = new Database(path, { readonly: true });
  const pages = database.prepare("SELECT pageno FROM dbstat WHERE name = 'i' AND pagetype = 'leaf'").pluck().all();
  database.close();
  for (const page of pages as number[]) old.copy(bytes, (page - 1) * 4096, (page - 1) * 4096, page * 4096);
  writeFileSync(path, bytes, { flag: 'r+' });
}

/** Longer ago than files that may be in use. */
function settle(path: string): void {
  const then = Date.now() / 1000 - 60;
  utimesSync(path, then, then);
}

const CHANGE = "UPDATE t SET k = 'new key' WHERE id % 40 = 3;";

describe.skipIf(obstacle !== null)('a database on a disk', () => {
  let world: ImageWorld;

  beforeEach(() => {
    world = new ImageWorld();
    world.mounted(root => {
      for (const name of NAMES) write(join(root, name), ROWS);
    });
    world.keep('before.img');
    world.mounted(root => {
      const old = readFileSync(join(root, 'torn.db'));
      for (const name of NAMES) write(join(root, name), CHANGE);
      for (const name of ['torn.db', 'logged.db']) tear(join(root, name), old);
      writeFileSync(join(root, 'logged.db-wal'), Buffer.alloc(4096, 7));
      writeFileSync(join(root, 'whole.db-wal'), '');
      for (const name of NAMES) settle(join(root, name));
    });
  });
  afterEach(() => world.close());

  const ofSqlite = (findings: readonly Finding[]) =>
    findings
      .filter(({ evidence }) => evidence.some(({ scanner }) => scanner === 'sqlite'))
      .map(({ path, verdict, confidence }) => `${path} ${verdict} ${confidence}`);

  test('of which some pages are of the day before is stale, unless a log lies beside it', async () => {
    expect(ofSqlite(await world.scan(['before.img']))).toEqual(['/torn.db stale possible']);
  });

  test('that nothing is known of is garbage', async () => {
    expect(ofSqlite(await world.scan([]))).toEqual(['/torn.db garbage possible']);
  });

  test('that was so in the backup already is not accused', async () => {
    world.keep('torn.img');
    expect(ofSqlite(await world.scan(['torn.img']))).toEqual([]);
  });

  test('has the same files beside it below a mount', () => {
    world.mounted(root => {
      const siblings = (name: string) => siblingsOf(openHostFilesystem(root), `/${name}`);
      expect(siblings('logged.db').first('-wal', 2)).toEqual(Uint8Array.of(7, 7));
      expect(siblings('whole.db').first('-wal', 2)).toEqual(Uint8Array.of());
      expect(siblings('torn.db').first('-wal', 2)).toBeNull();
    });
  });
});
