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

/** Of all such statements together: a check evaluates each expression for each row. */
const LONGEST_EXPRESSIONS = 4 * 1024;

/** Indexes may be checked against their tables: for each row nothing but columns and constants is computed. */
export function areExpressionsTame(schema: readonly SchemaEntry[]): boolean {
  const computing = schema.filter(entry => isGenerated(entry) || isComputedIndex(entry));
  const length = computing.reduce((sum, { sql }) => sum + sql.length, 0);
  return length <= LONGEST_EXPRESSIONS && computing.every(isTame);
}

/** Also a check without indexes computes something untamed: generated columns that must not be NULL, or have a type. */
export function computesColumns(schema: readonly SchemaEntry[]): boolean {
  const computing = schema.filter(entry => isGenerated(entry) && /\bnot\s+null\b|\bstrict\b/i.test(entry.sql));
  return !areExpressionsTame(computing);
}

function isComputedIndex({ type, sql }: SchemaEntry): boolean {
  return type === 'index' && /\bwhere\b|\(.*\(|\|\||->|\/\*|--/is.test(sql);
}

function isGenerated({ type, sql }: SchemaEntry): boolean {
  return type === 'table' && /\bas\s*(?:\(|\/\*|--)/i.test(sql);
}

/** What may take longer than in proportion to its operands, and comments, which may hide a call. */
const COSTLY = /\b(?:like|glob|match|regexp)\b|\|\||->|\/\*|--/i;

/** One parenthesis is that of the columns; the others may group, or list what a value is compared with: no function is called. */
function isTame({ sql }: SchemaEntry): boolean {
  const calls = [...sql.matchAll(/\((?!\s*\d+\s*[,)])/g)].filter(({ index }) => !isGrouping(sql, index));
  return calls.length <= 1 && !COSTLY.test(sql);
}

/** Longer than any word before a parenthesis that groups. */
const WORD_BEFORE = 32;
const GROUPING = /(?:[(,=<>+*/%-]|\b(?:and|as|check|default|in|key|not|or|unique|where))\s*$/i;

function isGrouping(sql: string, parenthesis: number): boolean {
  return GROUPING.test(sql.slice(Math.max(0, parenthesis - WORD_BEFORE), parenthesis));
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
  if (index === undefined || !isTame(index)) return false;
  const table = schema.find(entry => entry.type === 'table' && entry.name === index.table);
  if (table === undefined || (isGenerated(table) && !isTame(table))) return false;
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
