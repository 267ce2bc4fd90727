// One program writes a store at a time: it holds a lock on FILE-lock as long as it has the store open. (SQLite's own
// lock is only held while something is written, and who opens a store to write removes what killed writers left.)

import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { errorCode, UsageError } from '../errors.ts';
import { guarded, storeFailure } from './store-failure.ts';

/** How long another writer is waited for. */
const BUSY_MS = 2000;

/**
 * Takes the lock, making the directories above the store; gives back what releases it. The system releases it when the
 * process dies. UsageError when another writer has it, or when its file cannot be made.
 */
export function lockForWriting(file: string): () => void {
  const name = `${file}-lock`;
  const database = guarded(file, () => {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    makeFile(name);
    for (const needed of [path.dirname(file), name]) accessSync(needed, constants.W_OK);
    return new Database(name, { timeout: BUSY_MS });
  });
  try {
    database.pragma('journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw errorCode(error) === 'SQLITE_BUSY' ? lockedStore(file) : storeFailure(file, error);
  }
  return () => void database.close();
}

export function lockedStore(file: string): UsageError {
  return new UsageError(`store ${file} is locked: another lostwrite is writing it`);
}

/** An empty file that only its owner reads; one that is there is not opened, for closing it would release its locks. */
function makeFile(name: string): void {
  try {
    closeSync(openSync(name, 'wx', 0o600));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}
