// What a scan or a baseline is asked to do: validated, no argv left in it. The command line fills these in.

import type { BlockMap } from '../digest/block-map.ts';
import type { BytePath, ByteRange, Confidence, Nanoseconds, TargetSpec, Verdict, Window } from '../model.ts';
import type { Report } from '../report/report.ts';

export interface StoreOption {
  /** Host path of the store, or null for one in memory (nothing is kept, nothing resumes). */
  readonly path: string | null;
}

export interface ScanOptions {
  readonly target: TargetSpec;
  readonly window: Window | null;
  readonly store: StoreOption;
  /** The store that the baseline is read from, when it is another one: many scans at once read it, and each keeps its own records. */
  readonly baselines?: StoreOption;
  /** Name of the baseline series to compare with; null: none. */
  readonly baseline: string | null;
  /** Images of the time before, oldest first: captured for this scan alone, with maps of their blocks. */
  readonly before?: readonly TargetSpec[];
  /** `KIND:PATH` as given, already split. */
  readonly references: readonly { readonly kind: string; readonly path: string }[];
  /** Globs over the path within the target, as typed. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Names of scanners to run; null: all. */
  readonly scanners: readonly string[] | null;
  /** Bytes of an extent of the host that the image lies in; null or absent: not known. */
  readonly stripeBytes?: number | null;
  /** Extents of the disk that are under suspicion, as given. */
  readonly suspectExtents?: readonly ByteRange[];
  readonly metadataOnly: boolean;
  readonly crossMounts: boolean;
  /** Worker threads. */
  readonly jobs: number;
  readonly resume: 'auto' | 'never';
  readonly failOn: readonly FailOn[];
  /** The digest and blocks of every file that is read are wanted, whatever references say. */
  readonly captures?: boolean;
}

export interface FailOn {
  readonly verdict: Verdict;
  readonly confidence: Confidence;
}

export interface BaselineOptions {
  readonly target: TargetSpec;
  readonly store: StoreOption;
  readonly name: string;
  /** The time that the captured state stands for; null: now. */
  readonly atNs: Nanoseconds | null;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly crossMounts: boolean;
  readonly jobs: number;
  /** Told of the block map of each volume that shows its blocks, which is then not kept. */
  readonly onMap?: (volume: number, map: BlockMap) => void;
}

export interface Progress {
  readonly phase: 'listing' | 'reading' | 'judging';
  readonly entries: number;
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

export interface RunHooks {
  /** Called now and then from the main thread. */
  readonly onProgress: (progress: Progress) => void;
  /** One line for a person: a warning, a resumed run. */
  readonly onNotice: (line: string) => void;
  /** Aborted by Ctrl-C: the run ends soon with what it has. */
  readonly signal: AbortSignal;
}

export interface ScanOutcome {
  readonly report: Report;
  /** Gives back the store; findings cannot be iterated after it. `keep` leaves the run's records for a resumption. */
  close(keep: boolean): void;
}

/** What was captured. */
export interface BaselineResult {
  /** The time that the generation stands for. */
  readonly atNs: Nanoseconds;
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  /** Paths that could not be captured. */
  readonly skipped: number;
  /** False: interrupted, or something could not be read; nothing of an interrupted capture is kept. */
  readonly complete: boolean;
}

/** A series of generations, as a store lists it. */
export interface BaselineSeries {
  readonly name: string;
  readonly generations: number;
  readonly firstAtNs: Nanoseconds;
  readonly lastAtNs: Nanoseconds;
}

export interface BaselineGeneration {
  readonly atNs: Nanoseconds;
  readonly capturedNs: Nanoseconds;
  /** Name of the target as it was given. */
  readonly target: string;
  readonly entries: number;
  readonly files: number;
  readonly bytes: number;
  /** What the block maps of its volumes took in the store; null when it has none. */
  readonly mapBytes: number | null;
}

/** An incident made for the demo, ready to be scanned. */
export interface DemoScene {
  readonly target: TargetSpec;
  readonly window: Window;
  readonly store: StoreOption;
  readonly baseline: string;
  /** What really happened. */
  readonly damaged: ReadonlySet<BytePath>;
}
