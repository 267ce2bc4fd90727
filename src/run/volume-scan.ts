// One volume of a target from listing to judged paths: four passes over sorted streams, none of which holds the tree.

import type { ContentJob, ContentResult } from '../../scanners/content-batch.ts';
import type { BlockMap } from '../digest/block-map.ts';
import type { Entry, Filesystem } from '../filesystems/filesystem.ts';
import type { FormerEndColumns } from '../filesystems/former-ends.ts';
import type { KnownNewest } from '../filesystems/logged-state.ts';
import type { ScanFacts } from '../judge/path-case.ts';
import type { BytePath, DigestAlgorithm, Expectation, Nanoseconds } from '../model.ts';
import { isBelow } from '../path.ts';
import type { Pool } from '../pool.ts';
import type { GitReference } from '../references/git/git-reference.ts';
import type { Reference } from '../references/reference.ts';
import type { Run } from '../store/scan-runs.ts';
import type { Opening } from '../tree/open-target.ts';
import type { Selection } from '../tree/selection.ts';
import { blocksGoneBack, type GoneBack } from './block-history.ts';
import type { Breath } from './breath.ts';
import { BlockComparison, type VolumeNow } from './compare-blocks.ts';
import { FileHistory, NO_HISTORY } from './file-history.ts';
import { InodeIndex } from './inode-index.ts';
import { type JudgedPath, judgeTree } from './judge-tree.ts';
import { listTree } from './list-tree.ts';
import type { GenerationMap } from './map-volume.ts';
import type { ScanOptions } from './options.ts';
import { type PathGroup, pathStream } from './path-stream.ts';
import { placePaths, unplacedPaths } from './place-paths.ts';
import { planBatches, planned, type Reads, type WantedByRun } from './plan.ts';
import { allResults, readContents } from './read-contents.ts';
import { ResultsByInode } from './results-by-inode.ts';
import { Spool, type SpoolEntry } from './spool.ts';
import { unknownBlocks } from './unknown-blocks.ts';
import { isCutShort, keepUnlisted, unlistedOf } from './unlisted.ts';
import type { VolumePlaces } from './volume-places.ts';

export interface VolumeScan {
  readonly volume: number;
  readonly options: ScanOptions;
  readonly opening: Opening;
  readonly pool: Pool;
  readonly run: Run;
  readonly references: readonly Reference[];
  /** What git has read of files; filled by the listing, null where nothing is judged. */
  readonly git: GitReference | null;
  /** The file system's own log; null where there is none to be read, and where it agrees with the disk. */
  readonly log: Reference | null;
  /** What the log shows to be as it should be; null where there is none to be read. */
  readonly newest: KnownNewest | null;
  /** Where files ended by the log; null where there is none to be read. */
  readonly ends: FormerEndColumns | null;
  readonly facts: Omit<ScanFacts, 'donors'>;
  readonly selection: Selection;
  /** Where the target's system mounts other volumes. */
  readonly mountPoints: ReadonlySet<BytePath>;
  readonly filesystem: Filesystem;
  /** Whether its blocks can be mapped: an image's can. */
  readonly showsBlocks: boolean;
  /** Block maps of generations, ascending by time. */
  readonly maps: readonly GenerationMap[];
  /** Beside its map; null where its blocks are not shown. */
  readonly volumeNow: VolumeNow | null;
  /** The block map of the volume as it is; null when the run was cancelled before it was whole. */
  readonly mapNow: () => Promise<BlockMap | null>;
  /** Who lives where on the disk as it is; null where that cannot be told. */
  readonly placesNow: () => Promise<VolumePlaces | null>;
  /** Which paths of the baseline's generations have blocks of these hashes. */
  readonly ownersOf: (hashes: ReadonlySet<bigint>) => ReadonlyMap<bigint, BytePath[]>;
  /** Which files are read. */
  readonly reads: Reads;
  /** Whether to go on with what the main thread does by itself, and when to look up from it. */
  readonly breath: () => Breath;
  /** Called while judging for each mount that was not entered. */
  readonly onMount: (path: BytePath) => void;
  /** Called while judging with the blocks that are back in a state that had been replaced, and that no finding can tell of. */
  readonly onGoneBack: (found: readonly GoneBack[]) => void;
  /** Called once the listing is whole, with what is to be read. */
  readonly onPlanned: (files: number, bytes: number) => void;
  readonly onPhase: (phase: 'listing' | 'reading' | 'judging') => void;
}

