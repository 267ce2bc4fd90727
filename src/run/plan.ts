// Which files are to be read, and what is wanted of each: the digests that some reference can compare, nothing else.

import type { ContentJob } from '../../scanners/content-batch.ts';
import { isInStateRead } from '../judge/read-stamp.ts';
import { DIGEST_ALGORITHMS, type DigestAlgorithm, type Expectation, type Nanoseconds, type Stat } from '../model.ts';
import type { PathGroup } from './path-stream.ts';
import type { SpoolEntry } from './spool.ts';

/** What every reference of the run may want: for inodes with several names, read once under the first; or of every file. */
export interface WantedByRun {
  readonly algorithms: readonly DigestAlgorithm[];
  readonly blocks: boolean;
  /** Of every file, whatever references say: a baseline is to be made of it. */
  readonly ofAll?: boolean;
  /** What was born by then, and is in no generation under its path, may be in one under another: its directory was moved. */
  readonly bornBeforeNs?: Nanoseconds | null;
}

/** Which readable entries a run reads: all, or only the one that is to be explained. */
export type Reads = (entry: SpoolEntry) => boolean;

/** Whether there are bytes to be read: what a directory's second name shows again is read at its home. */
export function isReadable(entry: SpoolEntry): entry is Readable {
  return entry.stat?.type === 'file' && entry.viaSecondName !== true;
}

/** A batch is cut at so many files or bytes: large enough to be cheap, small enough to share out and to lose little. */
const BATCH_FILES = 256;
const BATCH_BYTES = 32 * 1024 * 1024;
/** Trees that nest for thousands of levels have paths of many KiB. */
const BATCH_PATH_BYTES = 2 * 1024 * 1024;

/** Where batches end: told of each planned file in tree order, by whoever plans and by whoever looks up results. */
export class BatchCut {
  #files = 0;
  #bytes = 0;
  #pathBytes = 0;

  /** True when this file is the last of its batch. */
  endsWith({ path, stat }: Readable): boolean {
    this.#files++;
    this.#bytes += stat.sizeBytes;
    this.#pathBytes += path.length;
    if (this.#files < BATCH_FILES && this.#bytes < BATCH_BYTES && this.#pathBytes < BATCH_PATH_BYTES) return false;
    this.#files = 0;
    this.#bytes = 0;
    this.#pathBytes = 0;
    return true;
  }
}

/** Batches of jobs in tree order; each inode once, under its first name. Deterministic for a given tree and references. */
export function* planBatches(groups: Iterable<PathGroup>, wanted: WantedByRun, reads: Reads): Iterable<ContentJob[]> {
  const cut = new BatchCut();
  let batch: ContentJob[] = [];
  for (const [entry, expected] of planned(groups, reads)) {
    batch.push(jobOf(entry, expected, wanted));
    if (!cut.endsWith(entry)) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

export type Readable = SpoolEntry & { readonly stat: Stat };

/** The files that `planBatches` gives for the same groups, each with what is expected of it. */
export function* planned(groups: Iterable<PathGroup>, reads: Reads): Iterable<[Readable, readonly Expectation[]]> {
  const inodes = new FirstNames();
  for (const { entry, expected, logged } of groups) {
    if (entry === null || !isReadable(entry) || !reads(entry) || !inodes.isFirst(entry)) continue;
    yield [entry, logged === null ? expected : [...expected, logged]];
  }
}

/** Of several names of one inode the first in tree order stands for all. */
class FirstNames {
  readonly #seen = new Set<string>();

  isFirst(entry: Readable): boolean {
    if (entry.stat.links < 2) return true;
    const key = `${entry.device}:${entry.stat.inode}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

function jobOf(entry: Readable, expected: readonly Expectation[], wanted: WantedByRun): ContentJob {
  const { path, stat, device } = entry;
  const known = expected.flatMap(expectation => knownOf(expectation, stat));
  const { algorithms, blocks } = wanted;
  if (stat.links > 1 || wanted.ofAll || mayBeMoved(entry, expected, wanted))
    return { path, stat, device, algorithms, blocks, known: [] };
  const compared = expected.filter(expectation => isComparable(expectation, stat));
  const isCompared = (algorithm: DigestAlgorithm) => compared.some(each => each.digests[algorithm] !== undefined);
  const isMapped = blocks && expected.some(expectation => expectation.stat !== null);
  return { path, stat, device, algorithms: DIGEST_ALGORITHMS.filter(isCompared), blocks: isMapped, known };
}

function mayBeMoved({ stat }: Readable, expected: readonly Expectation[], { bornBeforeNs }: WantedByRun): boolean {
  if (bornBeforeNs == null || expected.some(({ digests }) => digests.sha256 !== undefined)) return false;
  return stat.crtimeNs === null || stat.crtimeNs <= bornBeforeNs;
}

function knownOf({ digests, readAs }: Expectation, stat: Stat): string[] {
  if (readAs === undefined) return digests.sha256 === undefined ? [] : [digests.sha256];
  return isInStateRead(stat, readAs) ? Object.values(digests) : [];
}

function isComparable({ type, readAs }: Expectation, stat: Stat): boolean {
  return (type === null || type === 'file') && (readAs === undefined || isInStateRead(stat, readAs));
}
