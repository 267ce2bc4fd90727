// The section of the summary that says where on the host the damage lies, and who else lives there.

import { byteFigure, countOf, figure } from '../figures.ts';
import type { Display } from './display.ts';
import { printablePath } from './printable.ts';
import type { ReportExtent } from './report.ts';
import type { VolumeSuffix } from './volume-name.ts';
import { wrapText } from './wrap.ts';

const EXTENTS_SHOWN = 6;
const PATHS_SHOWN = 3;

export function extentLines(extents: readonly ReportExtent[], { palette, columns, volumeOf }: Display): string[] {
  if (extents.length === 0) return [];
  const suspects = extents.filter(({ suspect }) => suspect);
  const stripes = extents.filter(({ suspect }) => !suspect);
  return [
    palette.strong('Where on the host'),
    ...stripeLines(stripes, volumeOf, columns),
    ...(suspects.length === 0 ? [] : suspectLines(suspects, volumeOf, columns)),
  ];
}

function stripeLines(stripes: readonly ReportExtent[], volumeOf: VolumeSuffix, columns: number): string[] {
  const [first] = stripes;
  if (first === undefined) return [];
  const sentence = `${countOf(stripes.length, 'extent')} of ${byteFigure(first.length)} lost something. The worst, by their first byte on the disk:`;
  return [...wrapText(sentence, columns, 2), ...worstLines(stripes, 'extent', volumeOf, columns)];
}

function suspectLines(suspects: readonly ReportExtent[], volumeOf: VolumeSuffix, columns: number): string[] {
  const harmed = suspects.filter(({ findings }) => findings > 0).length;
  const sentence = `${countOf(suspects.length, 'suspect extent')}, ${figure(harmed)} of them with damage that was found:`;
  return [...wrapText(sentence, columns, 2), ...worstLines(suspects, 'suspect extent', volumeOf, columns)];
}

function worstLines(extents: readonly ReportExtent[], what: string, volumeOf: VolumeSuffix, columns: number): string[] {
  const shown = extents.toSorted((left, right) => right.findings - left.findings).slice(0, EXTENTS_SHOWN);
  const rest = extents.length - shown.length;
  return [
    ...shown.flatMap(extent => extentText(extent, volumeOf, columns)),
    ...(rest > 0 ? [`    and ${countOf(rest, `more ${what}`)}: the report names them`] : []),
  ];
}

const OFFSET_COLUMNS = 16;

function extentText(extent: ReportExtent, volumeOf: VolumeSuffix, columns: number): string[] {
  const sentences = [damaged(extent, volumeOf), others(extent, volumeOf)].filter(sentence => sentence !== '');
  const [first = '', ...more] = sentences.flatMap(sentence => wrapText(sentence, columns, OFFSET_COLUMNS + 2));
  return [`${figure(extent.offset).padStart(OFFSET_COLUMNS)}  ${first.trimStart()}`, ...more];
}

function damaged({ findings, paths }: ReportExtent, volumeOf: VolumeSuffix): string {
  return findings === 0 ? '' : `${figure(findings)} damaged: ${names(paths, findings, volumeOf)}`;
}

function others({ findings, residents, others: paths, structures }: ReportExtent, volumeOf: VolumeSuffix): string {
  const what = findings === 0 ? countOf(residents, 'path') : countOf(residents, 'other');
  if (residents > 0) return `${what}: ${names(paths, residents, volumeOf)}`;
  if (structures.length > 0) return `the file system’s own: ${structures.map(({ role }) => role).join(', ')}`;
  return findings === 0 ? 'nobody lives there' : '';
}

function names(paths: ReportExtent['paths'], all: number, volumeOf: VolumeSuffix): string {
  const shown = paths.slice(0, PATHS_SHOWN).map(({ volume, path }) => `${printablePath(path)}${volumeOf(volume)}`);
  return `${shown.join(', ')}${all > shown.length ? ', …' : ''}`;
}
