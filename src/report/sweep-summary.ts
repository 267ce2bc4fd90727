// The summary of a sweep for a person who was woken up: how bad, where first, whom to tell, and what nobody has looked at.
// A pure function of the merged summary; every name in it went through printable.ts.

import { byteFigure, countOf, figure } from '../figures.ts';
import { NO_COLOURS, type Palette } from './palette.ts';
import { printableText } from './printable.ts';
import type { SweptTarget, WireSweep } from './sweep-schema.ts';
import { tableLines } from './table.ts';
import { spanFigure } from './words.ts';
import { wrapText } from './wrap.ts';

export interface SweepSummaryOptions {
  readonly palette?: Palette;
  /** Width of the terminal. */
  readonly columns?: number;
  /** Where the reports lie. */
  readonly directory: string;
  /** Name of the merged summary in it. */
  readonly file: string;
}

const DEFAULT_COLUMNS = 80;
const MOST_COLUMNS = 100;
const ROWS = 20;
const PACKAGES = 10;
const EXTENTS = 10;
const NOT_SCANNED = 30;

/** Lines without line ends. */
export function renderSweepSummary(sweep: WireSweep, options: SweepSummaryOptions): string[] {
  const palette = options.palette ?? NO_COLOURS;
  const columns = Math.min(options.columns ?? DEFAULT_COLUMNS, MOST_COLUMNS);
  const headline = headlineLines(sweep, palette, columns);
  const sections = [
    scannedLines(sweep, palette, columns),
    headline,
    worstLines(sweep, palette),
    ownerLines(sweep, palette),
    packageLines(sweep, palette),
    extentLines(sweep, palette),
    notScannedLines(sweep, palette, columns),
    [`Reports:  ${printableText(options.directory)}`, `Merged:   ${printableText(options.file)} there`],
    headline,
  ].filter(section => section.length > 0);
  return sections.flatMap((section, at) => (at === 0 ? section : ['', ...section]));
}

function scannedLines({ tool, run, summary }: WireSweep, palette: Palette, columns: number): string[] {
  const { targets, whole, partial, failed, notStarted, figures } = summary;
  const states = [
    `${figure(whole)} scanned whole`,
    ...(partial > 0 ? [`${figure(partial)} in part`] : []),
    ...(failed > 0 ? [`${figure(failed)} failed`] : []),
    ...(notStarted > 0 ? [`${figure(notStarted)} not scanned yet`] : []),
  ];
  const read = `${countOf(figures.files, 'file')}, ${byteFigure(figures.bytesRead)} read`;
  const durationMs = Date.parse(run.finishedAt) - Date.parse(run.startedAt);
  return [
    palette.strong(`lostwrite ${tool.version}: sweep of ${countOf(targets, 'target')} (${printableText(run.file)})`),
    ...wrapText(`${states.join(', ')}; ${read} in ${spanFigure(Math.max(0, durationMs))}.`, columns),
  ];
}

function headlineLines({ run, summary }: WireSweep, palette: Palette, columns: number): string[] {
  const [sentence, colour] = headline(summary, palette);
  const lines = wrapText(sentence, columns).map(line => palette.strong(colour(line)));
  if (run.complete) return lines;
  const warning = 'NOT EVERYTHING WAS SCANNED: what was left out may be damaged as well.';
  return [...lines, ...wrapText(warning, columns).map(palette.warn)];
}

function headline(
  { targets, whole, damaged, figures }: WireSweep['summary'],
  palette: Palette,
): [string, Palette['bad']] {
  const { reported, proven, hints, suspects } = figures;
  if (damaged > 0) {
    const where = `DAMAGE FOUND in ${figure(damaged)} of ${countOf(targets, 'target')}`;
    const sure =
      proven === reported ? 'beyond doubt' : proven === 0 ? 'very likely' : `${figure(proven)} of them beyond doubt`;
    return [`${where}: ${countOf(reported, 'path is', 'paths are')} damaged, ${sure}.`, palette.bad];
  }
  const look = hints + suspects;
  if (look > 0)
    return [`NO DAMAGE FOUND FOR SURE, but ${countOf(look, 'path is', 'paths are')} worth a look.`, palette.warn];
  if (figures.vouched === 0) return ['NO DAMAGE SEEN, but nothing could vouch for what the files hold.', palette.warn];
  return whole === targets
    ? ['NO DAMAGE FOUND.', palette.good]
    : ['NO DAMAGE FOUND in what was scanned.', palette.warn];
}

