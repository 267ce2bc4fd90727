// The report of a target that no scan could be made of: it says why, and that nothing of it was examined.

import { randomUUID } from 'node:crypto';
import type { Nanoseconds, Window } from '../model.ts';
import type { Report } from '../report/report.ts';
import type { TargetFacts } from '../report/swept-target.ts';

export interface Failure {
  readonly target: TargetFacts;
  readonly window: Window | null;
  readonly reason: string;
  readonly startedAtNs: Nanoseconds;
  readonly finishedAtNs: Nanoseconds;
  readonly version: string;
}

export function failedReport({ target, window, reason, startedAtNs, finishedAtNs, version }: Failure): Report {
  const { kind, name, path } = target;
  const durationMs = Number((finishedAtNs - startedAtNs) / 1_000_000n);
  const none = { files: 0, directories: 0, bytesRead: 0, vouched: 0, atRisk: 0, hasFindings: false };
  const verdicts = { unreadable: 0, garbage: 0, stale: 0, missing: 0, resurrected: 0, altered: 0, suspect: 0 };
  return {
    tool: { name: 'lostwrite', version },
    run: { id: randomUUID(), startedAtNs, finishedAtNs, complete: false },
    target: { kind, name, path, container: null, volumes: [] },
    window,
    references: [],
    summary: { ...none, durationMs, verdicts },
    coverage: { byReference: new Map(), unvouched: 0, skipped: [] },
    findings: () => [],
    blocks: [],
    orphans: [],
    extents: [],
    errors: [{ path: '/', code: 'target-failed', message: reason }],
  };
}
