// Adds up what the targets of a sweep gave: totals, by owner, by package, by extent of the host, worst first. Pure.

import { VERDICTS } from '../model.ts';
import type { SweepFigures, SweptExtent, SweptOwner, SweptPackage, SweptTarget, WireSweep } from './sweep-schema.ts';
import { noFigures } from './swept-target.ts';

type Merged = Pick<WireSweep, 'summary' | 'targets' | 'byOwner' | 'byPackage' | 'byExtent'> & {
  readonly complete: boolean;
};

export function mergeTargets(targets: readonly SweptTarget[]): Merged {
  const inState = (state: SweptTarget['state']): number => targets.filter(target => target.state === state).length;
  const whole = inState('whole');
  return {
    complete: whole === targets.length,
    summary: {
      targets: targets.length,
      whole,
      partial: inState('partial'),
      failed: inState('failed'),
      notStarted: inState('not-started'),
      damaged: targets.filter(isDamaged).length,
      hasFindings: targets.some(target => target.hasFindings),
      figures: targets.reduce((sum, target) => added(sum, target.figures), noFigures()),
    },
    targets: [...targets].sort(byBadness),
    byOwner: byOwner(targets),
    byPackage: byPackage(targets),
    byExtent: byExtent(targets),
  };
}

function isDamaged(target: SweptTarget): boolean {
  return (target.figures?.reported ?? 0) > 0;
}

function added(sum: SweepFigures, more: SweepFigures | null): SweepFigures {
  if (more === null) return sum;
  const verdicts = { ...sum.verdicts };
  for (const verdict of VERDICTS) verdicts[verdict] += more.verdicts[verdict];
  return {
    files: sum.files + more.files,
    directories: sum.directories + more.directories,
    bytesRead: sum.bytesRead + more.bytesRead,
    vouched: sum.vouched + more.vouched,
    unvouched: sum.unvouched + more.unvouched,
    atRisk: sum.atRisk + more.atRisk,
    reported: sum.reported + more.reported,
    proven: sum.proven + more.proven,
    hints: sum.hints + more.hints,
    suspects: sum.suspects + more.suspects,
    verdicts,
  };
}

/** The most damage first; of equals whatever was not scanned whole, then as somebody ranked them, then by name. */
function byBadness(left: SweptTarget, right: SweptTarget): number {
  const [one, other] = [left.figures ?? noFigures(), right.figures ?? noFigures()];
  return (
    other.reported - one.reported ||
    other.proven - one.proven ||
    other.hints - one.hints ||
    other.suspects - one.suspects ||
    Number(left.state === 'whole') - Number(right.state === 'whole') ||
    (left.priority ?? Number.MAX_SAFE_INTEGER) - (right.priority ?? Number.MAX_SAFE_INTEGER) ||
    compareTexts(left.name, right.name)
  );
}

function byOwner(targets: readonly SweptTarget[]): SweptOwner[] {
  const owners = new Map<string | null, SweptOwner>();
  for (const target of targets) {
    const known = owners.get(target.owner);
    const sum = known ?? { owner: target.owner, targets: 0, damaged: 0, notWhole: 0, reported: 0, proven: 0 };
    owners.set(target.owner, {
      ...sum,
      targets: sum.targets + 1,
      damaged: sum.damaged + Number(isDamaged(target)),
      notWhole: sum.notWhole + Number(target.state !== 'whole'),
      reported: sum.reported + (target.figures?.reported ?? 0),
      proven: sum.proven + (target.figures?.proven ?? 0),
    });
  }
  return [...owners.values()].sort(
    (left, right) => right.reported - left.reported || compareTexts(left.owner ?? '', right.owner ?? ''),
  );
}

function byPackage(targets: readonly SweptTarget[]): SweptPackage[] {
  const packages = new Map<string, SweptPackage>();
  for (const target of targets) {
    for (const [name, reported] of Object.entries(target.packages)) {
      const sum = packages.get(name) ?? { name, targets: 0, reported: 0 };
      packages.set(name, { name, targets: sum.targets + 1, reported: sum.reported + reported });
    }
  }
  return [...packages.values()].sort(
    (left, right) =>
      right.targets - left.targets || right.reported - left.reported || compareTexts(left.name, right.name),
  );
}

function byExtent(targets: readonly SweptTarget[]): SweptExtent[] {
  return targets
    .flatMap(({ name, extents }) => extents.map(extent => ({ target: name, ...extent })))
    .sort(
      (left, right) =>
        right.findings - left.findings || compareTexts(left.target, right.target) || left.offset - right.offset,
    );
}

function compareTexts(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
