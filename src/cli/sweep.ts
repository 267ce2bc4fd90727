// `lostwrite sweep`: every target of a list, from the list to reports, merged summary and exit code.

import { basename, dirname, extname, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { countOf, figure } from '../figures.ts';
import type { SweepPlan } from '../fleet/sweep.ts';
import { printableText } from '../report/printable.ts';
import type { SweptTarget, WireSweep } from '../report/sweep-schema.ts';
import { renderSweepSummary } from '../report/sweep-summary.ts';
import { scanExitCode } from './exit-code.ts';
import { listenForInterrupts } from './interrupt.ts';
import { createProgressDisplay, type ProgressDisplay } from './progress.ts';
import { type Delivery, readDelivery } from './scan.ts';
import { choice, parseJobs, type Settings } from './settings.ts';
import { planTargets } from './sweep-targets.ts';
import { columnsOf, paletteFor, writeChunks, writeLines } from './terminal.ts';
import type { World } from './world.ts';
import { writeReport } from './write-report.ts';

const SUMMARY = '_sweep.json';

/** Scans all targets of the list; gives the exit code. */
export async function sweepCommand(file: string, settings: Settings, world: World): Promise<number> {
  const delivery = readDelivery(settings, world);
  const display = createProgressDisplay(world, { quiet: delivery.quiet, verbose: settings.flag('verbose') });
  const run = await world.loadRun();
  const list = resolve(world.cwd, file);
  const directory = resolve(world.cwd, settings.text('out') ?? `${basename(file, extname(file))}-reports`);
  const entries = run.readTargets(list);
  const plan: SweepPlan = {
    file,
    directory,
    jobs: parseJobs(settings.text('jobs'), world.processors),
    resume: choice(settings.text('resume') ?? 'auto', 'resume', ['auto', 'never']),
    version: world.version,
    targets: planTargets(entries, { settings, world, run, directory, base: dirname(list) }),
  };
  const interrupt = listenForInterrupts(world, display.onNotice);
  try {
    const hooks = { onNotice: display.onNotice, onTarget: teller(display), signal: interrupt.signal };
    const swept = await run.sweep(plan, hooks);
    display.end();
    await deliver(swept, plan, delivery, world);
    const { complete } = swept.run;
    return scanExitCode({ complete, hasFindings: swept.summary.hasFindings, allowPartial: delivery.allowPartial });
  } finally {
    display.end();
    interrupt.stop();
  }
}

/** One line for each target that has been dealt with. */
function teller(display: ProgressDisplay): (target: SweptTarget, done: number, all: number) => void {
  return ({ name, state, figures, reasons }, done, all) => {
    const damaged = figures === null || figures.reported === 0 ? '' : `${countOf(figures.reported, 'damaged path')}`;
    const amiss = state === 'whole' ? '' : `${state === 'partial' ? 'in part' : state}: ${reasons[0] ?? ''}`;
    const words = [damaged, amiss].filter(word => word !== '').join('; ');
    display.onNotice(
      `${figure(done)} of ${figure(all)}  ${name}: ${words === '' ? 'scanned, no damage found' : words}`,
    );
  };
}

/** The summary is printed even when the file named by --json cannot be written. */
async function deliver(swept: WireSweep, plan: SweepPlan, delivery: Delivery, world: World): Promise<void> {
  const { json, quiet } = delivery;
  const text = [`${JSON.stringify(swept, null, 1)}\n`];
  let failure: unknown = null;
  try {
    if (json === '-') await writeChunks(world.stdout, text);
    else if (json !== null) await writeReport(json, text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    failure = error;
  }
  if (!quiet) {
    const output = json === '-' ? world.stderr : world.stdout;
    const columns = columnsOf(output);
    const places = { directory: printableText(plan.directory), file: SUMMARY };
    await writeLines(output, renderSweepSummary(swept, { palette: paletteFor(output, world.env), ...places, columns }));
  }
  if (failure !== null) throw failure;
}
