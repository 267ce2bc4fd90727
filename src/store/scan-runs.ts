// What a scan has done so far, so that a killed one resumes: numbered blobs by kind, and attributes, of a run that is
// keyed by all that decides its results. Knows nothing of what the blobs hold.

import { crc32 } from 'node:zlib';
import type { Connection, Statement } from './connection.ts';
import { damagedStore } from './store-failure.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Nobody resumes a scan later than that; its target has changed since. */
const KEPT_MS = 7 * DAY_MS;
/** How often a run that is written to says that it is alive. */
const TOUCH_MS = 60 * 1000;
/** Rows read at a time, and the bytes of blobs after which a page ends early. */
const PAGE_ROWS = 1000;
const PAGE_BYTES = 1024 * 1024;

/** A scan's records; see Run's methods. */
export class ScanRuns {
  readonly #connection: Connection;
  readonly #statements: RunStatements;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#statements = prepareStatements(connection);
  }

  /** The run of this key; a new one when there is none. */
  open(key: string): { readonly run: Run; readonly resumed: boolean } {
    const found = this.#statements.byKey.get(key);
    const id = found?.[0] ?? this.#create(key);
    return { run: new Run(id, this.#connection, this.#statements), resumed: found !== undefined };
  }

  /** Removes the runs that nobody has written to for long. */
  dropOld(nowMs: number): void {
    const old = this.#statements.old.all(nowMs - KEPT_MS);
    if (old.length === 0) return;
    for (const [id] of old) new Run(id, this.#connection, this.#statements).drop();
  }

  #create(key: string): number {
    const id = this.#connection.write(key.length, () => this.#statements.create.get(key, Date.now()));
    if (id === undefined) throw new Error('INSERT RETURNING gave no row');
    return id[0];
  }
}

/** One scan's records. Writes are kept within about half a second; `flush` keeps them at once. */
export class Run {
  readonly #id: number;
  readonly #connection: Connection;
  readonly #statements: RunStatements;
  #touchedMs = 0;

  constructor(id: number, connection: Connection, statements: RunStatements) {
    this.#id = id;
    this.#connection = connection;
    this.#statements = statements;
  }

  /** Keeps a blob; one of the same kind and number is replaced. */
  putBlob(kind: string, number: number, bytes: Uint8Array): void {
    if (!Number.isSafeInteger(number)) throw new RangeError(`blob number ${number}`);
    this.#write(bytes.length, () => this.#statements.putBlob.run(this.#id, kind, number, crc32(bytes), bytes));
  }

  /** A blob, or null. UsageError when its checksum is wrong. */
  blob(kind: string, number: number): Uint8Array | null {
    const row = this.#statements.blob.get(this.#id, kind, number);
    return row === undefined ? null : this.#checked(kind, row);
  }

  /** The numbers of all blobs of a kind, ascending. */
  *numbers(kind: string): IterableIterator<number> {
    for (let after = Number.MIN_SAFE_INTEGER; ; ) {
      const rows = this.#statements.numbers.all(this.#id, kind, after, PAGE_ROWS);
      for (const [number] of rows) yield number;
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return;
      after = last[0];
    }
  }

  /** All blobs of a kind, ascending by number. UsageError as `blob`. */
  *blobs(kind: string): IterableIterator<[number: number, bytes: Uint8Array]> {
    let after = Number.MIN_SAFE_INTEGER;
    let pageRows = 1;
    for (;;) {
      const rows = this.#statements.blobs.all(this.#id, kind, after, pageRows);
      let pageBytes = 0;
      for (const row of rows) {
        pageBytes += row[2].length;
        after = row[0];
        yield [row[0], this.#checked(kind, row)];
      }
      if (rows.length < pageRows) return;
      pageRows = Math.min(PAGE_ROWS, Math.max(1, Math.floor((PAGE_BYTES * rows.length) / (pageBytes + 1))));
    }
  }

  setAttribute(name: string, value: string): void {
    this.#write(value.length, () => this.#statements.setAttribute.run(this.#id, name, value));
  }

  /** An attribute, or null. */
  attribute(name: string): string | null {
    return this.#statements.attribute.get(this.#id, name)?.[0] ?? null;
  }

  /** What `change` puts is kept whole or not at all: a kill does not part it. */
  together(change: () => void): void {
    this.#connection.write(0, change);
  }

  /** Commits what was put. */
  flush(): void {
    this.#connection.commit();
  }

  /** Removes the run and all that it holds. */
  drop(): void {
    this.#connection.transaction(() => {
      for (const remove of this.#statements.remove) remove.run(this.#id);
    });
    this.#connection.shrink();
  }

  #write(sizeBytes: number, change: () => void): void {
    const nowMs = Date.now();
    this.#connection.write(sizeBytes, () => {
      if (nowMs - this.#touchedMs > TOUCH_MS) {
        this.#statements.touch.run(nowMs, this.#id);
        this.#touchedMs = nowMs;
      }
      change();
    });
  }

  #checked(kind: string, [number, crc, bytes]: BlobRow): Uint8Array {
    if (crc32(bytes) === crc) return bytes;
    throw damagedStore(this.#connection.path, `blob ${number} (${kind}) of a scan run fails its checksum`);
  }
}

type BlobRow = [number: number, crc: number, bytes: Buffer];

interface RunStatements {
  readonly byKey: Statement<[id: number]>;
  readonly old: Statement<[id: number]>;
  readonly create: Statement<[id: number]>;
  readonly touch: Statement<[]>;
  readonly putBlob: Statement<[]>;
  readonly blob: Statement<BlobRow>;
  readonly blobs: Statement<BlobRow>;
  readonly numbers: Statement<[number: number]>;
  readonly setAttribute: Statement<[]>;
  readonly attribute: Statement<[value: string]>;
  readonly remove: readonly Statement<[]>[];
}

function prepareStatements(connection: Connection): RunStatements {
  const ofKind = 'FROM run_blob WHERE run = ? AND kind = ?';
  return {
    byKey: connection.prepare('SELECT id FROM run WHERE key = ?'),
    old: connection.prepare('SELECT id FROM run WHERE used_ms < ?'),
    create: connection.prepare('INSERT INTO run (key, used_ms) VALUES (?, ?) RETURNING id'),
    touch: connection.prepare('UPDATE run SET used_ms = ? WHERE id = ?'),
    putBlob: connection.prepare('REPLACE INTO run_blob (run, kind, number, crc, bytes) VALUES (?, ?, ?, ?, ?)'),
    blob: connection.prepare(`SELECT number, crc, bytes ${ofKind} AND number = ?`),
    blobs: connection.prepare(`SELECT number, crc, bytes ${ofKind} AND number > ? ORDER BY number LIMIT ?`),
    numbers: connection.prepare(`SELECT number ${ofKind} AND number > ? ORDER BY number LIMIT ?`),
    setAttribute: connection.prepare('REPLACE INTO run_attribute (run, name, value) VALUES (?, ?, ?)'),
    attribute: connection.prepare('SELECT value FROM run_attribute WHERE run = ? AND name = ?'),
    remove: [
      connection.prepare('DELETE FROM run_blob WHERE run = ?'),
      connection.prepare('DELETE FROM run_attribute WHERE run = ?'),
      connection.prepare('DELETE FROM run WHERE id = ?'),
    ],
  };
}
