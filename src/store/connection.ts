// One connection to a store's file: statements whose failures are UsageErrors, and writes that commit in groups,
// so that a kill loses half a second at most and a million small writes do not cost a million commits.

import type { Database } from 'better-sqlite3';
import { UsageError } from '../errors.ts';
import { guarded, storeFailure } from './store-failure.ts';

/** A group is committed after this long, or when it has grown to so many bytes. */
const GROUP_MS = 500;
const GROUP_BYTES = 8 * 1024 * 1024;
/** What a row costs beside its bytes, for bounding a group. */
const ROW_BYTES = 64;

export type SqlValue = number | bigint | string | Uint8Array | null;

/** A prepared statement; rows are arrays of columns. */
export interface Statement<Row> {
  run(...values: SqlValue[]): void;
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
}

export class Connection {
  readonly path: string;
  readonly #database: Database;
  #timer: NodeJS.Timeout | null = null;
  #groupBytes = 0;
  /** How many writes are within one another just now. */
  #depth = 0;
  #groupStartedMs = 0;
  #failure: unknown = null;

  constructor(path: string, database: Database) {
    this.path = path;
    this.#database = database;
  }

  /** A statement; `bigints` gives integer columns as bigint. */
  prepare<Row extends readonly unknown[]>(sql: string, bigints = false): Statement<Row> {
    return guarded(this.path, () => {
      const statement = this.#database.prepare<SqlValue[], Row>(sql).safeIntegers(bigints);
      if (statement.reader) statement.raw(true);
      return {
        run: (...values) => void guarded(this.path, () => statement.run(...values)),
        get: (...values) => guarded(this.path, () => statement.get(...values)),
        all: (...values) => guarded(this.path, () => statement.all(...values)),
      };
    });
  }

  /** The value of a pragma, or of its assignment. */
  pragma(text: string): unknown {
    return guarded(this.path, () => this.#database.pragma(text, { simple: true }));
  }

  /** Runs statements that give no rows. */
  execute(sql: string): void {
    guarded(this.path, () => this.#database.exec(sql));
  }

  /**
   * Runs `change` within the present group of writes; all of it is committed, or none, also what it writes by calling
   * this again. `sizeBytes` is about what it writes itself. After a failure nothing more is written: the group is lost,
   * and every later write throws the same error.
   */
  write<T>(sizeBytes: number, change: () => T): T {
    this.#refuseAfterFailure();
    if (!this.#database.inTransaction) this.#begin();
    const result = this.#orFail(() => this.#nested(change));
    this.#groupBytes += sizeBytes + ROW_BYTES;
    const isDue = this.#groupBytes >= GROUP_BYTES || Date.now() - this.#groupStartedMs >= GROUP_MS;
    if (isDue && this.#depth === 0) this.commit();
    return result;
  }

  /** Whether a write has failed, so that no other will be tried. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Commits the group, if there is one. */
  commit(): void {
    if (this.#depth > 0) throw new Error('a write is being made that must not be parted');
    this.#refuseAfterFailure();
    this.#stopTimer();
    if (this.#database.inTransaction) this.#orFail(() => this.execute('COMMIT'));
  }

  /** Commits what is pending, then runs `change` as a transaction of its own: a failure undoes it and nothing else. */
  transaction<T>(change: () => T): T {
    this.commit();
    this.execute('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.execute('COMMIT');
      return result;
    } catch (error) {
      this.#rollback();
      throw storeFailure(this.path, error);
    }
  }

  /** Moves what was committed from the log into the file, and makes it durable. */
  checkpoint(): void {
    this.commit();
    this.pragma('wal_checkpoint(TRUNCATE)');
  }

  /** Gives pages that are no longer used back to the file system. */
  shrink(): void {
    this.commit();
    guarded(this.path, () => this.#database.pragma('incremental_vacuum'));
    this.checkpoint();
  }

  /** Commits and closes. After a failed write it only closes. */
  close(): void {
    try {
      if (this.#failure === null) this.commit();
    } finally {
      this.#stopTimer();
      guarded(this.path, () => this.#database.close());
    }
  }

  #nested<T>(change: () => T): T {
    this.#depth += 1;
    try {
      return change();
    } finally {
      this.#depth -= 1;
    }
  }

  #begin(): void {
    this.execute('BEGIN IMMEDIATE');
    this.#groupBytes = 0;
    this.#groupStartedMs = Date.now();
    this.#timer = setTimeout(() => this.#commitLate(), GROUP_MS);
    this.#timer.unref();
  }

  /** Nobody waits for this commit: its failure is kept, and thrown at the next write or at the end. */
  #commitLate(): void {
    try {
      this.commit();
    } catch (error) {
      this.#failure = error;
    }
  }

  #orFail<T>(change: () => T): T {
    try {
      return change();
    } catch (error) {
      this.#failure = storeFailure(this.path, error);
      this.#rollback();
      throw this.#failure;
    }
  }

  #rollback(): void {
    this.#stopTimer();
    if (this.#database.inTransaction) this.execute('ROLLBACK');
  }

  #refuseAfterFailure(): void {
    if (this.#failure === null) return;
    if (this.#failure instanceof UsageError) throw new UsageError(this.#failure.message, { cause: this.#failure });
    throw this.#failure;
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
