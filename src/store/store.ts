// The store: baselines with their generations, and the records of scan runs, in one SQLite file.

import type { BlockMap } from '../digest/block-map.ts';
import { errorCode, UsageError } from '../errors.ts';
import type { BytePath, Nanoseconds } from '../model.ts';
import type { BaselineRecord } from './baseline-record.ts';
import { BlockMaps, type MappedVolume } from './block-maps.ts';
import type { BlockOwner } from './block-owners.ts';
import { ownersOfBlocks } from './block-owners.ts';
import type { Connection, Statement } from './connection.ts';
import { Contents } from './contents.ts';
import { Entries } from './entries.ts';
import { Garbage } from './garbage.ts';
import type { Attributes, Baseline, Generation } from './generation.ts';
import { GenerationTable, nearest } from './generation.ts';
import { GenerationReader } from './generation-reader.ts';
import { GenerationWriter } from './generation-writer.ts';
import { MapPieces } from './map-pieces.ts';
import { Neighbour } from './neighbour.ts';
import type { Run } from './scan-runs.ts';
import { ScanRuns } from './scan-runs.ts';
import { Segments } from './segments.ts';
import { damagedStore } from './store-failure.ts';
import type { StoreFile } from './store-file.ts';
import { IN_MEMORY, openForRead, openForWrite, openInMemory } from './store-file.ts';

const SECOND_NS = 1_000_000_000n;

export interface GenerationRequest {
  readonly baseline: string;
  /** Name of the target as it was given. */
  readonly target: string;
  /** What the state stands for, whenever it is captured. */
  readonly atNs: Nanoseconds;
  readonly capturedNs: Nanoseconds;
  readonly toolVersion: string;
  readonly digestAlgorithm: 'sha256';
  readonly attributes?: Attributes;
}

/**
 * Opens a store, or `:memory:`. To write: creates what is not there, removes what killed writers left and scan runs
 * that nobody will resume. To read: nothing is changed, and another program may be writing.
 * UsageError, one line, for whatever cannot be opened; a file that is refused stays as it is.
 */
export function openStore(path: string, mode: 'write' | 'read'): Store {
  const file = openFile(path, mode);
  try {
    const store = new Store(file);
    if (mode === 'write') store.tidy();
    return store;
  } catch (error) {
    file.close();
    throw missingTable(path, error);
  }
}

function openFile(path: string, mode: 'write' | 'read'): StoreFile {
  if (path === IN_MEMORY) return openInMemory();
  return mode === 'write' ? openForWrite(path) : openForRead(path);
}

/** Statements are prepared at opening: one that SQLite does not understand then lacks its table or column. */
function missingTable(path: string, error: unknown): unknown {
  if (errorCode(error) !== 'SQLITE_ERROR' || !(error instanceof Error)) return error;
  return damagedStore(path, error.message);
}

export class Store {
  readonly #file: StoreFile;
  readonly #connection: Connection;
  readonly #generations: GenerationTable;
  readonly #segments: Segments;
  readonly #entries: Entries;
  readonly #contents: Contents;
  readonly #reader: GenerationReader;
  readonly #maps: BlockMaps;
  readonly #garbage: Garbage;
  readonly #runs: ScanRuns;
  readonly #addBaseline: Statement<[id: number]>;
  readonly #addGeneration: Statement<[id: number]>;
  readonly #finishGeneration: Statement<[]>;
  #writers: GenerationWriter[] = [];

