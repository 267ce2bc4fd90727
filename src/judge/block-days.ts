// The day that each block of a file is of, from everything that can tell: the hashes that generations have at its place in the
// file, and what their block maps say of its place on the disk.

import { BLOCK_BYTES, type BlockDay, type BlockDays, type ByteRange, type DaySpan } from '../model.ts';
import { words, ZERO_HASH } from './block-states.ts';
import type { PlaceState } from './block-witness.ts';
import { agreement, type PastState, type PathCase, timelineOf } from './path-case.ts';

/** Beyond 512 GiB of 4 KiB blocks a file is not drawn. */
const BLOCKS_AT_MOST = 2 ** 27;

const DAYS: readonly BlockDay[] = ['unknown', 'written', 'hole', 'zeros', 'lost', 'unreadable'];
/** From here on codes are generations, newest first. */
const FIRST_STATE = DAYS.length;
const MOST_STATES = 256 - FIRST_STATE;

/** Null where nothing tells one block from another: no past state with blocks, no block map. */
export function blockDays(known: PathCase): BlockDays | null {
  const stat = known.seen?.stat ?? null;
  const [witness = null] = known.blocks;
  const states = statesOf(known);
  const hasBlocks = states.some(({ expectation }) => expectation !== null && expectation.blocks !== null);
  if (stat === null || stat.sizeBytes === 0 || (witness === null && !hasBlocks)) return null;
  if (stat.type !== 'file' && stat.type !== 'directory') return null;
  const unitBytes = witness?.unitBytes ?? BLOCK_BYTES;
  const count = Math.ceil(stat.sizeBytes / unitBytes);
  if (count > BLOCKS_AT_MOST) return null;
  const codes = new Uint8Array(count);
  markPlaces(codes, known, unitBytes, states);
  markContent(codes, known, unitBytes, states);
  for (const { offset, length } of known.seen?.content?.unreadable ?? [])
    codes.fill(DAYS.indexOf('unreadable'), Math.floor(offset / unitBytes), Math.ceil((offset + length) / unitBytes));
  return { unitBytes, spans: spansOf(codes, states) };
}

/** Past states of the path, newest first. */
function statesOf(known: PathCase): PastState[] {
  return timelineOf(known)
    .filter(({ expectation }) => expectation !== null)
    .toReversed()
    .slice(0, MOST_STATES);
}

const DAY_OF_PLACE: Readonly<Record<Exclude<PlaceState, 'unchanged'>, BlockDay>> = {
  changed: 'written',
  landed: 'written',
  known: 'written',
  'never-landed': 'lost',
  'never-landed-zeros': 'zeros',
};

/** By the newest map, and by older ones what went back; what no span covers is a hole. */
function markPlaces(codes: Uint8Array, known: PathCase, unitBytes: number, states: readonly PastState[]): void {
  const [newest, ...older] = known.blocks;
  if (newest === undefined) return;
  codes.fill(DAYS.indexOf('hole'));
  for (const { offset, length, state } of newest.spans) {
    const ofGeneration = states.findIndex(({ generation }) => generation.id === newest.reference);
    const unchanged = ofGeneration < 0 ? DAYS.indexOf('unknown') : FIRST_STATE + ofGeneration;
    const code = state === 'unchanged' ? unchanged : DAYS.indexOf(DAY_OF_PLACE[state]);
    codes.fill(code, Math.floor(offset / unitBytes), Math.ceil((offset + length) / unitBytes));
  }
  for (const { spans } of older)
    for (const span of spans) if (span.state === 'never-landed') markLost(codes, span, unitBytes);
}

/** Written since the newest map, and what an older one has there: it went back. */
function markLost(codes: Uint8Array, { offset, length }: ByteRange, unitBytes: number): void {
  for (let unit = Math.floor(offset / unitBytes); unit * unitBytes < offset + length; unit++)
    if (isOpen(codes[unit])) codes[unit] = DAYS.indexOf('lost');
}

/** By hashes, where a generation has the same at the same place of the file; they know more than places. */
function markContent(codes: Uint8Array, known: PathCase, unitBytes: number, states: readonly PastState[]): void {
  const { seen } = known;
  const whole = seen === null ? -1 : states.findIndex(({ expectation }) => isWhole(known, expectation));
  const hashes = seen?.content?.blocks ?? null;
  if (whole === 0 || (whole > 0 && hashes === null)) codes.fill(FIRST_STATE + whole);
  if (whole === 0 || hashes === null) return;
  const past = states.map(({ expectation }) => ({
    hashes: words(expectation?.blocks ?? new Uint8Array(0)),
    sizeBytes: expectation?.sizeBytes ?? 0,
  }));
  const perHash = BLOCK_BYTES / unitBytes;
  const sizeBytes = seen?.content?.sizeBytes ?? 0;
  for (const [index, hash] of words(hashes).entries()) {
    const end = Math.min(sizeBytes, (index + 1) * BLOCK_BYTES);
    const match = past.findIndex(state => state.hashes[index] === hash && state.sizeBytes >= end);
    const [from, to] = [index * perHash, (index + 1) * perHash];
    if (match >= 0) codes.fill(FIRST_STATE + match, from, to);
    else if (hash === ZERO_HASH && isOpen(codes[from])) codes.fill(DAYS.indexOf('zeros'), from, to);
  }
}

/** Nothing better is known of the block. */
function isOpen(code: number | undefined): boolean {
  return code === DAYS.indexOf('unknown') || code === DAYS.indexOf('written');
}

function isWhole({ seen }: PathCase, expectation: PastState['expectation']): boolean {
  return seen?.stat?.type === 'file' && expectation !== null && agreement(seen, expectation) === 'same';
}

function spansOf(codes: Uint8Array, states: readonly PastState[]): DaySpan[] {
  const spans: DaySpan[] = [];
  for (let from = 0; from < codes.length; ) {
    let to = from + 1;
    while (codes[to] === codes[from]) to++;
    spans.push({ from, count: to - from, ...dayOf(codes[from] ?? 0, states) });
    from = to;
  }
  return spans;
}

function dayOf(code: number, states: readonly PastState[]): Pick<DaySpan, 'day' | 'generation'> {
  const generation = states[code - FIRST_STATE]?.generation ?? null;
  if (generation === null) return { day: DAYS[code] ?? 'unknown', generation };
  const { id, atNs } = generation;
  return { day: 'state', generation: { id, atNs, isNewest: code === FIRST_STATE } };
}
