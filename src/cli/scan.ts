// `lostwrite scan`: the main job, from settings to report, summary and exit code.

import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { renderJson } from '../report/json.ts';
import type { Report } from '../report/report.ts';
import { renderSummary } from '../report/summary.ts';
import type { RunHooks, ScanOptions, ScanOutcome } from '../run/options.ts';
import { scanExitCode } from './exit-code.ts';
import { explainOptions } from './explain-options.ts';
import { readSuspectExtents } from './extents.ts';
import { listenForInterrupts } from './interrupt.ts';
import { settlePlaces, storePlace } from './places.ts';
import { createProgressDisplay, type ProgressDisplay } from './progress.ts';
import type { RunFunctions } from './run-functions.ts';
import { judgeScanOptions } from './scan-options.ts';
import type { Settings } from './settings.ts';
import { identified, imageSettings, type LocatedTarget, locateTarget } from './target.ts';
import { columnsOf, paletteFor, writeChunks, writeLines } from './terminal.ts';
import type { World } from './world.ts';
import { assertReportCanBeWritten, writeReport } from './write-report.ts';

/** What is done with a scan once it has ended. */
export interface Delivery {
  /** File, `-` for standard output, null for none. */
  readonly json: string | null;
  readonly quiet: boolean;
  readonly allowPartial: boolean;
  /** Target and options of an `explain` that sees what the scan saw. */
  readonly explainWords?: readonly string[];
  /** The target is gone once the summary is read: no hint leads back to it. */
  readonly targetPasses?: boolean;
  /** A stopped scan goes on when it is called again. */
  readonly resumes?: boolean;
}

/** Scans one target, which may lie across several images; gives the exit code. */
export async function scanCommand(targets: readonly string[], given: Settings, world: World): Promise<number> {
  const [target = '', ...more] = targets;
  const settings = withImages(given, more);
  const delivery = readDelivery(settings, world);
  const display = createProgressDisplay(world, { quiet: delivery.quiet, verbose: settings.flag('verbose') });
  const located = locateScan(target, settings, world, { report: delivery.json, say: display.onNotice });
  const run = await world.loadRun();
  const resumes = located.store.path !== null && settings.text('resume') !== 'never';
  const delivered = { ...delivery, resumes, explainWords: [target, ...explainOptions(settings)] };
  return (await scanAndDeliver(run, withIdentity(located, run), delivered, display, world)).code;
}

/** Several TARGETs are one: the first, with further images. */
function withImages(settings: Settings, more: readonly string[]): Settings {
  if (more.length === 0) return settings;
  return { ...settings, list: name => (name === 'with' ? [...more, ...settings.list(name)] : settings.list(name)) };
}

/** UsageError for a report that could not be written, before hours are spent on it. */
export function readDelivery(settings: Settings, world: World): Delivery {
  const [quiet, verbose] = [settings.flag('quiet'), settings.flag('verbose')];
  if (quiet && verbose) throw new UsageError('--quiet and --verbose contradict each other');
  const named = settings.text('json');
  const json = named === null || named === '-' ? named : resolve(world.cwd, named);
  if (json !== null && json !== '-') assertReportCanBeWritten(json);
  return { json, quiet, allowPartial: settings.flag('allow-partial') };
}

export type LocatedScan = Omit<ScanOptions, 'target' | 'before'> & {
  readonly target: LocatedTarget;
  readonly before: readonly LocatedTarget[];
};

