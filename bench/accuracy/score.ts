// Scores a JSON report against the truth of a made incident. Pure: no files, no clock. Scores of several incidents add up.

import type { DamageVerdict } from '../../fixtures/incident/damage.ts';
import type { Truth, TruthPath } from '../../fixtures/incident/truth.ts';
import type { BytePath, Confidence, EntryType, Verdict } from '../../src/model.ts';
import { bytesOfText } from '../../src/path.ts';

/** What scoring reads of a report (`lostwrite-report`, version 1). */
export interface ScoredReport {
  readonly findings: readonly ScoredFinding[];
}

export interface ScoredFinding {
  readonly path: string;
  readonly pathBase64?: string;
  readonly type?: EntryType | null;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly metadataOnly?: boolean;
  readonly ranges?: readonly { readonly offset: number; readonly length: number }[];
}

/** The part of a truth that scoring reads. */
export type ScoredTruth = Pick<Truth, 'paths' | 'ignored' | 'undamaged'>;

/** Damaged paths of one kind, those of them that were reported, and undamaged paths reported as of this kind. */
export interface Tally {
  readonly damaged: number;
  readonly found: number;
  readonly falseAlarms: number;
}

export interface Miss {
  readonly path: string;
  readonly verdict: DamageVerdict;
  readonly metadataOnly: boolean;
  /** What the report says of it all the same (`altered/possible`), or null. */
  readonly hint: string | null;
}

export interface FalseAlarm {
  readonly path: string;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
}

interface Coverage {
  readonly unreported: number;
  readonly listed: number;
}

export interface Score {
  /** Damage to content or names. */
  readonly content: Tally;
  /** Files and links of which only owner, mode or times went back. */
  readonly metadataOnly: Tally;
  /** Files that exist and whose bytes are wrong. They are among `content` as well. */
  readonly contentFiles: Tally;
  /** Found paths whose verdict is the truth's. */
  readonly rightClass: number;
  /** `truth>reported` -> found paths. */
  readonly classes: Readonly<Record<string, number>>;
  /** Truth's verdict -> damaged and found paths, content and names only. */
  readonly byVerdict: Readonly<Record<string, { readonly damaged: number; readonly found: number }>>;
  /** Found files of which the truth knows damaged ranges, and those reported with exactly these. */
  readonly ranges: { readonly partly: number; readonly exact: number };
  /** Damaged paths that exist and were not reported, and those listed as suspect, altered or possible. */
  readonly suspects: Coverage;
  /** Those of them of which only owner, mode or times went back. */
  readonly suspectsOfMetadata: Coverage;
  /** Undamaged paths, and those of them that are listed as suspect. */
  readonly undamaged: { readonly paths: number; readonly suspects: number };
  /** False alarms of confidence `proven`. */
  readonly provenWrong: number;
  readonly misses: readonly Miss[];
  readonly falseAlarms: readonly FalseAlarm[];
}

const REPORTED: readonly Verdict[] = ['unreadable', 'garbage', 'stale', 'missing', 'resurrected'];

/** Whether a finding accuses its path, rather than hints at it. */
function isReported({ verdict, confidence }: ScoredFinding): boolean {
  return REPORTED.includes(verdict) && confidence !== 'possible';
}

export function score(truth: ScoredTruth, report: ScoredReport): Score {
  const findings = new Map(report.findings.map(finding => [findingPath(finding), finding]));
  const damaged = new Map(truth.paths.map(path => [bytesOfBase64(path.pathBase64), path]));
  const ignored = new Set(truth.ignored.map(bytesOfBase64));
  const found = [...damaged]
    .filter(([path]) => !ignored.has(path))
    .map(([path, real]) => ofDamaged(real, findings.get(path)));
  const accused = [...findings].filter(([path]) => !ignored.has(path) && !damaged.has(path));
  const suspects = accused.filter(([, { verdict }]) => verdict === 'suspect').length;
  const undamaged = { ...EMPTY, undamaged: { paths: truth.undamaged, suspects } };
  return [undamaged, ...found, ...accused.map(([, finding]) => ofUndamaged(finding))].reduce(addScores, EMPTY);
}

function findingPath({ path, pathBase64 }: ScoredFinding): BytePath {
  return pathBase64 === undefined ? bytesOfText(path) : bytesOfBase64(pathBase64);
}

function bytesOfBase64(text: string): BytePath {
  return Buffer.from(text, 'base64').toString('latin1');
}

const NOTHING: Tally = { damaged: 0, found: 0, falseAlarms: 0 };

export const EMPTY: Score = {
  content: NOTHING,
  metadataOnly: NOTHING,
  contentFiles: NOTHING,
  rightClass: 0,
  classes: {},
  byVerdict: {},
  ranges: { partly: 0, exact: 0 },
  suspects: { unreported: 0, listed: 0 },
  suspectsOfMetadata: { unreported: 0, listed: 0 },
  undamaged: { paths: 0, suspects: 0 },
  provenWrong: 0,
  misses: [],
  falseAlarms: [],
};

function ofDamaged(real: TruthPath, finding: ScoredFinding | undefined): Score {
  // Times and link counts of a directory follow from what happened in it: neither a miss nor a false alarm.
  if (real.type === 'directory' && real.metadataOnly) return EMPTY;
  const isFound = finding !== undefined && isReported(finding);
  const tally: Tally = { damaged: 1, found: isFound ? 1 : 0, falseAlarms: 0 };
  const counted: Score = real.metadataOnly
    ? { ...EMPTY, metadataOnly: tally }
    : {
        ...EMPTY,
        content: tally,
        contentFiles: isContentOfFile(real) ? tally : NOTHING,
        byVerdict: { [real.verdict]: { damaged: 1, found: tally.found } },
      };
  return isFound ? { ...counted, ...ofFound(real, finding) } : { ...counted, ...ofMissed(real, finding) };
}

