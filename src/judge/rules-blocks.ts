// Content against a block map of an older day: the write that never landed. And what lies after a file's end, which needs
// no map at all.

import type { FindingRange, RangeState, Stat } from '../model.ts';
import { type BlockWitness, type PlacedSpan, type PlaceState, spanAt } from './block-witness.ts';
import type { PathCase } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';

export const BLOCK_RULES: readonly Rule[] = [
  {
    name: 'never-landed',
    scanner: 'blocks',
    says: 'Written blocks that were not this file’s then still hold what their place held then.',
    innocent: [
      'a rename or an exchange of names: blocks are owned by inode and generation',
      'the same bytes written again under the same or a twin name (`.dpkg-new`): exempt',
      'bytes that the older map has at several places: exempt',
    ],
    accuse: neverLanded,
  },
  {
    name: 'never-landed-zeros',
    scanner: 'blocks',
    says: 'Written blocks among others with content are zeros, as their place was before it was this file’s.',
    innocent: ['zeros that a program really wrote: `possible` alone', 'preallocation and holes: exempt'],
    raisedByLosses: true,
    accuse: neverLandedZeros,
  },
  {
    name: 'end-not-written',
    scanner: 'blocks',
    says: 'The file has grown, and the block that held its old end is as it was.',
    innocent: ['grown by zeros (`truncate`, `fallocate`) or written behind a gap: `possible` alone'],
    raisedByLosses: true,
    accuse: endNotWritten,
  },
  {
    name: 'written-yet-unchanged-in-place',
    scanner: 'blocks',
    says: 'The file was written since, and every block of it is at its old place and as it was.',
    innocent: ['touch', 'the same bytes written again in place: `possible` alone'],
    raisedByLosses: true,
    accuse: writtenInPlace,
  },
];

/** The newest map that has something to say. */
function byMaps(known: PathCase, accuse: (witness: BlockWitness, stat: Stat) => Accusation | null): Accusation | null {
  const stat = known.seen?.stat ?? null;
  if (stat === null || stat.type !== 'file') return null;
  for (const witness of known.blocks) {
    const accusation = accuse(witness, stat);
    if (accusation !== null) return accusation;
  }
  return null;
}

function neverLanded(known: PathCase): Accusation | null {
  return byMaps(known, ({ reference, spans }, stat) => {
    const lost = spans.filter(({ state }) => state === 'never-landed');
    if (lost.length === 0) return null;
    const owner = lost.find(({ formerOwner }) => formerOwner !== null)?.formerOwner ?? null;
    const whose = owner === null ? 'then free' : `then ${owner}`;
    const detail = `${bytesOf(lost)} bytes of it are still what the disk held there in ${reference} (${whose}): their write never landed.`;
    const others = spans.filter(span => span.state === 'never-landed-zeros' && isAmongContent(span, spans));
    return {
      verdict: 'garbage',
      confidence: 'likely',
      detail,
      ranges: rangesOf([...lost, ...others], stat, reference),
    };
  });
}

function neverLandedZeros(known: PathCase): Accusation | null {
  return byMaps(known, ({ reference, spans }, stat) => {
    const lost = spans.filter(span => span.state === 'never-landed-zeros' && isAmongContent(span, spans));
    if (lost.length === 0) return null;
    const detail = `${bytesOf(lost)} bytes of it are zeros, as the disk was there in ${reference}: their write may never have landed.`;
    return { verdict: 'garbage', confidence: 'possible', detail, ranges: rangesOf(lost, stat, reference) };
  });
}

const WITH_CONTENT: ReadonlySet<PlaceState> = new Set(['unchanged', 'changed', 'landed', 'never-landed', 'known']);

/** A block with content adjoins it. */
function isAmongContent(span: PlacedSpan, spans: readonly PlacedSpan[]): boolean {
  return spans.some(
    other =>
      WITH_CONTENT.has(other.state) &&
      (other.offset + other.length === span.offset || span.offset + span.length === other.offset),
  );
}

function endNotWritten(known: PathCase): Accusation | null {
  return byMaps(known, (witness, stat) => {
    const { formerly, unitBytes, reference, spans } = witness;
    if (formerly === null || stat.sizeBytes <= formerly.sizeBytes || formerly.sizeBytes % unitBytes === 0) return null;
    const end = spanAt(witness, formerly.sizeBytes - 1);
    if (end?.state !== 'unchanged') return null;
    const start = formerly.sizeBytes - (formerly.sizeBytes % unitBytes);
    const length = Math.min(unitBytes, stat.sizeBytes - start);
    const goesOn = spans.some(span => span.offset >= start + unitBytes && WITH_CONTENT.has(span.state));
    const detail = `It has grown from ${formerly.sizeBytes} bytes since ${reference}, and the block of its old end is as it was: zeros follow where data should.`;
    const range: FindingRange = {
      offset: start,
      length,
      state: 'stale',
      physical: end.physical + start - end.offset,
      detail: `as in ${reference}`,
    };
    return { verdict: 'garbage', confidence: goesOn ? 'likely' : 'possible', detail, ranges: [range] };
  });
}

/** Names of files that programs touch without writing: stamps, locks, sessions. */
const TOUCHED_BY_HABIT =
  /(^|[._-])(stamp|lock|lck|session|sess|pid|touch|timestamp|heartbeat|keep|gitkeep)([._-]|$)|\.(lock|pid|stamp)$/i;

function writtenInPlace(known: PathCase): Accusation | null {
  return byMaps(known, ({ formerly, sameBlocks, spans, reference }, stat) => {
    if (formerly === null || stat.sizeBytes === 0 || stat.sizeBytes !== formerly.sizeBytes || !sameBlocks) return null;
    if (spans.length === 0 || spans.some(({ state }) => state !== 'unchanged')) return null;
    if (stat.mtimeNs <= formerly.mtimeNs || stat.mtimeNs !== stat.ctimeNs) return null;
    if (TOUCHED_BY_HABIT.test(known.path.slice(known.path.lastIndexOf('/') + 1))) return null;
    const detail = `It was written since ${reference}, and each of its blocks is at its place and as it was then.`;
    return { verdict: 'stale', confidence: 'possible', detail };
  });
}

function bytesOf(spans: readonly PlacedSpan[]): number {
  return spans.reduce((sum, { length }) => sum + length, 0);
}

function rangesOf(spans: readonly PlacedSpan[], stat: Stat, reference: string): FindingRange[] {
  return spans
    .toSorted((left, right) => left.offset - right.offset)
    .map(({ offset, length, physical, state, formerOwner }) => ({
      offset,
      length: Math.min(length, stat.sizeBytes - offset),
      state: stateOf(state, formerOwner),
      physical,
      detail: `what the disk held there in ${reference}${formerOwner === null ? '' : ` (${formerOwner})`}`,
    }));
}

function stateOf(state: PlaceState, formerOwner: string | null): RangeState {
  if (state === 'never-landed-zeros') return 'zero';
  return formerOwner === null ? 'garbage' : 'foreign';
}