/** Every option judged, the target found, the places of store and report settled. UsageError for whatever is wrong. */
export function locateScan(
  text: string,
  settings: Settings,
  world: World,
  { report, say }: { report: string | null; say: (line: string) => void },
): LocatedScan {
  const judged = judgeScanOptions(settings, world.processors);
  const request = { text, cwd: world.cwd, name: settings.text('host'), hostName: world.hostName };
  const located = locateTarget(request);
  const target = { ...located, ...imageSettings(located.kind, settings, world.cwd) };
  assertShowsDisk(located, settings);
  const store = settlePlaces({
    target,
    crossMounts: judged.crossMounts,
    force: settings.flag('force'),
    store: storePlace(settings, world),
    storeNeeded: judged.baseline !== null,
    report: report === '-' ? null : report,
    say,
  });
  const before = settings.list('before').map(image => locateBefore(image, settings, world));
  const suspects = settings.text('suspect-extents');
  const suspectExtents = suspects === null ? [] : readSuspectExtents(resolve(world.cwd, suspects));
  return { ...judged, target, before, store, suspectExtents };
}

const OF_DISKS = ['stripe', 'suspect-extents'] as const;

function assertShowsDisk({ kind }: LocatedTarget, settings: Settings): void {
  const given = OF_DISKS.find(name => settings.text(name) !== null);
  if (kind === 'image' || given === undefined) return;
  throw new UsageError(`--${given}: a mounted tree does not show where its files lie on the disk; scan the image`);
}

/** One image of the time before. UsageError when it is none. */
export function locateBefore(text: string, settings: Settings, world: World): LocatedTarget {
  const located = locateTarget({ text, cwd: world.cwd, name: null, hostName: world.hostName });
  if (located.kind === 'directory')
    throw new UsageError(`--before ${text}: a directory is no image; make a baseline of it and use --baseline`);
  const { more: _, ...image } = imageSettings(located.kind, settings, world.cwd);
  return { ...located, ...image };
}

export function withIdentity(located: LocatedScan, run: Pick<RunFunctions, 'identityOf'>): ScanOptions {
  const before = located.before.map(image => identified(image, run.identityOf));
  return { ...located, target: identified(located.target, run.identityOf), before };
}

/** Runs the scan, writes the report, prints the summary and `closing`. What a stopped scan found stays in the store. */
export async function scanAndDeliver(
  run: Pick<RunFunctions, 'scan'>,
  options: ScanOptions,
  delivery: Delivery,
  display: ProgressDisplay,
  world: World,
  closing: (report: Report) => string[] = () => [],
): Promise<{ readonly code: number; readonly interrupted: boolean }> {
  const interrupt = listenForInterrupts(world, display.onNotice);
  try {
    const hooks: RunHooks = { ...display, signal: interrupt.signal };
    const outcome = await run.scan(options, hooks);
    display.end();
    let delivered = false;
    try {
      await deliver(outcome, delivery, world, closing);
      delivered = true;
    } finally {
      const stopped = interrupt.signal.aborted && !outcome.report.run.complete;
      outcome.close(stopped || !delivered);
    }
    const { run: ran, summary } = outcome.report;
    const code = scanExitCode({ ...delivery, complete: ran.complete, hasFindings: summary.hasFindings });
    return { code, interrupted: interrupt.signal.aborted };
  } finally {
    display.end();
    interrupt.stop();
  }
}

/** The summary is printed even when the report cannot be written: somebody waited for it. */
async function deliver(
  outcome: ScanOutcome,
  delivery: Delivery,
  world: World,
  closing: (report: Report) => string[],
): Promise<void> {
  const { report } = outcome;
  const { json, quiet, explainWords = null, targetPasses = false, resumes = false } = delivery;
  let failure: unknown = null;
  try {
    if (json === '-') await writeChunks(world.stdout, renderJson(report));
    else if (json !== null) await writeReport(json, renderJson(report));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    failure = error;
  }
  if (!quiet) {
    const output = json === '-' ? world.stderr : world.stdout;
    const reportFile = failure === null && json !== '-' ? json : null;
    const palette = paletteFor(output, world.env);
    const columns = columnsOf(output);
    await writeLines(output, [
      ...renderSummary(report, { palette, reportFile, explainWords, targetPasses, resumes, columns }),
      ...closing(report),
    ]);
  }
  if (failure !== null) throw failure;
}
