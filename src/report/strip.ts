// A file drawn as a strip of its blocks, a sign for the day that each is of. Read without colours; a large file is drawn with
// several blocks a sign, and its runs are listed.

import { byteFigure, countOf, figure } from '../figures.ts';
import type { BlockDay, BlockDays, DaySpan } from '../model.ts';
import { printableText } from './printable.ts';
import { referencesForPeople } from './reference-text.ts';
import { timeForPeople } from './time.ts';
import { wrapText } from './wrap.ts';

/** Rows that a person takes in at a glance. */
const ROWS = 16;
const GROUP = 16;
const GROUPS = [4, 2, 1];
const LABEL_COLUMNS = 10;
const RUNS_SHOWN = 12;

/** A kind of block: its sign, and what it means. */
interface Kind {
  readonly key: string;
  readonly sign: string;
  readonly says: string;
  /** Which of several kinds one sign stands for: the greatest. */
  readonly weight: number;
}

/** Lines without line ends, of at most `columns` characters where these allow it. */
export function stripLines(days: BlockDays, columns: number): string[] {
  const kinds = kindsOf(days.spans);
  const blocks = days.spans.reduce((sum, { count }) => sum + count, 0);
  const groups = GROUPS.find(count => LABEL_COLUMNS + count * (GROUP + 1) < columns) ?? 1;
  const perSign = 2 ** Math.max(0, Math.ceil(Math.log2(blocks / (groups * GROUP * ROWS))));
  return [
    ...wrapText(titleOf(blocks, days.unitBytes, perSign), columns),
    ...rowsOf(days, kinds, perSign, groups),
    '',
    ...legend(days, kinds, columns),
    ...(perSign === 1 ? [] : runLines(days, kinds, columns)),
  ];
}

function titleOf(blocks: number, unitBytes: number, perSign: number): string {
  const of = `${countOf(blocks, 'block')} of ${byteFigure(unitBytes)}, and the day that each is of`;
  return perSign === 1 ? `${of}:` : `${of}. A sign stands for ${figure(perSign)} blocks, and shows the worst of them:`;
}

function rowsOf({ spans, unitBytes }: BlockDays, kinds: Kinds, perSign: number, groups: number): string[] {
  const signs = signsOf(spans, kinds, perSign);
  const perRow = groups * GROUP;
  const rows: string[] = [];
  for (let at = 0; at < signs.length; at += perRow) {
    const row = signs.slice(at, at + perRow).match(/.{1,16}/g) ?? [];
    rows.push(`${place(at * perSign * unitBytes).padStart(LABEL_COLUMNS)}  ${row.join(' ')}`);
  }
  return rows;
}

function place(bytes: number): string {
  return bytes === 0 ? '0' : byteFigure(bytes);
}

function signsOf(spans: readonly DaySpan[], kinds: Kinds, perSign: number): string {
  const cells: Kind[] = [];
  for (const span of spans) {
    const kind = kindOf(kinds, span);
    const last = Math.floor((span.from + span.count - 1) / perSign);
    for (let cell = Math.floor(span.from / perSign); cell <= last; cell++) {
      const there = cells[cell];
      if (there === undefined || there.weight < kind.weight) cells[cell] = kind;
    }
  }
  return cells.map(({ sign }) => sign).join('');
}

type Kinds = ReadonlyMap<string, Kind>;

const OTHER: Readonly<Record<Exclude<BlockDay, 'state'>, Omit<Kind, 'key'>>> = {
  hole: { sign: '.', says: 'a hole: nothing was ever written there', weight: 0 },
  written: { sign: '+', says: 'written since, and nothing knows what it should be', weight: 2 },
  unknown: { sign: '?', says: 'as in no state that is known', weight: 3 },
  zeros: { sign: '0', says: 'zeros, as in no state that is known', weight: 200 },
  lost: { sign: '!', says: 'never landed, or went back: what the disk held there before', weight: 201 },
  unreadable: { sign: 'X', says: 'cannot be read', weight: 202 },
};

