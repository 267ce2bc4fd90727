// `lostwrite baseline`: create, list, show and drop generations.

import { UsageError } from '../errors.ts';
import { byteFigure, countOf, figure } from '../figures.ts';
import type { Nanoseconds } from '../model.ts';
import { printableText } from '../report/printable.ts';
import { tableLines } from '../report/table.ts';
import { rfc3339, timeForPeople } from '../report/time.ts';
import type { BaselineGeneration, BaselineOptions, BaselineSeries, RunHooks, StoreOption } from '../run/options.ts';
import { EXIT_CLEAN, EXIT_PARTIAL } from './exit-code.ts';
import { parseSpan } from './instant.ts';
import { listenForInterrupts } from './interrupt.ts';
import { settlePlaces, storePlace } from './places.ts';
import { createProgressDisplay } from './progress.ts';
import type { RunFunctions } from './run-functions.ts';
import { parseJobs, type Settings } from './settings.ts';
import { identified, imageSettings, locateTarget } from './target.ts';
import { writeLines } from './terminal.ts';
import type { World } from './world.ts';

export interface CreateRequest {
  readonly target: string;
  readonly name: string;
  /** --at as typed, or null. */
  readonly at: string | null;
}

/** Captures the target as a generation; gives the exit code. */
export async function createCommand(request: CreateRequest, settings: Settings, world: World): Promise<number> {
  const [quiet, verbose] = [settings.flag('quiet'), settings.flag('verbose')];
  if (quiet && verbose) throw new UsageError('--quiet and --verbose contradict each other');
  const judged = judge(request, settings, world);
  const display = createProgressDisplay(world, { quiet, verbose });
  const name = settings.text('host');
  const located = locateTarget({ text: request.target, cwd: world.cwd, name, hostName: world.hostName });
  const target = { ...located, ...imageSettings(located.kind, settings, world.cwd) };
  const store = settlePlaces({
    target,
    crossMounts: judged.crossMounts,
    force: settings.flag('force'),
    store: storePlace(settings, world),
    storeNeeded: true,
    report: null,
    say: display.onNotice,
  });
  const run = await world.loadRun();
  const options = { ...judged, target: identified(target, run.identityOf), store };
  const interrupt = listenForInterrupts(world, display.onNotice);
  try {
    return await create(run, options, { ...display, signal: interrupt.signal }, quiet, world);
  } finally {
    display.end();
    interrupt.stop();
  }
}

function judge(request: CreateRequest, settings: Settings, world: World): Omit<BaselineOptions, 'target' | 'store'> {
  return {
    name: baselineName(request.name),
    atNs: request.at === null ? null : parseSpan(request.at, '--at').fromNs,
    include: settings.list('include'),
    exclude: settings.list('exclude'),
    crossMounts: settings.flag('cross-mounts'),
    jobs: parseJobs(settings.text('jobs'), world.processors),
  };
}

/** NAME@TIME names a generation: the name itself must not hold an @. */
function baselineName(name: string): string {
  if (/^[^@\p{C}]+$/u.test(name)) return name;
  throw new UsageError(`"${name}" is no name for a baseline: it is empty, or has an @ or control characters`);
}

async function create(
  run: RunFunctions,
  options: BaselineOptions,
  hooks: RunHooks & { end(): void },
  quiet: boolean,
  world: World,
): Promise<number> {
  const result = await run.createBaseline(options, hooks);
  hooks.end();
  const what = `${countOf(result.entries, 'path')}, ${countOf(result.files, 'file')}, ${byteFigure(result.bytes)}`;
  const lines = [`Baseline ${printableText(options.name)}, state of ${timeForPeople(result.atNs)}: ${what}.`];
  if (result.skipped > 0) lines.push(`${countOf(result.skipped, 'path')} could not be captured.`);
  if (!result.complete) lines.push('The capture is not whole.');
  if (!quiet) await writeLines(world.stdout, lines);
  return result.complete ? EXIT_CLEAN : EXIT_PARTIAL;
}

/** For the commands that only need a store. */
interface Reading {
  readonly json: boolean;
}

