// The summary for a person who was woken up: what was scanned, how bad it is, what to do first, and what remains unknown.
// A pure function of the report; every name in it went through printable.ts.

import { byteFigure, countOf, figure } from '../figures.ts';
import { CONFIDENCES, type ScanError, type Skipped, type SkipReason, VERDICTS } from '../model.ts';
import type { Display } from './display.ts';
import { NO_COLOURS, type Palette } from './palette.ts';
import { printablePath, printableText, shellWord } from './printable.ts';
import { referencesForPeople } from './reference-text.ts';
import type { Report } from './report.ts';
import { extentLines } from './summary-extents.ts';
import { journalSentences } from './summary-journal.ts';
import { hintRemedyLines, remedyLines } from './summary-remedies.ts';
import { topLines } from './summary-top.ts';
import { type Tally, tally } from './tally.ts';
import { type VolumeSuffix, volumeSuffixes } from './volume-name.ts';
import { SKIP_WORDS, spanFigure, VERDICT_WORDS, windowForPeople } from './words.ts';
import { wrapText } from './wrap.ts';

export interface SummaryOptions {
  readonly palette?: Palette;
  /** Width of the terminal. */
  readonly columns?: number;
  /** Where the whole report was written; null: nowhere. */
  readonly reportFile?: string | null;
  /** Words that `explain` needs to see what the scan saw: the target, and options. Default: the target's path. */
  readonly explainWords?: readonly string[] | null;
  /** The target is gone once this is read: no hint leads back to it. */
  readonly targetPasses?: boolean;
  /** A scan that was stopped goes on when it is called again. */
  readonly resumes?: boolean;
}

const DEFAULT_COLUMNS = 80;
/** Longer lines tire the eye. */
const MOST_COLUMNS = 100;
const TOP_FINDINGS = 20;
const EXAMPLES = 3;
const ERRORS_SHOWN = 5;
/** A longer summary ends as it began: its headline has left the screen by then. */
const SHORT_LINES = 20;

/** The summary's lines, without line ends. */
export function renderSummary(report: Report, options: SummaryOptions = {}): string[] {
  const palette = options.palette ?? NO_COLOURS;
  const columns = Math.min(options.columns ?? DEFAULT_COLUMNS, MOST_COLUMNS);
  const volumeOf = volumeSuffixes(report.target.volumes);
  const counted = tally(report.findings(), TOP_FINDINGS);
  const sections = [
    scannedLines(report, palette, columns),
    headlineLines(report, counted, palette, columns),
    containerLines(report, palette, columns),
    countLines(counted, palette),
    topLines(counted, { palette, columns, volumeOf }),
    remedyLines(counted, { palette, columns, volumeOf }),
    hintRemedyLines(counted, { palette, columns, volumeOf }),
    extentLines(report.extents, { palette, columns, volumeOf }),
    unvouchedLines(report, counted, { palette, columns, volumeOf }),
    skippedLines(report.coverage.skipped, { palette, columns, volumeOf }),
    errorLines(report.errors, palette, columns),
    nextLines(report, counted, options),
  ].filter(section => section.length > 0);
  const lines = sections.flatMap((section, at) => (at === 0 ? section : ['', ...section]));
  return lines.length > SHORT_LINES ? [...lines, '', ...headlineLines(report, counted, palette, columns)] : lines;
}

function scannedLines(report: Report, palette: Palette, columns: number): string[] {
  const { target, summary } = report;
  const kinds = [...new Set(target.volumes.map(volume => volume.filesystem))].join(', ');
  const volumes = target.volumes.length > 1 ? `, ${target.volumes.length} volumes` : '';
  const place = target.name === target.path ? '' : ` (${printableText(target.path)})`;
  const what = `${countOf(summary.files, 'file')} and ${countOf(summary.directories, 'directory', 'directories')}`;
  return [
    palette.strong(
      `lostwrite ${report.tool.version}: ${printableText(target.name)}${place}${volumes}${kinds && `, ${kinds}`}`,
    ),
    ...wrapText(
      `${wasStopped(report) ? 'Listed' : 'Scanned'} ${what}; ${byteFigure(summary.bytesRead)} read in ${spanFigure(summary.durationMs)}.`,
      columns,
    ),
    ...wrapText(referenceSentence(report), columns),
    report.window === null
      ? 'No suspect time was given (--window): nothing can be ruled out by its age.'
      : `Suspect time: ${windowForPeople(report.window)}`,
  ];
}

