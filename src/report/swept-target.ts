// What of one target's report goes into the merged summary of a sweep. Bounded but for the packages.

import { type Finding, VERDICTS } from '../model.ts';
import { findingId, volumeIdentity } from './finding-id.ts';
import { pathText } from './path-text.ts';
import type { Report } from './report.ts';
import type { SweepFigures, SweptTarget } from './sweep-schema.ts';
import { type Tally, tally } from './tally.ts';
import { rfc3339 } from './time.ts';
import { isReported, SKIP_WORDS } from './words.ts';

/** Of each target the summary shows so many paths. */
const WORST = 3;
const REASONS = 5;
/** And so many extents of the host. */
const EXTENTS = 20;

/** What the list of targets says of one, and no scan of it can know. */
export type TargetFacts = Pick<SweptTarget, 'name' | 'path' | 'kind' | 'owner' | 'ticket' | 'priority'>;
/** What one scan of it gave. */
export type ScannedFacts = Omit<SweptTarget, keyof TargetFacts | 'attempts' | 'report'>;

export function scannedFacts(report: Report): ScannedFacts {
  const counted = tally(report.findings(), WORST);
  return {
    state: report.run.complete ? 'whole' : 'partial',
    reasons: report.run.complete ? [] : reasonsOf(report),
    startedAt: rfc3339(report.run.startedAtNs),
    finishedAt: rfc3339(report.run.finishedAtNs),
    hasFindings: report.summary.hasFindings,
    figures: figuresOf(report, counted),
    worst: counted.top.map(({ finding }) => worstOf(report, finding)),
    packages: Object.fromEntries(packagesOf(report.findings())),
    skipped: Object.fromEntries(skippedOf(report)),
    ...extentsOf(report),
  };
}

/** Suspect extents without damage are only a question. */
function extentsOf({ extents }: Report): Pick<ScannedFacts, 'damagedExtents' | 'extents'> {
  const damaged = extents.filter(({ findings }) => findings > 0);
  const worst = damaged.toSorted((left, right) => right.findings - left.findings).slice(0, EXTENTS);
  return {
    damagedExtents: damaged.length,
    extents: worst.map(({ offset, length, findings }) => ({ offset, length, findings })),
  };
}

function figuresOf(report: Report, { reported, proven, hints, suspects }: Tally): SweepFigures {
  const { files, directories, bytesRead, vouched, atRisk, verdicts } = report.summary;
  const { unvouched } = report.coverage;
  const counts = { reported, proven, hints, suspects, verdicts: { ...verdicts } };
  return { files, directories, bytesRead, vouched, unvouched, atRisk, ...counts };
}

function worstOf(report: Report, finding: Finding): SweptTarget['worst'][number] {
  const { volume, path, verdict, confidence } = finding;
  const { text, base64 } = pathText(path);
  const id = findingId(volumeIdentity(report.target.volumes, volume), path, verdict);
  return { id, volume, path: text, ...(base64 === null ? {} : { pathBase64: base64 }), verdict, confidence };
}

function packagesOf(findings: Iterable<Finding>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const finding of findings) {
    if (finding.owner?.kind !== 'package' || !isReported(finding)) continue;
    counts.set(finding.owner.name, (counts.get(finding.owner.name) ?? 0) + 1);
  }
  return counts;
}

function skippedOf({ coverage }: Report): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { reason } of coverage.skipped) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return counts;
}

const NO_TROUBLE = new Set(['special', 'excluded', 'changing']);

function reasonsOf(report: Report): string[] {
  const reasons = report.errors.map(({ message }) => message);
  for (const [reason, count] of skippedOf(report)) {
    if (!NO_TROUBLE.has(reason)) reasons.push(`${SKIP_WORDS[reason as keyof typeof SKIP_WORDS]} (${count})`);
  }
  const { unreadable } = report.summary.verdicts;
  if (unreadable > 0) reasons.push(`unreadable (${unreadable})`);
  const distinct = [...new Set(reasons)];
  if (distinct.length === 0) return ['part of it could not be examined'];
  const more = distinct.length - REASONS;
  return more > 0 ? [...distinct.slice(0, REASONS), `and ${more} more`] : distinct;
}

export function noFigures(): SweepFigures {
  const counts = { files: 0, directories: 0, bytesRead: 0, vouched: 0, unvouched: 0, atRisk: 0 };
  return { ...counts, reported: 0, proven: 0, hints: 0, suspects: 0, verdicts: noVerdicts() };
}

function noVerdicts(): SweepFigures['verdicts'] {
  return Object.fromEntries(VERDICTS.map(verdict => [verdict, 0])) as SweepFigures['verdicts'];
}
