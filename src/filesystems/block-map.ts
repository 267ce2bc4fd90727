// Where a file's blocks lie: the shape that extent trees and indirect blocks are both read into.

import type { DamageError, ReadError } from '../errors.ts';

/** Consecutive blocks of a file. In blocks. */
export interface BlockRun {
  readonly logical: number;
  readonly physical: number;
  readonly length: number;
  /** Allocated, never written: reads as zeros. */
  readonly unwritten: boolean;
}

/** Blocks of a file whose place cannot be had, because the block that states it is broken. In blocks, `end` exclusive. */
export interface LostRange {
  readonly logical: number;
  readonly end: number;
  readonly error: DamageError | ReadError;
}

export interface BlockMap {
  /** Ascending by `logical`, not overlapping. */
  readonly runs: readonly BlockRun[];
  /** Ascending by `logical`. */
  readonly lost: readonly LostRange[];
  /** Blocks that hold the map itself. */
  readonly nodes: readonly number[];
}

/** One more than the greatest logical block. */
export const LOGICAL_END = 2 ** 32;

export const EMPTY_MAP: BlockMap = { runs: [], lost: [], nodes: [] };

/** The block of the volume that holds a block of the file; null for holes and what was never written. */
export function writtenBlock({ runs }: BlockMap, wanted: number): number | null {
  const run = runs.find(({ logical, length }) => logical <= wanted && wanted < logical + length);
  return run === undefined || run.unwritten ? null : run.physical + wanted - run.logical;
}

/** Whether all blocks of a file, and those of its map, are such ones; not where some cannot be had. */
export function everyBlock({ runs, nodes, lost }: BlockMap, isSuch: (block: number) => boolean): boolean {
  if (lost.length > 0 || !nodes.every(isSuch)) return false;
  for (const { physical, length } of runs) {
    for (let block = physical; block < physical + length; block++) if (!isSuch(block)) return false;
  }
  return true;
}

/** Collects runs in ascending order; neighbours on both sides become one. */
export class BlockMapBuilder {
  readonly #runs: BlockRun[] = [];
  readonly #lost: LostRange[] = [];
  readonly #nodes: number[] = [];
  #open: BlockRun | null = null;

  add(logical: number, physical: number, length: number, unwritten: boolean): void {
    const open = this.#open;
    if (
      open !== null &&
      open.logical + open.length === logical &&
      open.physical + open.length === physical &&
      open.unwritten === unwritten
    ) {
      this.#open = { ...open, length: open.length + length };
      return;
    }
    if (open !== null) this.#runs.push(open);
    this.#open = { logical, physical, length, unwritten };
  }

  lose(logical: number, end: number, error: DamageError | ReadError): void {
    this.#lost.push({ logical, end, error });
  }

  node(block: number): void {
    this.#nodes.push(block);
  }

  finish(): BlockMap {
    if (this.#open !== null) this.#runs.push(this.#open);
    this.#open = null;
    return { runs: this.#runs, lost: this.#lost, nodes: this.#nodes };
  }
}

/** What is left of a run outside [start, end). */
export function runOutside(run: BlockRun, start: number, end: number): BlockRun[] {
  const runEnd = run.logical + run.length;
  if (runEnd <= start || run.logical >= end) return [run];
  const before = { ...run, length: start - run.logical };
  const after = { ...run, logical: end, physical: run.physical + end - run.logical, length: runEnd - end };
  return [before, after].filter(piece => piece.length > 0);
}

/** Sorts `runs` in place, and returns them with neighbours on both sides as one. */
export function joinedRuns(runs: BlockRun[]): BlockRun[] {
  runs.sort((left, right) => left.logical - right.logical);
  const result: BlockRun[] = [];
  for (const run of runs) {
    const last = result[result.length - 1];
    const follows =
      last !== undefined &&
      last.logical + last.length === run.logical &&
      last.physical + last.length === run.physical &&
      last.unwritten === run.unwritten;
    if (follows) result[result.length - 1] = { ...last, length: last.length + run.length };
    else result.push(run);
  }
  return result;
}
