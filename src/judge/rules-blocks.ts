// Content against a block map of an older day: the write that never landed.

import type { FindingRange, RangeState, Stat } from '../model.ts';
import { type BlockWitness, isUnchanged, type PlacedSpan, type PlaceState, spanAt } from './block-witness.ts';
import { type PathCase, sameInode } from './path-case.ts';
import type { Accusation, Rule } from './rule.ts';
import { isTouchedByHabit } from './rules-content.ts';

export const BLOCK_RULES: readonly Rule[] = [
  {
    name: 'never-landed',
    scanner: 'blocks',
    says: 'Written blocks that were not this file’s then still hold what their place held then.',
    innocent: [
      'a rename or an exchange of names: blocks are owned by inode and generation',
      'the same bytes written again under the same or a twin name (`.dpkg-new`): exempt',
      'bytes that the older map has at several places: exempt',
      'ranges of it that were collapsed or inserted: exempt',
      'blocks in common with another file (`cp --reflink`) that had them then: exempt where the inode says that it shared any',
      'the same bytes written again as another file of the same size, or as one deleted before that day: exempt where old bytes end with the file',
    ],
    isLossOfContent: true,
    accuse: known => neverLanded(known, false),
  },
  {
    name: 'never-landed-or-made-again',
    scanner: 'blocks',
    says: 'Whole extents of the file were free then and hold what they held then, and its end tells nothing.',
    innocent: [
      'deleted before that day, and made again into its old blocks (a package, a branch, a build): `possible` alone',
    ],
    raisedByLosses: true,
    needsLossesOfContent: true,
    accuse: known => neverLanded(known, true),
  },
  {
    name: 'never-landed-zeros',
    scanner: 'blocks',
    says: 'Written blocks among others with content are zeros, as their place was before it was this file’s.',
    innocent: ['zeros that a program really wrote: `possible` alone', 'preallocation and holes: exempt'],
    accuse: known => (holdsNoZeros(known) ? null : neverLandedZeros(known)),
  },
  {
    name: 'nothing-but-zeros',
    scanner: 'blocks',
    says: 'All of the file’s blocks are written and zeros, as their places were before they were this file’s.',
    innocent: ['a file of zeros: `possible` alone', 'preallocation and holes: exempt'],
    accuse: known => (holdsNoZeros(known) ? null : nothingButZeros(known)),
  },
  {
    name: 'zeros-where-none-belong',
    scanner: 'blocks',
    says: 'Written blocks are zeros, as their place was before it was this file’s, or its end is; its kind of file holds none.',
    innocent: [
      'a name that says something else than the file holds: `possible` alone',
      'preallocation and holes: exempt',
    ],
    raisedByLosses: true,
    needsLossesOfContent: true,
    accuse: known => (holdsNoZeros(known) ? zerosOf(known) : null),
  },
  {
    name: 'end-not-written',
    scanner: 'blocks',
    says: 'The file has grown, and the block that held its old end is as it was.',
    innocent: [
      'grown by a hole or preallocated blocks (`truncate`, `fallocate`): exempt',
      'written behind a gap: `possible` alone',
    ],
    raisedByLosses: true,
    isLossOfContent: true,
    accuse: known => endNotWritten(known, true),
  },
  {
    name: 'grown-by-zeros',
    scanner: 'blocks',
    says: 'The file has grown within its last block, and that block is as it was.',
    innocent: ['cut to a greater size (`truncate`): `possible`'],
    accuse: known => (holdsNoZeros(known) ? null : endNotWritten(known, false)),
  },
  {
    name: 'written-yet-unchanged-in-place',
    scanner: 'blocks',
    says: 'The file was written since, and every block of it is at its old place and as it was.',
    innocent: ['touch', 'the same bytes written again in place: `possible` alone'],
    raisedByLosses: true,
    needsLossesOfContent: true,
    accuse: writtenInPlace,
  },
  {
    name: 'reborn-under-its-name',
    scanner: 'blocks',
    says: 'The name leads to the inode number that it had, and that is another file by now.',
    innocent: [
      'deleted and made again with the same number: `possible` alone',
      'logs that are rotated (a number comes back with every second file): exempt',
      'written under a temporary name and renamed, twice: `possible` alone',
      'what git writes as a lock file and renames, time and again: exempt',
    ],
    raisedByLosses: true,
    isOfName: true,
    accuse: known => (known.inode.numbersReturn ? null : reborn(known)),
  },
  {
    name: 'reborn-where-numbers-return',
    scanner: 'blocks',
    says: 'The same on a file system that gives a freed number to the next file at once.',
    innocent: [
      'deleted and made again, which as a rule brings the number back: `possible`, unless its directory is as it was',
    ],
    isOfName: true,
    accuse: known => (known.inode.numbersReturn ? rebornInOldDirectory(known) : null),
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

/** @param mayBeAgain whether only whole extents of free blocks did not land, and no end tells. */
function neverLanded(known: PathCase, mayBeAgain: boolean): Accusation | null {
  return byMaps(known, (witness, stat) => {
    const { reference, spans } = witness;
    const lost = spans.filter(({ state }) => state === 'never-landed');
    if (lost.length === 0 || mayBeAgain !== mayBeMadeAgain(witness, stat)) return null;
    const owner = lost.find(({ formerOwner }) => formerOwner !== null)?.formerOwner ?? null;
    const whose = owner === null ? 'then free' : `then ${owner}`;
    const detail = `${bytesOf(lost)} bytes of it are still what the disk held there in ${reference} (${whose}): their write never landed.`;
    const others = spans.filter(span => span.state === 'never-landed-zeros' && isAmongContent(span, spans));
    return {
      verdict: 'garbage',
      confidence: mayBeAgain ? 'possible' : 'likely',
      detail,
      ranges: rangesOf([...lost, ...others], stat, reference),
    };
  });
}

/** Whole extents that were free, and no end of old bytes that is not the file's. */
function mayBeMadeAgain({ spans, unitBytes }: BlockWitness, { sizeBytes }: Stat): boolean {
  if (spans.at(-1)?.state === 'never-landed' && sizeBytes % unitBytes !== 0) return false;
  const lost = spans.filter(({ state }) => state === 'never-landed');
  return lost.every(span => span.formerOwner === null && !spans.some(other => isWrittenBeside(other, span)));
}

function isWrittenBeside({ offset, length, physical, state }: PlacedSpan, span: PlacedSpan): boolean {
  if (state !== 'landed' && state !== 'changed' && state !== 'unchanged') return false;
  if (physical - offset !== span.physical - span.offset) return false;
  return offset + length === span.offset || span.offset + span.length === offset;
}

function neverLandedZeros(known: PathCase): Accusation | null {
  return byMaps(known, ({ reference, spans }, stat) => {
    const lost = spans.filter(span => span.state === 'never-landed-zeros' && isAmongContent(span, spans));
    if (lost.length === 0) return null;
    const detail = `${bytesOf(lost)} bytes of it are zeros, as the disk was there in ${reference}: their write may never have landed.`;
    return { verdict: 'garbage', confidence: 'possible', detail, ranges: rangesOf(lost, stat, reference) };
  });
}

function nothingButZeros(known: PathCase): Accusation | null {
  return byMaps(known, ({ reference, spans }, stat) => {
    if (spans.length === 0 || spans.some(({ state }) => state !== 'never-landed-zeros')) return null;
    const detail = `All that was written of it is zeros, as the disk was there in ${reference}.`;
    return { verdict: 'garbage', confidence: 'possible', detail, ranges: rangesOf(spans, stat, reference) };
  });
}

function zerosOf(known: PathCase): Accusation | null {
  return neverLandedZeros(known) ?? nothingButZeros(known) ?? endNotWritten(known, false);
}

/**
 * Kinds of files that hold no block of zeros: text (not logs, which are cut short under their writer), what is compressed,
 * and what git keeps.
 */
const WITHOUT_ZEROS =
  /\.(?:[ch](?:pp)?|cc|cfg|conf|conffiles|css|csv|desktop|go|html?|ini|java|json|list|m?[jt]sx?|md|md5sums|php|p[lmoy]|rb|rs|service|sh|sql|svg|tex|toml|tsv|txt|xml|ya?ml|bz2|deb|gif|gz|jpe?g|lz4|png|tgz|webp|woff2?|xz|zst)$|\/\.git\/(?:objects\/|refs\/|logs\/|HEAD$|config$)/;

function holdsNoZeros({ path, blocks }: PathCase): boolean {
  return WITHOUT_ZEROS.test(path) || blocks[0]?.mayHoldZeros === false;
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

/** @param goesOn whether written blocks follow, or the file ends in the block of its old end. */
function endNotWritten(known: PathCase, goesOn: boolean): Accusation | null {
  return byMaps(known, (witness, stat) => {
    const { formerly, unitBytes, reference } = witness;
    if (formerly === null || stat.sizeBytes <= formerly.sizeBytes || formerly.sizeBytes % unitBytes === 0) return null;
    const end = spanAt(witness, formerly.sizeBytes - 1);
    if (end?.state !== 'unchanged') return null;
    const start = formerly.sizeBytes - (formerly.sizeBytes % unitBytes);
    const length = Math.min(unitBytes, stat.sizeBytes - start);
    const next = spanAt(witness, start + unitBytes);
    if (goesOn !== stat.sizeBytes > start + unitBytes) return null;
    if (goesOn && (next === null || !WITH_CONTENT.has(next.state))) return null;
    const detail = `It has grown from ${formerly.sizeBytes} bytes since ${reference}, and the block of its old end is as it was: zeros follow where data should.`;
    const range: FindingRange = {
      offset: start,
      length,
      state: 'stale',
      physical: end.physical + start - end.offset,
      detail: `as in ${reference}`,
    };
    return { verdict: 'garbage', confidence: 'possible', detail, ranges: [range] };
  });
}

function writtenInPlace(known: PathCase): Accusation | null {
  return byMaps(known, (witness, stat) => {
    const { formerly, reference } = witness;
    if (formerly === null || stat.sizeBytes === 0 || stat.sizeBytes !== formerly.sizeBytes) return null;
    if (!isUnchanged(witness)) return null;
    if (stat.mtimeNs <= formerly.mtimeNs || stat.mtimeNs !== stat.ctimeNs) return null;
    if (isTouchedByHabit(known.path)) return null;
    const detail = `It was written since ${reference}, and each of its blocks is at its place and as it was then.`;
    return { verdict: 'stale', confidence: 'possible', detail };
  });
}

/** Rotation removes the oldest file and makes a new one under the name of the youngest: numbers come round. */
const ROTATED = /(^|[._/-])logs?([._/-]|$)|\.[0-9]+$/i;

/** Each time a new file takes the place of the old one, whose number the next one gets. */
const LOCKED_BY_GIT = /\/\.git\/(?:[A-Z_]*HEAD|config|index|packed-refs|refs\/.+|shallow)$/;

function reborn(known: PathCase): Accusation | null {
  const stat = known.seen?.stat ?? null;
  const [witness] = known.blocks;
  const formerly = known.expected.find(({ reference }) => reference === witness?.reference) ?? null;
  if (stat === null || formerly?.stat == null || stat.inode !== formerly.stat.inode) return null;
  if (sameInode(stat, formerly.stat) || ROTATED.test(known.path) || LOCKED_BY_GIT.test(known.path)) return null;
  const old = directoryOfOld(known) === null ? '' : '; its directory is as it was, though names in it changed';
  const detail = `It still leads to inode ${stat.inode}, as in ${formerly.reference}, and that is another file since${old}.`;
  return { verdict: 'garbage', confidence: 'possible', detail, expected: formerly };
}

/** Names that changed since have written their directory's block: the old one is back. */
function rebornInOldDirectory(known: PathCase): Accusation | null {
  const accusation = reborn(known);
  return accusation === null || directoryOfOld(known) === null ? accusation : { ...accusation, confidence: 'likely' };
}

/** The map by which the directory above was written since (its time of modification has moved), and holds what it held. */
function directoryOfOld({ parent }: PathCase): BlockWitness | null {
  const directory = parent?.seen?.stat ?? null;
  if (parent === null || directory === null) return null;
  const wentBack = ({ formerly, ...rest }: BlockWitness): boolean =>
    formerly !== null && directory.mtimeNs > formerly.mtimeNs && isUnchanged({ formerly, ...rest });
  return parent.blocks.find(wentBack) ?? null;
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
