// Findings by the extents of the host that a disk lies in: objects of a Ceph image, stripes of a RAID. What one of them lost it
// mostly lost together; where much was written since and did land, little speaks for a loss. Pure.

import type { Finding } from '../model.ts';
import type { BlockWitness } from './block-witness.ts';

export interface HostExtents {
  readonly stripeBytes: number;
  /** By number of the extent, from the start of the container's disk. */
  readonly counts: Map<number, ExtentCounts>;
}

interface ExtentCounts {
  /** Inodes with losses beyond doubt (a path where the inode is not known): names of one file are one loss. */
  readonly lost: Set<string>;
  /** Bytes that were written since the newest map of before, and are not what was there then. */
  landedBytes: number;
}

export function newHostExtents(stripeBytes: number): HostExtents {
  return { stripeBytes, counts: new Map() };
}

/** So many losses beyond doubt in one extent make it a damaged one. */
const LOSSES_IN_EXTENT = 2;
/** Of the extents of a finding, at least this share must be damaged ones: a large file meets some by chance. */
const DAMAGED_SHARE = 0.5;
/** So much landed in an extent, and this share of it, before what landed speaks for the rest. */
const LANDED_BYTES = 64 * 1024;
const LANDED_SHARE = 1 / 16;

/** To be told of every loss beyond doubt, before any other question is asked. */
export function countLoss(extents: HostExtents, finding: Finding): void {
  const inode = finding.observed?.stat?.inode;
  const key = inode === undefined ? finding.path : `${finding.volume}:${inode}`;
  for (const number of numbersOf(extents.stripeBytes, finding.places ?? [])) countsAt(extents, number).lost.add(key);
}

/** The same of every file that a block map of before knows. */
export function countLanded(extents: HostExtents, { spans }: BlockWitness): void {
  for (const { state, physical, length } of spans) {
    if (state !== 'changed' && state !== 'landed') continue;
    for (const number of numbersOf(extents.stripeBytes, [{ offset: physical, length }])) {
      const start = number * extents.stripeBytes;
      const end = Math.min(physical + length, start + extents.stripeBytes);
      countsAt(extents, number).landedBytes += end - Math.max(physical, start);
    }
  }
}

function countsAt({ counts }: HostExtents, number: number): ExtentCounts {
  const known = counts.get(number);
  if (known !== undefined) return known;
  const fresh: ExtentCounts = { lost: new Set(), landedBytes: 0 };
  counts.set(number, fresh);
  return fresh;
}

/** A finding of terabytes is counted in so many of its extents. */
const EXTENTS_AT_MOST = 65_536;

/** The extents that these places lie in, ascending. */
export function* numbersOf(
  stripeBytes: number,
  places: readonly { readonly offset: number; readonly length: number }[],
): Iterable<number> {
  let [next, room] = [0, EXTENTS_AT_MOST];
  for (const { offset, length } of places) {
    const last = Math.floor((offset + length - 1) / stripeBytes);
    const first = Math.max(next, Math.floor(offset / stripeBytes));
    for (let number = first; number <= last && room > 0; number++, room--) yield number;
    next = Math.max(next, last + 1);
  }
}

/** Losses in the worst of its extents, when most of them are damaged; null otherwise. */
export function lossesAround(extents: HostExtents, finding: Finding): { losses: number; offset: number } | null {
  let [all, damaged, losses, worst] = [0, 0, 0, 0];
  for (const number of numbersOf(extents.stripeBytes, finding.places ?? [])) {
    const lost = extents.counts.get(number)?.lost.size ?? 0;
    all++;
    if (lost >= LOSSES_IN_EXTENT) damaged++;
    if (lost > losses) [losses, worst] = [lost, number];
  }
  if (damaged === 0 || damaged < all * DAMAGED_SHARE) return null;
  return { losses, offset: worst * extents.stripeBytes };
}

/** Nothing was lost in any of its extents, and in all of them together much landed. */
export function isAloneAmongLanded(extents: HostExtents, finding: Finding): boolean {
  let [all, landedBytes] = [0, 0];
  for (const number of numbersOf(extents.stripeBytes, finding.places ?? [])) {
    const counts = extents.counts.get(number);
    if (counts !== undefined && counts.lost.size > 0) return false;
    all++;
    landedBytes += counts?.landedBytes ?? 0;
  }
  return all > 0 && landedBytes >= Math.max(LANDED_BYTES, all * extents.stripeBytes * LANDED_SHARE);
}
