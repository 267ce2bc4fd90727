// A database's schema as far as its own check depends on it: which statements let a check compute what may take forever, and
// which indexes are ordered by what only an application knows.

import type Database from 'better-sqlite3';

/** One statement of the schema; `sql` is empty for the index behind a UNIQUE or PRIMARY KEY. */
export interface SchemaEntry {
  readonly type: string;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** Throws SqliteError. */
export function readSchema(database: Database.Database): SchemaEntry[] {
  const rows = database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema').raw().all();
  return rows.map(row => {
    const [type, name, table, sql] = (row as unknown[]).map(value => (typeof value === 'string' ? value : ''));
    return { type: type ?? '', name: name ?? '', table: table ?? '', sql: sql ?? '' };
  });
}

/** All expressions of indexes together: a check evaluates each of them for each row. */
const LONGEST_EXPRESSIONS = 16 * 1024;

/** An index of many rows may be checked against its table: nothing but columns and constants is compared for each row. */
export function areIndexesTame(schema: readonly SchemaEntry[]): boolean {
  const indexes = schema.filter(({ type, sql }) => type === 'index' && WITH_EXPRESSIONS.test(sql));
  const length = indexes.reduce((sum, { sql }) => sum + sql.length, 0);
  return length <= LONGEST_EXPRESSIONS && indexes.every(isTameIndex) && schema.every(entry => !isGenerated(entry));
}

/** Columns that a check computes whatever it is told to leave out: generated ones that must not be NULL, or have a type. */
export function computesColumns(schema: readonly SchemaEntry[]): boolean {
  return schema.some(entry => isGenerated(entry) && /\bnot\s+null\b|\bstrict\b/i.test(entry.sql));
}

const WITH_EXPRESSIONS = /\bwhere\b|\(.*\(|\|\||->|\/\*|--/is;
const COSTLY = /\b(?:like|glob|match|regexp)\b|\|\||->|\/\*|--/i;

/** One parenthesis is that of the table's columns; the others may group, or list what a value is compared with. */
function isTameIndex({ sql }: SchemaEntry): boolean {
  const calls = [...sql.matchAll(/\(/g)].filter(({ index }) => !isGrouping(sql, index));
  return calls.length <= 1 && !COSTLY.test(sql);
}

/** Longer than any word before a parenthesis that groups. */
const WORD_BEFORE = 32;
const GROUPING = /(?:[(,=<>+*/%-]|\b(?:and|in|not|or|where))\s*$/i;

function isGrouping(sql: string, parenthesis: number): boolean {
  return GROUPING.test(sql.slice(Math.max(0, parenthesis - WORD_BEFORE), parenthesis));
}

function isGenerated({ type, sql }: SchemaEntry): boolean {
  return type === 'table' && /\bas\s*(?:\(|\/\*|--)/i.test(sql);
}

/** Collations that no application is known to replace; NOCASE is, by Unicode-aware ones. */
const COLLATIONS: readonly unknown[] = ['BINARY', 'RTRIM'];
const OTHER_COLLATION = /\bcollate\s+(?!\s|["'`[]?(?:binary|rtrim)\b)/i;

/** Whether the order and the content of an index follow from the database alone. Throws SqliteError. */
export function isIndexSelfContained(
  database: Database.Database,
  schema: readonly SchemaEntry[],
  name: string,
): boolean {
  const index = schema.find(entry => entry.type === 'index' && entry.name === name);
  if (index === undefined || !isTameIndex(index)) return false;
  const table = schema.find(entry => entry.type === 'table' && entry.name === index.table);
  if (table === undefined || isGenerated(table)) return false;
  if (/\bwhere\b/i.test(index.sql) && OTHER_COLLATION.test(index.sql + table.sql)) return false;
  const columns = database.pragma(`index_xinfo(${quoted(name)})`) as { coll: unknown; cid: number }[];
  return columns.length > 0 && columns.every(({ coll, cid }) => cid >= -1 && COLLATIONS.includes(coll));
}

/** The same of a table that is stored in the order of its key (WITHOUT ROWID). */
export function isTableSelfContained(schema: readonly SchemaEntry[], name: string): boolean {
  const table = schema.find(entry => entry.type === 'table' && entry.name === name);
  return table !== undefined && !OTHER_COLLATION.test(table.sql);
}

/** A name as SQL has it. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
