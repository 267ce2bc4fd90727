// The section of the summary that says where on the host the damage lies, and who else lives there.

import { byteFigure, countOf, figure } from '../figures.ts';
import type { Palette } from './palette.ts';
import { printablePath } from './printable.ts';
import type { ReportExtent } from './report.ts';
import { wrapText } from './wrap.ts';

const EXTENTS_SHOWN = 6;
const PATHS_SHOWN = 3;

export function extentLines(extents: readonly ReportExtent[], palette: Palette, columns: number): string[] {
  if (extents.length === 0) return [];
  const suspects = extents.filter(({ suspect }) => suspect);
  const stripes = extents.filter(({ suspect }) => !suspect);
  return [
    palette.strong('Where on the host'),
    ...stripeLines(stripes, columns),
    ...(suspects.length === 0 ? [] : suspectLines(suspects, columns)),
  ];
}

function stripeLines(stripes: readonly ReportExtent[], columns: number): string[] {
  const [first] = stripes;
  if (first === undefined) return [];
  const sentence = `${countOf(stripes.length, 'extent')} of ${byteFigure(first.length)} lost something. The worst, by their first byte on the disk:`;
  return [...wrapText(sentence, columns, 2), ...worstLines(stripes, columns, 'extent')];
}

function suspectLines(suspects: readonly ReportExtent[], columns: number): string[] {
  const harmed = suspects.filter(({ findings }) => findings > 0).length;
  const sentence = `${countOf(suspects.length, 'suspect extent')}, ${figure(harmed)} of them with damage that was found:`;
  return [...wrapText(sentence, columns, 2), ...worstLines(suspects, columns, 'suspect extent')];
}

function worstLines(extents: readonly ReportExtent[], columns: number, what: string): string[] {
  const shown = extents.toSorted((left, right) => right.findings - left.findings).slice(0, EXTENTS_SHOWN);
  const rest = extents.length - shown.length;
  return [
    ...shown.flatMap(extent => extentText(extent, columns)),
    ...(rest > 0 ? [`    and ${countOf(rest, `more ${what}`)}: the report names them`] : []),
  ];
}

const OFFSET_COLUMNS = 16;

function extentText(extent: ReportExtent, columns: number): string[] {
  const sentences = [damaged(extent), others(extent)].filter(sentence => sentence !== '');
  const [first = '', ...more] = sentences.flatMap(sentence => wrapText(sentence, columns, OFFSET_COLUMNS + 2));
  return [`${figure(extent.offset).padStart(OFFSET_COLUMNS)}  ${first.trimStart()}`, ...more];
}

function damaged({ findings, paths }: ReportExtent): string {
  return findings === 0 ? '' : `${figure(findings)} damaged: ${names(paths, findings)}`;
}

function others({ findings, residents, others: paths, structures }: ReportExtent): string {
  const what = findings === 0 ? countOf(residents, 'path') : countOf(residents, 'other');
  if (residents > 0) return `${what}: ${names(paths, residents)}`;
  if (structures.length > 0) return `the file system’s own: ${structures.map(({ role }) => role).join(', ')}`;
  return findings === 0 ? 'nobody lives there' : '';
}

function names(paths: ReportExtent['paths'], all: number): string {
  const shown = paths.slice(0, PATHS_SHOWN).map(({ path }) => printablePath(path));
  return `${shown.join(', ')}${all > shown.length ? ', …' : ''}`;
}
