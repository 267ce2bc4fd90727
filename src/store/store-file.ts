// Opens, creates and upgrades the file of a store. One program writes at a time: it holds a lock on FILE-lock as long
// as it has the store open (SQLite's own lock is only held while something is written).

import { closeSync, existsSync, mkdirSync, openSync, realpathSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { errorCode, UsageError } from '../errors.ts';
import { Connection } from './connection.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';
import { guarded, storeFailure } from './store-failure.ts';
import { checkHeader, checkIdentity } from './store-header.ts';

export const IN_MEMORY = ':memory:';

/** How long another program's lock is waited for. */
const BUSY_MS = 2000;
const CACHE_KIB = 48 * 1024;
const READER_CACHE_KIB = 8 * 1024;
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;

/** An open file, and what gives it back. */
export interface StoreFile {
  readonly connection: Connection;
  close(): void;
}

/** Stores that this thread writes: a second descriptor of such a file, closed, would lose SQLite's locks on it. */
const written = new Set<string>();

/** A store in memory, gone when it is closed. */
export function openInMemory(): StoreFile {
  const connection = new Connection(IN_MEMORY, new Database(IN_MEMORY));
  createTables(connection);
  connection.pragma(`cache_size = -${CACHE_KIB}`);
  return { connection, close: () => connection.close() };
}

/** A store that is only read, also while another program writes it. UsageError when it cannot be. */
export function openForRead(given: string): StoreFile {
  const file = realPath(given);
  // Worker threads share the locks of the main thread's descriptors, and open only what that has opened.
  if (isMainThread && !written.has(file)) checkPresent(file);
  const connection = connect(file, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
  return closingOnFailure(connection, () => {
    connection.pragma(`cache_size = -${READER_CACHE_KIB}`);
    const version = verify(connection);
    if (version < MIGRATIONS.length) {
      throw new UsageError(`store ${file} has version ${version}: a command that writes it must upgrade it first`);
    }
    return { connection, close: () => connection.close() };
  });
}

/** A store that is written; created when there is none. UsageError when it cannot be. */
export function openForWrite(given: string): StoreFile {
  const file = realPath(given);
  if (written.has(file)) throw lockedStore(file);
  checkHeader(file);
  const unlock = lock(file);
  try {
    if (checkHeader(file) !== 'store') create(file);
    const connection = openExisting(file);
    written.add(file);
    return { connection, close: () => closeWritten(file, connection, unlock) };
  } catch (error) {
    unlock();
    throw error;
  }
}

function closeWritten(file: string, connection: Connection, unlock: () => void): void {
  try {
    connection.close();
  } finally {
    written.delete(file);
    unlock();
  }
}

function checkPresent(file: string): void {
  const state = checkHeader(file);
  if (state === 'absent') throw new UsageError(`store ${file} does not exist`);
  if (state === 'empty') throw new UsageError(`store ${file} is empty`);
}

/** The file behind symbolic links; the path itself when there is nothing yet. */
function realPath(given: string): string {
  const absolute = path.resolve(given);
  try {
    return realpathSync(absolute);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return absolute;
    throw storeFailure(absolute, error);
  }
}

function connect(file: string, options: Database.Options): Connection {
  const connection = new Connection(
    file,
    guarded(file, () => new Database(file, options)),
  );
  return closingOnFailure(connection, () => {
    connection.pragma('trusted_schema = OFF');
    connection.pragma('cell_size_check = ON');
    return connection;
  });
}

function openExisting(file: string): Connection {
  const connection = connect(file, { fileMustExist: true, timeout: BUSY_MS });
  return closingOnFailure(connection, () => {
    const version = verify(connection);
    connection.pragma(`cache_size = -${CACHE_KIB}`);
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = NORMAL');
    connection.pragma(`journal_size_limit = ${LOG_LIMIT_BYTES}`);
    if (version < MIGRATIONS.length) connection.transaction(() => migrate(connection, version));
    return connection;
  });
}

/** The version of a store whose identity and tables are in order; the log may be newer than the header. */
function verify(connection: Connection): number {
  const version = Number(connection.pragma('user_version'));
  checkIdentity(connection.path, Number(connection.pragma('application_id')), version);
  return version;
}

/** Made beside its place and renamed into it, so that a store is whole or not there. The lock must be held. */
function create(file: string): void {
  const made = `${file}-new`;
  guarded(file, () => {
    rmSync(made, { force: true });
    rmSync(`${made}-journal`, { force: true });
    closeSync(openSync(made, 'wx', 0o600));
  });
  const connection = connect(made, { timeout: BUSY_MS });
  try {
    createTables(connection);
    connection.pragma('journal_mode = WAL');
  } finally {
    connection.close();
  }
  guarded(file, () => renameSync(made, file));
}

function createTables(connection: Connection): void {
  connection.pragma('auto_vacuum = INCREMENTAL');
  connection.transaction(() => {
    connection.pragma(`application_id = ${APPLICATION_ID}`);
    migrate(connection, 0);
  });
}

/** Runs the migrations that a store of `version` lacks. Call it within a transaction. */
function migrate(connection: Connection, version: number): void {
  for (const migration of MIGRATIONS.slice(version)) connection.execute(migration);
  connection.pragma(`user_version = ${MIGRATIONS.length}`);
}

/** Takes the writer's lock, which the system gives back when the process dies. UsageError when it is taken. */
function lock(file: string): () => void {
  const name = `${file}-lock`;
  guarded(file, () => {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    if (!existsSync(name)) closeSync(openSync(name, 'a', 0o600));
  });
  const database = guarded(file, () => new Database(name, { timeout: BUSY_MS }));
  try {
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (errorCode(error) === 'SQLITE_BUSY') throw lockedStore(file);
    throw storeFailure(name, error);
  }
  return () => void database.close();
}

function lockedStore(file: string): UsageError {
  return new UsageError(`store ${file} is locked: another lostwrite is writing it`);
}

function closingOnFailure<T>(connection: Connection, action: () => T): T {
  try {
    return action();
  } catch (error) {
    connection.close();
    throw error;
  }
}