function wasStopped({ errors }: Report): boolean {
  return errors.some(({ code }) => code === 'interrupted');
}

function referenceSentence(report: Report): string {
  if (report.references.length === 0)
    return 'Compared with nothing: no package database, no baseline was found or given.';
  return `Compared with ${report.references.map(referenceWords).join(', ')}.`;
}

/** A log speaks only where it has something otherwise than the disk. */
function referenceWords({ id, kind, files }: Report['references'][number]): string {
  const isLog = kind === 'journal';
  const what = isLog ? (files === 0 ? 'which agrees' : 'which is newer') : countOf(files, 'path');
  return `${referencesForPeople(printableText(id))} (${what})`;
}

function headlineLines(report: Report, counted: Tally, palette: Palette, columns: number): string[] {
  const [sentence, colour] = headline(report, counted, palette);
  const lines = wrapText(sentence, columns).map(line => palette.strong(colour(line)));
  if (report.run.complete) return lines;
  const warning = 'NOT EVERYTHING WAS SCANNED: what was left out may be damaged as well.';
  return [...lines, ...wrapText(warning, columns).map(palette.warn)];
}

function headline(report: Report, counted: Tally, palette: Palette): [string, (text: string) => string] {
  if (counted.reported > 0) return [damageSentence(counted), palette.bad];
  const look = counted.hints + counted.suspects;
  if (look > 0) {
    const what = `${countOf(look, 'path is', 'paths are')} worth a look`;
    return [`NO DAMAGE FOUND FOR SURE, but ${what}.`, palette.warn];
  }
  const { vouched } = report.summary;
  if (vouched === 0) return ['NO DAMAGE SEEN, but nothing could vouch for what the files hold.', palette.warn];
  if (!report.run.complete) return [`NO DAMAGE FOUND in what was scanned.`, palette.warn];
  const all = vouched + report.coverage.unvouched;
  return [`NO DAMAGE FOUND. ${shareOf(vouched, all)} of all paths agree with a reference.`, palette.good];
}

function damageSentence({ reported, proven, hints }: Tally): string {
  const sure =
    proven === reported ? 'beyond doubt' : proven === 0 ? 'very likely' : `${figure(proven)} of them beyond doubt`;
  const damaged = `DAMAGE FOUND: ${countOf(reported, 'path is', 'paths are')} damaged, ${sure}.`;
  return hints === 0 ? damaged : `${damaged} ${countOf(hints, 'more is', 'more are')} worth a look.`;
}

/** Never "100 %" or "0 %" for anything less than all or more than none. */
function shareOf(part: number, whole: number): string {
  if (part === whole) return '100 %';
  const percent = Math.floor((part / whole) * 1000) / 10;
  return part > 0 && percent === 0 ? 'less than 0.1 %' : `${percent} %`;
}

/** Blocks that explain themselves: tables of the image's container that lost an update. */
function containerLines({ target, blocks }: Report, palette: Palette, columns: number): string[] {
  const told = blocks.flatMap(({ confidence, detail }) => (detail === undefined ? [] : [`${confidence}: ${detail}`]));
  if (told.length === 0) return [];
  const lines = told.flatMap(text => wrapText(printableText(text), columns, 2));
  return [palette.strong(`What the tables of the ${target.container ?? 'disk'} image give away`), ...lines];
}

function countLines(counted: Tally, palette: Palette): string[] {
  const rows = VERDICTS.filter(verdict => CONFIDENCES.some(confidence => counted.counts[verdict][confidence] > 0));
  if (rows.length === 0) return [];
  const cells = (values: readonly string[]): string => values.map(value => value.padStart(9)).join('');
  return [
    palette.faint(`  ${''.padEnd(11)}${cells(['proven', 'likely', 'possible'])}`),
    ...rows.map(verdict => {
      const figures = CONFIDENCES.map(confidence => counted.counts[verdict][confidence]);
      return `  ${verdict.padEnd(11)}${cells(figures.map(value => (value === 0 ? '-' : figure(value))))}   ${VERDICT_WORDS[verdict]}`;
    }),
  ];
}

