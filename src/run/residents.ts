// Who else lives in an extent of the disk: other files and directories, the file system's own structures, nobody.

import type { BytePath } from '../model.ts';
import { comparePaths } from '../path.ts';
import type { ReportExtent, ResidentPath, ResidentStructure } from '../report/report.ts';
import { type HitExtent, PATHS_NAMED } from './hit-extents.ts';
import type { ByteOwner, VolumePlaces } from './volume-places.ts';
import { namesOf, type VolumeScan } from './volume-scan.ts';

interface PlacedVolume {
  readonly volume: number;
  readonly places: VolumePlaces;
  /** First names of the inodes that live in any of the extents. */
  readonly names: ReadonlyMap<number, BytePath>;
}

/** Empty where nothing was hit and nothing is suspected. */
export async function residentsOf(hits: readonly HitExtent[], scans: readonly VolumeScan[]): Promise<ReportExtent[]> {
  if (hits.length === 0) return [];
  const volumes: PlacedVolume[] = [];
  for (const scan of scans) {
    const places = await scan.placesNow();
    if (places === null) continue;
    const inodes = new Set(hits.flatMap(hit => places.ownersWithin(hit).map(({ run }) => run.inode)));
    volumes.push({ volume: scan.volume, places, names: namesOf(scan, inodes) });
  }
  return hits.map(hit => residentsIn(hit, volumes));
}

function residentsIn({ inodes, ...hit }: HitExtent, volumes: readonly PlacedVolume[]): ReportExtent {
  const others: ResidentPath[] = [];
  const structures: ResidentStructure[] = [];
  let [insideBytes, ownedBytes] = [0, 0];
  for (const { volume, places, names } of volumes) {
    const owners = places.ownersWithin(hit);
    const named = new Set(owners.map(({ run }) => run.inode).filter(inode => names.has(inode)));
    for (const inode of named) {
      if (!inodes.has(`${volume}:${inode}`)) others.push({ volume, path: names.get(inode) ?? '' });
    }
    structures.push(
      ...structuresOf(
        volume,
        owners.filter(({ run }) => !named.has(run.inode)),
      ),
    );
    insideBytes += overlapBytes(hit, places.extent);
    ownedBytes += coveredBytes(owners);
  }
  others.sort((left, right) => left.volume - right.volume || comparePaths(left.path, right.path));
  return {
    ...hit,
    residents: others.length,
    others: others.slice(0, PATHS_NAMED),
    structures,
    freeBytes: insideBytes - ownedBytes,
    outsideBytes: hit.length - insideBytes,
  };
}

/** Each role once, in the order of places. */
function structuresOf(volume: number, owners: readonly ByteOwner[]): ResidentStructure[] {
  const bytes = new Map<ByteOwner['run']['role'], number>();
  for (const { run, length } of owners) bytes.set(run.role, (bytes.get(run.role) ?? 0) + length);
  return Array.from(bytes, ([role, sum]) => ({ volume, role, bytes: sum }));
}

type Range = Pick<ByteOwner, 'offset' | 'length'>;

function overlapBytes(left: Range, right: Range): number {
  const from = Math.max(left.offset, right.offset);
  return Math.max(0, Math.min(left.offset + left.length, right.offset + right.length) - from);
}

/** Of ranges that ascend by offset, what two have counted once. */
function coveredBytes(ranges: readonly Range[]): number {
  let [covered, end] = [0, 0];
  for (const { offset, length } of ranges) {
    covered += Math.max(0, offset + length - Math.max(offset, end));
    end = Math.max(end, offset + length);
  }
  return covered;
}
