// Brings together what is known of each path, in tree order, and has it judged. Holds the directories above the current
// path and the results of inodes with several names, nothing else.

import type { ContentResult } from '../../scanners/content-batch.ts';
import { type Judgement, judgePath } from '../judge/judge-path.ts';
import { newestPast, type PathCase, type ScanFacts } from '../judge/path-case.ts';
import type { BytePath, Finding, Seen } from '../model.ts';
import { isBelow, parentPath } from '../path.ts';
import type { InodeIndex } from './inode-index.ts';
import type { PathGroup } from './path-stream.ts';
import { isReadable } from './plan.ts';
import type { SpoolEntry } from './spool.ts';

export interface JudgedPath {
  readonly known: PathCase;
  readonly judgement: Judgement;
}

export interface TreeJudging {
  readonly volume: number;
  readonly facts: ScanFacts;
  readonly index: InodeIndex;
  /** Results in the order of the plan; null when the run reads no content. */
  readonly contents: Iterator<ContentResult | null> | null;
}

export function* judgeTree(groups: Iterable<PathGroup>, judging: TreeJudging): Iterable<JudgedPath> {
  const names = new ResultsByInode(judging.contents);
  const above: { known: PathCase; finding: Finding | null }[] = [];
  for (const group of groups) {
    while (above.length > 0 && !isBelow(group.path, above.at(-1)?.known.path ?? '')) above.pop();
    const directory = above.at(-1) ?? null;
    const parent = directory === null ? null : directoryCase(directory.known, parentPath(group.path));
    const known = caseOf(group, judging, names, parent, directory?.finding ?? null);
    const judgement = judgePath(known);
    above.push({ known, finding: judgement.finding });
    yield { known, judgement };
  }
}

/** The directory above, even if nothing spoke of it (a reference that names files only). */
function directoryCase(nearest: PathCase, path: BytePath | null): PathCase | null {
  if (path === null || nearest.path === path) return nearest;
  return { ...nearest, path, seen: null, expected: [], observations: [], parent: nearest };
}

function caseOf(
  group: PathGroup,
  judging: TreeJudging,
  names: ResultsByInode,
  parent: PathCase | null,
  above: Finding | null,
): PathCase {
  const result = group.entry === null ? null : names.resultOf(group.entry);
  const seen = group.entry === null ? null : seenOf(group.entry, result);
  const { path, expected } = group;
  const { volume, facts } = judging;
  const known = { volume, path, seen, expected, observations: result?.observations ?? [], parent, above, scan: facts };
  const formerly = newestPast({ ...known, inode: NOTHING_YET })?.expectation?.stat ?? null;
  return { ...known, inode: judging.index.witness(group, formerly) };
}

const NOTHING_YET = { livesAt: [], cameFrom: [], rivals: [], lostSubdirectories: 0, youngerChild: null };

function seenOf(entry: SpoolEntry, result: ContentResult | null): Seen {
  const { direntType, linkTarget, fault } = entry;
  return { direntType, stat: result?.stat ?? entry.stat, linkTarget, fault, content: result?.content ?? null };
}

/** Hands each readable entry its result: the next of the plan, or that of the same inode's first name. */
class ResultsByInode {
  readonly #contents: Iterator<ContentResult | null> | null;
  readonly #shared = new Map<string, ContentResult | null>();

  constructor(contents: Iterator<ContentResult | null> | null) {
    this.#contents = contents;
  }

  resultOf(entry: SpoolEntry): ContentResult | null {
    if (this.#contents === null || !isReadable(entry)) return null;
    if (entry.stat.links < 2) return this.#next();
    const key = `${entry.device}:${entry.stat.inode}`;
    const shared = this.#shared.get(key);
    if (shared !== undefined) return shared;
    const result = this.#next();
    this.#shared.set(key, result);
    return result;
  }

  #next(): ContentResult | null {
    const next = this.#contents?.next();
    return next === undefined || next.done ? null : next.value;
  }
}
