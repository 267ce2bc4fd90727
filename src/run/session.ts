// What a run holds open: the target with its volumes, the store, the references, the records. Opened together, closed together.

import { createHash } from 'node:crypto';
import { UnsupportedError } from '../errors.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import type { GenerationFacts, ScanFacts } from '../judge/path-case.ts';
import type { ReferenceInfo, Skipped } from '../model.ts';
import { Pool } from '../pool.ts';
import type { Reference } from '../references/reference.ts';
import type { Run } from '../store/scan-runs.ts';
import { openStore, type Store } from '../store/store.ts';
import { type OpenedTarget, type Opening, openTarget } from '../tree/open-target.ts';
import { selectionOf } from '../tree/selection.ts';
import { VERSION } from '../version.ts';
import { ownersInBaseline } from './baselines.ts';
import { Breath } from './breath.ts';
import { mountPointsOf } from './mount-points.ts';
import { nowNs } from './now.ts';
import type { RunHooks, ScanOptions } from './options.ts';
import type { Reads } from './plan.ts';
import { ProgressWatch } from './progress-watch.ts';
import { gatherReferences } from './references.ts';
import type { VolumeScan } from './volume-scan.ts';

export interface Session {
  readonly options: ScanOptions;
  readonly hooks: RunHooks;
  readonly target: OpenedTarget;
  readonly store: Store;
  /** Where baselines are: the store, or another one that is only read. */
  readonly baselines: Store;
  readonly run: Run;
  readonly volumes: readonly SessionVolume[];
  /** Mounts below the target that were not entered; filled while judging. */
  readonly mounts: Skipped[];
  readonly startedAtNs: bigint;
}

export interface SessionVolume {
  readonly index: number;
  readonly filesystem: Filesystem;
  readonly references: readonly Reference[];
  readonly generations: readonly GenerationFacts[];
}

/**
 * @param purpose runs of another purpose keep records of their own.
 * UsageError when target, store or a named reference cannot be opened; UnsupportedError, DamageError or ReadError for an
 * image of which nothing can be read.
 */
export function openSession(options: ScanOptions, hooks: RunHooks, purpose: string): Session {
  const startedAtNs = nowNs();
  const target = openTarget(options.target);
  try {
    const store = openStore(options.store.path ?? ':memory:', 'write');
    return closingOnError([store], () => {
      const baselines = baselinesOf(store, options);
      return closingOnError(baselines === store ? [] : [baselines], () => {
        const volumes = examinable(target, options).map(volume => ({
          ...volume,
          ...gatherReferences(volume, baselines, options),
        }));
        const run = openRun(store, options, { purpose, references: infosOf(volumes) }, hooks);
        return { options, hooks, target, store, baselines, run, volumes, mounts: [], startedAtNs };
      });
    });
  } catch (error) {
    target.close();
    throw error;
  }
}

/** @param keep leaves the run's records for a resumption. */
export function closeSession({ run, store, baselines, target }: Session, keep: boolean): void {
  if (!keep) run.drop();
  if (baselines !== store) baselines.close();
  store.close();
  target.close();
}

function baselinesOf(store: Store, { baseline, baselines }: ScanOptions): Store {
  return baseline === null || baselines?.path == null ? store : openStore(baselines.path, 'read');
}

/** Every reference once, in the order of the volumes. */
export function infosOf(volumes: readonly Pick<SessionVolume, 'references'>[]): ReferenceInfo[] {
  const infos = volumes.flatMap(volume => volume.references.map(reference => reference.info));
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
  const { options, target, baselines, run, startedAtNs } = session;
  const references = new Map(volume.references.map(reference => [reference.info.id, reference.info]));
  const facts: Omit<ScanFacts, 'donors'> = {
    window: options.window,
    references,
    generations: volume.generations,
    startedAtNs,
  };
  return {
    volume: volume.index,
    options,
    opening: openingOf(target, options.jobs),
    pool: watch.pool,
    run,
    references: volume.references,
    facts,
    selection: selectionOf(options),
    mountPoints: options.target.kind === 'image' ? mountPointsOf(volume.filesystem) : new Set(),
    ownersOf: hashes => ownersInBaseline(baselines, options.baseline, volume.index, hashes),
    reads,
    onMount: path => session.mounts.push({ volume: volume.index, path, reason: 'excluded' }),
    breath: () => new Breath(() => watch.pool.cancelled),
    onPlanned: (files, bytes) => watch.plan(files, bytes),
    onPhase: phase => watch.enter(phase),
  };
}

function examinable(target: OpenedTarget, options: ScanOptions): { index: number; filesystem: Filesystem }[] {
  const volumes = target.volumes.flatMap(({ facts, filesystem }) =>
    filesystem === null ? [] : [{ index: facts.index, filesystem }],
  );
  if (volumes.length > 0) return volumes;
  const why = target.volumes.map(({ facts, trouble }) => `volume ${facts.index}: ${trouble}`).join('; ');
  throw new UnsupportedError(`${options.target.name}: holds no file system that can be read (${why || 'it is empty'})`);
}

interface RunKey {
  readonly purpose: string;
  readonly references: readonly ReferenceInfo[];
}

/** Keyed by what decides the result: another target, option, reference or version is another run. */
function openRun(store: Store, options: ScanOptions, { purpose, references }: RunKey, hooks: RunHooks): Run {
  const { target, include, exclude, scanners, metadataOnly, crossMounts } = options;
  const ids = references.map(reference => reference.id);
  const key = JSON.stringify([purpose, VERSION, target, include, exclude, scanners, metadataOnly, crossMounts, ids]);
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

function closingOnError<T>(stores: readonly Store[], body: () => T): T {
  try {
    return body();
  } catch (error) {
    for (const store of stores) store.close();
    throw error;
  }
}
