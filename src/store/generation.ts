// The rows of baselines and generations: what there is, not what is in it.

import type { Nanoseconds } from '../model.ts';
import type { Connection, Statement } from './connection.ts';
import { damagedStore } from './store-failure.ts';

/** Free-form, kept as JSON. */
export type Attributes = Readonly<Record<string, unknown>>;

/** A named series of generations of one target. */
export interface Baseline {
  readonly name: string;
  readonly generations: number;
  readonly firstAtNs: Nanoseconds;
  readonly lastAtNs: Nanoseconds;
}

/** The state of one time. */
export interface Generation {
  readonly id: number;
  readonly baseline: string;
  /** What the state stands for, whenever it was captured. */
  readonly atNs: Nanoseconds;
  readonly capturedNs: Nanoseconds;
  /** Name of the target as it was given. */
  readonly target: string;
  readonly toolVersion: string;
  readonly digestAlgorithm: string;
  readonly attributes: Attributes;
  /** Paths, those of them that are regular files, and the sum of these files' sizes. */
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  /** How many pieces the store keeps it in. */
  readonly segments: number;
  /** Of how many volumes it has a block map. */
  readonly blockMaps: number;
}

type GenerationRow = [
  id: bigint,
  baseline: string,
  atNs: bigint,
  capturedNs: bigint,
  target: string,
  toolVersion: string,
  digestAlgorithm: string,
  attributes: string,
  entries: bigint,
  files: bigint,
  bytes: bigint,
  segments: bigint,
  blockMaps: bigint,
];

const FINISHED = `
  SELECT generation.id, name, at_ns, captured_ns, target, tool_version, digest_algorithm, attributes,
         entries, files, bytes, segments, block_maps
  FROM generation JOIN baseline ON baseline.id = generation.baseline WHERE finished = 1`;

export class GenerationTable {
  readonly #connection: Connection;
  readonly #baselines: Statement<[name: string, count: bigint, first: bigint, last: bigint]>;
  readonly #ofBaseline: Statement<GenerationRow>;
  readonly #byId: Statement<GenerationRow>;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#baselines = connection.prepare(
      `SELECT name, count(*), min(at_ns), max(at_ns) FROM generation JOIN baseline ON baseline.id = generation.baseline
       WHERE finished = 1 GROUP BY name ORDER BY name`,
      true,
    );
    this.#ofBaseline = connection.prepare(`${FINISHED} AND name = ? ORDER BY at_ns`, true);
    this.#byId = connection.prepare(`${FINISHED} AND generation.id = ?`, true);
  }

  /** By name. */
  baselines(): Baseline[] {
    return this.#baselines
      .all()
      .map(([name, count, firstAtNs, lastAtNs]) => ({ name, generations: Number(count), firstAtNs, lastAtNs }));
  }

  /** The finished generations of a baseline, oldest state first; none when there is no such baseline. */
  ofBaseline(name: string): Generation[] {
    return this.#ofBaseline.all(name).map(row => this.#generation(row));
  }

  /** A finished generation, or null. */
  byId(id: number): Generation | null {
    const row = this.#byId.get(id);
    return row === undefined ? null : this.#generation(row);
  }

  #generation(row: GenerationRow): Generation {
    return {
      id: Number(row[0]),
      baseline: row[1],
      atNs: row[2],
      capturedNs: row[3],
      target: row[4],
      toolVersion: row[5],
      digestAlgorithm: row[6],
      attributes: this.#attributes(row[7], row[0]),
      entries: Number(row[8]),
      files: Number(row[9]),
      bytes: Number(row[10]),
      segments: Number(row[11]),
      blockMaps: Number(row[12]),
    };
  }

  #attributes(json: string, id: bigint): Attributes {
    try {
      return JSON.parse(json) as Attributes;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw damagedStore(this.#connection.path, `the attributes of generation ${id} are not JSON`);
    }
  }
}

/** The generations just before and just after a time, of those ordered by time. */
export function nearest(generations: readonly Generation[], atNs: Nanoseconds): Generation[] {
  const before = generations.findLast(each => each.atNs < atNs);
  const after = generations.find(each => each.atNs > atNs);
  return [before, after].filter(each => each !== undefined);
}