function unvouchedLines(report: Report, counted: Tally, { palette, columns, volumeOf }: Display): string[] {
  const { unvouched } = report.coverage;
  const journals = journalSentences(report.target.volumes, report.window, volumeOf);
  if (unvouched === 0 && counted.suspects === 0 && journals.length === 0) return [];
  const all = report.summary.vouched + unvouched;
  const lines = [palette.strong('What nobody could vouch for')];
  if (unvouched > 0) {
    const share = `${figure(unvouched)} of ${countOf(all, 'path')} (${shareOf(unvouched, all)})`;
    lines.push(...wrapText(`No reference vouches for ${share}: a lost write there may go unseen.`, columns, 2));
  }
  if (counted.suspects > 0) {
    const share = `${countOf(counted.suspects, 'path')} at risk (suspect): changed in the suspect time, or may have been.`;
    lines.push(...wrapText(`${share} Somebody who knows them must look. Most are below:`, columns, 2));
    lines.push(
      ...counted.suspectPlaces.map(({ path, count }) => `  ${figure(count).padStart(9)}  ${printablePath(path)}`),
    );
  }
  return [...lines, ...journals.flatMap(sentence => wrapText(sentence, columns, 2))];
}

function skippedLines(skipped: readonly Skipped[], { palette, columns, volumeOf }: Display): string[] {
  if (skipped.length === 0) return [];
  const byReason = new Map<SkipReason, Skipped[]>();
  for (const entry of skipped) {
    const same = byReason.get(entry.reason);
    if (same === undefined) byReason.set(entry.reason, [entry]);
    else same.push(entry);
  }
  const lines = [...byReason].flatMap(([reason, entries]) => [
    ...wrapText(`${SKIP_WORDS[reason]} (${figure(entries.length)})`, columns, 2),
    ...examplePaths(entries, volumeOf),
  ]);
  return [palette.strong('What was not examined'), ...lines];
}

function examplePaths(entries: readonly Skipped[], volumeOf: VolumeSuffix): string[] {
  const shown = entries.slice(0, EXAMPLES).map(({ path, volume }) => `    ${printablePath(path)}${volumeOf(volume)}`);
  return entries.length > EXAMPLES ? [...shown, `    and ${figure(entries.length - EXAMPLES)} more`] : shown;
}

function errorLines(errors: readonly ScanError[], palette: Palette, columns: number): string[] {
  if (errors.length === 0) return [];
  const byPlace = new Map<string, { first: ScanError; count: number }>();
  for (const error of errors) {
    const place = placeOf(error);
    const known = byPlace.get(place);
    if (known === undefined) byPlace.set(place, { first: error, count: 1 });
    else known.count += 1;
  }
  const shown = [...byPlace.values()]
    .slice(0, ERRORS_SHOWN)
    .flatMap(({ first, count }) => troubleLines(first, count - 1, columns));
  const rest = byPlace.size - ERRORS_SHOWN;
  const more = rest > 0 ? [`  and in ${countOf(rest, 'more place')}`] : [];
  return [palette.strong(`Trouble on the way (${figure(errors.length)})`), ...shown, ...more];
}

/** Whole volumes and tables stand alone; broken structures of one volume, or lines of one file, stand together. */
function placeOf({ path, code, message }: ScanError): string {
  if (path !== '/') return path;
  return code.startsWith('E') ? `volume ${message.split(':', 1)}` : `${code} ${message}`;
}

/** What concerns the whole target has no path to show. */
function troubleLines({ path, code, message }: ScanError, more: number, columns: number): string[] {
  const text = printableText(`${code}: ${message}`);
  const rest = more > 0 ? [`    and ${figure(more)} more there`] : [];
  if (path === '/') return [...wrapText(text, columns, 2), ...rest];
  return [`  ${printablePath(path)}`, ...wrapText(text, columns, 4), ...rest];
}

function nextLines(
  report: Report,
  counted: Tally,
  { reportFile = null, explainWords = null, targetPasses = false, resumes = false }: SummaryOptions,
): string[] {
  const lines: string[] = [];
  const any = !targetPasses && counted.reported + counted.hints + counted.suspects > 0;
  const [target = '', ...given] = explainWords ?? [report.target.path];
  const command = ['lostwrite explain', shellWord(target), 'PATH', ...given.map(shellWord)].join(' ');
  if (any) lines.push(`All about one path:  ${command}`);
  if (resumes && wasStopped(report)) lines.push('To go on from here:  the same command again');
  if (reportFile !== null) lines.push(`Every finding:       ${printableText(reportFile)}`);
  else if (any) lines.push('Every finding:       scan again with --json FILE');
  return lines;
}
