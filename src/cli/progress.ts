// The bar on a terminal's standard error, and the notices between. Without a terminal: nothing, or with --verbose a line
// every half minute.

import { byteFigure, countOf, figure } from '../figures.ts';
import { printableText } from '../report/printable.ts';
import { spanFigure } from '../report/words.ts';
import type { Progress } from '../run/options.ts';
import { createEstimator, type Estimate, type Estimator } from './estimate.ts';
import { columnsOf, isTerminal } from './terminal.ts';
import type { World } from './world.ts';

export interface ProgressDisplay {
  onProgress(progress: Progress): void;
  /** One line for a person. */
  onNotice(line: string): void;
  /** Takes the bar away; nothing is drawn after it. */
  end(): void;
}

const REDRAW_MS = 100;
const VERBOSE_LINE_MS = 30_000;
/** A terminal of 80 columns holds a short bar and both speeds; the number of files needs a wider one. */
const BAR_CHARACTERS = 10;
const WIDE_BAR_CHARACTERS = 20;
const WIDE_COLUMNS = 100;
const ERASE_LINE = '\r\x1b[K';

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  listing: 'Listing',
  reading: 'Reading',
  judging: 'Judging',
};

export function createProgressDisplay(world: World, options: { quiet: boolean; verbose: boolean }): ProgressDisplay {
  if (options.quiet) return { onProgress: nothing, onNotice: nothing, end: nothing };
  return isTerminal(world.stderr, world.env) ? terminalDisplay(world) : lineDisplay(world, options.verbose);
}

function nothing(): void {
  // --quiet
}

/** Progress is a courtesy: a stream that takes no more of it is no trouble. */
function put(world: World, text: string): void {
  world.stderr.write(text, nothing);
}

function terminalDisplay(world: World): ProgressDisplay {
  const estimates = phaseEstimates();
  let drawnMs = Number.NEGATIVE_INFINITY;
  let shown = '';
  let ended = false;
  return {
    onProgress(progress) {
      const nowMs = world.clockMs();
      const estimate = estimates(nowMs, progress);
      if (ended || nowMs - drawnMs < REDRAW_MS) return;
      drawnMs = nowMs;
      shown = barLine(progress, estimate, columnsOf(world.stderr) - 1);
      put(world, ERASE_LINE + shown);
    },
    onNotice(line) {
      put(world, `${shown === '' ? '' : ERASE_LINE}${printableText(line)}\n${ended ? '' : shown}`);
    },
    end() {
      if (shown !== '') put(world, ERASE_LINE);
      shown = '';
      ended = true;
    },
  };
}

function lineDisplay(world: World, verbose: boolean): ProgressDisplay {
  const estimates = phaseEstimates();
  let printedMs = world.clockMs();
  return {
    onProgress(progress) {
      const nowMs = world.clockMs();
      const estimate = estimates(nowMs, progress);
      if (!verbose || nowMs - printedMs < VERBOSE_LINE_MS) return;
      printedMs = nowMs;
      put(world, `${progressParts(progress, estimate).join('  ')}\n`);
    },
    onNotice: line => put(world, `${printableText(line)}\n`),
    end: nothing,
  };
}

/** Each phase has its own speed. */
function phaseEstimates(): (atMs: number, progress: Progress) => Estimate {
  let phase: Progress['phase'] | null = null;
  let estimator: Estimator = createEstimator();
  return (atMs, progress) => {
    if (progress.phase !== phase) estimator = createEstimator();
    phase = progress.phase;
    return estimator.observe(atMs, worked(progress));
  };
}

/** While listing, the entries are the work, and nobody knows how many there are; judging comes after all work. */
function worked(progress: Progress): Progress {
  if (progress.phase === 'reading') return progress;
  return { ...progress, filesDone: progress.entries, filesTotal: 0, bytesDone: 0, bytesTotal: 0 };
}

/** The most important first: a narrow terminal drops from the end. */
function progressParts(progress: Progress, estimate: Estimate): string[] {
  const phase = PHASES[progress.phase];
  if (progress.phase === 'listing')
    return [phase, countOf(progress.entries, 'entry', 'entries'), `${figure(Math.round(estimate.filesPerSecond))}/s`];
  if (progress.phase === 'judging') return [phase, countOf(progress.filesDone, 'file')];
  const percent = estimate.fraction === null ? [] : [`${Math.floor(estimate.fraction * 100)} %`];
  return [
    phase,
    ...percent,
    estimate.remainingMs === null ? 'estimating' : `about ${spanFigure(roundSpan(estimate.remainingMs))} left`,
    `${figure(Math.round(estimate.filesPerSecond))} files/s`,
    `${byteFigure(Math.round(estimate.bytesPerSecond))}/s`,
    `${figure(progress.filesDone)} of ${countOf(progress.filesTotal, 'file')}`,
  ];
}

/** A figure that jumps every tenth of a second says more than it knows: whole seconds, tens of them from a minute on. */
function roundSpan(milliseconds: number): number {
  const step = milliseconds < 60_000 ? 1000 : 10_000;
  return Math.ceil(milliseconds / step) * step;
}

function barLine(progress: Progress, estimate: Estimate, columns: number): string {
  const [phase = '', ...rest] = progressParts(progress, estimate);
  let line = phase;
  for (const part of estimate.fraction === null ? rest : [bar(estimate.fraction, columns), ...rest]) {
    if (line.length + 2 + part.length > columns) break;
    line += `  ${part}`;
  }
  return line.slice(0, Math.max(0, columns));
}

function bar(fraction: number, columns: number): string {
  const length = columns < WIDE_COLUMNS ? BAR_CHARACTERS : WIDE_BAR_CHARACTERS;
  const filled = Math.floor(fraction * length);
  return `[${'#'.repeat(filled)}${'-'.repeat(length - filled)}]`;
}