function worstLines({ targets, summary }: WireSweep, palette: Palette): string[] {
  const harmed = targets.filter(target => {
    const { reported = 0, hints = 0, suspects = 0 } = target.figures ?? {};
    return reported + hints + suspects > 0;
  });
  if (harmed.length === 0) return [];
  const rows = harmed.slice(0, ROWS).map(target => {
    const { reported = 0, proven = 0, hints = 0, suspects = 0 } = target.figures ?? {};
    const numbers = [reported, proven, hints, suspects].map(value => (value === 0 ? '-' : figure(value)));
    return [printableText(target.name), printableText(target.owner ?? '-'), ...numbers, worstText(target)];
  });
  const heading = ['target', 'owner', 'damaged', 'proven', 'hints', 'suspect', 'the worst'];
  const title = summary.damaged > 0 ? 'The worst first' : 'Where to look first';
  return [palette.strong(title), ...table(heading, rows, [2, 3, 4, 5], palette), ...rest(harmed.length, 'target')];
}

function worstText({ worst }: SweptTarget): string {
  const [first] = worst;
  return first === undefined ? '-' : `${printableText(first.path)} (${first.verdict}, ${first.confidence})`;
}

function ownerLines({ byOwner }: WireSweep, palette: Palette): string[] {
  if (byOwner.every(({ owner }) => owner === null)) return [];
  const rows = byOwner
    .slice(0, ROWS)
    .map(({ owner, targets, damaged, notWhole, reported }) => [
      owner === null ? '(nobody named)' : printableText(owner),
      ...[targets, damaged, notWhole, reported].map(value => (value === 0 ? '-' : figure(value))),
    ]);
  const heading = ['owner', 'targets', 'damaged', 'not whole', 'damaged paths'];
  return [
    palette.strong('By owner'),
    ...table(heading, rows, [1, 2, 3, 4], palette),
    ...rest(byOwner.length, 'owner', rows.length),
  ];
}

function packageLines({ byPackage }: WireSweep, palette: Palette): string[] {
  if (byPackage.length === 0) return [];
  const rows = byPackage
    .slice(0, PACKAGES)
    .map(({ name, targets, reported }) => [printableText(name), figure(targets), figure(reported)]);
  return [
    palette.strong('By package'),
    ...table(['package', 'targets', 'damaged paths'], rows, [1, 2], palette),
    ...rest(byPackage.length, 'package', rows.length),
  ];
}

function extentLines({ byExtent, targets }: WireSweep, palette: Palette): string[] {
  if (byExtent.length === 0) return [];
  const all = targets.reduce((sum, { damagedExtents }) => sum + damagedExtents, 0);
  const rows = byExtent
    .slice(0, EXTENTS)
    .map(({ target, offset, length, findings }) => [
      printableText(target),
      figure(offset),
      byteFigure(length),
      figure(findings),
    ]);
  return [
    palette.strong('By extent of the host'),
    ...table(['target', 'from byte', 'size', 'paths'], rows, [1, 2, 3], palette),
    ...(all > rows.length
      ? [`  and ${countOf(all - rows.length, 'more extent')}: the targets’ reports name them`]
      : []),
  ];
}

function notScannedLines({ targets }: WireSweep, palette: Palette, columns: number): string[] {
  const left = targets.filter(target => target.state !== 'whole');
  if (left.length === 0) return [];
  const lines = left
    .slice(0, NOT_SCANNED)
    .flatMap(target => [
      `  ${printableText([target.name, ...[target.owner, target.ticket].filter(word => word !== null)].join(', '))}`,
      ...wrapText(
        `${STATE_WORDS[target.state]}${printableText(target.reasons.join('; '))}${tries(target)}`,
        columns,
        4,
      ),
    ]);
  return [
    palette.strong(`Not scanned, or not whole (${figure(left.length)})`),
    ...lines,
    ...rest(left.length, 'target', NOT_SCANNED),
  ];
}

const STATE_WORDS: Readonly<Record<SweptTarget['state'], string>> = {
  whole: '',
  partial: 'in part: ',
  failed: 'failed: ',
  'not-started': '',
};

function tries({ state, attempts }: SweptTarget): string {
  return state === 'failed' && attempts > 1 ? ` (tried ${attempts === 2 ? 'twice' : `${attempts} times`})` : '';
}

function table(heading: string[], rows: string[][], right: readonly number[], palette: Palette): string[] {
  const [first = '', ...lines] = tableLines(heading, rows, right).map(line => `  ${line}`);
  return [palette.faint(first), ...lines];
}

function rest(all: number, what: string, shown = ROWS): string[] {
  return all > shown ? [`  and ${countOf(all - shown, `more ${what}`)}: the merged summary names them`] : [];
}
