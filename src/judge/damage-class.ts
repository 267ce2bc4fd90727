// A file's content is known to be wrong: is it an older state (stale), or something that never was this file's (garbage)?
// Block hashes decide where they can; the inode's state decides for blocks that no past state knows.

import type { Expectation, FindingRange, Verdict } from '../model.ts';
import { type BlockSpan, blockSpans, rangesOf, words } from './block-states.ts';
import { type PastState, type PathCase, sameContent, sameInode, timelineOf } from './path-case.ts';

export interface DamageClass {
  readonly verdict: Extract<Verdict, 'stale' | 'garbage'>;
  /** Empty when the whole content is of the other state, or when no block hashes are known. */
  readonly ranges: readonly FindingRange[];
}

/** @param newest what the content should be. */
export function classifyDamage(known: PathCase, newest: Expectation): DamageClass {
  const spans = spansAgainst(known, newest);
  if (spans === null) return { verdict: isOlderInode(known) ? 'stale' : 'garbage', ranges: [] };
  const resolved = spans.map(span =>
    span.state === 'unknown' ? { ...span, state: stateOfUnknown(known, newest) } : span,
  );
  const ranges = rangesOf(resolved, known.seen?.content?.sizeBytes ?? 0);
  const garbage = ranges.some(range => range.state !== 'stale');
  return { verdict: garbage ? 'garbage' : 'stale', ranges };
}

/** The file's blocks by the day they are of; null when hashes are missing on either side. */
export function spansAgainst(known: PathCase, newest: Expectation): BlockSpan[] | null {
  const seen = known.seen?.content?.blocks ?? null;
  if (seen === null || newest.blocks === null) return null;
  return blockSpans(seen, newest.blocks, olderBlocks(known, newest));
}

function olderBlocks(known: PathCase, newest: Expectation) {
  return olderStates(known, newest).flatMap(({ generation, expectation }) =>
    expectation?.blocks ? [{ label: `as in ${generation.id}`, blocks: expectation.blocks }] : [],
  );
}

/** Past states of another content than the newest one, newest first. */
export function olderStates(known: PathCase, newest: Expectation): PastState[] {
  return timelineOf(known)
    .filter(state => state.expectation !== null && state.expectation.reference !== newest.reference)
    .filter(state => state.expectation !== null && !sameContent(state.expectation, newest))
    .toReversed();
}

/** The inode went back: it is that of no known state, and older than the newest. */
function isOlderInode(known: PathCase): boolean {
  const stat = known.seen?.stat ?? null;
  const newest = timelineOf(known).at(-1)?.expectation?.stat ?? null;
  return stat !== null && newest !== null && sameInode(stat, newest) && stat.ctimeNs < newest.ctimeNs;
}

/**
 * A block that no generation knows is of a day between them when the inode is of such a day, or when the file is one that
 * is rewritten in place (an older state of the same inode shares blocks with the newest); else its address was another's.
 */
function stateOfUnknown(known: PathCase, newest: Expectation): 'stale' | 'garbage' {
  if (isBetweenGenerations(known)) return 'stale';
  return isRewrittenInPlace(known, newest) ? 'stale' : 'garbage';
}

function isBetweenGenerations(known: PathCase): boolean {
  const stat = known.seen?.stat ?? null;
  if (stat === null || !isOlderInode(known)) return false;
  return timelineOf(known).every(state => state.expectation?.stat?.ctimeNs !== stat.ctimeNs);
}

function isRewrittenInPlace(known: PathCase, newest: Expectation): boolean {
  const older = olderStates(known, newest)[0]?.expectation ?? null;
  if (older?.stat == null || newest.stat === null || !sameInode(older.stat, newest.stat)) return false;
  if (older.blocks === null || newest.blocks === null) return false;
  const then = words(older.blocks);
  return words(newest.blocks).some((hash, index) => hash === then[index]);
}
