// What is in a generation: all records in key order, a segment in memory at a time, or one of them by its path.
// Several generations can be read in step, and while another is written.

import { DamageError, UsageError } from '../errors.ts';
import type { BytePath } from '../model.ts';
import type { BaselineRecord } from './baseline-record.ts';
import { keyOfPath, packedKey, unpackPathAndBlocks, unpackRecord } from './baseline-record.ts';
import { MOST_BLOCKS, unpackBlockList } from './block-list.ts';
import type { Contents } from './contents.ts';
import type { StoredEntry } from './entries.ts';
import type { Generation, GenerationTable } from './generation.ts';
import type { Segment, Segments } from './segments.ts';
import { damagedStore } from './store-failure.ts';

export class GenerationReader {
  readonly #path: string;
  readonly #generations: GenerationTable;
  readonly #segments: Segments;
  readonly #contents: Contents;

  constructor(path: string, generations: GenerationTable, segments: Segments, contents: Contents) {
    this.#path = path;
    this.#generations = generations;
    this.#segments = segments;
    this.#contents = contents;
  }

  /** The records of one volume, ascending by path key. UsageError when there is no such generation, or for damage. */
  *records(generationId: number, volume: number): IterableIterator<BaselineRecord> {
    for (const entry of this.entries(generationId, volume)) yield this.record(entry);
  }

  /** The entries of one volume, ascending by path key. UsageError as `records`. */
  *entries(generationId: number, volume: number): IterableIterator<StoredEntry> {
    const { segments } = this.#generation(generationId);
    const before = this.#segments.find(generationId, segments, volume, '');
    for (let position = Math.max(before, 0); position < segments; position++) {
      const segment = this.#read(generationId, position);
      if (segment.volume > volume) return;
      if (segment.volume === volume) yield* segment.entries;
    }
  }

  /** The segments of all volumes. UsageError as `records`. */
  *allSegments(generationId: number): IterableIterator<Segment> {
    const { segments } = this.#generation(generationId);
    for (let position = 0; position < segments; position++) yield this.#read(generationId, position);
  }

  /** The record of one path, or null. UsageError as `records`. */
  find(generationId: number, path: BytePath, volume: number): BaselineRecord | null {
    const { segments } = this.#generation(generationId);
    const key = keyOfPath(path);
    const position = this.#segments.find(generationId, segments, volume, key);
    if (position < 0) return null;
    const segment = this.#read(generationId, position);
    if (segment.volume !== volume) return null;
    const entry = segment.entries.find(candidate => packedKey(candidate.packed) === key);
    return entry === undefined ? null : this.record(entry);
  }

  /** Where something cannot be read because the generation was dropped meanwhile, that is what is said. */
  ofGeneration<T>(generationId: number, read: () => T): T {
    try {
      return read();
    } catch (error) {
      this.#generation(generationId);
      throw error;
    }
  }

  /** An entry's record. UsageError for damage. */
  record(entry: StoredEntry): BaselineRecord {
    return this.#checked(entry, () =>
      unpackRecord(entry.packed, sha256 =>
        this.#checked(entry, () => unpackBlockList(this.#longBlocks(entry, sha256), MOST_BLOCKS)),
      ),
    );
  }

  /** An entry's path and coded block list (null when it has no content). UsageError for damage. */
  pathAndBlocks(entry: StoredEntry): { readonly path: BytePath; readonly coded: Buffer | null } {
    return this.#checked(entry, () => unpackPathAndBlocks(entry.packed, sha256 => this.#longBlocks(entry, sha256)));
  }

  #longBlocks(entry: StoredEntry, sha256: string): Buffer {
    if (entry.content === null) throw damagedStore(this.#path, `entry ${entry.id} has lost its block list`);
    return this.#contents.coded(entry.content, sha256);
  }

  #checked<T>(entry: StoredEntry, unpack: () => T): T {
    try {
      return unpack();
    } catch (error) {
      if (!(error instanceof DamageError)) throw error;
      throw damagedStore(this.#path, `entry ${entry.id}: ${error.message}`);
    }
  }

  #generation(id: number): Generation {
    const generation = this.#generations.byId(id);
    if (generation === null) throw new UsageError(`store ${this.#path} holds no generation ${id}`);
    return generation;
  }

  #read(generationId: number, position: number): Segment {
    return this.ofGeneration(generationId, () => this.#segments.read(generationId, position));
  }
}
