// What a run holds open: the target with its volumes, the store, the references, the records. Opened together, closed together.

import { createHash } from 'node:crypto';
import type { BlockMap } from '../digest/block-map.ts';
import { BlockOwners } from '../digest/block-owners.ts';
import { unitBytesOf } from '../digest/unit-hashes.ts';
import { UnsupportedError, UsageError } from '../errors.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import type { LoggedState } from '../filesystems/logged-state.ts';
import type { GenerationFacts, ScanFacts } from '../judge/path-case.ts';
import type { ByteRange, ReferenceInfo, Skipped } from '../model.ts';
import { Pool } from '../pool.ts';
import { GIT_INFO, GitReference } from '../references/git/git-reference.ts';
import { openJournalReference } from '../references/journal.ts';
import type { Reference } from '../references/reference.ts';
import type { ReportBlock } from '../report/report.ts';
import type { Run } from '../store/scan-runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { type OpenedTarget, type Opening, openTarget } from '../tree/open-target.ts';
import { selectionOf } from '../tree/selection.ts';
import { VERSION } from '../version.ts';
import { assertStoreOfBaseline, ownersInGenerations } from './baselines.ts';
import type { BeforeImages } from './before.ts';
import { Breath } from './breath.ts';
import type { VolumeNow } from './compare-blocks.ts';
import { mapsOf } from './generation-maps.ts';
import { type GenerationMap, type MappedVolume, mapVolume } from './map-volume.ts';
import { mountPointsOf } from './mount-points.ts';
import { nowNs } from './now.ts';
import type { RunHooks, ScanOptions } from './options.ts';
import type { Reads } from './plan.ts';
import { ProgressWatch } from './progress-watch.ts';
import { type GenerationSource, gatherReferences, sourcesOfBaseline } from './references.ts';
import { reportBlocks } from './report-blocks.ts';
import { VolumePlaces } from './volume-places.ts';
import type { VolumeScan } from './volume-scan.ts';

export interface Session {
  readonly options: ScanOptions;
  readonly hooks: RunHooks;
  readonly target: OpenedTarget;
  readonly store: Store;
  /** Where baselines are: the store, or another one that is only read. */
  readonly baselines: Store;
  readonly before: BeforeImages | null;
  readonly run: Run;
  readonly volumes: readonly SessionVolume[];
  /** Mounts below the target that were not entered; filled while judging. */
  readonly mounts: Skipped[];
  /** Blocks of the file systems' own that went back; filled while judging. */
  readonly blocks: ReportBlock[];
  readonly startedAtNs: bigint;
  /** The store was given, and is closed by whoever gave it. */
  readonly isGuest: boolean;
}

export interface SessionVolume {
  readonly index: number;
  readonly filesystem: Filesystem;
  /** Where it lies on the container's disk; null for a mounted tree, and for a logical volume, which lies in pieces. */
  readonly extent: ByteRange | null;
  readonly references: readonly Reference[];
  readonly generations: readonly GenerationFacts[];
  /** What git has read of files; null for captures. */
  readonly git: GitReference | null;
  /** What the file system's own log still holds; null where there is none to be read, and for captures. */
  readonly log: VolumeLog | null;
  /** Block maps of generations that kept one of this volume, ascending by time. */
  readonly maps: readonly GenerationMap[];
}

/** The log of a file system, as what it is and as a reference. */
interface VolumeLog {
  readonly state: LoggedState;
  readonly reference: Reference;
}

/** What a session works with that was made before it. */
export interface SessionParts {
  /** Runs of another purpose keep records of their own. */
  readonly purpose: string;
  /** Whether paths will be judged: then the logs of file systems are read. */
  readonly judges?: boolean;
  /** Used, and left open, in place of the one that the options name. */
  readonly store?: Store;
  readonly before?: BeforeImages | null;
}

/**
 * UsageError when target, store or a named reference cannot be opened; UnsupportedError, DamageError or ReadError for an
 * image of which nothing can be read.
 */
export function openSession(options: ScanOptions, hooks: RunHooks, parts: SessionParts): Session {
  const startedAtNs = nowNs();
  const target = openTarget(options.target);
  try {
    const isGuest = parts.store !== undefined;
    if (!isGuest) assertStoreOfBaseline(options);
    const store = parts.store ?? openStore(options.store.path ?? ':memory:', 'write');
    return closingOnError(isGuest ? null : store, () => {
      const baselines = baselinesOf(store, options);
      return closingOnError(baselines === store ? null : baselines, () => {
        const before = parts.before ?? null;
        assertSameFilesystems(target, before);
        const sources = sourcesOf(baselines, before, options);
        const volumes = examinable(target, options).map(volume => ({
          ...volume,
          ...gatherReferences(volume, sources, options),
          maps: mapsOf(sources, before, target, volume.index),
          git: parts.judges === true ? new GitReference(volume.filesystem) : null,
          log: parts.judges === true ? logOf(volume.filesystem) : null,
        }));
        const key = { purpose: parts.purpose, references: infosOf(volumes), written: writtenOf(target) };
        const run = openRun(store, options, key, hooks);
        const found = { mounts: [], blocks: [] };
        return { options, hooks, target, store, baselines, before, run, volumes, ...found, startedAtNs, isGuest };
      });
    });
  } catch (error) {
    target.close();
    throw error;
  }
}

