// The findings of a scan and what they add up to: path by path first, then across paths by what was counted.

import { judgeGroups } from '../judge/judge-groups.ts';
import { type BytePath, CONFIDENCES, type Finding, VERDICTS } from '../model.ts';
import type { ReportOrphan, ReportSummary } from '../report/report.ts';
import type { Run } from '../store/scan-runs.ts';
import { FindingSpool } from './finding-spool.ts';
import { type HitExtent, HitExtents } from './hit-extents.ts';
import type { JudgedPath } from './judge-tree.ts';
import type { FailOn, ScanOptions } from './options.ts';
import { Tally } from './tally.ts';

export interface JudgedScan {
  readonly tally: Tally;
  readonly findings: FindingSpool;
  readonly verdicts: ReportSummary['verdicts'];
  /** A finding that `--fail-on` lists was made. */
  readonly hasFindings: boolean;
  readonly orphans: readonly ReportOrphan[];
  /** Extents of the host with damage, and those under suspicion. */
  readonly hits: readonly HitExtent[];
}

export async function judgeScan(
  run: Run,
  paths: AsyncIterable<JudgedPath>,
  { failOn, stripeBytes = null, suspectExtents = [] }: Pick<ScanOptions, 'failOn' | 'stripeBytes' | 'suspectExtents'>,
): Promise<JudgedScan> {
  const tally = new Tally(stripeBytes);
  const hits = new HitExtents(stripeBytes, suspectExtents);
  const orphans = new Orphans();
  const single = new FindingSpool(run, 'path-finding');
  for await (const judged of paths) {
    tally.add(judged);
    orphans.look(judged);
    if (judged.judgement.finding !== null) single.add(judged.judgement.finding);
  }
  const findings = new FindingSpool(run, 'finding');
  const verdicts: Record<string, number> = Object.fromEntries(VERDICTS.map(verdict => [verdict, 0]));
  let hasFindings = false;
  for (const finding of judgeGroups(single.findings(), tally.counters)) {
    findings.add(finding);
    verdicts[finding.verdict] = (verdicts[finding.verdict] ?? 0) + 1;
    hasFindings ||= isListed(failOn, finding);
    orphans.match(finding);
    hits.add(finding);
  }
  const made = { verdicts: verdicts as ReportSummary['verdicts'], hasFindings, orphans: orphans.list() };
  return { tally, findings, ...made, hits: hits.list() };
}

function isListed(failOn: readonly FailOn[], finding: Finding): boolean {
  const strength = CONFIDENCES.indexOf(finding.confidence);
  return failOn.some(
    ({ verdict, confidence }) => verdict === finding.verdict && strength <= CONFIDENCES.indexOf(confidence),
  );
}

const LOST_AND_FOUND_ENTRY = /^\/lost\+found\/[^/]+$/;

/** What repairs put into lost+found, with the paths that it may have had. */
class Orphans {
  readonly #found = new Map<BytePath, ReportOrphan & { readonly candidates: string[] }>();

  look({ known }: JudgedPath): void {
    const { seen, path, volume } = known;
    if (seen?.stat == null || !LOST_AND_FOUND_ENTRY.test(path)) return;
    const { inode, generation, sizeBytes } = seen.stat;
    const sha256 = seen.content?.digests.sha256 ?? null;
    const digest = sha256 === null ? null : `sha256:${sha256}`;
    this.#found.set(path, { volume, inode, generation, sizeBytes, digest, candidates: [] });
  }

  match(finding: Finding): void {
    if (finding.foundAt !== null) this.#found.get(finding.foundAt)?.candidates.push(finding.path);
  }

  list(): ReportOrphan[] {
    return [...this.#found.values()];
  }
}
