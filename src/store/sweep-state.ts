// What of a sweep is done, in an SQLite file beside the reports: one row a target, committed at once. A sweep that was killed
// asks it what is left. Knows nothing of what the results hold.

import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { UsageError } from '../errors.ts';
import { Connection, type Statement } from './connection.ts';
import { guarded } from './store-failure.ts';
import { lockForWriting } from './writer-lock.ts';

/** "LWSW" */
const APPLICATION_ID = 0x4c575357;
const VERSION = 1;

const TABLES = `
CREATE TABLE target (
  name TEXT PRIMARY KEY,
  key TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  result TEXT
) WITHOUT ROWID;
CREATE TABLE sweep (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  ended INTEGER NOT NULL
);
INSERT INTO sweep VALUES (1, 0);
`;

export interface KnownTarget {
  /** All that decides a scan's result; another key is another scan. */
  readonly key: string;
  /** How often a scan of it was begun and failed, or ended. */
  readonly attempts: number;
  /** Null: it failed, and may be tried again. */
  readonly result: string | null;
}

export class SweepState {
  readonly #connection: Connection;
  readonly #unlock: () => void;
  readonly #find: Statement<[key: string, attempts: number, result: string | null]>;
  readonly #put: Statement<[]>;
  readonly #ended: Statement<[ended: number]>;
  readonly #setEnded: Statement<[]>;

  /** UsageError when the file is locked, damaged, or none of ours. */
  constructor(file: string) {
    this.#unlock = lockForWriting(file);
    try {
      this.#connection = openState(file);
    } catch (error) {
      this.#unlock();
      throw error;
    }
    this.#find = this.#connection.prepare('SELECT key, attempts, result FROM target WHERE name = ?');
    this.#put = this.#connection.prepare(
      'INSERT OR REPLACE INTO target (name, key, attempts, result) VALUES (?, ?, ?, ?)',
    );
    this.#ended = this.#connection.prepare('SELECT ended FROM sweep');
    this.#setEnded = this.#connection.prepare('UPDATE sweep SET ended = ?');
  }

  /** Whether the last sweep came to its end. */
  get hasEnded(): boolean {
    return this.#ended.get()?.[0] === 1;
  }

  setEnded(ended: boolean): void {
    this.#connection.transaction(() => this.#setEnded.run(ended ? 1 : 0));
  }

  /** What is known of a target; null when nothing is, or only of another state of it. */
  of(name: string, key: string): KnownTarget | null {
    const row = this.#find.get(name);
    if (row === undefined || row[0] !== key) return null;
    return { key, attempts: row[1], result: row[2] };
  }

  /** Durable when it returns. */
  put(name: string, known: KnownTarget): void {
    this.#connection.transaction(() => this.#put.run(name, known.key, known.attempts, known.result));
  }

  close(): void {
    try {
      this.#connection.close();
    } finally {
      this.#unlock();
    }
  }
}

function openState(file: string): Connection {
  const isNew = !existsSync(file);
  const connection = new Connection(
    file,
    guarded(file, () => new Database(file, { timeout: 2000 })),
  );
  try {
    const id = connection.pragma('application_id');
    const version = connection.pragma('user_version');
    // A kill between the file and its tables leaves an empty one.
    if (isNew || (id === 0 && version === 0)) return createTables(connection);
    if (id !== APPLICATION_ID || version !== VERSION)
      throw new UsageError(`${file} is no state of a sweep that this version reads: name another folder with --out`);
    return durable(connection);
  } catch (error) {
    connection.close();
    if (isNew) rmSync(file, { force: true });
    throw error;
  }
}

function createTables(connection: Connection): Connection {
  durable(connection).transaction(() => {
    connection.execute(TABLES);
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    connection.pragma(`user_version = ${VERSION}`);
  });
  return connection;
}

function durable(connection: Connection): Connection {
  connection.pragma('journal_mode = WAL');
  connection.pragma('synchronous = FULL');
  return connection;
}