export async function listCommand({ json }: Reading, settings: Settings, world: World): Promise<number> {
  const run = await world.loadRun();
  const series = await run.listBaselines(storeOf(settings, world));
  const none = ['There is no baseline yet: lostwrite baseline create TARGET --name NAME makes one.'];
  const lines = series.length === 0 ? none : seriesTable(series);
  await writeLines(
    world.stdout,
    json ? [jsonLine('lostwrite-baselines', { baselines: series.map(wireSeries) })] : lines,
  );
  return EXIT_CLEAN;
}

export async function showCommand(name: string, { json }: Reading, settings: Settings, world: World): Promise<number> {
  const run = await world.loadRun();
  const generations = await run.showBaseline(storeOf(settings, world), name);
  const wire = { name, generations: generations.map(wireGeneration) };
  const lines = json ? [jsonLine('lostwrite-baseline', wire)] : generationTable(generations);
  await writeLines(world.stdout, lines);
  return EXIT_CLEAN;
}

/** NAME drops all generations, NAME@TIME the one of that time (a date alone: of that day, when there is one only). */
export async function dropCommand(text: string, settings: Settings, world: World): Promise<number> {
  const [name = '', time, ...rest] = text.split('@');
  if (rest.length > 0 || name === '' || time === '') throw new UsageError(`"${text}": expected NAME or NAME@TIME`);
  const run = await world.loadRun();
  const store = storeOf(settings, world);
  const generations = await run.showBaseline(store, name);
  const dropped = time === undefined ? null : [chosenGeneration(generations, name, time)];
  await run.dropBaseline(store, name, dropped);
  const count = dropped?.length ?? generations.length;
  const line = `Dropped ${countOf(count, 'generation')} of baseline ${printableText(name)}.`;
  if (!settings.flag('quiet')) await writeLines(world.stdout, [line]);
  return EXIT_CLEAN;
}

function chosenGeneration(generations: readonly BaselineGeneration[], name: string, time: string): Nanoseconds {
  const span = parseSpan(time, `${name}@TIME`);
  const found = generations.filter(({ atNs }) => atNs >= span.fromNs && atNs <= span.toNs);
  const [first] = found;
  if (first === undefined) throw new UsageError(`baseline ${name} has no generation of ${time}`);
  if (found.length > 1) {
    const times = found.map(({ atNs }) => rfc3339(atNs)).join(', ');
    throw new UsageError(`baseline ${name} has ${found.length} generations of ${time}: name one of ${times}`);
  }
  return first.atNs;
}

function storeOf(settings: Settings, world: World): StoreOption {
  return { path: storePlace(settings, world).path };
}

function seriesTable(series: readonly BaselineSeries[]): string[] {
  const rows = series.map(({ name, generations, firstAtNs, lastAtNs }) => [
    printableText(name),
    figure(generations),
    timeForPeople(firstAtNs),
    timeForPeople(lastAtNs),
  ]);
  return tableLines(['NAME', 'GENERATIONS', 'OLDEST STATE', 'NEWEST STATE'], rows, [1]);
}

function generationTable(generations: readonly BaselineGeneration[]): string[] {
  const rows = generations.map(({ atNs, capturedNs, target, entries, files, bytes, mapBytes }) => [
    rfc3339(atNs) ?? '',
    figure(entries),
    figure(files),
    byteFigure(bytes),
    mapBytes === null ? '-' : byteFigure(mapBytes),
    timeForPeople(capturedNs),
    printableText(target),
  ]);
  return tableLines(['STATE OF', 'PATHS', 'FILES', 'SIZE', 'BLOCK MAP', 'CAPTURED', 'TARGET'], rows, [1, 2, 3, 4]);
}

function wireSeries({ name, generations, firstAtNs, lastAtNs }: BaselineSeries): object {
  return { name, generations, firstAt: rfc3339(firstAtNs), lastAt: rfc3339(lastAtNs) };
}

function wireGeneration(generation: BaselineGeneration): object {
  const { atNs, capturedNs, target, entries, files, bytes, mapBytes } = generation;
  const blockMap = mapBytes === null ? null : { bytesInStore: mapBytes };
  return { at: rfc3339(atNs), capturedAt: rfc3339(capturedNs), target, entries, files, bytes, blockMap };
}

function jsonLine(format: string, content: object): string {
  return JSON.stringify({ format, version: 1, ...content });
}
