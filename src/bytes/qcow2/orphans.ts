// Clusters of a qcow2 file that are counted as in use though nothing names them, and what they are: mapping tables that lost the entry
// which named them can be told from data by what they hold.

import { bytesPerL1Entry } from './header.ts';
import { COPIED_HIGH, OFFSET_MASK_HIGH, OFFSET_MASK_LOW, ZERO_LOW } from './layout.ts';
import { type Entry, entriesOf, isCompressed, offsetOf, tableEntries, targetOf } from './references.ts';
import type { Compared } from './survey-qcow2.ts';

/** More leaked clusters are not looked into: each is read whole. */
const MAX_EXAMINED = 16 * 1024;

/** A table that nothing names. */
export interface Orphan {
  readonly cluster: number;
  /** Clusters that it names and nothing else does. */
  readonly targets: readonly number[];
  /** The entry of the active L1 table that should name it; null when that cannot be told. */
  readonly slot: number | null;
  /** It names such tables itself: the L1 table of a lost snapshot. */
  readonly isDirectory: boolean;
}

/** Throws ReadError. */
export function findOrphans(image: Compared): { orphans: readonly Orphan[]; leaked: readonly number[] } {
  const leaked = leakedClusters(image);
  const tables = new Map<number, Entry[]>();
  for (const cluster of leaked) {
    const entries = tableIn(image, cluster);
    if (entries !== null) tables.set(cluster, entries);
  }
  const targets = new Map([...tables].map(([cluster, entries]) => [cluster, ownTargets(image, entries)]));
  const directories = new Set(
    [...tables.keys()].filter(cluster => targets.get(cluster)?.some(target => (targets.get(target)?.length ?? 0) > 0)),
  );
  const below = new Set([...directories].flatMap(cluster => targets.get(cluster) ?? []));
  const orphans = [...tables].flatMap(([cluster, entries]) => {
    const own = targets.get(cluster) ?? [];
    if (own.length === 0 || below.has(cluster)) return [];
    const isDirectory = directories.has(cluster);
    return [{ cluster, targets: own, slot: isDirectory ? null : slotOf(image, entries), isDirectory }];
  });
  const covered = [...below].flatMap(cluster => [cluster, ...(targets.get(cluster) ?? [])]);
  const isCovered = new Set(covered);
  return { orphans, leaked: leaked.filter(cluster => !isCovered.has(cluster)) };
}

function leakedClusters({ clusters, refcounts, references }: Compared): number[] {
  const leaked: number[] = [];
  for (let index = 0; index < clusters && leaked.length < MAX_EXAMINED; index++) {
    if ((refcounts.counts[index] as number) > 0 && references.counts[index] === 0) leaked.push(index);
  }
  return leaked;
}

/** The entries of the cluster if all of them could be those of a mapping table, and any is; else null. */
function tableIn(image: Compared, cluster: number): Entry[] | null {
  const { file, header } = image;
  const entries = entriesOf(file, header, cluster * header.clusterBytes);
  const used = entries.filter(({ high, low }) => high !== 0 || low !== 0);
  return used.length > 0 && used.every(entry => isPlausible(image, entry)) ? entries : null;
}

function isPlausible({ header, clusters, refcounts }: Compared, entry: Entry): boolean {
  const target = targetOf(header, entry);
  if (target === null) return !isCompressed(entry) && entry.high === 0 && entry.low === ZERO_LOW;
  if (!isCompressed(entry)) {
    const allowedHigh = COPIED_HIGH | OFFSET_MASK_HIGH;
    if ((entry.high & ~allowedHigh) !== 0 || (entry.low & ~(OFFSET_MASK_LOW | ZERO_LOW)) !== 0) return false;
    if (target.offset % header.clusterBytes !== 0) return false;
  }
  const index = Math.floor(target.offset / header.clusterBytes);
  return index > 0 && index < clusters && (refcounts.counts[index] as number) > 0;
}

function ownTargets({ header, references }: Compared, entries: readonly Entry[]): number[] {
  const own = entries.flatMap(entry => {
    const target = targetOf(header, entry);
    const index = target === null ? -1 : Math.floor(target.offset / header.clusterBytes);
    return index > 0 && references.counts[index] === 0 ? [index] : [];
  });
  return [...new Set(own)];
}

/**
 * A table that replaced another has most of its entries; one that was new stands for an entry of the L1 table that names nothing, which
 * can only be told when there is one such.
 */
function slotOf(image: Compared, entries: readonly Entry[]): number | null {
  const { file, header, references } = image;
  const known = new Set(entries.flatMap(entry => (offsetOf(entry) === 0 ? [] : [offsetOf(entry)])));
  let best = { slot: -1, shared: 0 };
  for (const table of references.tables.values()) {
    if (table.activeIndex < 0) continue;
    const shared = entriesOf(file, header, table.offset).filter(entry => known.has(offsetOf(entry))).length;
    if (shared > best.shared) best = { slot: table.activeIndex, shared };
  }
  if (best.shared > 0) return best.slot;
  const needed = Math.ceil(header.sizeBytes / bytesPerL1Entry(header));
  const empty = tableEntries(file, header.l1.offset, Math.min(needed, header.l1.entries), 8).flatMap((entry, index) =>
    offsetOf(entry) === 0 ? [index] : [],
  );
  return empty.length === 1 ? (empty[0] ?? null) : null;
}
