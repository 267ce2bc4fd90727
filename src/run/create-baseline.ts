// Captures the state of a target as a generation of a baseline: lists, reads every file, keeps digests and block hashes.
// A capture that is stopped leaves no generation; what it has read is there for the next try.

import { createHash } from 'node:crypto';
import type { ContentJob, ContentResult } from '../../scanners/content-batch.ts';
import type { Nanoseconds } from '../model.ts';
import { Pool } from '../pool.ts';
import type { BaselineContent, BaselineRecord } from '../store/baseline-record.ts';
import type { GenerationWriter } from '../store/generation-writer.ts';
import type { Run } from '../store/scan-runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { openTarget } from '../tree/open-target.ts';
import { selectionOf } from '../tree/selection.ts';
import { VERSION } from '../version.ts';
import { Breath } from './breath.ts';
import { listTree } from './list-tree.ts';
import { nowNs } from './now.ts';
import type { BaselineOptions, BaselineResult, RunHooks } from './options.ts';
import { type PathGroup, pathStream } from './path-stream.ts';
import { isReadable, planBatches } from './plan.ts';
import { ProgressWatch } from './progress-watch.ts';
import { contentResults, readContents } from './read-contents.ts';
import { ResultsByInode } from './results-by-inode.ts';
import { Spool, type SpoolEntry } from './spool.ts';
import { UnseenPaths } from './unseen-paths.ts';

const ONLY_VOLUME = 0;
const WANTED = { algorithms: ['sha256'], blocks: true, ofAll: true } as const;

/** UsageError when target or store cannot be opened, or the baseline has a generation of that time already. */
export async function createBaseline(options: BaselineOptions, hooks: RunHooks): Promise<BaselineResult> {
  const capturedNs = nowNs();
  openTarget(options.target, ONLY_VOLUME).close();
  const store = openStore(options.store.path ?? ':memory:', 'write');
  try {
    return await capture(store, { ...options, atNs: options.atNs ?? capturedNs, capturedNs }, hooks);
  } finally {
    store.close();
  }
}

interface Capture extends BaselineOptions {
  readonly atNs: Nanoseconds;
  readonly capturedNs: Nanoseconds;
}

async function capture(store: Store, options: Capture, hooks: RunHooks): Promise<BaselineResult> {
  assertNew(store, options);
  const { run, resumed } = store.openRun(runKey(options));
  if (resumed) hooks.onNotice('resuming a capture that did not finish');
  const watch = new ProgressWatch(new Pool(options.jobs), hooks);
  try {
    const breath = new Breath(() => watch.pool.cancelled);
    const result = (await examine(watch, run, options)) ? await keep(store, run, options, breath) : null;
    if (result === null) return nothingKept(options.atNs);
    run.drop();
    return result;
  } finally {
    await watch.close();
  }
}

/** Refused before the work, not after it: the store itself refuses too. */
function assertNew(store: Store, options: Capture): void {
  const request = requestOf(options);
  if (store.generations(options.name).some(generation => generation.atNs === options.atNs))
    store.createGeneration(request).abort();
}

function requestOf({ name, target, atNs, capturedNs, include, exclude }: Capture) {
  const attributes = { include, exclude };
  const common = { toolVersion: VERSION, digestAlgorithm: 'sha256' } as const;
  return { baseline: name, target: target.name, atNs, capturedNs, attributes, ...common };
}

function runKey({ target, name, include, exclude, crossMounts }: Capture): string {
  const key = JSON.stringify(['baseline', VERSION, target, name, include, exclude, crossMounts]);
  return createHash('sha256').update(key).digest('hex');
}

async function examine(watch: ProgressWatch, run: Run, options: Capture): Promise<boolean> {
  const { target, include, exclude, crossMounts } = options;
  const listing = { target, volume: ONLY_VOLUME, globs: { include, exclude }, crossMounts };
  watch.enter('listing');
  if (!(await listTree(watch.pool, new Spool(run, ONLY_VOLUME), listing))) return false;
  let files = 0;
  let bytes = 0;
  const breath = new Breath(() => watch.pool.cancelled);
  for await (const batch of breath.over(planOf(run, options))) {
    files += batch.length;
    for (const job of batch) bytes += job.stat.sizeBytes;
  }
  watch.plan(files, bytes);
  watch.enter('reading');
  return readContents(watch.pool, run, planOf(run, options), { target, volume: ONLY_VOLUME, scanners: [] });
}

function groupsOf(run: Run, options: Capture): Iterable<PathGroup> {
  return pathStream(new Spool(run, ONLY_VOLUME).entries(), [], selectionOf(options));
}

function planOf(run: Run, options: Capture): Iterable<ContentJob[]> {
  return planBatches(groupsOf(run, options), WANTED, () => true);
}

/** Null when it was stopped meanwhile. */
async function keep(store: Store, run: Run, options: Capture, breath: Breath): Promise<BaselineResult | null> {
  const writer = store.createGeneration(requestOf(options));
  try {
    const { unseen, ...counts } = await writeRecords(writer, run, options, breath);
    if (breath.stopped) {
      writer.abort();
      return null;
    }
    writer.finish({ unseen });
    return { atNs: options.atNs, ...counts, complete: counts.skipped === 0 };
  } catch (error) {
    writer.abort();
    throw error;
  }
}

async function writeRecords(writer: GenerationWriter, run: Run, options: Capture, breath: Breath) {
  const contents = contentResults(run, ONLY_VOLUME, planOf(run, options));
  const results = new ResultsByInode(contents, () => true);
  const counts = { entries: 0, files: 0, bytes: 0, skipped: 0 };
  const unseen = new UnseenPaths();
  for await (const { entry } of breath.over(groupsOf(run, options))) {
    const result = entry === null ? null : results.resultOf(entry);
    const record = entry === null ? null : recordOf(entry, result);
    if (entry !== null && (entry.kind !== 'entry' || entry.fault !== null)) unseen.push(entry.path);
    if (entry?.kind === 'mount') continue;
    if (record === null || record.unread !== null || entry?.fault != null) counts.skipped++;
    if (record === null) continue;
    writer.add(record);
    counts.entries++;
    if (record.stat.type !== 'file') continue;
    counts.files++;
    counts.bytes += record.stat.sizeBytes;
  }
  return { ...counts, unseen: unseen.list() };
}

/** Null for names without an inode. */
function recordOf(entry: SpoolEntry, result: ContentResult | null): BaselineRecord | null {
  const stat = result?.stat ?? entry.stat;
  if (stat === null) return null;
  const content = contentOf(result);
  const unread =
    isReadable(entry) && content === null
      ? (result?.content.fault?.message ?? result?.content.state ?? 'not read')
      : null;
  return { path: entry.path, stat, linkTarget: entry.linkTarget, content, unread };
}

function contentOf(result: ContentResult | null): BaselineContent | null {
  const sha256 = result?.content.digests.sha256;
  if (result?.content.state !== 'read' || sha256 === undefined) return null;
  return { sha256, blocks: result.content.blocks ?? new Uint8Array(0) };
}

function nothingKept(atNs: Nanoseconds): BaselineResult {
  return { atNs, entries: 0, files: 0, bytes: 0, skipped: 0, complete: false };
}
