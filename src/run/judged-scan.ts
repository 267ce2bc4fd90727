// The findings of a scan and what they add up to: path by path first, then across paths by what was counted.

import { judgeGroups } from '../judge/judge-groups.ts';
import { type BytePath, CONFIDENCES, type Finding, VERDICTS } from '../model.ts';
import type { ReportOrphan, ReportSummary } from '../report/report.ts';
import type { Run } from '../store/scan-runs.ts';
import { FindingSpool } from './finding-spool.ts';
import type { JudgedPath } from './judge-tree.ts';
import type { FailOn } from './options.ts';
import { Tally } from './tally.ts';

export interface JudgedScan {
  readonly tally: Tally;
  readonly findings: FindingSpool;
  readonly verdicts: ReportSummary['verdicts'];
  /** A finding that `--fail-on` lists was made. */
  readonly hasFindings: boolean;
  readonly orphans: readonly ReportOrphan[];
}

export async function judgeScan(
  run: Run,
  paths: AsyncIterable<JudgedPath>,
  failOn: readonly FailOn[],
): Promise<JudgedScan> {
  const tally = new Tally();
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
  }
  return { tally, findings, verdicts: verdicts as ReportSummary['verdicts'], hasFindings, orphans: orphans.list() };
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
