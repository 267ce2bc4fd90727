// Everything known of one path, for a person. Pure; every name went through printable.ts.

import { byteFigure, countOf } from '../figures.ts';
import type { BlockDays, Digests, Expectation, Finding, Observation, Seen, Stat, VolumeFacts } from '../model.ts';
import { printablePath, printableText } from './printable.ts';
import { referencesForPeople, sentenceForPeople } from './reference-text.ts';
import { stripLines } from './strip.ts';
import { timeForPeople } from './time.ts';
import { volumeSuffixes } from './volume-name.ts';
import { VERDICT_ADVICE, VERDICT_WORDS } from './words.ts';
import { wrapText } from './wrap.ts';

/** Everything known of one path. */
export interface Explanation {
  readonly volume: number;
  /** Null: the path is not there now. */
  readonly seen: Seen | null;
  readonly expected: readonly Expectation[];
  readonly observations: readonly Observation[];
  /** Null: nothing is the matter with it, as far as anything can tell. */
  readonly finding: Finding | null;
  /** Null: nothing tells its blocks apart. */
  readonly days: BlockDays | null;
}

/** Longer lines tire the eye. */
const COLUMNS = 100;
const DEFAULT_COLUMNS = 80;

/** Of one path in every volume that knows it. */
export interface Explained {
  readonly volumes: readonly VolumeFacts[];
  readonly explanations: readonly Explanation[];
}

/** Lines without line ends. */
export function renderExplanations(
  path: string,
  target: string,
  { volumes, explanations }: Explained,
  columns = DEFAULT_COLUMNS,
): string[] {
  const volumeOf = volumeSuffixes(volumes);
  return explanations.flatMap((explanation, at) => {
    const place = `${printablePath(path)} in ${printableText(target)}${volumeOf(explanation.volume)}`;
    return [...(at === 0 ? [] : ['']), place, ...explanationLines(explanation, Math.min(columns, COLUMNS))];
  });
}

function explanationLines({ seen, expected, observations, finding, days }: Explanation, columns: number): string[] {
  return [
    ...verdictLines(finding, columns),
    ...(days === null ? [] : ['', ...stripLines(days, columns)]),
    '',
    'Now',
    ...(seen === null ? ['  not there'] : seenLines(seen, columns)),
    ...expected.flatMap(expectationLines),
    ...(observations.length === 0 ? [] : ['', 'Noticed']),
    ...observations.flatMap(({ scanner, rule, supports, detail }) =>
      wrapText(
        `${supports ? '' : 'against damage: '}${sentenceForPeople(printableText(detail))} (${scanner}: ${rule})`,
        columns,
        2,
      ),
    ),
  ];
}

function verdictLines(finding: Finding | null, columns: number): string[] {
  if (finding === null) return ['No finding: nothing that is known speaks for damage.'];
  const { verdict, confidence, evidence, window, remedy, causePath, foundAt } = finding;
  return [
    `${verdict}, ${confidence}: ${VERDICT_WORDS[verdict]}`,
    ...windowLines(window),
    ...evidence.flatMap(({ scanner, rule, supports, detail }) =>
      wrapText(
        `${supports ? 'for' : 'against'}: ${sentenceForPeople(printableText(detail))} (${scanner}: ${rule})`,
        columns,
        2,
      ),
    ),
    ...(causePath === null ? [] : [`  because of ${printablePath(causePath)}`]),
    ...(foundAt === null ? [] : [`  its content lies at ${printablePath(foundAt)}`]),
    ...wrapText(
      `-> ${remedy === null ? VERDICT_ADVICE[verdict] : sentenceForPeople(printableText(remedy.detail))}`,
      columns,
      2,
    ),
    ...(remedy?.command ? [`     ${printableText(remedy.command)}`] : []),
  ];
}

const REACH_WORDS: Readonly<Record<Finding['window']['file'], string>> = {
  inside: 'was changed in it',
  later: 'was changed after it, and perhaps in it',
  outside: 'was not changed in it',
  unknown: 'may have been changed in it',
};

/** Nothing where no suspect time was given, or nothing can be told by it. */
function windowLines({ file, directory }: Finding['window']): string[] {
  if (file === 'unknown' && directory === 'unknown') return [];
  return [`Suspect time: the path ${REACH_WORDS[file]}; its directory ${REACH_WORDS[directory]}`];
}

function seenLines(seen: Seen, columns: number): string[] {
  const { stat, linkTarget, fault, content } = seen;
  return [
    ...(stat === null ? [] : statLines(stat)),
    ...(linkTarget === null ? [] : [`  -> ${printablePath(linkTarget)}`]),
    ...(content === null ? [] : digestLines(content.digests)),
    ...[fault, content?.fault ?? null].flatMap(each =>
      each === null ? [] : wrapText(`${each.kind}: ${printableText(each.message)}`, columns, 2),
    ),
    ...(content?.unreadable ?? []).map(({ offset, length }) => `  unreadable: ${countOf(length, 'byte')} at ${offset}`),
  ];
}

function statLines(stat: Stat): string[] {
  const mode = stat.mode.toString(8).padStart(4, '0');
  const generation = stat.generation === null ? '' : ` generation ${stat.generation}`;
  return [
    `  ${stat.type}, ${sizeText(stat.sizeBytes)}, mode ${mode}, owner ${stat.uid}:${stat.gid}, inode ${stat.inode}${generation}`,
    `  modified ${timeForPeople(stat.mtimeNs)}, changed ${timeForPeople(stat.ctimeNs)}`,
    ...(stat.crtimeNs === null ? [] : [`  born ${timeForPeople(stat.crtimeNs)}`]),
  ];
}

function sizeText(bytes: number): string {
  return bytes < 1024 ? countOf(bytes, 'byte') : `${countOf(bytes, 'byte')} (${byteFigure(bytes)})`;
}

function expectationLines(expectation: Expectation): string[] {
  const { reference, stat, type, sizeBytes, digests, linkTarget, owner } = expectation;
  const what = [type, sizeBytes === null ? null : sizeText(sizeBytes)].filter(word => word !== null).join(', ');
  return [
    '',
    `According to ${referencesForPeople(printableText(reference))}`,
    ...(owner === null
      ? []
      : [`  of ${owner.kind} ${printableText([owner.name, owner.version ?? ''].join(' ').trim())}`]),
    ...(stat === null ? [`  ${what === '' ? 'it exists' : what}`] : statLines(stat)),
    ...(linkTarget === null ? [] : [`  -> ${printablePath(linkTarget)}`]),
    ...digestLines(digests),
  ];
}

function digestLines(digests: Digests): string[] {
  return Object.entries(digests).map(([algorithm, hex]) => `  ${algorithm}:${hex}`);
}
