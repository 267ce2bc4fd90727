// What a qcow2 image gives away: every cluster is counted, and the tables say who uses it. Where both disagree, or where the file holds
// a table that nothing names, one of them is of an older day. Nothing is concluded from counters that lag behind by right (dirty).

import type { Confidence } from '../../model.ts';
import type { ByteSource } from '../byte-source.ts';
import { Contradictions } from '../contradictions.ts';
import { hasData } from '../has-data.ts';
import { assertComparable, type Tell } from '../tell.ts';
import { bytesPerL1Entry, type Qcow2Header } from './header.ts';
import { findOrphans, type Orphan } from './orphans.ts';
import { type Refcounts, readRefcounts } from './refcounts.ts';
import {
  countReferences,
  diskOffset,
  type Entry,
  entriesOf,
  isCompressed,
  isCopied,
  type References,
  tableEntries,
  targetOf,
} from './references.ts';
import type { Snapshot } from './snapshots.ts';

export interface SurveyedQcow2 {
  readonly file: ByteSource;
  readonly header: Qcow2Header;
  readonly snapshots: readonly Snapshot[];
  readonly snapshotTableBytes: number;
}

export interface Compared extends SurveyedQcow2 {
  readonly clusters: number;
  readonly refcounts: Refcounts;
  readonly references: References;
}

/** A cluster that the active disk uses. */
interface Use {
  readonly cluster: number;
  /** Offset of the entry in the file. */
  readonly at: number;
  /** Offset on the disk. */
  readonly disk: number;
}

/** Contradictions of the active disk, kind by kind. */
interface Active {
  /** The counter says unused, or less often than it is used. */
  readonly tooLow: Contradictions<Use>;
  /** Two entries name one cluster. */
  readonly twice: Contradictions<Use>;
  /** The entry says that nobody shares the cluster, the counter that somebody does. */
  readonly copied: Contradictions<Use>;
  /** The other way round. */
  readonly notCopied: Contradictions<Use>;
}

/** Throws UnsupportedError when the image is too large, ReadError. */
export function surveyQcow2(image: SurveyedQcow2): Tell[] {
  const { file, header } = image;
  if (header.dirty) return [];
  const clusters = Math.ceil(file.size / header.clusterBytes);
  assertComparable(file, clusters);
  const refcounts = readRefcounts(file, header, clusters);
  const references = countReferences({ ...image, clusters, refcountBlocks: refcounts.blocks });
  const compared: Compared = { ...image, clusters, refcounts, references };
  const active = walkActive(compared);
  return [
    ...activeTells(compared, active),
    ...metadataTell(compared, active),
    ...tooHighTell(compared),
    ...unreachedTells(compared),
  ];
}

function walkActive(image: Compared): Active {
  const { file, header, references } = image;
  const active: Active = {
    tooLow: new Contradictions(),
    twice: new Contradictions(),
    copied: new Contradictions(),
    notCopied: new Contradictions(),
  };
  const seen = new Uint8Array(Math.ceil(image.clusters / 8));
  for (const [index, entry] of tableEntries(file, header.l1.offset, header.l1.entries, 8).entries()) {
    noteUse(image, active, seen, entry, index * bytesPerL1Entry(header));
  }
  for (const table of references.tables.values()) {
    if (table.activeIndex < 0) continue;
    const entries = header.dataFile === null ? entriesOf(file, header, table.offset) : [];
    for (const [index, entry] of entries.entries())
      noteUse(image, active, seen, entry, diskOffset(header, table, index));
  }
  return active;
}

/** @param seen a bit for each cluster that an entry has named */
function noteUse(image: Compared, active: Active, seen: Uint8Array, entry: Entry, disk: number): void {
  const { header, refcounts, references } = image;
  const target = targetOf(header, entry);
  if (target === null) return;
  const cluster = Math.floor(target.offset / header.clusterBytes);
  if (cluster >= image.clusters) return;
  const use = { cluster, at: entry.at, disk };
  const counted = refcounts.counts[cluster] as number;
  if (counted < (references.counts[cluster] as number)) active.tooLow.add(use);
  if (isCompressed(entry)) return;
  if (isMarked(seen, cluster)) active.twice.add(use);
  mark(seen, cluster);
  if (isCopied(entry) && counted > 1) active.copied.add(use);
  if (!isCopied(entry) && counted === 1) active.notCopied.add(use);
}

function isMarked(bits: Uint8Array, index: number): boolean {
  return ((bits[index >>> 3] as number) & (1 << (index & 7))) !== 0;
}

function mark(bits: Uint8Array, index: number): void {
  bits[index >>> 3] = (bits[index >>> 3] as number) | (1 << (index & 7));
}

