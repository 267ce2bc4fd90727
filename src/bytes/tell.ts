// What a container's own tables give away of a write that was lost: they contradict each other, or hold what nothing leads to.

import { UnsupportedError } from '../errors.ts';
import type { ByteRange, Confidence } from '../model.ts';

export interface Tell {
  /** Stable, kebab-case, begins with the format: `vdi-block-twice`. */
  readonly rule: string;
  /** The structure that may be of an older day: `vdi-block-map`. */
  readonly role: string;
  readonly confidence: Confidence;
  /** Where it is, in bytes of the image's file. */
  readonly at: number;
  /** How many entries, clusters or blocks are concerned. */
  readonly entries: number;
  /** What of the disk may be of an older day; null where that cannot be told. */
  readonly disk: ByteRange | null;
  /** One sentence that a support engineer understands. */
  readonly detail: string;
}

/** Larger tables are not compared: a byte or more of memory goes with every entry. 64 KiB clusters then make 8 TiB. */
const MAX_COMPARED = 2 ** 27;

/** Throws UnsupportedError. */
export function assertComparable(file: { readonly name: string }, entries: number): void {
  if (entries <= MAX_COMPARED) return;
  throw new UnsupportedError(`${file.name}: its tables have too many entries (${entries}) to be compared`);
}