/** Lists and reads; false when the run was cancelled before everything was read. What was read is in the records. */
export async function examineVolume(scan: VolumeScan): Promise<boolean> {
  const { options, opening, pool, run, volume } = scan;
  scan.onPhase('listing');
  const globs = { include: options.include, exclude: options.exclude };
  const listing = { target: options.target, volume, opening, globs, crossMounts: options.crossMounts };
  if (!(await listTree(pool, spoolOf(scan), listing))) return false;
  const [files, bytes, isCutShort] = await sumOfPlan(scan);
  if (isCutShort) keepUnlisted(run, volume, groupsOf(scan), scan.filesystem);
  scan.onPlanned(files, bytes);
  scan.onPhase('reading');
  const { target, scanners } = options;
  return readContents(pool, run, planOf(scan), { target, scanners, volume, opening, ends: scan.ends });
}

/** Judges every path of the volume, ascending by path key; ends early when it is stopped meanwhile. */
export async function* judgeVolume(scan: VolumeScan, breath: Breath): AsyncIterable<JudgedPath> {
  scan.onPhase('judging');
  const index = await indexInodes(scan, breath);
  const results = resultsOf(scan);
  const facts = { ...scan.facts, donors: await findDonors(scan, breath) };
  const { comparisons, history } = await compareBlocks(scan, breath);
  const { volume, newest, onMount } = scan;
  const judging = { volume, facts, index, results, comparisons, history, newest, onMount };
  const places = wantsPlaces(scan) ? await scan.placesNow() : null;
  const judged = judgeTree(groupsOf(scan), judging);
  yield* breath.over(
    places === null ? unplacedPaths(judged) : placePaths(judged, places, scan.options.suspectExtents ?? []),
  );
}

/** Findings are placed on the disk where it was mapped anyhow, and where places are asked for. */
function wantsPlaces({ maps, options }: VolumeScan): boolean {
  return maps.length > 0 || options.stripeBytes != null || (options.suspectExtents ?? []).length > 0;
}

/** The first name of each of these inodes, at home. */
export function namesOf(scan: VolumeScan, inodes: ReadonlySet<number>): Map<number, BytePath> {
  const names = new Map<number, BytePath>();
  if (inodes.size === 0) return names;
  for (const { path, stat, viaSecondName } of spoolOf(scan).entries()) {
    const inode = stat === null || viaSecondName ? null : Number(stat.inode);
    if (inode !== null && inodes.has(inode) && !names.has(inode)) names.set(inode, path);
  }
  return names;
}

/** What a capture keeps: every entry with what reading it gave, ascending by path key. Nothing below a second name. */
export function* capturedEntries(scan: VolumeScan): Iterable<{ entry: SpoolEntry; result: ContentResult | null }> {
  const results = resultsOf(scan);
  let second: BytePath | null = null;
  for (const { entry } of groupsOf(scan)) {
    if (entry === null || (second !== null && isBelow(entry.path, second))) continue;
    if (entry.viaSecondName) second = entry.path;
    yield { entry, result: results.resultOf(entry) };
  }
}

/** The newest ctime of all listed inodes; 0 when there are none. */
export function newestChange(scans: readonly VolumeScan[]): Nanoseconds {
  let newest = 0n;
  for (const scan of scans) {
    for (const { stat } of spoolOf(scan).entries()) if (stat !== null && stat.ctimeNs > newest) newest = stat.ctimeNs;
  }
  return newest;
}

function spoolOf(scan: VolumeScan): Spool {
  return new Spool(scan.run, scan.volume);
}

function groupsOf(scan: VolumeScan): Iterable<PathGroup> {
  return pathsOf(scan, scan.git === null ? scan.references : [...scan.references, scan.git]);
}

function pathsOf(scan: VolumeScan, references: readonly Reference[]): Iterable<PathGroup> {
  const { selection, mountPoints, run, volume } = scan;
  const unlisted = unlistedOf(run, volume);
  return pathStream(spoolOf(scan).entries(), references, { selection, mountPoints, unlisted, log: scan.log });
}

function resultsOf(scan: VolumeScan): ResultsByInode {
  return new ResultsByInode(scan.run, scan.volume, scan.reads);
}

function planOf(scan: VolumeScan): Iterable<ContentJob[]> {
  return planBatches(groupsOf(scan), wantedBy(scan), scan.reads);
}

/** What several names of one inode may want together; of every file for a capture. */
function wantedBy(scan: VolumeScan): WantedByRun {
  const kinds = new Set(scan.references.map(reference => reference.info.kind));
  const baseline = kinds.has('baseline') || scan.log !== null;
  const algorithms: DigestAlgorithm[] = kinds.has('packages') ? ['md5'] : [];
  const ofAll = scan.options.captures ?? false;
  if (baseline || ofAll) algorithms.push('sha256');
  if (scan.git !== null && !scan.git.isEmpty) algorithms.push('git-sha1', 'git-sha256');
  const bornBeforeNs = scan.facts.generations.at(-1)?.atNs ?? null;
  return { algorithms, blocks: baseline || ofAll, ofAll, bornBeforeNs };
}

