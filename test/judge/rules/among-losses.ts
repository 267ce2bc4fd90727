// What the groups make of a finding on a volume with other findings beyond doubt, of content and of all else.

import { judgeGroups, newCounters } from '../../../src/judge/judge-groups.ts';
import type { Confidence, Finding } from '../../../src/model.ts';

export function raisedAmongLosses(finding: Finding, losses: number): Confidence | undefined {
  const counters = newCounters();
  counters.losses.set(0, losses);
  counters.lossesOfContent.set(0, losses);
  return [...judgeGroups([finding], counters)][0]?.confidence;
}
