// Everything that is known of one path when it is judged, and the small questions that rules ask of it.

import type { BytePath, Expectation, Finding, Observation, ReferenceInfo, Seen, Stat, Window } from '../model.ts';
import type { BlockWitness, GoneBackSpan } from './block-witness.ts';

/** One path: what references say, what the target has, what scanners noticed, and the same of the directory above. */
export interface PathCase {
  readonly volume: number;
  readonly path: BytePath;
  /** Null: the target's listing does not have the name. */
  readonly seen: Seen | null;
  /** Every reference's statement on this path. */
  readonly expected: readonly Expectation[];
  /** What the file system's own log has it as; null where it has it not, and where log and disk agree on all. */
  readonly logged: Expectation | null;
  readonly newest: NewestByLog;
  readonly observations: readonly Observation[];
  readonly inode: InodeWitness;
  /** What block maps of generations say of it, newest first; empty where there are none. */
  readonly blocks: readonly BlockWitness[];
  /** Blocks of it that are back in a state that had been replaced, ascending; empty with less than two maps. */
  readonly goneBack: readonly GoneBackSpan[];
  /** The directory above; null for the root. */
  readonly parent: PathCase | null;
  /** The finding of the directory above, before groups are looked at. */
  readonly above: Finding | null;
  readonly scan: ScanFacts;
}

/** What is the same for all paths of a scan. */
export interface ScanFacts {
  readonly window: Window | null;
  readonly references: ReadonlyMap<string, ReferenceInfo>;
  /** Baseline generations, ascending by the time that they stand for. */
  readonly generations: readonly GenerationFacts[];
  readonly startedAtNs: bigint;
  /** What is known of the file system's own log; null where it has none, or none that can be read. */
  readonly log: LogFacts | null;
  /** Hashes of blocks that no generation knows at their place -> paths that a generation knows them of. */
  readonly donors: ReadonlyMap<bigint, readonly BytePath[]>;
}

/** Of what the log has the newest copy. */
export interface NewestByLog {
  /** `in-place`: the inode is as it should be; `in-log`: another one should be there. */
  readonly inode: 'in-place' | 'in-log' | 'unknown';
  /** For a directory that may have changed in the window: all its names are in the log as they should be. */
  readonly names: boolean;
}

export const UNKNOWN_TO_LOG: NewestByLog = { inode: 'unknown', names: false };

export interface LogFacts {
  /** Commits of the oldest and of the newest transaction that it holds. */
  readonly fromNs: bigint;
  readonly toNs: bigint;
  /** Places at which transactions between them are missing. */
  readonly holes: number;
  /** Nobody else has written since: no repair, no offline tool, no crash; and the log itself is whole. */
  readonly isUndisturbed: boolean;
  /** It has newer names or inodes than the disk somewhere. */
  readonly differs: boolean;
}

export interface GenerationFacts {
  readonly id: string;
  readonly atNs: bigint;
  readonly capturedNs: bigint;
  /** Whether it was to hold the path if it existed: a generation of a selection says nothing of the rest. */
  covers(path: BytePath): boolean;
}

/** Kernel times tick: two stamps of one operation may differ by a tick of 100 Hz. */
export const CLOCK_TICK_NS = 10_000_000n;

/** What the inodes of the whole tree say of one name. Paths are of the same volume. */
export interface InodeWitness {
  /** Where the inode that the newest generation had under this (now missing) name is now. */
  readonly livesAt: readonly NamedInode[];
  /** Under which names the newest generation had the inode that this (then unknown) name has now. */
  readonly cameFrom: readonly BytePath[];
  /** Two names have exchanged their inodes since the newest generation: this one and one of `cameFrom`. */
  readonly isExchanged: boolean;
  /**
   * What an inode under another name than its former one may owe to an exchange of names, which leaves its times alone on some
   * file systems: `seen`, its former name leads to another one by now. Null: an exchange would have stamped it.
   */
  readonly unstampedExchange: 'seen' | 'possible' | null;
  /** The file system gives a freed number to the next file at once: a name that is made again may well get its old one. */
  readonly numbersReturn: boolean;
  /** Other names that lead to the same inode, when they are more than its link count allows. */
  readonly rivals: readonly BytePath[];
  /** Those of them under which the newest generation had the inode. */
  readonly rivalsOfNewest: readonly BytePath[];
  /** An older generation, not the newest, had the inode's number under this name: an entry of old. */
  readonly isNameOfOld: boolean;
  /** Inodes of its block of the inode table are older than what names them: the block went back, so its times say nothing. */
  readonly isAmongOldInodes: boolean;
  /**
   * The block of the inode table that holds its inode (of a missing name: the one that the newest generation had here) went
   * back beyond doubt: an inode in it is older than in the newest generation.
   */
  readonly inodeBlockWentBack: boolean;
  /** Of a missing name: its inode lives on, counting a link for each of its names that are gone. */
  readonly linkStillCounted: boolean;
  /** Of a directory's second name: its other one, where it is at home; null where it has none. */
  readonly homePath: BytePath | null;
  /** For a directory: subdirectories that its link count implies and its listing lacks. */
  readonly lostSubdirectories: number;
  /** For a directory: an entry of it that was born after the directory's inode last changed. */
  readonly youngerChild: YoungerChild | null;
}

