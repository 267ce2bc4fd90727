// A file's bytes by its block map: holes, unwritten extents and what lies beyond the map read as zeros.

import type { ByteSource } from '../bytes/byte-source.ts';
import { ReadError } from '../errors.ts';
import type { BlockMap, BlockRun, LostRange } from './block-map.ts';

export class MappedBytes implements ByteSource {
  readonly size: number;
  readonly name: string;
  readonly #volume: ByteSource;
  readonly #map: BlockMap;
  readonly #blockSize: number;

  /** @param size in bytes; the map may end before or after it. */
  constructor(volume: ByteSource, map: BlockMap, blockSize: number, size: number, name: string) {
    this.#volume = volume;
    this.#map = map;
    this.#blockSize = blockSize;
    this.size = size;
    this.name = name;
  }

  /** Throws ReadError, and DamageError where the map is broken. */
  read(into: Uint8Array, at: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.size - at));
    let filled = 0;
    while (filled < wanted) filled += this.#piece(into.subarray(filled, wanted), at + filled);
    return wanted;
  }

  nextData(at: number): number {
    if (at >= this.size) return this.size;
    const block = Math.floor(at / this.#blockSize);
    const data = this.#firstData(block);
    const lost = this.#lostFrom(block);
    const next = Math.min(data, lost === null ? Number.POSITIVE_INFINITY : lost.logical);
    return Math.min(this.size, Math.max(at, next * this.#blockSize));
  }

  /** Fills a start of `into` that one run, one hole or one lost range covers; returns its length. */
  #piece(into: Uint8Array, at: number): number {
    const block = Math.floor(at / this.#blockSize);
    const lost = this.#lostFrom(block);
    if (lost !== null && lost.logical <= block) throw lost.error;
    const index = this.#runFrom(block);
    const run = this.#map.runs[index];
    const inside = run !== undefined && run.logical <= block;
    const next = inside ? run.logical + run.length : (run?.logical ?? Number.POSITIVE_INFINITY);
    const end = Math.min(next, lost?.logical ?? Number.POSITIVE_INFINITY) * this.#blockSize;
    const piece = into.subarray(0, Math.min(into.length, end - at));
    if (inside && !run.unwritten)
      this.#fill(piece, run.physical * this.#blockSize + at - run.logical * this.#blockSize);
    else piece.fill(0);
    return piece.length;
  }

  #fill(piece: Uint8Array, at: number): void {
    const filled = this.#volume.read(piece, at);
    if (filled < piece.length) throw new ReadError(this.#volume.name, at + filled, piece.length - filled);
  }

  /** Index of the first run that ends after a logical block. */
  #runFrom(block: number): number {
    const { runs } = this.#map;
    let low = 0;
    let high = runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const run = runs[middle] as BlockRun;
      if (run.logical + run.length > block) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Lost ranges are few. */
  #lostFrom(block: number): LostRange | null {
    return this.#map.lost.find(range => range.end > block) ?? null;
  }

  /** First logical block >= `block` of a written run; infinite when there is none. */
  #firstData(block: number): number {
    for (let index = this.#runFrom(block); index < this.#map.runs.length; index++) {
      const run = this.#map.runs[index] as BlockRun;
      if (!run.unwritten) return Math.max(block, run.logical);
    }
    return Number.POSITIVE_INFINITY;
  }
}
