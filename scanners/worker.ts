// The pool's entry: each worker opens the target by itself, walks subtrees and reads batches of files. All work is
// synchronous; counters in shared memory tell the main thread how far it is, and the worker when to stop.

import { memoryBytes } from '../src/bytes/memory-bytes.ts';
import { type OwnerColumns, packOwners } from '../src/digest/block-owners.ts';
import { hashPiece } from '../src/digest/hash-piece.ts';
import { isOfMedium, readContent } from '../src/digest/read-content.ts';
import { type Piece, unitBytesOf } from '../src/digest/unit-hashes.ts';
import { UnsupportedError } from '../src/errors.ts';
import { faultOf } from '../src/filesystems/fault.ts';
import type { Filesystem, OpenFile, VolumeBlocks } from '../src/filesystems/filesystem.ts';
import type { FormerEndColumns } from '../src/filesystems/former-ends.ts';
import type { ContentSeen, DamagedStructure, Observation, Stat } from '../src/model.ts';
import { openVolume } from '../src/tree/open-target.ts';
import { selectionOf } from '../src/tree/selection.ts';
import { walkSubtree } from '../src/tree/walk.ts';
import { type ContentResult, packResults, type UnpackedJob, unpackJobs } from './content-batch.ts';
import { foreignEndsOf } from './former-ends.ts';
import { handOver } from './hand-over.ts';
import { STRUCTURE_SCANNERS } from './index.ts';
import type { StructureScanner } from './scanner.ts';
import { siblingsOf } from './siblings.ts';
import { slackOf } from './slack.ts';
import {
  COUNTER,
  type HashTask,
  type OwnersTask,
  type ReadResult,
  type ReadTask,
  type WalkResult,
  type WalkTask,
} from './tasks.ts';

const BUFFER_BYTES = 1024 * 1024;
/** A file that changes under the reader is tried so many times. */
const TRIES = 3;

const opened = new Map<string, Filesystem>();
const buffer = new Uint8Array(BUFFER_BYTES);

export function walk(task: WalkTask): WalkResult {
  const filesystem = filesystemOf(task);
  const counters = new BigInt64Array(task.counters);
  const walked = walkSubtree(filesystem, task.start ?? filesystem.root, {
    budget: task.budget,
    selection: selectionOf(task.globs),
    crossMounts: task.crossMounts,
    cancelled: () => isCancelled(counters),
  });
  Atomics.add(counters, COUNTER.entries, BigInt(walked.entries));
  return handOver({ ...walked, damage: newDamage(filesystem) }, walked.parts);
}

/** Null when it was cancelled midway: a batch counts whole or not at all. */
export function read(task: ReadTask): ReadResult | null {
  const results = new BatchReader(task).run();
  if (results === null) return null;
  return handOver({ results, damage: newDamage(filesystemOf(task)) }, [results]);
}

/** Undefined when it was cancelled midway. */
export function hash(task: HashTask): Piece | undefined {
  const { blockBytes, bytes } = blocksOf(task);
  const counters = new BigInt64Array(task.counters);
  const piece = hashPiece(bytes, unitBytesOf(blockBytes), task.piece, count => {
    Atomics.add(counters, COUNTER.bytes, BigInt(count));
    return isCancelled(counters);
  });
  return piece == null ? piece : handOver(piece, [new Uint8Array(piece.buffer)]);
}

export function owners(task: OwnersTask): OwnerColumns {
  const { blockBytes, owned } = blocksOf(task);
  const columns = packOwners(owned(), blockBytes / unitBytesOf(blockBytes));
  return handOver(
    columns,
    Object.values(columns).map(column => new Uint8Array(column.buffer)),
  );
}

function blocksOf(task: OwnersTask): VolumeBlocks {
  const { blocks } = filesystemOf(task);
  if (blocks === undefined) throw new UnsupportedError(`${task.target.name}: a mounted tree does not show its blocks`);
  return blocks;
}

function filesystemOf({ target, volume, opening }: Pick<WalkTask, 'target' | 'volume' | 'opening'>): Filesystem {
  const key = JSON.stringify([target.path, target.snapshot, target.identity, volume]);
  const filesystem = opened.get(key) ?? openVolume(target, volume, opening);
  opened.set(key, filesystem);
  return filesystem;
}

/** What its tasks have told of the damage of each file system. */
const told = new WeakMap<Filesystem, number>();

function newDamage(filesystem: Filesystem): DamagedStructure[] {
  const facts = filesystem.damage?.facts ?? [];
  const fresh = facts.slice(told.get(filesystem) ?? 0);
  told.set(filesystem, facts.length);
  return fresh.map(({ at, code, message }) => ({ at, code, message }));
}

function isCancelled(counters: BigInt64Array): boolean {
  return Atomics.load(counters, COUNTER.cancelled) !== 0n;
}

