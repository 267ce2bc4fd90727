// SQLite's own check of a database, on bytes in memory: do its pages, trees, free list and indexes agree? What a database may
// hold against its own rules (NULL where none should be) is no matter: writable_schema and ALTER TABLE bring that about.
// https://sqlite.org/pragma.html#pragma_integrity_check

import { createRequire } from 'node:module';
import type Database from 'better-sqlite3';
import { FILE_VERSIONS_AT, ROLLBACK_VERSION, SMALLEST_PAGE_BYTES } from './layout.ts';
import {
  areExpressionsTame,
  computesColumns,
  isIndexSelfContained,
  isTableSelfContained,
  quoted,
  readSchema,
  type SchemaEntry,
} from './schema.ts';
import { mayBeTooDeep } from './tree-depth.ts';

const require = createRequire(import.meta.url);

/** Loaded when the first database is met: most workers never meet one. */
function sqlite(): typeof Database {
  return require('better-sqlite3');
}

/**
 * SQLite's first word on a contradiction of structure; null: there is none, or this SQLite cannot tell (an application's
 * collation or function, a tree of a depth that no SQLite makes).
 * @param bytes a whole database; changed here, so that the caller hands over a copy of its own.
 */
export function contradictionOf(bytes: Buffer, pageBytes: number): string | null {
  if (bytes.length < SMALLEST_PAGE_BYTES || mayBeTooDeep(bytes, pageBytes)) return null;
  bytes.fill(ROLLBACK_VERSION, FILE_VERSIONS_AT, FILE_VERSIONS_AT + 2);
  return toldBy(() => {
    const database = new (sqlite())(bytes, { readonly: true });
    try {
      return new Check(database).run();
    } finally {
      database.close();
    }
  });
}

/** What is thrown for a broken structure is an answer; other errors of SQLite are none. */
function toldBy(check: () => string | null): string | null {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof sqlite().SqliteError)) throw error;
    return isOfStructure(error) ? error.message : null;
  }
}

/** The schema may be in words of a version to come: only what no version accepts counts. */
const BROKEN_SCHEMA = /invalid rootpage|orphan index|already exists|no such table: main\./;

function isOfStructure({ code, message }: InstanceType<typeof Database.SqliteError>): boolean {
  if (!code.startsWith('SQLITE_CORRUPT')) return false;
  return !message.startsWith('malformed database schema') || BROKEN_SCHEMA.test(message);
}

/** Messages looked through for one that counts, where the first does not: the trees are right then, so that each is cheap. */
const MESSAGES_AT_MOST = 100;
/** Tables that are checked one by one where they cannot be together: each time all of the schema is gone through. */
const TABLES_AT_MOST = 200;

/**
 * The first contradiction ends the check: pages that several trees claim would be gone through time and again, more often with
 * each level of a tree.
 */
class Check {
  readonly #database: Database.Database;

  constructor(database: Database.Database) {
    this.#database = database;
    replaceModules(database);
    for (const setting of SETTINGS) database.pragma(setting);
  }

  run(): string | null {
    const schema = readSchema(this.#database);
    if (areExpressionsTame(schema)) {
      const whole = this.#ask(schema, 'integrity_check');
      if (whole !== undefined) return whole;
    }
    const trees = computesColumns(schema) ? undefined : this.#ask(schema, 'quick_check');
    return trees === null ? this.#eachTable(schema) : (trees ?? null);
  }

  /** Undefined: it cannot be asked. */
  #ask(schema: readonly SchemaEntry[], pragma: string): string | null | undefined {
    const [first] = this.#messages(`${pragma}(1)`) ?? [];
    if (first === undefined) return undefined;
    if (first === 'ok') return null;
    if (this.#counts(schema, first)) return first;
    return this.#messages(`${pragma}(${MESSAGES_AT_MOST})`)?.find(message => this.#counts(schema, message)) ?? null;
  }

  /** Indexes of the tables whose indexes can be asked. */
  #eachTable(schema: readonly SchemaEntry[]): string | null {
    const tables = schema.filter(({ type }) => type === 'table').slice(0, TABLES_AT_MOST);
    for (const { name } of tables.filter(table => isTableTame(schema, table.name))) {
      const messages = this.#messages(`integrity_check(${quoted(name)})`) ?? [];
      const found = messages.find(message => this.#counts(schema, message));
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Null: something of an application is missing that the question needs. */
  #messages(pragma: string): string[] | null {
    try {
      const rows = this.#database.pragma(pragma) as Record<string, unknown>[];
      return rows.map(row => String(Object.values(row)[0]));
    } catch (error) {
      if (error instanceof sqlite().SqliteError && !isOfStructure(error)) return null;
      throw error;
    }
  }

  #counts(schema: readonly SchemaEntry[], message: string): boolean {
    if (OF_TREES.test(message)) return true;
    const index = OF_INDEX.exec(message)?.[1];
    if (index !== undefined) return isIndexSelfContained(this.#database, schema, index);
    const table = OF_KEY_ORDER.exec(message)?.[1];
    return table !== undefined && isTableSelfContained(schema, table);
  }
}

function isTableTame(schema: readonly SchemaEntry[], table: string): boolean {
  return areExpressionsTame(schema.filter(entry => entry.table === table));
}

const OF_TREES = /^\*\*\* in database |^database disk image is malformed/;
const OF_INDEX =
  /^(?:row \d+ missing from index|wrong # of entries in index|rowid not at end-of-record for row \d+ of index) (.*)$/s;
const OF_KEY_ORDER = /^row not in PRIMARY KEY order for (.*)$/s;

const SETTINGS = ['trusted_schema = OFF', 'ignore_check_constraints = ON', 'cell_size_check = ON'];

/**
 * Virtual tables are not asked: their modules compute what they like of tables that are checked anyway, and tokenizers are an
 * application's own.
 */
function replaceModules(database: Database.Database): void {
  const modules = database.pragma('module_list') as { name: string }[];
  for (const { name } of modules) database.table(name, { columns: ['nothing'], rows: noRows });
}

function* noRows(): Generator {
  // Nothing asks for them.
}