export interface YoungerChild {
  readonly path: BytePath;
  readonly stat: Stat;
}

export interface NamedInode {
  readonly path: BytePath;
  readonly stat: Stat;
  /** An older generation, not the newest, had the inode's number under that name. */
  readonly isNameOfOld: boolean;
  /** The newest generation did not have the inode under that name. */
  readonly isNew: boolean;
}

export const NO_WITNESS: InodeWitness = {
  livesAt: [],
  cameFrom: [],
  isExchanged: false,
  unstampedExchange: null,
  numbersReturn: false,
  rivals: [],
  rivalsOfNewest: [],
  isNameOfOld: false,
  isAmongOldInodes: false,
  inodeBlockWentBack: false,
  linkStillCounted: false,
  homePath: null,
  lostSubdirectories: 0,
  youngerChild: null,
};

/** A generation's word on a path: `expectation` null when the path did not exist then. */
export interface PastState {
  readonly generation: GenerationFacts;
  readonly expectation: Expectation | null;
}

/** The path through the generations that cover it, oldest first. */
export function timelineOf(known: PathCase): PastState[] {
  const covering = known.scan.generations.filter(generation => generation.covers(known.path));
  return covering.map(generation => ({
    generation,
    expectation: known.expected.find(expectation => expectation.reference === generation.id) ?? null,
  }));
}

/** The newest generation's word; null when there is no baseline. */
export function newestPast(known: PathCase): PastState | null {
  return timelineOf(known).at(-1) ?? null;
}

/** The newest generation knows of every change in the window: what it lacks was not there, what it has was. */
export function knowsTheEnd(known: PathCase): boolean {
  const newest = newestPast(known);
  return newest !== null && isAfterWindow(newest.generation.atNs, known.scan.window);
}

/** Whether a statement of that time knows of every change in the window. Without a window nothing is doubted. */
export function isAfterWindow(atNs: bigint, window: Window | null): boolean {
  return window === null || (window.toNs !== null && atNs >= window.toNs);
}

/** What packages and other manifests say; baselines aside, and what counts for one state of the inode only. */
export function manifestsOf({ expected, scan }: PathCase): Expectation[] {
  return expected.filter(
    ({ reference, readAs }) => readAs === undefined && scan.references.get(reference)?.kind !== 'baseline',
  );
}

/** One and the same inode, not only the same number: a number is used again, a time of birth or generation is not. */
export function sameInode(left: Stat, right: Stat): boolean {
  if (left.inode !== right.inode || left.type !== right.type) return false;
  if (left.crtimeNs !== null && right.crtimeNs !== null && left.crtimeNs !== right.crtimeNs) return false;
  return left.generation === null || right.generation === null || left.generation === right.generation;
}

/**
 * Its times are those of a running kernel, which stamps the birth and, then or later, the change. Programs that fill a file
 * system without one (mke2fs -d) give an inode the change of what they copied, and are at work after it.
 */
export function isStampedByKernel({ crtimeNs, ctimeNs }: Stat): boolean {
  return crtimeNs === null || crtimeNs <= ctimeNs;
}

/**
 * The newest generation had the inode under another name, which leads to it no more, and it was stamped since: somebody
 * renamed it to this name. Log rotations hand numbers round, and may bring one back to a name that had it once.
 */
export function isRenamedHere({ inode, seen, scan }: PathCase): boolean {
  const stat = seen?.stat ?? null;
  const newestNs = scan.generations.at(-1)?.atNs ?? null;
  if (stat === null || newestNs === null || stat.ctimeNs <= newestNs) return false;
  return inode.cameFrom.length > 0 && !inode.cameFrom.some(path => inode.rivals.includes(path));
}

