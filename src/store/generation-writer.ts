// Writes one generation, record by record in key order. What the nearest generations in time have too is shared with
// them. Nobody sees the generation before it is finished; what a killed writer leaves is removed at the next opening.

import type { BlockMap } from '../digest/block-map.ts';
import type { Nanoseconds } from '../model.ts';
import type { BaselineRecord } from './baseline-record.ts';
import { digestAtEnd, keyOfPath, packRecord } from './baseline-record.ts';
import type { BlockMaps } from './block-maps.ts';
import type { Connection } from './connection.ts';
import type { Contents } from './contents.ts';
import type { Entries } from './entries.ts';
import type { Attributes } from './generation.ts';
import type { Neighbour } from './neighbour.ts';
import { Packer } from './packing.ts';
import type { Segments } from './segments.ts';
import { SEGMENT_ENTRIES, segmentCrc } from './segments.ts';

/** A segment ends early when its new records or their block lists have grown to this: it bounds memory. */
const PENDING_BYTES = 4 * 1024 * 1024;
/** What an entry's row costs beside its record. */
const ENTRY_OVERHEAD_BYTES = 16;

/** What a writer works with. */
export interface GenerationParts {
  readonly baseline: string;
  readonly atNs: Nanoseconds;
  readonly connection: Connection;
  readonly segments: Segments;
  readonly entries: Entries;
  readonly contents: Contents;
  readonly maps: BlockMaps;
  /** Generations whose map of a volume may be shared. */
  readonly mapNeighbours: (volume: number) => readonly number[];
  /** Those whose entries may be shared. */
  readonly neighbours: readonly Neighbour[];
  /** Marks the generation as finished, within a write. */
  readonly finish: (counts: GenerationCounts, attributes: Attributes) => void;
  /** Removes the generation. */
  readonly remove: () => void;
}

export interface GenerationCounts {
  entries: number;
  files: number;
  bytes: number;
  segments: number;
  blockMaps: number;
}

interface NewEntry {
  readonly id: number;
  /** Where its record stands among the packed ones. */
  readonly start: number;
  readonly end: number;
  readonly longBlocks: Buffer | null;
}

export class GenerationWriter {
  readonly id: number;
  readonly #parts: GenerationParts;
  readonly #counts: GenerationCounts = { entries: 0, files: 0, bytes: 0, segments: 0, blockMaps: 0 };
  readonly #packed = new Packer();
  #volume = 0;
  #firstKey = '';
  #lastKey: string | null = null;
  #ids: number[] = [];
  #crc: number | null = null;
  #pending: NewEntry[] = [];
  /** How much of `#packed` belongs to pending entries; the rest is scratch. */
  #packedBytes = 0;
  #longBytes = 0;
  #isOpen = true;
  #mapsUnderWay = 0;

  constructor(id: number, parts: GenerationParts) {
    this.id = id;
    this.#parts = parts;
  }

