// A file's content is known to be wrong: is it an older state (stale), or something that never was this file's (garbage)?
// Block hashes decide where they can; the inode's state decides for blocks that no past state knows.

import type { Expectation, FindingRange, Verdict } from '../model.ts';
import { type BlockSpan, blockSpans, type PastBlocks, rangesOf, type SizedBlocks, words } from './block-states.ts';
import { agreement, type PastState, type PathCase, sameContent, sameInode, timelineOf } from './path-case.ts';

export interface DamageClass {
  readonly verdict: Extract<Verdict, 'stale' | 'garbage'>;
  /** Empty when the whole content is of the other state, or when no block hashes are known. */
  readonly ranges: readonly FindingRange[];
}

/** @param newest what the content should be. */
export function classifyDamage(known: PathCase, newest: Expectation): DamageClass {
  const spans = spansAgainst(known, newest);
  if (spans === null) return { verdict: isAnothersInode(known, newest) ? 'garbage' : 'stale', ranges: [] };
  const blocks = words(known.seen?.content?.blocks ?? new Uint8Array(0));
  const resolved = spans.flatMap(span =>
    span.state === 'unknown' ? resolveUnknown(known, newest, span, blocks) : [span],
  );
  const ranges = rangesOf(joined(resolved), known.seen?.content?.sizeBytes ?? 0);
  const garbage = ranges.some(range => range.state !== 'stale');
  return { verdict: garbage ? 'garbage' : 'stale', ranges };
}

/** Block by block: another file may have some of them and not others. */
function resolveUnknown(known: PathCase, newest: Expectation, span: BlockSpan, blocks: BigUint64Array): BlockSpan[] {
  const isOfInode = stateOfUnknown(known, newest);
  const inPlace = blocksInPlace(known, newest);
  return Array.from({ length: span.count }, (_, index) => {
    const from = span.from + index;
    const donor = known.scan.donors.get(blocks[from] ?? 0n)?.find(path => path !== known.path) ?? null;
    const otherwise = isOfInode ?? (from < inPlace ? 'stale' : 'garbage');
    const state = donor === null ? otherwise : 'foreign';
    return { from, count: 1, state, label: donor === null ? null : `a block of ${donor}` };
  });
}

/** Neighbours of one state and label as one span. */
function joined(spans: readonly BlockSpan[]): BlockSpan[] {
  const result: BlockSpan[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    const continues = last !== undefined && last.from + last.count === span.from;
    if (continues && last.state === span.state && last.label === span.label) {
      result[result.length - 1] = { ...last, count: last.count + span.count };
    } else result.push(span);
  }
  return result;
}

/** The file's blocks by the day they are of; null when hashes are missing on either side. */
export function spansAgainst(known: PathCase, newest: Expectation): BlockSpan[] | null {
  const { blocks, sizeBytes } = known.seen?.content ?? { blocks: null, sizeBytes: 0 };
  const wanted = sizedBlocks(newest);
  if (blocks === null || wanted === null) return null;
  return blockSpans({ blocks, sizeBytes }, wanted, olderBlocks(known, newest));
}

function sizedBlocks({ blocks, sizeBytes }: Expectation): SizedBlocks | null {
  return blocks === null || sizeBytes === null ? null : { blocks, sizeBytes };
}

function olderBlocks(known: PathCase, newest: Expectation): PastBlocks[] {
  return olderStates(known, newest).flatMap(({ generation, expectation }) => {
    const sized = expectation === null ? null : sizedBlocks(expectation);
    return sized === null ? [] : [{ label: `as in ${generation.id}`, ...sized }];
  });
}

/** Past states of another content than the newest one, newest first. */
export function olderStates(known: PathCase, newest: Expectation): PastState[] {
  return timelineOf(known)
    .filter(state => state.expectation !== null && state.expectation.reference !== newest.reference)
    .filter(state => state.expectation !== null && !sameContent(state.expectation, newest))
    .toReversed();
}

/** The newest older generation whose whole content the file has. */
export function olderMatch(known: PathCase, newest: Expectation): PastState | null {
  const { seen } = known;
  if (seen === null) return null;
  const matches = (state: PastState) => state.expectation !== null && agreement(seen, state.expectation) === 'same';
  return olderStates(known, newest).find(matches) ?? null;
}

/**
 * What the inode says of a block that no generation knows at its place and no other file has: not this file's if the inode
 * is another's, of a day between the generations if the inode is of such a day. Null: the inode is as it should be.
 */
function stateOfUnknown(known: PathCase, newest: Expectation): 'stale' | 'garbage' | null {
  if (isAnothersInode(known, newest)) return 'garbage';
  return isBetweenGenerations(known, newest) ? 'stale' : null;
}

/** The inode's number was this file's, and the inode is not: handed on, at home under another name, or its slot went back. */
function isAnothersInode(known: PathCase, newest: Expectation): boolean {
  const stat = known.seen?.stat ?? null;
  if (stat === null || newest.stat === null) return false;
  if (known.seen?.viaSecondName) return true;
  if (known.inode.cameFrom.length > 0 || known.inode.rivals.length > 0) return true;
  const states = timelineOf(known).map(state => state.expectation?.stat ?? null);
  if (states.some(state => state !== null && sameInode(stat, state))) return false;
  return states.some(state => state !== null && state.inode === stat.inode);
}

/** The inode is of no known state, and older than the newest. */
function isBetweenGenerations(known: PathCase, newest: Expectation): boolean {
  const stat = known.seen?.stat ?? null;
  if (stat === null || newest.stat === null || stat.ctimeNs >= newest.stat.ctimeNs) return false;
  return timelineOf(known).every(state => state.expectation?.stat?.ctimeNs !== stat.ctimeNs);
}

/**
 * How many leading blocks lie where they lay in the older generation: those of a file that is rewritten in place (the same
 * inode, some block the same). An unknown block among them is a day between; behind them its address was somebody else's.
 */
function blocksInPlace(known: PathCase, newest: Expectation): number {
  const older = olderStates(known, newest)[0]?.expectation ?? null;
  if (older?.stat == null || newest.stat === null || !sameInode(older.stat, newest.stat)) return 0;
  if (older.blocks === null || newest.blocks === null) return 0;
  const formerly = words(older.blocks);
  const shares = words(newest.blocks).some((hash, index) => hash === formerly[index]);
  return shares ? formerly.length : 0;
}
