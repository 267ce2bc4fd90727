// A scan from options to report: opens the target and the store, examines, judges. The wiring, no knowledge.

import { createHash, randomUUID } from 'node:crypto';
import { STRUCTURE_SCANNERS } from '../scanners/index.ts';
import { UsageError } from './errors.ts';
import type { ScanFacts } from './judge/path-case.ts';
import type { Skipped } from './model.ts';
import { comparePaths } from './path.ts';
import { Pool } from './pool.ts';
import type { Reference } from './references/reference.ts';
import type { Report, ReportVolume } from './report/report.ts';
import { ownersInBaseline } from './run/baselines.ts';
import { Breath } from './run/breath.ts';
import { type JudgedScan, judgeScan } from './run/judged-scan.ts';
import { nowNs } from './run/now.ts';
import type { RunHooks, ScanOptions, ScanOutcome } from './run/options.ts';
import { ProgressWatch } from './run/progress-watch.ts';
import { gatherReferences } from './run/references.ts';
import { examineVolume, judgeVolume, type VolumeScan } from './run/volume-scan.ts';
import type { Run } from './store/scan-runs.ts';
import { openStore, type Store } from './store/store.ts';
import { openTarget } from './tree/open-target.ts';
import { selectionOf } from './tree/selection.ts';
import { VERSION } from './version.ts';

export { dropBaseline, listBaselines, showBaseline } from './run/baselines.ts';
export { createBaseline } from './run/create-baseline.ts';
export { identityOf } from './tree/open-target.ts';

const ONLY_VOLUME = 0;

/**
 * Scans a target. UsageError when target, store or a named reference cannot be opened; UnsupportedError for targets that
 * cannot be read. Findings stay in the store until the outcome is closed.
 */
export async function scan(options: ScanOptions, hooks: RunHooks): Promise<ScanOutcome> {
  assertScanners(options.scanners);
  const startedAtNs = nowNs();
  const filesystem = openTarget(options.target, ONLY_VOLUME);
  const store = openStore(options.store.path ?? ':memory:', 'write');
  try {
    const { all, generations } = gatherReferences(filesystem, store, options);
    const references = new Map(all.map(reference => [reference.info.id, reference.info]));
    const facts = { window: options.window, references, generations, startedAtNs };
    const run = openRun(store, options, all, hooks);
    const ownersOf = (hashes: ReadonlySet<bigint>) => ownersInBaseline(store, options.baseline, hashes);
    return await runScan({ options, hooks, store, run, references: all, facts, ownersOf, mounts: [] });
  } catch (error) {
    store.close();
    throw error;
  } finally {
    filesystem.close();
  }
}

function assertScanners(names: readonly string[] | null): void {
  const known = STRUCTURE_SCANNERS.map(scanner => scanner.name);
  const unknown = names?.find(name => !known.includes(name));
  if (unknown !== undefined)
    throw new UsageError(`--scanner: "${unknown}": no such scanner; there is ${known.join(', ')}`);
}

interface OpenedScan {
  readonly options: ScanOptions;
  readonly hooks: RunHooks;
  readonly store: Store;
  readonly run: Run;
  readonly references: readonly Reference[];
  readonly facts: Omit<ScanFacts, 'donors'>;
  readonly ownersOf: VolumeScan['ownersOf'];
  /** Mounts below the target that were not entered; filled while judging. */
  readonly mounts: Skipped[];
}

async function runScan(opened: OpenedScan): Promise<ScanOutcome> {
  const { options, run, store } = opened;
  const watch = new ProgressWatch(new Pool(options.jobs), opened.hooks);
  const volume = volumeScan(opened, watch);
  try {
    const whole = await examineVolume(volume);
    const breath = volume.breath();
    const judged = await judgeScan(run, judgeVolume(volume, breath), options.failOn);
    const report = reportOf(opened, judged, { whole: whole && !breath.stopped, bytesRead: watch.pool.counts().bytes });
    return { report, close: keep => closeRun(store, run, keep) };
  } finally {
    await watch.close();
  }
}

function volumeScan(opened: OpenedScan, watch: ProgressWatch): VolumeScan {
  const { options, run, references, facts, ownersOf, mounts } = opened;
  return {
    volume: ONLY_VOLUME,
    options,
    pool: watch.pool,
    run,
    references,
    facts,
    ownersOf,
    selection: selectionOf(options),
    reads: () => !options.metadataOnly,
    onMount: path => mounts.push({ volume: ONLY_VOLUME, path, reason: 'excluded' }),
    breath: () => new Breath(() => watch.pool.cancelled),
    onPlanned: (files, bytes) => watch.plan(files, bytes),
    onPhase: phase => watch.enter(phase),
  };
}

function closeRun(store: Store, run: Run, keep: boolean): void {
  if (!keep) run.drop();
  store.close();
}

/** Keyed by what decides the result: another target, option, reference or version is another run. */
function openRun(store: Store, options: ScanOptions, references: readonly Reference[], hooks: RunHooks): Run {
  const { target, include, exclude, scanners, metadataOnly, crossMounts } = options;
  const ids = references.map(reference => reference.info.id);
  const key = JSON.stringify([VERSION, target, include, exclude, scanners, metadataOnly, crossMounts, ids]);
  const digest = createHash('sha256').update(key).digest('hex');
  const { run, resumed } = store.openRun(digest);
  if (!resumed) return run;
  if (options.resume === 'auto') {
    hooks.onNotice('resuming a scan that did not finish');
    return run;
  }
  run.drop();
  return store.openRun(digest).run;
}

function reportOf(opened: OpenedScan, judged: JudgedScan, examined: { whole: boolean; bytesRead: number }): Report {
  const { options, references, facts } = opened;
  const { tally, verdicts, hasFindings, orphans } = judged;
  const { files, directories, vouched, atRisk, unvouched, skipped, byReference } = tally;
  const finishedAtNs = nowNs();
  const durationMs = Number((finishedAtNs - facts.startedAtNs) / 1_000_000n);
  const { bytesRead } = examined;
  const { kind, name, path } = options.target;
  return {
    tool: { name: 'lostwrite', version: VERSION },
    run: {
      id: randomUUID(),
      startedAtNs: facts.startedAtNs,
      finishedAtNs,
      complete: examined.whole && tally.unexamined === 0,
    },
    target: { kind, name, path, container: null, volumes: [MOUNTED] },
    window: options.window,
    references: references.map(({ info }) => ({ ...info, files: tally.filesByReference.get(info.id) ?? 0 })),
    summary: { files, directories, bytesRead, durationMs, vouched, atRisk, hasFindings, verdicts },
    coverage: { byReference, unvouched, skipped: inTreeOrder([...skipped, ...opened.mounts]) },
    findings: () => judged.findings.findings(),
    blocks: [],
    orphans,
    errors: references.flatMap(reference => reference.errors),
  };
}

function inTreeOrder(skipped: readonly Skipped[]): Skipped[] {
  return skipped.toSorted((left, right) => left.volume - right.volume || comparePaths(left.path, right.path));
}

/** What a mounted tree tells of its file system. */
const MOUNTED: ReportVolume = {
  index: ONLY_VOLUME,
  filesystem: 'host',
  uuid: null,
  label: '',
  offset: null,
  size: null,
  state: 'mounted',
  replayed: false,
  repairedAtNs: null,
  hot: false,
  log: null,
  gates: [],
};