const NEWEST_SIGN = '#';
const OLDER_SIGNS = 'abcdefghijklmnopqrstuvwxyz';
const MOST_LETTERS = OLDER_SIGNS.length;

/** By first meeting; generations from the newest on, older ones by letters. */
function kindsOf(spans: readonly DaySpan[]): Kinds {
  const older = new Map(spans.flatMap(({ generation }) => (generation === null ? [] : [[generation.id, generation]])));
  const ids = [...older.values()].filter(({ isNewest }) => !isNewest).sort((a, b) => (a.atNs > b.atNs ? -1 : 1));
  const kinds = new Map<string, Kind>();
  for (const span of spans) {
    const key = keyOf(span);
    if (!kinds.has(key))
      kinds.set(key, {
        key,
        ...describe(
          span,
          ids.findIndex(({ id }) => id === span.generation?.id),
        ),
      });
  }
  return kinds;
}

function keyOf({ day, generation }: DaySpan): string {
  return generation?.id ?? day;
}

function kindOf(kinds: Kinds, span: DaySpan): Kind {
  const kind = kinds.get(keyOf(span));
  if (kind === undefined) throw new Error(`a block of ${keyOf(span)} has no sign`);
  return kind;
}

function describe({ day, generation }: DaySpan, older: number): Omit<Kind, 'key'> {
  if (generation === null) return OTHER[day === 'state' ? 'unknown' : day];
  const name = referencesForPeople(printableText(generation.id));
  const when = name.startsWith('baseline') ? '' : ` of ${timeForPeople(generation.atNs).replace(/\.\d+/, '')}`;
  if (generation.isNewest)
    return { sign: NEWEST_SIGN, says: `as in ${name}${when}, the newest state known`, weight: 1 };
  return { sign: OLDER_SIGNS[older] ?? '~', says: `as in ${name}${when}`, weight: 4 + Math.min(older, MOST_LETTERS) };
}

function legend({ spans, unitBytes }: BlockDays, kinds: Kinds, columns: number): string[] {
  const blocks = new Map<string, number>();
  for (const span of spans) blocks.set(keyOf(span), (blocks.get(keyOf(span)) ?? 0) + span.count);
  const width = Math.max(...[...blocks.values()].map(count => figure(count).length));
  return [...kinds.values()]
    .sort((left, right) => right.weight - left.weight)
    .flatMap(({ key, sign, says }) => {
      const count = blocks.get(key) ?? 0;
      const head = `  ${sign}  ${figure(count).padStart(width)} ${count === 1 ? 'block ' : 'blocks'}  `;
      const [first = '', ...more] = wrapText(`${says} (${byteFigure(count * unitBytes)})`, columns, head.length);
      return [head + first.trimStart(), ...more];
    });
}

/** What is neither of the newest state nor a hole, in the order of the file. */
function runLines({ spans, unitBytes }: BlockDays, kinds: Kinds, columns: number): string[] {
  const runs = spans.filter(({ generation, day }) => day !== 'hole' && generation?.isNewest !== true);
  if (runs.length === 0) return [];
  const worst = runs
    .toSorted((left, right) => kindOf(kinds, right).weight - kindOf(kinds, left).weight || left.from - right.from)
    .slice(0, RUNS_SHOWN)
    .sort((left, right) => left.from - right.from);
  const title = runs.length > worst.length ? `The worst ${RUNS_SHOWN} of ${countOf(runs.length, 'run')}` : 'Where';
  const rows = worst.map(span => {
    const at = figure(span.from * unitBytes).padStart(16);
    return `${at}  ${kindOf(kinds, span).sign}  ${byteFigure(span.count * unitBytes)}`;
  });
  return ['', ...wrapText(`${title}, by their first byte:`, columns), ...rows];
}
