// Brings together what is known of each path, in tree order, and has it judged. Holds the directories above the current
// path and the results of inodes with several names, nothing else.

import type { ContentResult } from '../../scanners/content-batch.ts';
import type { KnownNewest } from '../filesystems/logged-state.ts';
import type { BlockWitness } from '../judge/block-witness.ts';
import { type Judgement, judgePath } from '../judge/judge-path.ts';
import {
  isAfterWindow,
  type NewestByLog,
  NO_WITNESS,
  newestPast,
  type PathCase,
  type ScanFacts,
  UNKNOWN_TO_LOG,
} from '../judge/path-case.ts';
import { windowPlace } from '../judge/window.ts';
import type { BytePath, Expectation, Finding, Seen } from '../model.ts';
import { isBelow, parentPath } from '../path.ts';
import type { BlockComparison } from './compare-blocks.ts';
import type { FileHistory } from './file-history.ts';
import type { InodeIndex } from './inode-index.ts';
import type { PathGroup } from './path-stream.ts';
import type { ResultsByInode } from './results-by-inode.ts';
import type { SpoolEntry } from './spool.ts';

export interface JudgedPath {
  readonly known: PathCase;
  readonly judgement: Judgement;
  /** Its blocks and the finding's ranges are bytes of the container's disk. */
  readonly isPlaced?: boolean;
}

export interface TreeJudging {
  readonly volume: number;
  readonly facts: ScanFacts;
  readonly index: InodeIndex;
  readonly results: ResultsByInode;
  /** Block maps of generations, set against the volume as it is; newest first. */
  readonly comparisons: readonly BlockComparison[];
  readonly history: FileHistory;
  /** What the log shows to be as it should be; null where there is none. */
  readonly newest: KnownNewest | null;
  /** Told of each mount that was not entered. */
  readonly onMount: (path: BytePath) => void;
}

export function* judgeTree(groups: Iterable<PathGroup>, judging: TreeJudging): Iterable<JudgedPath> {
  const above: { known: PathCase; finding: Finding | null }[] = [];
  for (const group of groups) {
    if (group.entry?.kind === 'mount') {
      judging.onMount(group.path);
      continue;
    }
    while (above.length > 0 && !isBelow(group.path, above.at(-1)?.known.path ?? '')) above.pop();
    const directory = above.at(-1) ?? null;
    const parent = directory === null ? null : directoryCase(directory.known, parentPath(group.path));
    const known = caseOf(group, judging, parent, directory?.finding ?? null);
    const judgement = judgePath(known);
    above.push({ known, finding: judgement.finding });
    yield { known, judgement };
  }
}

/** The directory above, even if nothing spoke of it (a reference that names files only). */
function directoryCase(nearest: PathCase, path: BytePath | null): PathCase | null {
  if (path === null || nearest.path === path) return nearest;
  const nothing = {
    seen: null,
    expected: [],
    logged: null,
    newest: UNKNOWN_TO_LOG,
    observations: [],
    blocks: [],
    goneBack: [],
  };
  return { ...nearest, ...nothing, path, parent: nearest };
}

function caseOf(group: PathGroup, judging: TreeJudging, parent: PathCase | null, above: Finding | null): PathCase {
  const result = group.entry === null ? null : judging.results.resultOf(group.entry);
  const seen = group.entry === null ? null : seenOf(group.entry, result);
  const { path, logged } = group;
  const { volume, facts } = judging;
  const expected = withMoved(group, judging);
  const observations = result?.observations.filter(observation => isAlike(observation.path, path)) ?? [];
  const newest = newestByLog(seen, judging);
  const known = { volume, path, seen, expected, logged, newest, observations, parent, above, scan: facts };
  const formerly = newestPast({ ...known, inode: NO_WITNESS, blocks: [], goneBack: [] })?.expectation?.stat ?? null;
  const blocks = blocksOf(group, judging.comparisons);
  const goneBack = seen?.stat == null || seen.viaSecondName ? [] : judging.history.spansOf(seen.stat);
  return { ...known, inode: judging.index.witness(group, formerly), blocks, goneBack };
}

/** Names are asked for where the directory may have changed: a list of its blocks is read for it. */
function newestByLog(seen: Seen | null, { newest, facts }: TreeJudging): NewestByLog {
  const stat = seen?.stat ?? null;
  if (newest === null || stat === null) return UNKNOWN_TO_LOG;
  const inode = Number(stat.inode);
  const asksNames = stat.type === 'directory' && windowPlace(stat, facts.window) !== 'outside';
  return { inode: newest.inode(inode), names: asksNames && newest.names(inode) };
}

/**
 * Where a directory above was moved since a generation that does not know the window's end, its word on the old place is
 * that on the new one: a rename moves names, not files.
 */
function withMoved({ path, expected }: PathGroup, { facts, index }: TreeJudging): readonly Expectation[] {
  const newest = facts.generations.at(-1);
  if (newest === undefined || isAfterWindow(newest.atNs, facts.window)) return expected;
  const moved = expected.some(({ reference }) => reference === newest.id) ? null : index.movedHere(path);
  return moved === null ? expected : [...expected, moved];
}

function blocksOf({ path, entry }: PathGroup, comparisons: readonly BlockComparison[]): BlockWitness[] {
  const stat = entry?.viaSecondName ? null : (entry?.stat ?? null);
  return stat === null ? [] : comparisons.flatMap(comparison => comparison.witness(path, stat) ?? []);
}

/** An inode is read once, by its first name. What was observed holds for that, and for names alike (clones that share objects). */
function isAlike(observed: BytePath, path: BytePath): boolean {
  return observed.slice(observed.lastIndexOf('/')) === path.slice(path.lastIndexOf('/'));
}

function seenOf(entry: SpoolEntry, result: ContentResult | null): Seen {
  const { direntType, linkTarget, fault, viaSecondName = false } = entry;
  const content = result?.content ?? null;
  return { direntType, stat: result?.stat ?? entry.stat, linkTarget, fault, content, viaSecondName };
}