class BatchReader {
  readonly #filesystem: Filesystem;
  readonly #counters: BigInt64Array;
  readonly #jobs: UnpackedJob[];
  readonly #scanners: readonly StructureScanner[];
  readonly #ends: FormerEndColumns | null;

  constructor(task: ReadTask) {
    this.#filesystem = filesystemOf(task);
    this.#counters = new BigInt64Array(task.counters);
    this.#jobs = unpackJobs(task.batch);
    this.#ends = task.ends;
    this.#scanners = STRUCTURE_SCANNERS.filter(
      scanner => task.scanners === null || task.scanners.includes(scanner.name),
    );
  }

  run(): Uint8Array<ArrayBuffer> | null {
    const results: ContentResult[] = new Array(this.#jobs.length);
    const inInodeOrder = this.#jobs.toSorted((left, right) =>
      left.entry.stat.inode < right.entry.stat.inode ? -1 : 1,
    );
    for (const job of inInodeOrder) {
      results[job.index] = this.#file(job);
      Atomics.add(this.#counters, COUNTER.files, 1n);
      if (isCancelled(this.#counters)) return null;
    }
    return packResults(results);
  }

  #file(job: UnpackedJob): ContentResult {
    for (let attempt = 1; ; attempt++) {
      const result = this.#attempt(job);
      if (result.content.state !== 'changing' || attempt === TRIES) return result;
    }
  }

  #attempt(job: UnpackedJob): ContentResult {
    let file: OpenFile;
    try {
      file = this.#filesystem.open(job.entry);
    } catch (error) {
      return refused(error);
    }
    try {
      return this.#readOpened(job, file);
    } catch (error) {
      return refused(error);
    } finally {
      file.close();
    }
  }

  #readOpened(job: UnpackedJob, file: OpenFile): ContentResult {
    const before = file.stat();
    const pass = readContent(file, job, buffer, { onBytes: count => this.#count(count) });
    const isWhole = pass.unreadable.length === 0 && !pass.stopped;
    const observations = isWhole ? [...this.#scan(job, before, file), ...this.#beside(job, before)] : [];
    const after = file.stat();
    const stat = sameState(job.entry.stat, after) ? null : after;
    if (pass.stopped || !sameState(before, after)) return { content: changing(pass.sizeBytes), stat, observations: [] };
    const isKnown = pass.digests.sha256 !== undefined && job.known.includes(pass.digests.sha256);
    const content: ContentSeen = {
      state: pass.unreadable.length > 0 ? 'unreadable' : 'read',
      sizeBytes: pass.sizeBytes,
      digests: pass.digests,
      blocks: isKnown ? null : pass.blocks,
      unreadable: pass.unreadable,
      fault: null,
    };
    return { content, stat, observations };
  }

  /** What the volume shows of the file beside its bytes. */
  #beside({ entry }: UnpackedJob, stat: Stat): Observation[] {
    return [...slackOf(this.#filesystem, entry), ...foreignEndsOf(this.#filesystem, entry, stat, this.#ends)];
  }

  /** Small files are in the buffer still: their scanners read from there. */
  #scan(job: UnpackedJob, stat: Stat, file: OpenFile): Observation[] {
    const interested = this.#scanners.filter(scanner => scanner.wants(job.entry.path, stat));
    if (interested.length === 0) return [];
    const bytes = file.size <= buffer.length ? memoryBytes(file.name, buffer.subarray(0, file.size)) : file;
    const siblings = siblingsOf(this.#filesystem, job.entry.path);
    return interested.flatMap(scanner => [...scanner.inspect(job.entry.path, stat, bytes, siblings)]);
  }

  #count(bytes: number): boolean {
    Atomics.add(this.#counters, COUNTER.bytes, BigInt(bytes));
    return isCancelled(this.#counters);
  }
}

/** Kernel time does not stand still under a write: equal size and times mean that nobody wrote in between. */
function sameState(left: Stat, right: Stat): boolean {
  return left.sizeBytes === right.sizeBytes && left.mtimeNs === right.mtimeNs && left.ctimeNs === right.ctimeNs;
}

const NOTHING = { sizeBytes: 0, digests: {}, blocks: null, unreadable: [], fault: null } as const;

function changing(sizeBytes: number): ContentSeen {
  return { ...NOTHING, state: 'changing', sizeBytes };
}

/** ENOENT and ESTALE: the file went away or was replaced between listing and opening, so it is in use, not damaged. */
function refused(error: unknown): ContentResult {
  const fault = faultOf(error);
  const goneMeanwhile = fault.kind === 'absent' || fault.code === 'ESTALE';
  if (goneMeanwhile) return { content: { ...changing(0), fault }, stat: null, observations: [] };
  const state = fault.kind === 'unreadable' || isOfMedium(error) ? 'unreadable' : 'skipped';
  return { content: { ...NOTHING, state, fault }, stat: null, observations: [] };
}