function logOf(filesystem: Filesystem): VolumeLog | null {
  const state = filesystem.logged?.() ?? null;
  return state === null ? null : { state, reference: openJournalReference(state, filesystem) };
}

function baselinesOf(store: Store, { baseline, baselines }: ScanOptions): Store {
  return baseline === null || baselines?.path == null ? store : openStore(baselines.path, 'read');
}

/** Every generation that the scan compares with, ascending by time. */
function sourcesOf(baselines: Store, before: BeforeImages | null, options: ScanOptions): GenerationSource[] {
  const ofBaseline = options.baseline === null ? [] : sourcesOfBaseline(baselines, options.baseline);
  const all = [...ofBaseline, ...(before?.sources ?? [])];
  return all.sort((left, right) => (left.generation.atNs < right.generation.atNs ? -1 : 1));
}

/** An image of another disk would accuse everything. */
function assertSameFilesystems(target: OpenedTarget, before: BeforeImages | null): void {
  for (const { name, volumes } of before?.disks ?? []) {
    for (const { index, uuid } of volumes) {
      const now = target.volumes[index]?.facts.uuid ?? null;
      if (uuid === null || now === null || uuid === now) continue;
      throw new UsageError(
        `--before ${name}: volume ${index} is another file system (UUID ${uuid}, the target's is ${now})`,
      );
    }
  }
}

/** @param keep leaves the run's records for a resumption. */
export function closeSession({ run, store, baselines, before, target, isGuest }: Session, keep: boolean): void {
  if (!keep) run.drop();
  if (baselines !== store) baselines.close();
  if (!isGuest) store.close();
  before?.close();
  target.close();
}

/** Every reference of a volume; git's by the time that the listing has shown a repository. */
export function referencesOf({ references, git, log }: ReferringVolume): Reference[] {
  const found = git === null || git.isEmpty ? [] : [git];
  return [...references, ...found, ...(log === null ? [] : [log.reference])];
}

type ReferringVolume = Pick<SessionVolume, 'references' | 'git' | 'log'>;

/** Every reference once, in the order of the volumes. */
export function infosOf(volumes: readonly ReferringVolume[]): ReferenceInfo[] {
  const infos = volumes.flatMap(referencesOf).map(reference => reference.info);
  return [...new Map(infos.map(info => [info.id, info])).values()];
}

/** Runs `body` with the workers, and with a scan for each volume that can be read. */
export async function withVolumeScans<T>(
  session: Session,
  reads: Reads,
  body: (scans: readonly VolumeScan[], watch: ProgressWatch) => Promise<T>,
): Promise<T> {
  const watch = new ProgressWatch(new Pool(session.options.jobs), session.hooks);
  try {
    return await body(
      session.volumes.map(volume => volumeScan(session, volume, reads, watch)),
      watch,
    );
  } finally {
    await watch.close();
  }
}

/** What workers are told of the opening. */
function openingOf(target: OpenedTarget, jobs: number): Opening {
  return { workers: jobs + 1, replayed: target.replayed };
}

function volumeScan(session: Session, volume: SessionVolume, reads: Reads, watch: ProgressWatch): VolumeScan {
  const { options, target, baselines, before, run, startedAtNs } = session;
  const infos = [...volume.references.map(reference => reference.info), GIT_INFO];
  const references = new Map(infos.map(info => [info.id, info]));
  const facts: Omit<ScanFacts, 'donors'> = {
    window: options.window,
    references,
    generations: volume.generations,
    startedAtNs,
    log: volume.log === null ? null : { ...volume.log.state, differs: volume.log.state.view !== null },
  };
  const opening = openingOf(target, options.jobs);
  const sources = sourcesOf(baselines, before, options);
  return {
    volume: volume.index,
    options,
    opening,
    pool: watch.pool,
    run,
    references: volume.references,
    git: volume.git,
    log: volume.log !== null && volume.log.state.view !== null ? volume.log.reference : null,
    newest: volume.log?.state.newest ?? null,
    ends: volume.log?.state.ends ?? null,
    facts,
    selection: selectionOf(options),
    mountPoints: options.target.kind === 'image' ? mountPointsOf(volume.filesystem) : new Set(),
    ownersOf: hashes => ownersInGenerations(sources, volume.index, hashes),
    filesystem: volume.filesystem,
    showsBlocks: volume.filesystem.blocks !== undefined,
    maps: volume.maps,
    volumeNow: volumeNow(volume, target),
    ...nowOf(volume, { target: options.target, volume: volume.index, opening }, watch.pool),
    reads,
    onGoneBack: found => session.blocks.push(...reportBlocks(volume.index, found, unitsPerBlockOf(volume.filesystem))),
    onMount: path => session.mounts.push({ volume: volume.index, path, reason: 'excluded' }),
    breath: () => new Breath(() => watch.pool.cancelled),
    onPlanned: (files, bytes) => watch.plan(files, bytes),
    onPhase: phase => watch.enter(phase),
  };
}

