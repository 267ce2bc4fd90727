// Drives the reading of planned files over the workers and keeps each batch's results in the run's records.

import type { ContentJob } from '../../scanners/content-batch.ts';
import { type ContentResult, packJobs, unpackResults } from '../../scanners/content-batch.ts';
import type { FormerEndColumns } from '../filesystems/former-ends.ts';
import type { TargetSpec } from '../model.ts';
import type { Pool } from '../pool.ts';
import type { Run } from '../store/scan-runs.ts';
import type { Opening } from '../tree/open-target.ts';
import { keepDamage } from './damage-records.ts';

export interface ReadingOptions {
  readonly target: TargetSpec;
  readonly volume: number;
  readonly opening: Opening;
  readonly scanners: readonly string[] | null;
  readonly ends: FormerEndColumns | null;
}

/** Batches under way per worker: one at work, one waiting. */
const UNDER_WAY = 2;

/** False when the run was cancelled before the last batch. Batches that the records have already are not read again. */
export async function readContents(
  pool: Pool,
  run: Run,
  batches: Iterable<ContentJob[]>,
  options: ReadingOptions,
): Promise<boolean> {
  const underWay = new Set<Promise<void>>();
  let number = 0;
  for (const batch of batches) {
    if (pool.cancelled) break;
    const current = number++;
    if (run.blob(contentKind(options.volume), current) !== null) continue;
    const task = readBatch(pool, run, current, batch, options).finally(() => underWay.delete(task));
    underWay.add(task);
    if (underWay.size >= pool.jobs * UNDER_WAY) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  run.flush();
  return !pool.cancelled;
}

async function readBatch(
  pool: Pool,
  run: Run,
  number: number,
  batch: ContentJob[],
  options: ReadingOptions,
): Promise<void> {
  const read = await pool.read({ ...options, batch: packJobs(batch) });
  if (read === null) return;
  run.together(() => {
    run.putBlob(contentKind(options.volume), number, read.results);
    keepDamage(run, 'reading', options.volume, { number, damage: read.damage });
  });
}

function contentKind(volume: number): string {
  return `content:${volume}`;
}

/** The results of a batch, in its order; null when no worker has read it. */
export function batchResults(run: Run, volume: number, batch: number): Iterator<ContentResult> | null {
  const bytes = run.blob(contentKind(volume), batch);
  return bytes === null ? null : unpackResults(bytes)[Symbol.iterator]();
}

/** All results, in any order. */
export function* allResults(run: Run, volume: number): Iterable<ContentResult> {
  for (const [, bytes] of run.blobs(contentKind(volume))) yield* unpackResults(bytes);
}