  /** Adds a record. They come by volume, then path key. RangeError otherwise, or for a record that cannot be. */
  add(record: BaselineRecord, volume = 0): void {
    this.#assertOpen();
    const key = keyOfPath(record.path);
    this.#advance(volume, key);
    const start = this.#packedBytes;
    this.#packed.truncate(start);
    const longBlocks = packRecord(this.#packed, key, record);
    this.#append(key, this.#packed.view(start), longBlocks);
    this.#count(record);
    if (this.#ids.length >= SEGMENT_ENTRIES || this.#packedBytes + this.#longBytes >= PENDING_BYTES) this.#flush();
  }

  /**
   * Keeps the block map of a volume, some pieces at each step of the iteration: it must be iterated to its end before the
   * generation is finished.
   */
  *keepBlockMap(volume: number, map: BlockMap): IterableIterator<void> {
    this.#assertOpen();
    this.#mapsUnderWay++;
    const { maps, mapNeighbours } = this.#parts;
    yield* maps.keep({ generation: this.id, volume }, map, mapNeighbours(volume));
    this.#mapsUnderWay--;
    this.#counts.blockMaps++;
  }

  /** Makes the generation visible and durable. `more` is added to its attributes. */
  finish(more: Attributes = {}): void {
    this.#assertOpen();
    if (this.#mapsUnderWay > 0) throw new Error(`a block map of generation ${this.id} is not whole`);
    this.#flush();
    this.#parts.connection.write(0, () => this.#parts.finish(this.#counts, more));
    this.#parts.connection.checkpoint();
    this.#isOpen = false;
  }

  /** Removes what was written. Does nothing after finish or abort; after a failed write the next opening does it. */
  abort(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (!this.#parts.connection.hasFailed) this.#parts.remove();
  }

  get baseline(): string {
    return this.#parts.baseline;
  }

  get atNs(): Nanoseconds {
    return this.#parts.atNs;
  }

  /** Still writing: nothing that it may share with may be dropped. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new Error(`generation ${this.id} is no longer written`);
  }

  #advance(volume: number, key: string): void {
    const inOrder = this.#lastKey === null || volume > this.#volume || (volume === this.#volume && key > this.#lastKey);
    if (!inOrder || !Number.isSafeInteger(volume) || volume < 0) {
      throw new RangeError(`path key ${JSON.stringify(key)} of volume ${volume} comes out of order`);
    }
    if (volume !== this.#volume) this.#flush();
    this.#volume = volume;
    this.#lastKey = key;
    if (this.#ids.length === 0) this.#firstKey = key;
  }

  #append(key: string, packed: Buffer, longBlocks: Buffer | null): void {
    this.#crc = segmentCrc(this.#volume, packed, this.#crc);
    const shared = this.#sharedId(key, packed);
    const id = shared ?? this.#parts.entries.takeId();
    this.#ids.push(id);
    if (shared !== null) return;
    const start = this.#packedBytes;
    this.#packedBytes = this.#packed.length;
    this.#longBytes += longBlocks?.length ?? 0;
    this.#pending.push({ id, start, end: this.#packedBytes, longBlocks });
  }

  #sharedId(key: string, packed: Buffer): number | null {
    for (const neighbour of this.#parts.neighbours) {
      const entry = neighbour.seek(this.#volume, key);
      if (entry?.packed.equals(packed)) return entry.id;
    }
    return null;
  }

  #count(record: BaselineRecord): void {
    this.#counts.entries += 1;
    if (record.stat.type !== 'file') return;
    this.#counts.files += 1;
    this.#counts.bytes = Math.min(this.#counts.bytes + record.stat.sizeBytes, Number.MAX_SAFE_INTEGER);
  }

  /** New entries and their segment are written together: no commit can part them. */
  #flush(): void {
    if (this.#ids.length === 0) return;
    const { connection, segments } = this.#parts;
    const sizeBytes = this.#packedBytes + this.#longBytes + this.#pending.length * ENTRY_OVERHEAD_BYTES;
    const position = this.#counts.segments;
    connection.write(sizeBytes, () => {
      for (const entry of this.#pending) this.#insert(entry);
      const start = { volume: this.#volume, key: this.#firstKey };
      segments.insert(this.id, position, start, this.#crc ?? 0, this.#ids);
    });
    this.#counts.segments += 1;
    this.#startSegment();
  }

  #insert(entry: NewEntry): void {
    const packed = this.#packed.view(entry.start, entry.end);
    const { entries, contents } = this.#parts;
    const content = entry.longBlocks === null ? null : contents.idOf(digestAtEnd(packed), entry.longBlocks);
    entries.insert(entry.id, content, packed);
  }

  #startSegment(): void {
    this.#packed.clear();
    this.#packedBytes = 0;
    this.#longBytes = 0;
    this.#pending = [];
    this.#ids = [];
    this.#crc = null;
  }
}
