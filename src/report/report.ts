// A report as the program holds it: byte paths and nanoseconds. schema.ts says how it looks on the wire; the renderers
// beside this file are pure functions of it. Findings may be many: they are iterated, never held.

import type {
  BlockRole,
  BytePath,
  ByteRange,
  Finding,
  Nanoseconds,
  ReferenceInfo,
  ScanError,
  Skipped,
  Verdict,
  VolumeFacts,
  Window,
} from '../model.ts';

export interface Report {
  readonly tool: { readonly name: 'lostwrite'; readonly version: string };
  readonly run: {
    readonly id: string;
    readonly startedAtNs: Nanoseconds;
    readonly finishedAtNs: Nanoseconds;
    readonly complete: boolean;
  };
  readonly target: ReportTarget;
  readonly window: Window | null;
  readonly references: readonly (ReferenceInfo & { readonly files: number })[];
  readonly summary: ReportSummary;
  readonly coverage: ReportCoverage;
  /** Sorted by volume, then path key. May be called again. */
  findings(): Iterable<Finding>;
  readonly blocks: readonly ReportBlock[];
  readonly orphans: readonly ReportOrphan[];
  /** Extents of the host with damage in them, and those under suspicion, by offset; empty unless asked for. */
  readonly extents: readonly ReportExtent[];
  readonly errors: readonly ScanError[];
}

export interface ReportTarget {
  readonly kind: 'directory' | 'image';
  readonly name: string;
  readonly path: string;
  /** `raw`, `qcow2`, ...; null for a directory. */
  readonly container: string | null;
  readonly volumes: readonly VolumeFacts[];
}

export interface ReportSummary {
  readonly files: number;
  readonly directories: number;
  readonly bytesRead: number;
  readonly durationMs: number;
  /** Paths that at least one reference vouched for. */
  readonly vouched: number;
  readonly atRisk: number;
  /** A finding that `--fail-on` lists was made. */
  readonly hasFindings: boolean;
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

export interface ReportCoverage {
  /** Reference id -> paths that it vouched for. */
  readonly byReference: ReadonlyMap<string, number>;
  readonly unvouched: number;
  readonly skipped: readonly Skipped[];
}

export interface ReportBlock {
  readonly volume: number;
  /** For a role of the container's (`qcow2-l1-table`): the byte of the image file. */
  readonly block: number;
  readonly role: string;
  readonly rule: string;
  readonly confidence: string;
  readonly entries: number;
  /** One sentence that a support engineer understands. */
  readonly detail?: string;
}

/** Bytes of the container's disk, and who lives there. */
export interface ReportExtent extends ByteRange {
  /** Under suspicion by `--suspect-extents`. */
  readonly suspect: boolean;
  /** Damaged paths whose harmed bytes lie in it, and the first of them in tree order. */
  readonly findings: number;
  readonly paths: readonly ResidentPath[];
  /** Other paths that have blocks in it, and the first of them in tree order. */
  readonly residents: number;
  readonly others: readonly ResidentPath[];
  /** What else lies there: the file system's own, and content without a name. */
  readonly structures: readonly ResidentStructure[];
  /** In volumes, and nobody's. */
  readonly freeBytes: number;
  /** In no volume that was read: partition tables, gaps, beyond the end. */
  readonly outsideBytes: number;
}

export interface ResidentPath {
  readonly volume: number;
  readonly path: BytePath;
}

export interface ResidentStructure {
  readonly volume: number;
  readonly role: BlockRole;
  readonly bytes: number;
}

export interface ReportOrphan {
  readonly volume: number;
  readonly inode: bigint;
  readonly generation: number | null;
  readonly sizeBytes: number;
  readonly digest: string | null;
  readonly candidates: readonly string[];
}