function activeTells({ header }: Compared, { tooLow, twice, copied, notCopied }: Active): Tell[] {
  const tell = (
    rule: string,
    role: string,
    confidence: Confidence,
    found: Contradictions<Use>,
    words: string,
  ): Tell[] =>
    found.first === null
      ? []
      : [
          {
            rule,
            role,
            confidence,
            at: found.first.at,
            entries: found.count,
            disk: { offset: found.first.disk, length: header.clusterBytes },
            detail: `${words} (the first: cluster ${found.first.cluster} of the file, byte ${found.first.disk} of the disk)`,
          },
        ];
  const all = { tooLow: tooLow.count, twice: twice.count, copied: copied.count, notCopied: notCopied.count };
  return [
    ...tell(
      'qcow2-cluster-twice',
      'qcow2-mapping-table',
      'likely',
      twice,
      `${all.twice} entries of the tables name a cluster that another one names too: one of the two tables is of an older day`,
    ),
    ...tell(
      'qcow2-refcount-too-low',
      'qcow2-refcount-block',
      'likely',
      tooLow,
      `${all.tooLow} clusters are used more often than they are counted: the counters, or the tables that name the clusters, are of an older day`,
    ),
    ...tell(
      'qcow2-copied-flag-differs',
      'qcow2-mapping-table',
      copied.count > 0 ? 'likely' : 'possible',
      copied.count > 0 ? copied : notCopied,
      `${all.copied + all.notCopied} entries of the tables say otherwise than the counters whether somebody shares their cluster: one of both is of an older day`,
    ),
  ];
}

/** Clusters that no entry of the active disk names, but tables, snapshots or the header do. */
function metadataTell({ clusters, refcounts, references, header }: Compared, active: Active): Tell[] {
  if (active.tooLow.count > 0) return [];
  const found = new Contradictions<number>();
  for (let index = 0; index < clusters; index++) {
    if ((refcounts.counts[index] as number) < (references.counts[index] as number)) found.add(index);
  }
  if (found.first === null) return [];
  return [
    {
      rule: 'qcow2-refcount-too-low',
      role: 'qcow2-refcount-block',
      confidence: 'likely',
      at: found.first * header.clusterBytes,
      entries: found.count,
      disk: null,
      detail: `${found.count} clusters of tables or snapshots are used more often than they are counted (the first: cluster ${found.first} of the file): the counters are of an older day`,
    },
  ];
}

/** A crash while a snapshot was made or deleted leaves such counters too. */
function tooHighTell({ clusters, refcounts, references, header }: Compared): Tell[] {
  if (header.bitmaps) return [];
  const found = new Contradictions<number>();
  for (let index = 0; index < clusters; index++) {
    const used = references.counts[index] as number;
    if (used > 0 && (refcounts.counts[index] as number) > used) found.add(index);
  }
  if (found.first === null) return [];
  return [
    {
      rule: 'qcow2-refcount-too-high',
      role: 'qcow2-snapshot-table',
      confidence: 'possible',
      at: found.first * header.clusterBytes,
      entries: found.count,
      disk: null,
      detail: `${found.count} clusters are counted more often than they are used (the first: cluster ${found.first} of the file): the snapshot table or a mapping table is of an older day, or the image was not closed while a snapshot was made or deleted`,
    },
  ];
}

function unreachedTells(image: Compared): Tell[] {
  const { orphans, leaked } = findOrphans(image);
  const tells = orphans.flatMap(orphan => orphanTell(image, orphan));
  const owned = new Set(orphans.flatMap(orphan => orphan.targets));
  const rest = leaked.filter(cluster => !owned.has(cluster) && !orphans.some(orphan => orphan.cluster === cluster));
  return [...tells, ...leakTell(image, rest)];
}

function orphanTell({ header }: Compared, orphan: Orphan): Tell[] {
  const { cluster, targets, slot, isDirectory } = orphan;
  const at = cluster * header.clusterBytes;
  if (isDirectory) {
    const detail = `cluster ${cluster} of the file is an L1 table that nothing names, of ${targets.length} tables that nothing else names: a snapshot was lost from the snapshot table, or an image was not closed while a snapshot was deleted`;
    const rule = 'qcow2-snapshot-unnamed';
    return [
      { rule, role: 'qcow2-snapshot-table', confidence: 'possible', at, entries: targets.length, disk: null, detail },
    ];
  }
  const reach = bytesPerL1Entry(header);
  const disk = slot === null ? null : { offset: slot * reach, length: reach };
  const where =
    disk === null ? 'somewhere on the disk' : `from byte ${disk.offset} of the disk on, within ${reach} bytes`;
  return [
    {
      rule: 'qcow2-mapping-table-unnamed',
      role: 'qcow2-l1-table',
      confidence: 'proven',
      at,
      entries: targets.length,
      disk,
      detail: `cluster ${cluster} of the file is a mapping table that no L1 table names, for ${targets.length} clusters that nothing else names: the L1 table is of an older day, and ${where} older data or zeros are shown`,
    },
  ];
}

/** An image that was not closed leaks clusters too, and dirty bitmaps have some: so much is no more than a hint. */
function leakTell({ file, header }: Compared, leaked: readonly number[]): Tell[] {
  if (header.bitmaps) return [];
  const filled = leaked.filter(cluster => hasData(file, cluster * header.clusterBytes, header.clusterBytes));
  const [first] = filled;
  if (first === undefined) return [];
  return [
    {
      rule: 'qcow2-cluster-unnamed',
      role: 'qcow2-mapping-table',
      confidence: 'possible',
      at: first * header.clusterBytes,
      entries: filled.length,
      disk: null,
      detail: `${filled.length} clusters hold data and are counted as in use, yet no table names them (the first: cluster ${first} of the file): a mapping table is of an older day, or the image was not closed properly once`,
    },
  ];
}
