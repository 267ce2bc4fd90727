// Judged paths with their places on the disk, and with what somebody suspects of those.

import { withSuspectExtents } from '../judge/judge-path.ts';
import type { ByteRange, Finding } from '../model.ts';
import type { JudgedPath } from './judge-tree.ts';
import { RangeIndex } from './range-index.ts';
import type { VolumePlaces } from './volume-places.ts';

export function* placePaths(
  paths: Iterable<JudgedPath>,
  places: VolumePlaces,
  suspects: readonly ByteRange[],
): Iterable<JudgedPath> {
  const index = new RangeIndex(suspects);
  const residents = inodesWithin(places, suspects);
  for (const { known, judgement } of paths) {
    const finding = judgement.finding === null ? null : places.placed(judgement.finding);
    const placed = { ...judgement, finding };
    const stat = known.seen?.stat ?? null;
    const all = stat === null ? [] : (residents.get(Number(stat.inode)) ?? []);
    const hit = all.length === 0 ? [] : suspectsOf(finding, all, index);
    yield { known, isPlaced: true, judgement: hit.length === 0 ? placed : withSuspectExtents(known, placed, hit) };
  }
}

/** On a volume that lies in pieces no byte of the disk is named. */
export function* unplacedPaths(paths: Iterable<JudgedPath>): Iterable<JudgedPath> {
  for (const { known, judgement } of paths) {
    const { finding } = judgement;
    yield { known, judgement: finding === null ? judgement : { ...judgement, finding: unplaced(finding) } };
  }
}

function unplaced({ amongLosses, ...finding }: Finding): Finding {
  const ranges = finding.ranges.map(range => ({ ...range, physical: null }));
  return { ...finding, ranges, ...(amongLosses === undefined ? {} : { amongLosses: unplaced(amongLosses) }) };
}

/** Suspect extents in which each inode has blocks. */
function inodesWithin(places: VolumePlaces, suspects: readonly ByteRange[]): Map<number, ByteRange[]> {
  const found = new Map<number, ByteRange[]>();
  for (const suspect of suspects) {
    const inodes = new Set(places.ownersWithin(suspect).map(({ run }) => run.inode));
    for (const inode of inodes) found.set(inode, [...(found.get(inode) ?? []), suspect]);
  }
  return found;
}

/** Those that hold harmed bytes, where these are known; all that hold anything of the path otherwise. */
function suspectsOf(
  finding: Finding | null,
  all: readonly ByteRange[],
  index: RangeIndex<ByteRange>,
): readonly ByteRange[] {
  if (finding === null || finding.ranges.length === 0) return all;
  return [...new Set((finding.places ?? []).flatMap(place => index.overlapping(place)))];
}