const WRONG_BYTES: readonly string[] = ['unreadable', 'garbage', 'stale'] satisfies Verdict[];

function isContentOfFile({
  type,
  verdict,
  metadataOnly,
}: Pick<ScoredFinding, 'type' | 'metadataOnly'> & { readonly verdict: string }): boolean {
  return type === 'file' && WRONG_BYTES.includes(verdict) && metadataOnly !== true;
}

function ofFound(real: TruthPath, finding: ScoredFinding): Pick<Score, 'rightClass' | 'classes' | 'ranges'> {
  const isPartly = real.ranges.length > 0;
  const isExact = isPartly && spans(real.ranges) === spans(finding.ranges ?? []);
  return {
    rightClass: real.verdict === finding.verdict ? 1 : 0,
    classes: { [`${real.verdict}>${finding.verdict}`]: 1 },
    ranges: { partly: isPartly ? 1 : 0, exact: isExact ? 1 : 0 },
  };
}

function ofMissed(
  real: TruthPath,
  finding: ScoredFinding | undefined,
): Pick<Score, 'suspects' | 'suspectsOfMetadata' | 'misses'> {
  const hint = finding === undefined ? null : `${finding.verdict}/${finding.confidence}`;
  const exists = real.verdict !== 'missing';
  const suspects = { unreported: exists ? 1 : 0, listed: exists && hint !== null ? 1 : 0 };
  return {
    suspects,
    suspectsOfMetadata: real.metadataOnly ? suspects : EMPTY.suspectsOfMetadata,
    misses: [{ path: real.path, verdict: real.verdict, metadataOnly: real.metadataOnly, hint }],
  };
}

function ofUndamaged(finding: ScoredFinding): Score {
  if (!isReported(finding)) return EMPTY;
  const provenWrong = finding.confidence === 'proven' ? 1 : 0;
  const { path, verdict, confidence } = finding;
  const counted: Score = { ...EMPTY, provenWrong, falseAlarms: [{ path, verdict, confidence }] };
  const tally: Tally = { ...NOTHING, falseAlarms: 1 };
  if (finding.metadataOnly === true) return { ...counted, metadataOnly: tally };
  return { ...counted, content: tally, contentFiles: isContentOfFile(finding) ? tally : NOTHING };
}

/** Ranges as text, adjoining ones merged whatever their state. */
function spans(ranges: readonly { readonly offset: number; readonly length: number }[]): string {
  const merged: [number, number][] = [];
  for (const { offset, length } of [...ranges].sort((left, right) => left.offset - right.offset)) {
    const last = merged.at(-1);
    if (last !== undefined && offset <= last[1]) last[1] = Math.max(last[1], offset + length);
    else merged.push([offset, offset + length]);
  }
  return merged.map(([from, to]) => `${from}-${to}`).join(' ');
}

/** Pools two scores. */
export function addScores(left: Score, right: Score): Score {
  return {
    content: addTallies(left.content, right.content),
    metadataOnly: addTallies(left.metadataOnly, right.metadataOnly),
    contentFiles: addTallies(left.contentFiles, right.contentFiles),
    rightClass: left.rightClass + right.rightClass,
    classes: merge(left.classes, right.classes, (one, other) => one + other),
    byVerdict: merge(left.byVerdict, right.byVerdict, (one, other) => ({
      damaged: one.damaged + other.damaged,
      found: one.found + other.found,
    })),
    ranges: { partly: left.ranges.partly + right.ranges.partly, exact: left.ranges.exact + right.ranges.exact },
    suspects: addCoverages(left.suspects, right.suspects),
    suspectsOfMetadata: addCoverages(left.suspectsOfMetadata, right.suspectsOfMetadata),
    undamaged: {
      paths: left.undamaged.paths + right.undamaged.paths,
      suspects: left.undamaged.suspects + right.undamaged.suspects,
    },
    provenWrong: left.provenWrong + right.provenWrong,
    misses: [...left.misses, ...right.misses],
    falseAlarms: [...left.falseAlarms, ...right.falseAlarms],
  };
}

function addCoverages(left: Coverage, right: Coverage): Coverage {
  return { unreported: left.unreported + right.unreported, listed: left.listed + right.listed };
}

function addTallies(left: Tally, right: Tally): Tally {
  return {
    damaged: left.damaged + right.damaged,
    found: left.found + right.found,
    falseAlarms: left.falseAlarms + right.falseAlarms,
  };
}

function merge<T>(
  left: Readonly<Record<string, T>>,
  right: Readonly<Record<string, T>>,
  add: (one: T, other: T) => T,
): Record<string, T> {
  const sum: Record<string, T> = { ...left };
  for (const [key, value] of Object.entries(right)) {
    const before = sum[key];
    sum[key] = before === undefined ? value : add(before, value);
  }
  return sum;
}

/** Content and metadata damage together. */
export function overall(of: Score): Tally {
  return addTallies(of.content, of.metadataOnly);
}

/** Share of reported paths that are damaged; null when nothing was reported. */
export function precision({ found, falseAlarms }: Tally): number | null {
  return found + falseAlarms === 0 ? null : found / (found + falseAlarms);
}

/** Share of damaged paths that were reported; null when nothing was damaged. */
export function recall({ damaged, found }: Tally): number | null {
  return damaged === 0 ? null : found / damaged;
}
