// Where on the container's disk what belongs to whom: byte ranges of inodes, and owners of byte ranges. All offsets are bytes
// from the start of the disk; the volume lies somewhere in it.

import type { BlockOwners } from '../digest/block-owners.ts';
import type { ByteRange, Finding, FindingRange, OwnedRun, Stat } from '../model.ts';

/** A run of a file's blocks. */
interface PlacedRun extends ByteRange {
  /** Byte of the file. */
  readonly logical: number;
}

/** A finding of a file in more pieces than this names the first of them. */
const PLACES_AT_MOST = 4096;

export interface ByteOwner extends ByteRange {
  readonly run: OwnedRun;
}

export class VolumePlaces {
  readonly #owners: BlockOwners;
  readonly #unitBytes: number;
  /** Of the volume. */
  readonly extent: ByteRange;

  constructor(owners: BlockOwners, unitBytes: number, extent: ByteRange) {
    this.#owners = owners;
    this.#unitBytes = unitBytes;
    this.extent = extent;
  }

  /** The content of a file, directory or long symlink, ascending by its own bytes. */
  runsOf({ inode, generation }: Stat): PlacedRun[] {
    return this.#owners
      .of(Number(inode), generation ?? 0)
      .filter(({ role }) => role === 'data' || role === 'directory' || role === 'symlink')
      .map(({ logical, physical, length }) => ({
        logical: logical * this.#unitBytes,
        offset: this.extent.offset + physical * this.#unitBytes,
        length: length * this.#unitBytes,
      }));
  }

  /** Who owns what of a range of the disk, cut to it; ascending. */
  ownersWithin({ offset, length }: ByteRange): ByteOwner[] {
    const start = offset - this.extent.offset;
    const from = Math.max(0, Math.floor(start / this.#unitBytes));
    const to = Math.ceil((start + length) / this.#unitBytes);
    if (to <= from) return [];
    return this.#owners.within(from, to).map(run => {
      const first = Math.max(offset, this.extent.offset + run.physical * this.#unitBytes);
      const end = Math.min(offset + length, this.extent.offset + (run.physical + run.length) * this.#unitBytes);
      return { run, offset: first, length: end - first };
    });
  }

  /** The finding with places: of its ranges, or of the whole file where it has none. Unchanged for what has no blocks. */
  placed(finding: Finding): Finding {
    const stat = finding.observed?.stat ?? null;
    if (stat === null || finding.metadataOnly || finding.verdict === 'missing') return finding;
    const runs = this.runsOf(stat);
    const ranges = finding.ranges.map(range => ({ ...range, physical: physicalOf(range, runs) ?? range.physical }));
    const { amongLosses } = finding;
    const other = amongLosses === undefined ? {} : { amongLosses: this.placed(amongLosses) };
    const harmed = ranges.length === 0 ? [{ offset: 0, length: Number.MAX_SAFE_INTEGER }] : ranges;
    return { ...finding, ...other, ranges, places: placesOf(harmed, runs) };
  }
}

/** Null when its first byte lies in a hole. */
function physicalOf({ offset }: FindingRange, runs: readonly PlacedRun[]): number | null {
  const run = runs.find(({ logical, length }) => logical <= offset && offset < logical + length);
  return run === undefined ? null : run.offset + offset - run.logical;
}

/** Byte ranges of a file as byte ranges of the disk, ascending; adjoining ones are one. */
function placesOf(ranges: readonly ByteRange[], runs: readonly PlacedRun[]): ByteRange[] {
  const pieces = ranges.flatMap(range => runs.flatMap(run => overlap(range, run))).slice(0, PLACES_AT_MOST);
  const merged: ByteRange[] = [];
  for (const piece of pieces.sort((left, right) => left.offset - right.offset)) {
    const last = merged.at(-1);
    const end = piece.offset + piece.length;
    if (last === undefined || last.offset + last.length < piece.offset) merged.push(piece);
    else merged[merged.length - 1] = { ...last, length: Math.max(last.length, end - last.offset) };
  }
  return merged;
}

function overlap(range: ByteRange, { logical, offset, length }: PlacedRun): ByteRange[] {
  const from = Math.max(range.offset, logical);
  const to = Math.min(range.offset + range.length, logical + length);
  return from < to ? [{ offset: offset + from - logical, length: to - from }] : [];
}
