// Captures the state of a target as a generation of a baseline: lists, reads every file, keeps digests and block hashes.
// A capture that is stopped leaves no generation; what it has read is there for the next try.

import type { ContentResult } from '../../scanners/content-batch.ts';
import { UsageError } from '../errors.ts';
import type { Nanoseconds } from '../model.ts';
import { rfc3339 } from '../report/time.ts';
import type { BaselineContent, BaselineRecord } from '../store/baseline-record.ts';
import type { GenerationWriter } from '../store/generation-writer.ts';
import type { Store } from '../store/store.ts';
import { VERSION } from '../version.ts';
import { attributesOfVolumes } from './generation-maps.ts';
import type { BaselineOptions, BaselineResult, RunHooks, ScanOptions } from './options.ts';
import { isReadable } from './plan.ts';
import { closeSession, openSession, type Session, withVolumeScans } from './session.ts';
import type { SpoolEntry } from './spool.ts';
import { unexamined } from './unexamined.ts';
import { UnseenPaths } from './unseen-paths.ts';
import { capturedEntries, examineVolume, newestChange, type VolumeScan } from './volume-scan.ts';

/**
 * @param into an open store, in place of the one that the options name.
 * UsageError when target or store cannot be opened, the baseline has a generation of that time already, or an image was
 * changed after the time that is asked for.
 */
export async function createBaseline(options: BaselineOptions, hooks: RunHooks, into?: Store): Promise<BaselineResult> {
  const store = into === undefined ? {} : { store: into };
  const session = openSession(captureOptions(options), hooks, { purpose: `baseline ${options.name}`, ...store });
  try {
    if (options.atNs !== null) assertNew(session, options.name, options.atNs);
    const result = await withVolumeScans(
      session,
      () => true,
      scans => capture(session, scans, options),
    );
    closeSession(session, result === null);
    return result ?? nothingKept(options.atNs ?? session.startedAtNs);
  } catch (error) {
    closeSession(session, true);
    throw error;
  }
}

/** A capture is a scan without references that wants every file's digest and blocks. */
function captureOptions(options: BaselineOptions): ScanOptions {
  const nothing = { window: null, baseline: null, references: [], scanners: [], failOn: [] };
  return { ...options, ...nothing, metadataOnly: false, resume: 'auto', captures: true };
}

/** Null when it was stopped. */
async function capture(
  session: Session,
  scans: readonly VolumeScan[],
  options: BaselineOptions,
): Promise<BaselineResult | null> {
  for (const volume of scans) if (!(await examineVolume(volume))) return null;
  const atNs = timeOf(session, scans, options);
  const writer = session.store.createGeneration(requestOf(session, options, atNs));
  const counts = { entries: 0, files: 0, bytes: 0, skipped: 0 };
  const unseen = new UnseenPaths();
  try {
    for (const volume of scans) if (!(await writeRecords(writer, volume, counts, unseen))) return stopped(writer);
    for (const volume of scans) if (!(await mapBlocks(volume, writer, options))) return stopped(writer);
    writer.finish({ unseen: unseen.list(), ...attributesOfVolumes(session.target) });
    const left = unexamined(session.target);
    for (const { message } of left) session.hooks.onNotice(message);
    return { atNs, ...counts, complete: counts.skipped === 0 && left.length === 0 };
  } catch (error) {
    writer.abort();
    throw error;
  }
}

/** Keeps the map of what shows its blocks, or tells it to who asked for it. False when it was stopped. */
async function mapBlocks(volume: VolumeScan, writer: GenerationWriter, { onMap }: BaselineOptions): Promise<boolean> {
  if (!volume.showsBlocks) return true;
  const map = await volume.mapNow();
  if (map === null) return false;
  if (onMap !== undefined) {
    onMap(volume.volume, map);
    return true;
  }
  const breath = volume.breath();
  for await (const _ of breath.over(writer.keepBlockMap(volume.volume, map)));
  return !breath.stopped;
}

/** Refused before the work, not after it: the store itself refuses too. */
function assertNew({ store }: Session, name: string, atNs: Nanoseconds): void {
  if (!store.generations(name).some(generation => generation.atNs === atNs)) return;
  throw new UsageError(`baseline ${name} already has a generation of ${rfc3339(atNs) ?? atNs} in store ${store.path}`);
}

/** A directory stands for the beginning of its capture; an image for its newest change, which `--at` cannot undercut. */
function timeOf(session: Session, scans: readonly VolumeScan[], options: BaselineOptions): Nanoseconds {
  if (options.target.kind === 'directory') return options.atNs ?? session.startedAtNs;
  const changedNs = newestChange(scans);
  if (options.atNs === null) {
    const writtenNs = session.target.volumes.flatMap(volume => volume.writtenAtNs ?? []);
    const atNs = [changedNs, ...writtenNs].reduce((newest, each) => (each > newest ? each : newest));
    session.hooks.onNotice(`the image stands for ${rfc3339(atNs) ?? atNs}, when it was last written`);
    return atNs;
  }
  if (options.atNs >= changedNs) return options.atNs;
  throw new UsageError(`--at ${rfc3339(options.atNs)}: the image was changed later, at ${rfc3339(changedNs)}`);
}

function requestOf(session: Session, { name, target, include, exclude }: BaselineOptions, atNs: Nanoseconds) {
  const capturedNs = session.startedAtNs;
  const hot = target.kind === 'image' && session.target.volumes.some(({ facts }) => facts.state === 'dirty');
  const attributes = { include, exclude, hot };
  const common = { toolVersion: VERSION, digestAlgorithm: 'sha256' } as const;
  return { baseline: name, target: target.name, atNs, capturedNs, attributes, ...common };
}

type Counts = { -readonly [Key in 'entries' | 'files' | 'bytes' | 'skipped']: BaselineResult[Key] };

function stopped(writer: GenerationWriter): null {
  writer.abort();
  return null;
}

/** False when it was stopped meanwhile. */
async function writeRecords(
  writer: GenerationWriter,
  volume: VolumeScan,
  counts: Counts,
  unseen: UnseenPaths,
): Promise<boolean> {
  const breath = volume.breath();
  for await (const { entry, result } of breath.over(capturedEntries(volume))) {
    if (entry.kind !== 'entry' || entry.fault !== null || entry.viaSecondName) unseen.push(entry.path);
    if (entry.kind === 'mount' || isDeletedMeanwhile(entry)) continue;
    // What a second name shows is kept at its home; which of the two names is true nobody knows here.
    const record = entry.viaSecondName ? null : recordOf(entry, result);
    if (record === null || record.unread !== null || entry.fault !== null) counts.skipped++;
    if (record === null) continue;
    writer.add(record, volume.volume);
    counts.entries++;
    if (record.stat.type !== 'file') continue;
    counts.files++;
    counts.bytes += record.stat.sizeBytes;
  }
  return !breath.stopped;
}

/** Listed, and gone when it was looked up: a tree that is in use was captured all the same. */
function isDeletedMeanwhile({ stat, fault }: SpoolEntry): boolean {
  return stat === null && fault?.kind === 'absent';
}

/** Null for names without an inode. */
function recordOf(entry: SpoolEntry, result: ContentResult | null): BaselineRecord | null {
  const stat = result?.stat ?? entry.stat;
  if (stat === null) return null;
  const content = contentOf(result);
  const missing = isReadable(entry) && content === null;
  const unread = missing ? (result?.content.fault?.message ?? result?.content.state ?? 'not read') : null;
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