/** Its last stamp, after that time, is that of a write: a rename, a link or a change of mode would have moved the ctime on. */
export function isWrittenSince(stat: Stat, atNs: bigint): boolean {
  return stat.ctimeNs === stat.mtimeNs && stat.ctimeNs > atNs;
}

/** The same inode stands at a path as in a past state of it. */
export function holdsInode(known: PathCase, past: PastState | null): boolean {
  const stat = known.seen?.stat ?? null;
  const then = past?.expectation?.stat ?? null;
  return stat !== null && then !== null && sameInode(stat, then);
}

/**
 * No directory above was exchanged since the newest generation: each is the inode that it was. A deployment that renames
 * whole directories brings old inodes to a path without touching them.
 */
export function directoriesHeld(known: PathCase): boolean {
  for (let above = known.parent; above !== null; above = above.parent) {
    if (!holdsInode(above, newestPast(above)) && !isBornSince(above)) return false;
  }
  return true;
}

/** A directory that was made since the newest generation brought nothing along: what is in it was made or moved there since. */
function isBornSince(directory: PathCase): boolean {
  const bornNs = directory.seen?.stat?.crtimeNs ?? null;
  const newest = newestPast(directory);
  return bornNs !== null && newest !== null && bornNs > newest.generation.atNs;
}

/**
 * The ctime is that of no generation: a clock that was set back may have stamped it. One that equals a generation's to the
 * nanosecond is that generation's.
 */
export function mayBeStampedBack(known: PathCase, stat: Stat): boolean {
  return timelineOf(known).every(({ expectation }) => expectation?.stat?.ctimeNs !== stat.ctimeNs);
}

/** The log holds every change of names and inodes since before the window. */
export function logCoversWindow({ log, window }: ScanFacts): boolean {
  return log !== null && window?.fromNs != null && log.holes === 0 && log.fromNs <= window.fromNs;
}

/** The name leads to the inode that the log has there. */
export function isNamedInLog({ scan, seen, logged }: PathCase): boolean {
  if (scan.log?.differs === false) return true;
  return seen?.stat != null && logged?.stat != null && sameInode(seen.stat, logged.stat);
}

/**
 * By a log that holds every change of the window, or the newest copies of all of the directory, the name leads where it should,
 * or is gone as it should be.
 */
export function isNameVouchedByLog(known: PathCase): boolean {
  const { scan, seen, logged, parent } = known;
  if (!logCoversWindow(scan) && parent?.newest.names !== true) return false;
  if (seen === null && scan.log?.differs === true) return logged === null && parent?.logged?.stat != null;
  return isNamedInLog(known);
}

export type Agreement = 'same' | 'different' | 'unknown';

/** Does the target's content (bytes, link target, type) agree with an expectation? Metadata is not asked. */
export function agreement(seen: Seen, expected: Expectation): Agreement {
  if (seen.stat === null) return 'unknown';
  if (expected.type !== null && expected.type !== seen.stat.type) return 'different';
  if (seen.stat.type === 'symlink') return compare(seen.linkTarget, expected.linkTarget);
  if (seen.stat.type !== 'file') return expected.type === null ? 'unknown' : 'same';
  return fileAgreement(seen, seen.stat, expected);
}

function compare(left: string | null, right: string | null): Agreement {
  if (left === null || right === null) return 'unknown';
  return left === right ? 'same' : 'different';
}

function fileAgreement(seen: Seen, stat: Stat, expected: Expectation): Agreement {
  const read = seen.content?.state === 'read' ? seen.content : null;
  const sizeBytes = read?.sizeBytes ?? stat.sizeBytes;
  if (expected.sizeBytes !== null && expected.sizeBytes !== sizeBytes) return 'different';
  if (read === null) return 'unknown';
  for (const algorithm of ['sha256', 'sha1', 'md5'] as const) {
    const answer = compare(read.digests[algorithm] ?? null, expected.digests[algorithm] ?? null);
    if (answer !== 'unknown') return answer;
  }
  return expected.sizeBytes === 0 ? 'same' : 'unknown';
}

/** Two past states of a path had the same content. */
export function sameContent(left: Expectation, right: Expectation): boolean {
  if (left.type !== right.type || left.sizeBytes !== right.sizeBytes) return false;
  if (left.type === 'symlink') return left.linkTarget === right.linkTarget;
  return left.type !== 'file' || left.digests.sha256 === right.digests.sha256;
}
