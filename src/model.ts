// The nouns that every layer shares. No behaviour beyond constants and the tiniest constructors.
// Words are those of the README's table ("Words"); times are nanoseconds since 1970 as bigint.

/** A path's bytes, one character (U+0000..U+00FF) a byte, absolute within its volume; "/" is the root, no trailing slash. */
export type BytePath = string;

/** Nanoseconds since 1970-01-01T00:00:00Z. */
export type Nanoseconds = bigint;

export const ENTRY_TYPES = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'socket',
  'character-device',
  'block-device',
] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** In the order of precedence at equal confidence. */
export const VERDICTS = ['unreadable', 'garbage', 'stale', 'missing', 'resurrected', 'altered', 'suspect'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Strongest first. */
export const CONFIDENCES = ['proven', 'likely', 'possible'] as const;
export type Confidence = (typeof CONFIDENCES)[number];

/**
 * `git-*`: the id of a blob, that is of "blob SIZE NUL" and the bytes. `git-*-lf`: that of the bytes with each CRLF as LF; told where
 * those are others and the first is none that was expected. At most seven: they share a byte with a flag (content-batch.ts).
 */
export const DIGEST_ALGORITHMS = [
  'md5',
  'sha1',
  'sha256',
  'git-sha1',
  'git-sha256',
  'git-sha1-lf',
  'git-sha256-lf',
] as const;
export type DigestAlgorithm = (typeof DIGEST_ALGORITHMS)[number];

/** Lower-case hex by algorithm; only those that are known. */
export type Digests = Partial<Record<DigestAlgorithm, string>>;

/** What an inode says of itself. */
export interface Stat {
  readonly type: EntryType;
  /** Permission bits and set-id/sticky, 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly links: number;
  readonly inode: bigint;
  /** The inode's generation number, where the platform tells it (images do, a mounted tree does not). */
  readonly generation: number | null;
  readonly mtimeNs: Nanoseconds;
  readonly ctimeNs: Nanoseconds;
  /** Time of birth; null where the file system keeps none. */
  readonly crtimeNs: Nanoseconds | null;
  /** Allocated space in units of 512 bytes; null where unknown. */
  readonly blocks512: number | null;
}

/** Why something could not be examined. Absent, unreadable, unsupported, not permitted are different answers. */
export type FaultKind = 'absent' | 'unreadable' | 'permission' | 'encrypted' | 'unsupported';
export interface Fault {
  readonly kind: FaultKind;
  /** The system's error code, or the structure that was found damaged. */
  readonly code: string;
  readonly message: string;
}

/**
 * XXH64 (seed 0) of every 4 KiB of a file, the last one zero-padded, eight bytes each, little-endian:
 * `byteLength / 8` blocks. Zero blocks carry the hash of a zero block.
 */
export type BlockHashes = Uint8Array;

/** Bytes per block hash of a file. */
export const BLOCK_BYTES = 4096;

/** What a block is to its owner: the file system's own structures, and what an inode's blocks hold. */
export const BLOCK_ROLES = [
  'superblock',
  'group-descriptors',
  'reserved-descriptors',
  'block-bitmap',
  'inode-bitmap',
  'inode-table',
  'multi-mount-protection',
  'data',
  'directory',
  'symlink',
  'journal',
  'quota',
  'orphan-file',
  'block-map',
  'attributes',
  'attribute-value',
  'free-space-tree',
  'inode-tree',
  'reverse-map-tree',
  'reference-count-tree',
  'free-list',
] as const;
export type BlockRole = (typeof BLOCK_ROLES)[number];

/** Consecutive blocks of one owner. In blocks of the file system, or in units of a block map. */
export interface OwnedRun {
  readonly role: BlockRole;
  /** 0 for the file system itself. */
  readonly inode: number;
  readonly generation: number;
  /** Logical block of the file; of an inode table, bitmap or descriptor: the group. */
  readonly logical: number;
  readonly physical: number;
  readonly length: number;
  /** Allocated, never written: reads as zeros. */
  readonly unwritten: boolean;
}

/** What reading a file's bytes gave. */
export interface ContentSeen {
  /** read: whole; changing: other bytes at each try; unreadable: some ranges refused; skipped: never opened, see fault. */
  readonly state: 'read' | 'changing' | 'unreadable' | 'skipped';
  readonly sizeBytes: number;
  readonly digests: Digests;
  /** Kept when asked for and the digest matched nothing expected. */
  readonly blocks: BlockHashes | null;
  readonly unreadable: readonly ByteRange[];
  readonly fault: Fault | null;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** An entry of the target as it is now: what the listing, the inode and the bytes said. */
export interface Seen {
  /** The type in the directory's own record, where the platform tells it. */
  readonly direntType: EntryType | null;
  /** Null when the name is listed but its inode cannot be had: then `fault` says why. */
  readonly stat: Stat | null;
  readonly linkTarget: BytePath | null;
  readonly fault: Fault | null;
  readonly content: ContentSeen | null;
  /** What is here is at home under another path: this one goes through, or ends in, a second name of a directory. */
  readonly viaSecondName?: boolean;
}

export type ReferenceKind = 'packages' | 'baseline' | 'inventory' | 'git' | 'format' | 'journal';

/** One reference of a scan, as the report lists it. */
export interface ReferenceInfo {
  /** Unique in a scan: `dpkg`, `baseline:nightly@2014-06-01T02:00:00Z`. */
  readonly id: string;
  readonly kind: ReferenceKind;
  /** The time that its statements stand for; null when it carries none. */
  readonly atNs: Nanoseconds | null;
  /** content: can say that content is right; not-garbage: only that it was this file's once. */
  readonly vouches: 'content' | 'not-garbage';
  /** It lists every path of the target: a path that it does not name did not exist at its time. */
  readonly complete: boolean;
}

export interface Owner {
  readonly kind: 'package' | 'application' | 'database' | 'filesystem';
  readonly name: string;
  readonly version: string | null;
}

/** What one reference says that a path is. */
export interface Expectation {
  /** ReferenceInfo.id */
  readonly reference: string;
  readonly path: BytePath;
  /** Null: the path exists, its type is not said. */
  readonly type: EntryType | null;
  readonly sizeBytes: number | null;
  readonly digests: Digests;
  readonly blocks: BlockHashes | null;
  readonly linkTarget: BytePath | null;
  /** The whole inode, where the reference kept it (a baseline does). */
  readonly stat: Stat | null;
  readonly owner: Owner | null;
  /** An administrator may edit it (a conffile): a difference alone is not damage. */
  readonly editable: boolean;
  /** When its package or deployment put it there; null when not known. */
  readonly installedAtNs: Nanoseconds | null;
  /** How to get it again. */
  readonly remedy: Remedy | null;
  /** Its digests are of what was read from an inode of this state, and say nothing of any other; absent where they always count. */
  readonly readAs?: ReadStamp;
}

/** An inode as it was when a program read its content, as far as the program's record of it goes (the index of git: 32 bits). */
export interface ReadStamp {
  /** Modulo 2^32. */
  readonly inode: number;
  /** Modulo 2^32. */
  readonly sizeBytes: number;
  /** Seconds modulo 2^32. */
  readonly mtimeNs: Nanoseconds;
  /** Seconds modulo 2^32. */
  readonly ctimeNs: Nanoseconds;
  /** When the record was last written: the content was read by then. */
  readonly recordedAtNs: Nanoseconds;
}

export interface Remedy {
  readonly action: 'reinstall' | 'redeploy' | 'restore' | 'extract' | 'rebuild' | 'inspect';
  readonly detail: string;
  readonly command: string | null;
}

/** What a scanner noticed beyond digests: never a verdict. */
export interface Observation {
  readonly scanner: string;
  readonly rule: string;
  readonly path: BytePath;
  /** For (true) or against (false) damage. */
  readonly supports: boolean;
  readonly detail: string;
  readonly ranges: readonly ByteRange[];
}

/** The suspect time range; either end may be open. Both ends belong to it. */
export interface Window {
  readonly fromNs: Nanoseconds | null;
  readonly toNs: Nanoseconds | null;
}

export type WindowPlace = 'inside' | 'later' | 'outside' | 'unknown';

export type RangeState = 'stale' | 'garbage' | 'zero' | 'foreign' | 'unreadable' | 'unknown';
export interface FindingRange extends ByteRange {
  readonly state: RangeState;
  /** Byte offset in the volume's container, where known. */
  readonly physical: number | null;
  readonly detail: string | null;
}

export interface Evidence {
  readonly scanner: string;
  readonly rule: string;
  readonly supports: boolean;
  /** One sentence that a support engineer understands. */
  readonly detail: string;
}

/**
 * Which day a block of a file is of. state: as a generation has it at its place; lost: what the disk held there before, its
 * write never landed; written: since the newest block map, and nobody knows it; hole: none of the disk's.
 */
export type BlockDay = 'state' | 'lost' | 'zeros' | 'hole' | 'written' | 'unreadable' | 'unknown';

/** Consecutive blocks of one day. */
export interface DaySpan {
  readonly from: number;
  readonly count: number;
  readonly day: BlockDay;
  /** The generation whose state it is; null for other days. */
  readonly generation: { readonly id: string; readonly atNs: Nanoseconds; readonly isNewest: boolean } | null;
}

/** A file or directory block by block. */
export interface BlockDays {
  readonly unitBytes: number;
  /** All of them, ascending, without gaps. */
  readonly spans: readonly DaySpan[];
}

/** One path, one finding. */
export interface Finding {
  readonly volume: number;
  readonly path: BytePath;
  readonly type: EntryType | null;
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly metadataOnly: boolean;
  readonly window: { readonly file: WindowPlace; readonly directory: WindowPlace };
  readonly ranges: readonly FindingRange[];
  readonly expected: FindingExpected | null;
  readonly observed: FindingObserved | null;
  readonly owner: Owner | null;
  readonly evidence: readonly Evidence[];
  /** The path of the finding that explains this one (a missing directory), same volume. */
  readonly causePath: BytePath | null;
  readonly foundAt: BytePath | null;
  readonly recoverable: 'journal' | 'orphan' | 'elsewhere' | null;
  readonly remedy: Remedy | null;
  /** Where on the container's disk its harmed bytes lie, ascending; absent unless places were asked for. */
  readonly places?: readonly ByteRange[];
  /** Of what is `altered`: the finding that it is where losses are beyond doubt. */
  readonly amongLosses?: Finding;
}

export interface FindingExpected {
  readonly reference: string;
  readonly sizeBytes: number | null;
  /** `algorithm:hex` */
  readonly digest: string | null;
  readonly mtimeNs: Nanoseconds | null;
}

export interface FindingObserved {
  readonly sizeBytes: number | null;
  readonly digest: string | null;
  readonly stat: Stat | null;
}

export type SkipReason = 'permission' | 'encrypted' | 'unsupported' | 'special' | 'excluded' | 'changing';
export interface Skipped {
  readonly volume: number;
  readonly path: BytePath;
  readonly reason: SkipReason;
}

/** Trouble met while scanning that is no finding of a path: a broken line in a package database, a lost directory. */
export interface ScanError {
  readonly path: BytePath;
  readonly code: string;
  readonly message: string;
}

/** A structure of a file system that was found broken, or that the medium refused, while it was read. */
export interface DamagedStructure {
  /** Bytes from the start of the volume, or of what the message names. */
  readonly at: number;
  /** EBADMSG: a checksum; EUCLEAN, ELOOP: a contradiction; else the system's code. */
  readonly code: string;
  readonly message: string;
}

/** What is told of a volume: its place in the target, its file system, and the state that it was found in. */
export interface VolumeFacts {
  readonly index: number;
  /** `ext4`, `xfs`, `lvm2`, ...; `host` for a mounted tree. */
  readonly filesystem: string;
  readonly uuid: string | null;
  readonly label: string;
  /** Bytes within the container's disk; null for a mounted tree. */
  readonly offset: number | null;
  readonly size: number | null;
  /** `clean`, `dirty`, `errors`; `mounted` for a mounted tree, `not examined` for what cannot be read. */
  readonly state: string;
  /** Its journal was replayed in memory. */
  readonly replayed: boolean;
  readonly repairedAtNs: Nanoseconds | null;
  /** Copied or read while it was written to. */
  readonly hot: boolean;
  readonly log: {
    readonly fromNs: Nanoseconds | null;
    readonly toNs: Nanoseconds | null;
    readonly holes: number;
  } | null;
  /** What keeps rules from speaking on this volume, and other facts worth a line. */
  readonly gates: readonly string[];
}

/** What a worker needs to open a target by itself. Plain data: it crosses threads. */
export interface TargetSpec {
  readonly kind: 'directory' | 'image';
  /** As the user named it. */
  readonly name: string;
  /** Absolute path on the host (a host string, not latin1). */
  readonly path: string;
  /** Name of an internal snapshot of an image. */
  readonly snapshot: string | null;
  readonly identity: TargetIdentity;
  /** Folders, beside the image's own, in which its backing files may lie. */
  readonly allowBacking?: readonly string[];
  /** False: a journal that was not checkpointed is not replayed. */
  readonly replay?: boolean;
  /** Further images that hold physical volumes of the same volume groups. */
  readonly more?: readonly TargetPart[];
}

/** One more image of a target that lies across several. */
export type TargetPart = Pick<TargetSpec, 'path' | 'snapshot' | 'identity'>;

/** A worker that opens the target and finds another identity stops. */
export interface TargetIdentity {
  readonly device: string;
  readonly inode: string;
  readonly sizeBytes: number;
  readonly mtimeNs: string;
}
