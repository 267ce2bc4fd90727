// The section of the summary that lists the worst findings: which path, why, what to do.

import { byteFigure, countOf, figure } from '../figures.ts';
import type { Finding, FindingRange } from '../model.ts';
import type { Display } from './display.ts';
import { printablePath, printableText } from './printable.ts';
import { sentenceForPeople } from './reference-text.ts';
import type { Tally, TopFinding } from './tally.ts';
import { UNLESS_MEANT, VERDICT_ADVICE, VERDICT_WORDS } from './words.ts';
import { wrapText } from './wrap.ts';

const INDENT = 6;

export function topLines(counted: Tally, display: Display): string[] {
  if (counted.top.length === 0) return [];
  const all = counted.reported + counted.hints;
  const listed = counted.top.reduce((sum, { explains, alike }) => sum + 1 + explains + alike, 0);
  return [
    display.palette.strong(titleOf(counted.top.length, listed, all)),
    ...counted.top.flatMap((top, at) => findingLines(top, at + 1, display)),
  ];
}

/** One entry may stand for many paths. */
function titleOf(entries: number, listed: number, all: number): string {
  if (listed === all) return 'The findings, worst first';
  if (listed === entries) return `The worst ${figure(entries)} of ${figure(all)}`;
  return `The worst ${figure(entries)}, which stand for ${figure(listed)} of ${countOf(all, 'path')}`;
}

function findingLines(top: TopFinding, number: number, { palette, columns, volumeOf }: Display): string[] {
  const { finding } = top;
  const colour = finding.confidence === 'possible' || finding.verdict === 'altered' ? palette.warn : palette.bad;
  const kind = `${finding.verdict}, ${finding.confidence}`;
  const [first = '', ...rest] = wrapText(`${kind}: ${reason(finding)}`, columns, INDENT);
  return [
    `${String(number).padStart(INDENT - 2)}. ${palette.strong(printablePath(finding.path))}${volumeOf(finding.volume)}`,
    ...alikeLines(top, columns),
    first.replace(kind, colour(kind)),
    ...rest,
    ...extraSentences(top).flatMap(sentence => wrapText(sentence, columns, INDENT)),
    ...wrapText(`-> ${advice(finding)}`, columns, INDENT),
  ];
}

function alikeLines({ alike, alikeNames }: TopFinding, columns: number): string[] {
  if (alike === 0) return [];
  const names = alikeNames.map(printablePath).join(', ');
  const more = alike > alikeNames.length ? ', ...' : '';
  return wrapText(`and ${countOf(alike, 'other')} beside it: ${names}${more}`, columns, INDENT);
}

/** The first observation that speaks for damage is the reason. */
function reason(finding: Finding): string {
  const seen = finding.evidence.find(evidence => evidence.supports);
  return seen === undefined ? VERDICT_WORDS[finding.verdict] : sentenceForPeople(printableText(seen.detail));
}

function extraSentences({ finding, explains }: TopFinding): string[] {
  const sentences: string[] = [];
  if (explains > 0) sentences.push(`${countOf(explains, 'path')} below went with it.`);
  if (finding.metadataOnly) sentences.push('Only mode, owner or times are old; the content is not accused.');
  if (finding.ranges.length > 0) sentences.push(rangeSentence(finding.ranges));
  return sentences;
}

function rangeSentence(ranges: readonly FindingRange[]): string {
  const bytes = ranges.reduce((sum, range) => sum + range.length, 0);
  const [first] = ranges;
  const at = first === undefined ? '' : ` at byte ${first.offset}`;
  if (ranges.length === 1) return `Harmed: ${byteFigure(bytes)}${at}.`;
  return `Harmed: ${byteFigure(bytes)} in ${countOf(ranges.length, 'place')}, the first${at}.`;
}

function advice(finding: Finding): string {
  if (finding.foundAt !== null)
    return `Its content lies at ${printablePath(finding.foundAt)}: copy it back from there.`;
  if (finding.remedy === null) return VERDICT_ADVICE[finding.verdict];
  const detail = sentenceForPeople(printableText(finding.remedy.detail));
  return finding.verdict === 'altered' && finding.remedy.action !== 'inspect' ? `${UNLESS_MEANT} ${detail}` : detail;
}