  /** Use openStore. */
  constructor(file: StoreFile) {
    const { connection } = file;
    this.#file = file;
    this.#connection = connection;
    this.#generations = new GenerationTable(connection);
    this.#entries = new Entries(connection);
    this.#segments = new Segments(connection, this.#entries);
    this.#contents = new Contents(connection);
    this.#reader = new GenerationReader(connection.path, this.#generations, this.#segments, this.#contents);
    this.#maps = new BlockMaps(connection, new MapPieces(connection));
    this.#garbage = new Garbage(connection, {
      segments: this.#segments,
      entries: this.#entries,
      contents: this.#contents,
      maps: this.#maps,
    });
    this.#runs = new ScanRuns(connection);
    this.#addBaseline = connection.prepare(
      'INSERT INTO baseline (name) VALUES (?) ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id',
    );
    this.#addGeneration = connection.prepare(
      `INSERT INTO generation (baseline, at_ns, captured_ns, target, tool_version, digest_algorithm, attributes)
       VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    );
    this.#finishGeneration = connection.prepare(
      `UPDATE generation SET finished = 1, attributes = ?, entries = ?, files = ?, bytes = ?, segments = ?,
       block_maps = ? WHERE id = ?`,
    );
  }

  /** The file, resolved; `:memory:` for none. */
  get path(): string {
    return this.#connection.path;
  }

  /** Removes what killed writers left, and runs too old to resume. */
  tidy(): void {
    this.#garbage.dropUnfinished();
    this.#runs.dropOld(Date.now());
  }

  /** All baselines, by name. */
  baselines(): Baseline[] {
    return this.#generations.baselines();
  }

  /** The generations of a baseline, oldest state first; none when there is no such baseline. */
  generations(baseline: string): Generation[] {
    return this.#generations.ofBaseline(baseline);
  }

  /**
   * Begins a generation; it counts once it is finished. UsageError when the baseline has one of this time, or when the
   * time is out of range (years 1677 to 2262).
   */
  createGeneration(request: GenerationRequest): GenerationWriter {
    const siblings = this.generations(request.baseline);
    this.#checkTime(request, siblings);
    const attributes = request.attributes ?? {};
    const id = this.#connection.write(0, () => this.#insertGeneration(request, attributes));
    const writer = new GenerationWriter(id, {
      baseline: request.baseline,
      atNs: request.atNs,
      connection: this.#connection,
      segments: this.#segments,
      entries: this.#entries,
      contents: this.#contents,
      maps: this.#maps,
      mapNeighbours: volume => this.#withMaps(siblings, request.atNs, volume),
      neighbours: nearest(siblings, request.atNs).map(each => new Neighbour(this.#reader, each.id)),
      finish: (counts, more) => {
        const all = JSON.stringify({ ...attributes, ...more });
        const { entries, files, bytes, segments, blockMaps } = counts;
        this.#finishGeneration.run(all, entries, files, bytes, segments, blockMaps, id);
      },
      remove: () => this.#garbage.drop([id]),
    });
    this.#writers = [...this.#writers.filter(each => each.isOpen), writer];
    return writer;
  }

  /** All records of one volume, ascending by path key; several can be read in step. UsageError for damage. */
  records(generationId: number, volume = 0): IterableIterator<BaselineRecord> {
    return this.#reader.records(generationId, volume);
  }

  /** One path's record, or null. UsageError for damage. */
  record(generationId: number, path: BytePath, volume = 0): BaselineRecord | null {
    return this.#reader.find(generationId, path, volume);
  }

  /** Who has blocks of these hashes (XXH64 of 4 KiB): at most three paths a hash, found in one pass. */
  ownersOfBlocks(generationId: number, hashes: Iterable<bigint>): Map<bigint, BlockOwner[]> {
    return ownersOfBlocks(this.#reader, generationId, hashes);
  }

  /** The volumes whose block map a generation has, ascending. UsageError as `blockMap`. */
  mappedVolumes(generationId: number): MappedVolume[] {
    const { blockMaps } = this.#generation(generationId);
    return this.#reader.ofGeneration(generationId, () => this.#maps.volumes(generationId, blockMaps));
  }

  /** The block map of a volume; null when there is none. UsageError when there is no such generation, or for damage. */
  blockMap(generationId: number, volume: number): BlockMap | null {
    if (this.mappedVolumes(generationId).every(each => each.volume !== volume)) return null;
    return this.#reader.ofGeneration(generationId, () => this.#maps.read({ generation: generationId, volume }));
  }

  /** Drops one generation and what only it used; the others stay as they are. UsageError when it is not there. */
  dropGeneration(generationId: number): void {
    this.#refuseWhileWriting();
    this.#generation(generationId);
    this.#garbage.drop([generationId]);
  }

  /** Drops a baseline with all its generations. UsageError when it is not there. */
  dropBaseline(name: string): void {
    this.#refuseWhileWriting();
    const generations = this.generations(name);
    if (generations.length === 0) throw new UsageError(`store ${this.path} holds no baseline ${name}`);
    this.#garbage.drop(generations.map(each => each.id));
  }

  /** The records of the scan with this key; `resumed` tells whether there were any before. */
  openRun(key: string): { readonly run: Run; readonly resumed: boolean } {
    return this.#runs.open(key);
  }

  /** Commits and closes; generations that were not finished are gone at the next opening. */
  close(): void {
    this.#file.close();
  }

  #insertGeneration(request: GenerationRequest, attributes: Attributes): number {
    const baseline = this.#addBaseline.get(request.baseline);
    const generation = this.#addGeneration.get(
      baseline?.[0] ?? null,
      request.atNs,
      request.capturedNs,
      request.target,
      request.toolVersion,
      request.digestAlgorithm,
      JSON.stringify(attributes),
    );
    if (generation === undefined) throw new Error('INSERT RETURNING gave no row');
    return generation[0];
  }

  /** The generations nearest in time that have a block map of this volume, one on each side. */
  #withMaps(siblings: readonly Generation[], atNs: Nanoseconds, volume: number): number[] {
    const mapped = siblings.filter(({ id }) => this.mappedVolumes(id).some(each => each.volume === volume));
    return nearest(mapped, atNs).map(({ id }) => id);
  }

  #checkTime(request: GenerationRequest, siblings: readonly Generation[]): void {
    const { baseline, atNs, capturedNs } = request;
    if (BigInt.asIntN(64, atNs) !== atNs || BigInt.asIntN(64, capturedNs) !== capturedNs) {
      throw new UsageError(`a generation of baseline ${baseline} cannot stand for a time outside 1677 to 2262`);
    }
    const isWritten = this.#writers.some(each => each.isOpen && each.baseline === baseline && each.atNs === atNs);
    if (!isWritten && siblings.every(each => each.atNs !== atNs)) return;
    throw new UsageError(`baseline ${baseline} already has a generation of ${isoTime(atNs)} in store ${this.path}`);
  }

  #generation(id: number): Generation {
    const generation = this.#generations.byId(id);
    if (generation === null) throw new UsageError(`store ${this.path} holds no generation ${id}`);
    return generation;
  }

  /** A writer relies on the entries that it shares. */
  #refuseWhileWriting(): void {
    if (this.#writers.some(each => each.isOpen)) throw new Error('a generation is being written');
  }
}

function isoTime(timeNs: Nanoseconds): string {
  const fractionNs = ((timeNs % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const seconds = new Date(Number((timeNs - fractionNs) / SECOND_NS) * 1000).toISOString().replace('.000Z', '');
  const fraction = fractionNs === 0n ? '' : `.${String(fractionNs).padStart(9, '0').replace(/0+$/, '')}`;
  return `${seconds}${fraction}Z`;
}