function unitsPerBlockOf({ blocks }: Filesystem): number {
  return blocks === undefined ? 1 : blocks.blockBytes / unitBytesOf(blocks.blockBytes);
}

/** A repair counts from what it found: then the bitmaps know no more than the inodes. */
function volumeNow({ index, filesystem }: SessionVolume, target: OpenedTarget): VolumeNow | null {
  const { blocks } = filesystem;
  if (blocks === undefined) return null;
  const { repairedAtNs = null, offset = null } = target.volumes[index]?.facts ?? {};
  const unitsPerBlock = unitsPerBlockOf(filesystem);
  const isAllocated = (unit: number): boolean | null => blocks.isAllocated(Math.floor(unit / unitsPerBlock));
  return {
    bytes: blocks.bytes,
    offset: offset ?? 0,
    isAllocated: repairedAtNs === null ? isAllocated : () => null,
    mayShareBlocks: inode => blocks.mayShareBlocks?.(inode) ?? false,
    inodeAt: inode => blocks.inodeAt(inode),
  };
}

/** The blocks of the volume as it is, read at most once. */
function nowOf(
  { filesystem: { blocks }, maps, extent }: SessionVolume,
  mapped: MappedVolume,
  pool: Pool,
): Pick<VolumeScan, 'mapNow' | 'placesNow'> {
  let map: Promise<BlockMap | null> | null = null;
  let places: Promise<VolumePlaces | null> | null = null;
  const mapNow = (): Promise<BlockMap | null> => {
    map ??= blocks === undefined ? Promise.resolve(null) : mapVolume(pool, mapped, blocks);
    return map;
  };
  const ownersNow = async (): Promise<BlockOwners | null> =>
    maps.length > 0 ? ((await mapNow())?.owners ?? null) : new BlockOwners(await pool.owners(mapped));
  const placesOf = async (blockBytes: number): Promise<VolumePlaces | null> => {
    const owners = await ownersNow();
    return owners === null || extent === null ? null : new VolumePlaces(owners, unitBytesOf(blockBytes), extent);
  };
  const placesNow = (): Promise<VolumePlaces | null> => {
    places ??= blocks === undefined || extent === null ? Promise.resolve(null) : placesOf(blocks.blockBytes);
    return places;
  };
  return { mapNow, placesNow };
}

function examinable(
  target: OpenedTarget,
  options: ScanOptions,
): Pick<SessionVolume, 'index' | 'filesystem' | 'extent'>[] {
  const volumes = target.volumes.flatMap(({ facts: { index, offset, size }, filesystem }) =>
    filesystem === null ? [] : [{ index, filesystem, extent: offset === null ? null : { offset, length: size ?? 0 } }],
  );
  if (volumes.length > 0) return volumes;
  const why = target.volumes.map(({ facts, trouble }) => `volume ${facts.index}: ${trouble}`).join('; ');
  throw new UnsupportedError(`${options.target.name}: holds no file system that can be read (${why || 'it is empty'})`);
}

interface RunKey {
  readonly purpose: string;
  readonly references: readonly ReferenceInfo[];
  readonly written: readonly unknown[];
}

/** What changes when a volume is mounted or written to: a block device itself looks the same then. */
function writtenOf({ volumes }: OpenedTarget): readonly unknown[] {
  return volumes.map(({ facts, writtenAtNs }) => [facts.uuid, facts.state, String(writtenAtNs)]);
}

/** Keyed by what decides the result: another target, option, reference or version is another run. */
function openRun(store: Store, options: ScanOptions, { purpose, references, written }: RunKey, hooks: RunHooks): Run {
  const { target, before = [], include, exclude, scanners, metadataOnly, crossMounts } = options;
  const what = [target, before, include, exclude, scanners, metadataOnly, crossMounts];
  const ids = references.map(reference => reference.id);
  const key = JSON.stringify([purpose, VERSION, ...what, ids, written]);
  const digest = createHash('sha256').update(key).digest('hex');
  const { run, resumed } = store.openRun(digest);
  if (!resumed) return run;
  if (options.resume === 'auto') {
    hooks.onNotice('resuming a run that did not finish');
    return run;
  }
  run.drop();
  return store.openRun(digest).run;
}

function closingOnError<T>(store: Store | null, body: () => T): T {
  try {
    return body();
  } catch (error) {
    store?.close();
    throw error;
  }
}
