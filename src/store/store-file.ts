// Opens, creates and upgrades the file of a store. A file that is refused is left as it is.

import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { errorCode, UsageError } from '../errors.ts';
import { Connection } from './connection.ts';
import { createTables, MIGRATIONS, migrate } from './schema.ts';
import { guarded, storeFailure } from './store-failure.ts';
import { checkHeader, checkIdentity } from './store-header.ts';
import { lockedStore, lockForWriting } from './writer-lock.ts';

export const IN_MEMORY = ':memory:';

/** How long another program's lock is waited for. */
const BUSY_MS = 2000;
const CACHE_KIB = 48 * 1024;
const READER_CACHE_KIB = 8 * 1024;
const LOG_LIMIT_BYTES = 64 * 1024 * 1024;
/** SQLite's default. */
const PAGE_BYTES = 4096;

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
  try {
    const connection = openReadable(file, file);
    return { connection, close: () => connection.close() };
  } catch (error) {
    if (!needsWritableDirectory(error)) throw error;
    return openCopy(file);
  }
}

/** Even a reader keeps SQLite's log and shared memory beside the file, which a read-only medium refuses. */
function needsWritableDirectory(error: unknown): boolean {
  const code = error instanceof UsageError ? errorCode(error.cause) : null;
  return code !== null && /^SQLITE_(CANTOPEN|READONLY)/.test(code);
}

/** Reads a copy in the directory for temporary files. */
function openCopy(file: string): StoreFile {
  const directory = guarded(file, () => mkdtempSync(path.join(tmpdir(), 'lostwrite-')));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  try {
    const copy = path.join(directory, 'store.db');
    guarded(file, () => {
      copyFileSync(file, copy);
      if (existsSync(`${file}-wal`)) copyFileSync(`${file}-wal`, `${copy}-wal`);
    });
    const connection = openReadable(file, copy);
    return { connection, close: () => closeAll([() => connection.close(), remove]) };
  } catch (error) {
    remove();
    throw error;
  }
}

function openReadable(file: string, place: string): Connection {
  const connection = connect(file, place, { readonly: true, fileMustExist: true, timeout: BUSY_MS });
  return closingOnFailure(connection, () => {
    connection.pragma(`cache_size = -${READER_CACHE_KIB}`);
    const version = verify(connection);
    if (version < MIGRATIONS.length) {
      throw new UsageError(`store ${file} has version ${version}: a command that writes it must upgrade it first`);
    }
    return connection;
  });
}

/** A store that is written; created when there is none. UsageError when it cannot be. */
export function openForWrite(given: string): StoreFile {
  const file = realPath(given);
  if (written.has(file)) throw lockedStore(file);
  if (checkHeader(file) !== 'absent') guarded(file, () => accessSync(file, constants.W_OK));
  const unlock = lockForWriting(file);
  try {
    if (checkHeader(file) !== 'store') create(file);
    const connection = openExisting(file);
    written.add(file);
    const forget = (): void => void written.delete(file);
    return { connection, close: () => closeAll([() => connection.close(), forget, unlock]) };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** Does all of them, even if one fails. */
function closeAll([first, ...rest]: readonly (() => void)[]): void {
  try {
    first?.();
  } finally {
    if (rest.length > 0) closeAll(rest);
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

/** Opens `place`; what goes wrong is told of `file`. */
function connect(file: string, place: string, options: Database.Options): Connection {
  const database = guarded(file, () => new Database(place, options));
  const connection = new Connection(file, database);
  return closingOnFailure(connection, () => {
    connection.pragma('trusted_schema = OFF');
    connection.pragma('cell_size_check = ON');
    return connection;
  });
}

function openExisting(file: string): Connection {
  const connection = connect(file, file, { fileMustExist: true, timeout: BUSY_MS });
  return closingOnFailure(connection, () => {
    const version = verify(connection);
    connection.pragma(`cache_size = -${CACHE_KIB}`);
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = NORMAL');
    // Each checkpoint waits for the disk twice: at SQLite's own 4 MiB a million entries would wait fifty times.
    connection.pragma(`wal_autocheckpoint = ${LOG_LIMIT_BYTES / PAGE_BYTES}`);
    connection.pragma(`journal_size_limit = ${LOG_LIMIT_BYTES}`);
    if (version < MIGRATIONS.length) migrate(connection, version);
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
  const connection = connect(file, made, { timeout: BUSY_MS });
  try {
    createTables(connection);
    connection.pragma('journal_mode = WAL');
  } finally {
    connection.close();
  }
  guarded(file, () => {
    // A log that an earlier file of this name left behind would be taken for the new one's.
    for (const left of ['-wal', '-shm']) rmSync(file + left, { force: true });
    renameSync(made, file);
  });
}

function closingOnFailure<T>(connection: Connection, action: () => T): T {
  try {
    return action();
  } catch (error) {
    connection.close();
    throw error;
  }
}
