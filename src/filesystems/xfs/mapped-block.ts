// Blocks of a directory or of attributes that may be several of the file system's, wherever those lie.

import { DamageError } from '../../errors.ts';
import type { BlockMap, BlockRun } from '../block-map.ts';

/** Bytes, and where the first of them lies in the volume. */
export interface MappedBlock {
  readonly bytes: Uint8Array;
  readonly at: number;
}

export interface BlockReader {
  readonly blockSize: number;
  readBlock(block: number): Uint8Array;
}

/** `count` blocks from a logical one on; not to be written to. Throws DamageError where one is not there, ReadError. */
export function readMapped(map: BlockMap, logical: number, count: number, volume: BlockReader): MappedBlock {
  const { blockSize } = volume;
  const first = placeOf(map, logical);
  if (count === 1) return { bytes: volume.readBlock(first), at: first * blockSize };
  const bytes = new Uint8Array(count * blockSize);
  for (let index = 0; index < count; index++) {
    bytes.set(volume.readBlock(index === 0 ? first : placeOf(map, logical + index)), index * blockSize);
  }
  return { bytes, at: first * blockSize };
}

/** Throws the reason why it was lost, where the map's own block was. */
function placeOf({ runs, lost }: BlockMap, logical: number): number {
  const run = runs[runAt(runs, logical)];
  if (run !== undefined && run.logical <= logical && !run.unwritten) return run.physical + logical - run.logical;
  const reason = lost.find(range => range.logical <= logical && logical < range.end);
  throw reason?.error ?? new DamageError('block map', 0, 'a hole', `block ${logical}`);
}

/** Index of the first run that ends after a logical block. */
function runAt(runs: readonly BlockRun[], logical: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const run = runs[middle] as BlockRun;
    if (run.logical + run.length > logical) high = middle;
    else low = middle + 1;
  }
  return low;
}
