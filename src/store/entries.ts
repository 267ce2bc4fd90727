// The rows of entries: packed records by number. Numbers that follow one another are read and removed in one go.

import type { Connection, Statement } from './connection.ts';
import { damagedStore } from './store-failure.ts';

/** An entry as it is stored; `packed` is a record of baseline-record.ts. */
export interface StoredEntry {
  readonly id: number;
  /** Where its long block list is, if it has one. */
  readonly content: number | null;
  readonly packed: Buffer;
}

/** Reading so many rows that nobody asked for is cheaper than asking twice. */
const BRIDGED_GAP = 4;

type EntryRow = [id: number, content: number | null, packed: Buffer];

export class Entries {
  readonly #connection: Connection;
  readonly #range: Statement<EntryRow>;
  readonly #insert: Statement<[]>;
  readonly #contents: Statement<[number]>;
  readonly #remove: Statement<[]>;
  #nextId: number;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#range = connection.prepare('SELECT id, content, record FROM entry WHERE id BETWEEN ? AND ?');
    this.#insert = connection.prepare('INSERT INTO entry (id, content, record) VALUES (?, ?, ?)');
    this.#contents = connection.prepare(
      'SELECT DISTINCT content FROM entry WHERE id BETWEEN ? AND ? AND content IS NOT NULL',
    );
    this.#remove = connection.prepare('DELETE FROM entry WHERE id BETWEEN ? AND ?');
    const last = connection.prepare<[number]>('SELECT coalesce(max(id), 0) FROM entry').get();
    this.#nextId = (last?.[0] ?? 0) + 1;
  }

  /** A number that no entry of this store has. */
  takeId(): number {
    return this.#nextId++;
  }

  /** Call it within a write. */
  insert(id: number, content: number | null, packed: Uint8Array): void {
    this.#insert.run(id, content, packed);
  }

  /** The entries of `ids`, in that order. UsageError where one is not there. */
  read(ids: readonly number[]): StoredEntry[] {
    const rows = new Map<number, EntryRow>();
    for (const [first, last] of ranges(ids)) {
      for (const row of this.#range.all(first, last)) rows.set(row[0], row);
    }
    return ids.map(id => {
      const row = rows.get(id);
      if (row === undefined) throw damagedStore(this.#connection.path, `entry ${id} is not there`);
      return { id, content: row[1], packed: row[2] };
    });
  }

  /** Removes the entries from `first` to `last`; adds the contents that they named to `contents`. Within a write. */
  remove(first: number, last: number, contents: Set<number>): void {
    for (const [content] of this.#contents.all(first, last)) contents.add(content);
    this.#remove.run(first, last);
  }
}

/** Ranges, both ends included, that cover `ids` and little else. */
function ranges(ids: readonly number[]): [first: number, last: number][] {
  const found: [number, number][] = [];
  for (const id of Float64Array.from(ids).sort()) {
    const open = found.at(-1);
    if (open !== undefined && id - open[1] <= BRIDGED_GAP) open[1] = id;
    else found.push([id, id]);
  }
  return found;
}
