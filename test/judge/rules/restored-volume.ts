// What the groups make of a finding on a volume of which every change is undone.

import { judgeGroups, newCounters } from '../../../src/judge/judge-groups.ts';
import type { Finding } from '../../../src/model.ts';
import { findingOf } from '../finding-of.ts';

export function restoredVolumeSays(rule: string, parts: Partial<Finding>): string {
  const counters = newCounters();
  counters.changed.set(0, { changed: 20, wentBack: 20 });
  const [finding] = [...judgeGroups([findingOf(rule, parts)], counters)];
  return `${finding?.verdict} ${finding?.confidence}`;
}