function isListed(entry: SpoolEntry): entry is SpoolEntry & Entry {
  return entry.kind === 'entry' && entry.stat !== null;
}

/**
 * Its references would add nothing: they say what is wanted of a file, not whether it is read. Told beside it: whether some
 * directory could not be listed whole. Git's is told what there is.
 */
async function sumOfPlan(scan: VolumeScan): Promise<[files: number, bytes: number, isCutShort: boolean]> {
  let files = 0;
  let bytes = 0;
  let cutShort = false;
  const onGroup = (group: PathGroup): void => {
    cutShort ||= isCutShort(group);
    if (group.entry !== null && isListed(group.entry)) scan.git?.look(group.entry);
  };
  for await (const [{ stat }] of scan.breath().over(planned(told(pathsOf(scan, []), onGroup), scan.reads))) {
    files++;
    bytes += stat.sizeBytes;
  }
  return [files, bytes, cutShort];
}

function* told<T>(items: Iterable<T>, onItem: (item: T) => void): Iterable<T> {
  for (const item of items) {
    onItem(item);
    yield item;
  }
}

/** Asks the generations whose the blocks are that no past state of their own file has. */
async function findDonors(scan: VolumeScan, breath: Breath): Promise<ReadonlyMap<bigint, BytePath[]>> {
  if (!(await hasBlocks(breath.over(allResults(scan.run, scan.volume))))) return new Map();
  const unknown = await unknownBlocks(breath.over(groupsOf(scan)), resultsOf(scan));
  return unknown.size === 0 ? new Map() : scan.ownersOf(unknown);
}

interface ComparedBlocks {
  /** Newest first; none when the run was stopped before the volume was mapped. */
  readonly comparisons: readonly BlockComparison[];
  readonly history: FileHistory;
}

async function compareBlocks(scan: VolumeScan, breath: Breath): Promise<ComparedBlocks> {
  const { volumeNow } = scan;
  const now = scan.maps.length === 0 || volumeNow === null ? null : await scan.mapNow();
  if (now === null || volumeNow === null) return { comparisons: [], history: NO_HISTORY };
  const history = new FileHistory(
    blocksGoneBack(now, scan.maps, volumeNow.isAllocated),
    now.hashes.unitBytes,
    volumeNow.offset,
  );
  const newest = scan.facts.generations.find(({ id }) => id === scan.maps.at(-1)?.id) ?? null;
  scan.onGoneBack(await history.untold(breath.over(spoolOf(scan).entries()), newest?.atNs ?? null));
  const comparisons: BlockComparison[] = [];
  for (const { id, load } of scan.maps) {
    const generation = scan.references.find(reference => reference.info.id === id);
    const comparison = new BlockComparison(id, now, load(), volumeNow);
    for await (const expectation of breath.over(generation?.expectations() ?? [])) comparison.collect(expectation);
    comparisons.unshift(comparison);
  }
  return { comparisons, history };
}

/** Workers send blocks only of files that have changed: mostly there are none. */
async function hasBlocks(results: AsyncIterable<ContentResult>): Promise<boolean> {
  for await (const { content } of results) if (content.blocks !== null) return true;
  return false;
}

async function indexInodes(scan: VolumeScan, breath: Breath): Promise<InodeIndex> {
  const { options, references, facts } = scan;
  const isSelective = options.include.length + options.exclude.length > 0 || !spoolOf(scan).isComplete;
  const index = new InodeIndex(
    isSelective,
    facts.generations.map(({ atNs }) => atNs),
    scan.filesystem.inodeHabits,
  );
  const newest = facts.generations.at(-1)?.id ?? null;
  for await (const group of breath.over(groupsOf(scan))) index.collect(group, wordOf(group, newest));
  index.finishCollecting();
  if (!index.wantsSecondPass) return index;
  for await (const entry of breath.over(spoolOf(scan).entries())) index.lookUpInTree(entry);
  const generation = references.find(reference => reference.info.id === newest);
  for await (const expectation of breath.over(generation?.expectations() ?? [])) index.lookUpInGeneration(expectation);
  return index;
}

function wordOf(group: PathGroup, reference: string | null): Expectation | null {
  return group.expected.find(expectation => expectation.reference === reference) ?? null;
}
