// Remembers, of a stream of findings in tree order, those on the way from the root to the newest one: a finding's cause is a
// directory above it. Memory grows with the depth of the tree, not with the number of findings.

import type { BytePath, Finding } from '../model.ts';
import { isBelow } from '../path.ts';

interface Step<Kept> {
  readonly volume: number;
  readonly path: BytePath;
  readonly kept: Kept;
}

export interface Ancestry<Kept> {
  /** To be called for every finding in turn. */
  enter(finding: Finding, kept: Kept): void;
  /** What was kept for the finding that `finding.causePath` names; null without one above it. Call it before `enter`. */
  cause(finding: Finding): Kept | null;
}

export function createAncestry<Kept>(): Ancestry<Kept> {
  const steps: Step<Kept>[] = [];

  function leave(volume: number, path: BytePath): void {
    for (let top = steps.at(-1); top !== undefined; top = steps.at(-1)) {
      if (top.volume === volume && isBelow(path, top.path)) return;
      steps.pop();
    }
  }

  return {
    enter(finding, kept) {
      leave(finding.volume, finding.path);
      steps.push({ volume: finding.volume, path: finding.path, kept });
    },
    cause(finding) {
      if (finding.causePath === null) return null;
      leave(finding.volume, finding.path);
      return steps.find(step => step.path === finding.causePath)?.kept ?? null;
    },
  };
}
