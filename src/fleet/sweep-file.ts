// The list of targets that a sweep goes through: YAML, JSON or CSV, by the file's ending. Knows fields, their shapes and where
// they stand; what their values mean is for whoever asks (windows, baselines and globs are those of a scan).

import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { errorCode, UsageError, wordsOfCode } from '../errors.ts';
import { parseCsv } from './csv.ts';

const text = z.union([z.string(), z.number().transform(String)]).transform(value => value.trim());
const filled = text.pipe(z.string().min(1));
const list = z.union([filled.transform(value => [value]), z.array(filled)]);

/** Every field that a target may have, and what is said of one that is not so. */
const FIELDS = {
  name: { shape: filled, expected: 'a text' },
  image: { shape: filled, expected: 'the path or glob of disk images' },
  path: { shape: filled, expected: 'the path of a directory' },
  with: { shape: list, expected: 'a path or a list of them, of further images' },
  window: { shape: filled, expected: 'FROM..TO' },
  baseline: { shape: filled, expected: 'the name of a baseline' },
  before: { shape: list, expected: 'a path or a list of them, oldest first' },
  owner: { shape: filled, expected: 'a text' },
  ticket: { shape: filled, expected: 'a text' },
  priority: {
    shape: text.pipe(z.string().regex(/^[1-9]\d{0,5}$/)).transform(Number),
    expected: 'a whole number, 1 first',
  },
  include: { shape: list, expected: 'a glob or a list of them' },
  exclude: { shape: list, expected: 'a glob or a list of them' },
  reference: { shape: list, expected: 'KIND:PATH or a list of them' },
  'allow-backing': { shape: list, expected: 'a folder or a list of them' },
  'time-limit': { shape: filled, expected: 'a time such as 90m or 6h' },
} as const;
type FieldName = keyof typeof FIELDS;
const FIELD_NAMES = Object.keys(FIELDS) as FieldName[];
const LISTS: readonly string[] = FIELD_NAMES.filter(name => (FIELDS[name].shape as unknown) === list);

export type SweepFields = { readonly [Name in FieldName]?: z.output<(typeof FIELDS)[Name]['shape']> };

/** One target as it was written, or several that a glob stands for. */
export interface SweepEntry {
  /** `FILE:LINE`, for messages. */
  readonly place: string;
  readonly fields: SweepFields;
}

interface RawEntry {
  readonly line: number;
  /** Where a field stands. */
  readonly lines: ReadonlyMap<string, number>;
  readonly value: unknown;
}

/** UsageError, one line with the file's, for whatever is wrong with it. */
export function readSweepFile(file: string): SweepEntry[] {
  const raw = parseFile(file);
  if (raw.length === 0) throw new UsageError(`${file}: it lists no target`);
  return raw.map(entry => ({ place: `${file}:${entry.line}`, fields: readFields(file, entry) }));
}

function parseFile(file: string): RawEntry[] {
  const content = readText(file);
  switch (extname(file).toLowerCase()) {
    case '.csv':
      return csvEntries(file, content);
    case '.json':
      assertJson(file, content);
      return yamlEntries(file, content);
    case '.yaml':
    case '.yml':
      return yamlEntries(file, content);
    default:
      throw new UsageError(`${file}: a list of targets ends in .yaml, .json or .csv`);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = errorCode(error);
    if (code === null) throw error;
    throw new UsageError(`${file}: ${wordsOfCode(code)}`);
  }
}

function assertJson(file: string, content: string): void {
  try {
    JSON.parse(content);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UsageError(`${file}: no valid JSON: ${error.message.replaceAll(/\s+/g, ' ')}`);
  }
}

/** JSON is read as YAML, which tells the lines. */
function yamlEntries(file: string, content: string): RawEntry[] {
  const counter = new LineCounter();
  const document = parseDocument(content, { prettyErrors: false, lineCounter: counter });
  const lineOf = (at: number): number => Math.max(1, counter.linePos(at).line);
  const [error] = document.errors;
  if (error !== undefined) {
    throw new UsageError(`${file}:${lineOf(error.pos[0])}: no valid YAML: ${error.message.replaceAll(/\s+/g, ' ')}`);
  }
  const targets = isMap(document.contents) ? document.contents.get('targets', true) : document.contents;
  if (!isSeq(targets)) throw new UsageError(`${file}: expected a list of targets`);
  return targets.items.map(item => {
    const node = item as Node;
    return { line: lineOf(node.range?.[0] ?? 0), lines: fieldLines(node, lineOf), value: node.toJS(document) };
  });
}

function fieldLines(node: Node, lineOf: (at: number) => number): Map<string, number> {
  if (!isMap(node)) return new Map();
  return new Map(
    node.items.flatMap(({ key }) => (isScalar(key) ? [[String(key.value), lineOf(key.range?.[0] ?? 0)] as const] : [])),
  );
}

function csvEntries(file: string, content: string): RawEntry[] {
  const [heading, ...rows] = csvRows(file, content);
  if (heading === undefined) return [];
  const names = heading.cells.map(cell => cell.trim().toLowerCase());
  const double = names.find((name, at) => name !== '' && names.indexOf(name) < at);
  if (double !== undefined) throw new UsageError(`${file}:${heading.line}: the column "${double}" stands there twice`);
  return rows.map(({ line, cells }) => {
    if (cells.length > names.length)
      throw new UsageError(`${file}:${line}: ${cells.length} cells, the heading has ${names.length}`);
    const given = cells.flatMap((cell, at) => (cell === '' ? [] : [[names[at] ?? '', cellValue(names[at], cell)]]));
    return { line, lines: new Map(), value: Object.fromEntries(given) };
  });
}

function csvRows(file: string, content: string): ReturnType<typeof parseCsv> {
  try {
    return parseCsv(content);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${file}:${error.message}`);
    throw error;
  }
}

/** Several values in one cell stand apart by semicolons. */
function cellValue(name: string | undefined, cell: string): string | string[] {
  return name !== undefined && LISTS.includes(name) ? cell.split(';').map(part => part.trim()) : cell;
}

const SECRETS = /pass(word|wd|phrase)?$|secret|token|credential|api-?key|private-?key/i;

function readFields(file: string, entry: RawEntry): SweepFields {
  const { value, line } = entry;
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new UsageError(`${file}:${line}: expected a target with its fields, such as "image: vm42.qcow2"`);
  const fields: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(value)) {
    if (/^x[-_]/.test(name) || given === null) continue;
    fields[name] = readField(`${file}:${entry.lines.get(name) ?? line}`, name, given);
  }
  if ((fields.image === undefined) === (fields.path === undefined))
    throw new UsageError(`${file}:${line}: a target has either "image" or "path"`);
  return fields;
}

function readField(place: string, name: string, given: unknown): unknown {
  if (SECRETS.test(name)) throw new UsageError(`${place}: "${name}": a list of targets holds no credentials`);
  const field = FIELD_NAMES.find(known => known === name);
  if (field === undefined) {
    const known = FIELD_NAMES.join(', ');
    throw new UsageError(`${place}: unknown field "${name}"; there are ${known}, and x-... for notes`);
  }
  const read = FIELDS[field].shape.safeParse(given);
  if (!read.success) throw new UsageError(`${place}: "${name}" must be ${FIELDS[field].expected}`);
  return read.data;
}
