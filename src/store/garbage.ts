// Drops generations, and what nothing else uses: entries that no generation of their baseline lists any more (entries
// are shared within a baseline only), the contents that only they named, and pieces of block maps likewise.

import type { BlockMaps } from './block-maps.ts';
import type { Connection, Statement } from './connection.ts';
import type { Contents } from './contents.ts';
import type { Entries } from './entries.ts';
import type { Segments } from './segments.ts';

const BITS = 8;

/** What generations are made of. */
interface Rows {
  readonly segments: Segments;
  readonly entries: Entries;
  readonly contents: Contents;
  readonly maps: BlockMaps;
}

export class Garbage {
  readonly #connection: Connection;
  readonly #segments: Segments;
  readonly #entries: Entries;
  readonly #contents: Contents;
  readonly #maps: BlockMaps;
  readonly #baselineOf: Statement<[baseline: number]>;
  readonly #siblings: Statement<[id: number]>;
  readonly #unfinished: Statement<[id: number]>;
  readonly #remove: Statement<[]>;
  readonly #removeBaseline: Statement<[]>;

  constructor(connection: Connection, { segments, entries, contents, maps }: Rows) {
    this.#connection = connection;
    this.#segments = segments;
    this.#entries = entries;
    this.#contents = contents;
    this.#maps = maps;
    this.#baselineOf = connection.prepare('SELECT baseline FROM generation WHERE id = ?');
    this.#siblings = connection.prepare('SELECT id FROM generation WHERE baseline = ?');
    this.#unfinished = connection.prepare('SELECT id FROM generation WHERE finished = 0');
    this.#remove = connection.prepare('DELETE FROM generation WHERE id = ?');
    this.#removeBaseline = connection.prepare(
      'DELETE FROM baseline WHERE id = ? AND NOT EXISTS (SELECT 1 FROM generation WHERE baseline = baseline.id)',
    );
  }

  /** Drops generations of one baseline, all or none of them; a baseline without generations goes too. */
  drop(generationIds: readonly number[]): void {
    const [first] = generationIds;
    if (first === undefined) return;
    this.#connection.transaction(() => {
      const baseline = this.#baselineOf.get(first);
      if (baseline === undefined) return;
      const kept = this.#siblings.all(baseline[0]).flatMap(([id]) => (generationIds.includes(id) ? [] : [id]));
      this.#removeEntries(generationIds, kept);
      this.#maps.remove(generationIds, kept);
      for (const id of generationIds) {
        this.#segments.remove(id);
        this.#remove.run(id);
      }
      this.#removeBaseline.run(baseline[0]);
    });
    this.#connection.shrink();
  }

  /** Drops what killed writers left. */
  dropUnfinished(): void {
    for (const [id] of this.#unfinished.all()) this.drop([id]);
  }

  #removeEntries(dropped: readonly number[], kept: readonly number[]): void {
    const unused = new NumberSet(this.#bounds(dropped));
    for (const generation of dropped) for (const ids of this.#segments.ids(generation)) unused.add(ids);
    for (const generation of kept) for (const ids of this.#segments.ids(generation)) unused.remove(ids);
    const contents = new Set<number>();
    for (const [first, last] of unused.ranges()) this.#entries.remove(first, last, contents);
    this.#contents.removeUnused(contents);
  }

  #bounds(generations: readonly number[]): Bounds {
    const bounds = { first: Number.MAX_SAFE_INTEGER, last: 0 };
    for (const generation of generations) {
      for (const ids of this.#segments.ids(generation)) {
        bounds.first = Math.min(bounds.first, ...ids);
        bounds.last = Math.max(bounds.last, ...ids);
      }
    }
    return bounds;
  }
}

interface Bounds {
  readonly first: number;
  readonly last: number;
}

/** Whole numbers between two bounds, a bit each. */
class NumberSet {
  readonly #bounds: Bounds;
  readonly #bits: Uint8Array;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
    this.#bits = new Uint8Array(Math.max(0, Math.ceil((bounds.last - bounds.first + 1) / BITS)));
  }

  add(numbers: readonly number[]): void {
    for (const number of numbers) {
      const at = number - this.#bounds.first;
      const byte = Math.floor(at / BITS);
      this.#bits[byte] = (this.#bits[byte] ?? 0) | (1 << (at % BITS));
    }
  }

  /** Numbers outside the bounds are ignored. */
  remove(numbers: readonly number[]): void {
    for (const number of numbers) {
      const at = number - this.#bounds.first;
      const byte = Math.floor(at / BITS);
      const held = this.#bits[byte];
      if (held !== undefined) this.#bits[byte] = held & ~(1 << (at % BITS));
    }
  }

  /** Ranges of members, both ends included, ascending. */
  *ranges(): IterableIterator<[first: number, last: number]> {
    let first: number | null = null;
    const end = this.#bits.length * BITS;
    for (let at = 0; at < end; at++) {
      const isMember = ((this.#bits[Math.floor(at / BITS)] ?? 0) & (1 << (at % BITS))) !== 0;
      if (isMember && first === null) first = at;
      if (isMember || first === null) continue;
      yield [this.#bounds.first + first, this.#bounds.first + at - 1];
      first = null;
    }
    if (first !== null) yield [this.#bounds.first + first, this.#bounds.first + end - 1];
  }
}
