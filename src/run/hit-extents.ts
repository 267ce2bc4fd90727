// Extents of the disk with damage in them, by the host's stripes, and those that somebody suspects. Linear in findings.

import { numbersOf } from '../judge/host-extents.ts';
import type { BytePath, ByteRange, Finding } from '../model.ts';
import type { ResidentPath } from '../report/report.ts';
import { RangeIndex } from './range-index.ts';

/** An extent and the findings whose harmed bytes lie in it. */
export interface HitExtent extends ByteRange {
  readonly suspect: boolean;
  readonly findings: number;
  /** The first of them in tree order. */
  readonly paths: readonly ResidentPath[];
  /** Inodes of all of them, as `volume:inode`. */
  readonly inodes: ReadonlySet<string>;
}

/** Paths that are named of an extent; all are counted. */
export const PATHS_NAMED = 16;
/** Extents that are listed; a disk with more damage is lost as a whole. */
const EXTENTS_LISTED = 16_384;

interface Gathered extends ByteRange {
  readonly suspect: boolean;
  findings: number;
  /** One of the findings is more than a hint. */
  isHit: boolean;
  readonly paths: { readonly volume: number; readonly path: BytePath }[];
  readonly inodes: Set<string>;
}

export class HitExtents {
  readonly #stripeBytes: number | null;
  readonly #stripes = new Map<number, Gathered>();
  readonly #suspects: readonly Gathered[];
  readonly #index: RangeIndex<Gathered>;

  constructor(stripeBytes: number | null, suspects: readonly ByteRange[]) {
    this.#stripeBytes = stripeBytes;
    this.#suspects = suspects.map(range => gathered(range, true));
    this.#index = new RangeIndex(this.#suspects);
  }

  /** In the order of the report. */
  add(finding: Finding): void {
    const { places = [], verdict } = finding;
    if (verdict === 'suspect' || verdict === 'altered') return;
    for (const extent of new Set(places.flatMap(place => this.#index.overlapping(place)))) enter(extent, finding);
    if (this.#stripeBytes === null) return;
    for (const number of numbersOf(this.#stripeBytes, places)) {
      const extent = this.#stripeAt(number, this.#stripeBytes);
      if (extent !== null) enter(extent, finding);
    }
  }

  /** Stripes with more than hints in them, and every suspect extent; by offset. */
  list(): HitExtent[] {
    const hit = [...this.#stripes.values()].filter(({ isHit }) => isHit);
    return [...hit, ...this.#suspects]
      .sort((left, right) => left.offset - right.offset || left.length - right.length)
      .map(({ isHit: _, ...extent }) => extent);
  }

  #stripeAt(number: number, stripeBytes: number): Gathered | null {
    const known = this.#stripes.get(number);
    if (known !== undefined || this.#stripes.size >= EXTENTS_LISTED) return known ?? null;
    const fresh = gathered({ offset: number * stripeBytes, length: stripeBytes }, false);
    this.#stripes.set(number, fresh);
    return fresh;
  }
}

function gathered({ offset, length }: ByteRange, suspect: boolean): Gathered {
  return { offset, length, suspect, findings: 0, isHit: false, paths: [], inodes: new Set() };
}

function enter(extent: Gathered, { volume, path, confidence, observed }: Finding): void {
  extent.findings++;
  extent.isHit ||= confidence !== 'possible';
  if (extent.paths.length < PATHS_NAMED) extent.paths.push({ volume, path });
  if (observed?.stat != null) extent.inodes.add(`${volume}:${observed.stat.inode}`);
}
