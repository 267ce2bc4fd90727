// What the main thread asks of a worker, and the counters that they share.

import type { Entry } from '../src/filesystems/filesystem.ts';
import type { FormerEndColumns } from '../src/filesystems/former-ends.ts';
import type { DamagedStructure, TargetSpec } from '../src/model.ts';
import type { Opening } from '../src/tree/open-target.ts';
import type { SelectionGlobs } from '../src/tree/selection.ts';
import type { WalkedSubtree } from '../src/tree/walk.ts';
import type { ContentBatch } from './content-batch.ts';

/** Places of the shared counters, one 64-bit word each. */
export const COUNTER = { cancelled: 0, entries: 1, files: 2, bytes: 3 } as const;
export const COUNTERS_BYTES = 8 * Object.keys(COUNTER).length;

export interface WalkTask {
  readonly target: TargetSpec;
  readonly volume: number;
  readonly opening: Opening;
  readonly counters: SharedArrayBuffer;
  /** Null: the root of the volume. */
  readonly start: Entry | null;
  readonly budget: number;
  readonly globs: SelectionGlobs;
  readonly crossMounts: boolean;
}

/** What a task met beside its results: structures of the file system that no task of this worker had told of before. */
interface Met {
  readonly damage: readonly DamagedStructure[];
}

export type WalkResult = WalkedSubtree & Met;

export interface ReadTask {
  readonly target: TargetSpec;
  readonly volume: number;
  readonly opening: Opening;
  readonly counters: SharedArrayBuffer;
  readonly batch: ContentBatch;
  /** Names of the scanners to feed; null: all. */
  readonly scanners: readonly string[] | null;
  /** Where files ended by the file system's log; null where that is not known. */
  readonly ends: FormerEndColumns | null;
}

export interface ReadResult extends Met {
  /** Packed as content-batch.ts does. */
  readonly results: Uint8Array<ArrayBuffer>;
}

/** One piece of a volume's block map (src/digest/unit-hashes.ts). */
export interface HashTask {
  readonly target: TargetSpec;
  readonly volume: number;
  readonly opening: Opening;
  readonly counters: SharedArrayBuffer;
  readonly piece: number;
}

/** The owners of all blocks of a volume. */
export type OwnersTask = Omit<HashTask, 'piece'>;
