// One pass over the findings: how many of which kind, the worst of them, the remedies. Memory does not grow with them.

import { type BytePath, CONFIDENCES, type Confidence, type Finding, VERDICTS, type Verdict } from '../model.ts';
import { baseName, parentPath } from '../path.ts';
import { createAncestry } from './ancestry.ts';
import { createRemedyCollector, type RemedyGroups } from './remedy-groups.ts';
import { isReported } from './words.ts';

/**
 * A finding of the list of the worst. What its own damage explains is counted, not listed; neither are others in the same
 * directory that fare alike.
 */
export interface TopFinding {
  readonly finding: Finding;
  readonly rank: number;
  explains: number;
  /** How many others it stands for, and the first of their names. */
  alike: number;
  readonly alikeNames: BytePath[];
}

export interface Tally {
  readonly counts: Readonly<Record<Verdict, Readonly<Record<Confidence, number>>>>;
  /** First five verdicts, `likely` or `proven`. */
  readonly reported: number;
  readonly proven: number;
  /** Neither reported nor suspect: `possible` and `altered`. */
  readonly hints: number;
  readonly suspects: number;
  /** The worst first; no suspects. */
  readonly top: readonly TopFinding[];
  /** Directories with the most suspects below them, two names deep. */
  readonly suspectPlaces: readonly { readonly path: BytePath; readonly count: number }[];
  readonly remedies: RemedyGroups;
  readonly hintRemedies: RemedyGroups;
}

const ALIKE_NAMES = 5;
const PLACE_DEPTH = 2;
const PLACES_KEPT = 4096;
const PLACES_SHOWN = 5;

/** Counts everything, and keeps the `limit` worst findings. */
export function tally(findings: Iterable<Finding>, limit: number): Tally {
  const counts = zeroCounts();
  const ancestry = createAncestry<TopFinding>();
  const [remedies, hintRemedies] = [createRemedyCollector(), createRemedyCollector()];
  const places = new Map<BytePath, number>();
  const top: TopFinding[] = [];
  for (const finding of findings) {
    counts[finding.verdict][finding.confidence] += 1;
    if (finding.verdict === 'suspect') countPlace(places, finding.path);
    const cause = ancestry.cause(finding);
    if (isReported(finding)) remedies.add(finding, cause !== null);
    else if (finding.verdict !== 'suspect') hintRemedies.add(finding, cause !== null);
    if (cause !== null) cause.explains += 1;
    ancestry.enter(finding, cause === null ? place(top, finding, limit) : candidateOf(finding));
  }
  const groups = { remedies: remedies.groups(), hintRemedies: hintRemedies.groups() };
  return { ...totals(counts), counts, top, suspectPlaces: busiest(places), ...groups };
}

type Counts = Record<Verdict, Record<Confidence, number>>;

function zeroCounts(): Counts {
  const zero = () => ({ proven: 0, likely: 0, possible: 0 });
  return {
    unreadable: zero(),
    garbage: zero(),
    stale: zero(),
    missing: zero(),
    resurrected: zero(),
    altered: zero(),
    suspect: zero(),
  };
}

function totals(counts: Counts): Pick<Tally, 'reported' | 'proven' | 'hints' | 'suspects'> {
  let [reported, proven, hints, suspects] = [0, 0, 0, 0];
  for (const verdict of VERDICTS) {
    for (const confidence of CONFIDENCES) {
      const count = counts[verdict][confidence];
      if (verdict === 'suspect') suspects += count;
      else if (isReported({ verdict, confidence })) reported += count;
      else hints += count;
      if (confidence === 'proven' && isReported({ verdict, confidence })) proven += count;
    }
  }
  return { reported, proven, hints, suspects };
}

/** Smaller is worse: reported before hints, then confidence, verdict, and how near the window or a suspect extent it lies. */
function rankOf(finding: Finding): number {
  const { file, directory } = finding.window;
  const isSuspected = finding.evidence.some(({ rule }) => rule === 'in-suspect-extent');
  const near =
    isSuspected || file === 'inside' || directory === 'inside'
      ? 0
      : file === 'outside' && directory === 'outside'
        ? 2
        : 1;
  const reported = isReported(finding) ? 0 : 1;
  const confidence = CONFIDENCES.indexOf(finding.confidence);
  return ((reported * 10 + confidence) * 10 + VERDICTS.indexOf(finding.verdict)) * 10 + near;
}

function candidateOf(finding: Finding): TopFinding {
  return { finding, rank: rankOf(finding), explains: 0, alike: 0, alikeNames: [] };
}

/** Puts a finding into the list, or counts it with one there that is like it; gives what stands for it. */
function place(top: TopFinding[], finding: Finding, limit: number): TopFinding {
  const candidate = candidateOf(finding);
  if (finding.verdict === 'suspect') return candidate;
  const like = top.find(kept => kept.rank === candidate.rank && isAlike(kept.finding, finding));
  if (like === undefined) {
    insert(top, candidate, limit);
    return candidate;
  }
  like.alike += 1;
  if (like.alikeNames.length < ALIKE_NAMES) like.alikeNames.push(baseName(finding.path));
  return like;
}

function isAlike(left: Finding, right: Finding): boolean {
  return (
    left.volume === right.volume &&
    parentPath(left.path) === parentPath(right.path) &&
    left.metadataOnly === right.metadataOnly &&
    left.evidence[0]?.rule === right.evidence[0]?.rule
  );
}

/** Keeps `top` sorted by rank, of equal ones the first met first. */
function insert(top: TopFinding[], candidate: TopFinding, limit: number): void {
  const last = top.at(-1);
  if (top.length >= limit && last !== undefined && last.rank <= candidate.rank) return;
  const behind = top.findIndex(kept => kept.rank > candidate.rank);
  top.splice(behind === -1 ? top.length : behind, 0, candidate);
  if (top.length > limit) top.pop();
}

function countPlace(places: Map<BytePath, number>, path: BytePath): void {
  const names = path.split('/');
  const place = names.slice(0, Math.min(PLACE_DEPTH + 1, names.length - 1)).join('/') || '/';
  if (places.has(place) || places.size < PLACES_KEPT) places.set(place, (places.get(place) ?? 0) + 1);
}

function busiest(places: ReadonlyMap<BytePath, number>): Tally['suspectPlaces'] {
  return Array.from(places, ([path, count]) => ({ path, count }))
    .sort((left, right) => right.count - left.count)
    .slice(0, PLACES_SHOWN);
}
