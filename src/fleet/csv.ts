// CSV as spreadsheets write it (RFC 4180): quoted cells may hold commas, quotes and line ends. Rows know their line.

import { UsageError } from '../errors.ts';

export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A quoted cell, or one without quotes, and what ends it: a comma, a line end, or nothing at the end of the file. */
const CELL = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;

/** Rows that hold nothing are left out. UsageError, beginning with the line, for a quote that is not closed or stands amid a cell. */
export function parseCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let [line, begun] = [1, 1];
  CELL.lastIndex = text.startsWith('\ufeff') ? 1 : 0;
  for (;;) {
    const found = CELL.exec(text);
    if (found === null) throw new UsageError(`${line}: a quote is not closed, or stands amid a cell`);
    const [, cell = '', after = ''] = found;
    cells.push(unquoted(cell));
    line += lineEnds(cell) + lineEnds(after);
    if (after === ',') continue;
    if (cells.some(each => each !== '')) rows.push({ line: begun, cells });
    if (after === '') return rows;
    cells = [];
    begun = line;
  }
}

function unquoted(cell: string): string {
  return cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell.trim();
}

function lineEnds(text: string): number {
  return text.match(/\r\n|\n|\r/g)?.length ?? 0;
}
