// The tables of a store and how they came to be: migration N makes version N+1 of version N. Never edit one that was
// released; append another.

import type { Connection } from './connection.ts';

/** "LWST": what marks an SQLite file as a store (https://www.sqlite.org/fileformat2.html, section 1.3). */
export const APPLICATION_ID = 0x4c575354;

const VERSION_1 = `
CREATE TABLE baseline (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
);
CREATE TABLE generation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  baseline INTEGER NOT NULL REFERENCES baseline,
  at_ns INTEGER NOT NULL,
  captured_ns INTEGER NOT NULL,
  target TEXT NOT NULL,
  tool_version TEXT NOT NULL,
  digest_algorithm TEXT NOT NULL,
  attributes TEXT NOT NULL,
  entries INTEGER NOT NULL DEFAULT 0,
  files INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0,
  segments INTEGER NOT NULL DEFAULT 0,
  finished INTEGER NOT NULL DEFAULT 0,
  UNIQUE (baseline, at_ns)
);
-- Part of a generation: the ids of some entries in the order of their keys, as differences; crc over their records.
CREATE TABLE segment (
  generation INTEGER NOT NULL REFERENCES generation,
  position INTEGER NOT NULL,
  volume INTEGER NOT NULL,
  first_key BLOB NOT NULL,
  crc INTEGER NOT NULL,
  entries BLOB NOT NULL,
  PRIMARY KEY (generation, position)
) WITHOUT ROWID;
-- What was known of one path at one or more times. Shared by generations of one baseline.
CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  content INTEGER REFERENCES content,
  record BLOB NOT NULL
);
CREATE INDEX entry_of_content ON entry (content) WHERE content IS NOT NULL;
-- Content whose block list is too long for an entry. Shared by everything in the store.
CREATE TABLE content (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,
  coded_bytes INTEGER NOT NULL
);
CREATE TABLE content_blocks (
  content INTEGER NOT NULL REFERENCES content,
  position INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  coded BLOB NOT NULL,
  PRIMARY KEY (content, position)
) WITHOUT ROWID;
CREATE TABLE run (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  used_ms INTEGER NOT NULL
);
CREATE TABLE run_attribute (
  run INTEGER NOT NULL REFERENCES run,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (run, name)
) WITHOUT ROWID;
CREATE TABLE run_blob (
  run INTEGER NOT NULL REFERENCES run,
  kind TEXT NOT NULL,
  number INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (run, kind, number)
) WITHOUT ROWID;
`;

const VERSION_2 = `
ALTER TABLE generation ADD COLUMN block_maps INTEGER NOT NULL DEFAULT 0;
-- What every place of a volume held, and whose it was: the numbers of pieces, crc over their checksums.
CREATE TABLE block_map (
  generation INTEGER NOT NULL REFERENCES generation,
  volume INTEGER NOT NULL,
  unit_bytes INTEGER NOT NULL,
  units INTEGER NOT NULL,
  added_bytes INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  pieces BLOB NOT NULL,
  PRIMARY KEY (generation, volume)
) WITHOUT ROWID;
-- A piece of block maps of one baseline, in full or as its difference from another piece, kept while one needs it.
-- position: greater than its base's, 0 when it is in full; crc: over the base's crc and the bytes.
CREATE TABLE map_piece (
  id INTEGER PRIMARY KEY,
  base INTEGER,
  position INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  coded BLOB NOT NULL
);
`;

export const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2];

/** Makes an empty file a store. */
export function createTables(connection: Connection): void {
  connection.pragma('auto_vacuum = INCREMENTAL');
  connection.transaction(() => connection.pragma(`application_id = ${APPLICATION_ID}`));
  migrate(connection, 0);
}

/** Runs the migrations that a store of `version` lacks: all of them, or none. */
export function migrate(connection: Connection, version: number, migrations = MIGRATIONS): void {
  connection.transaction(() => {
    for (const migration of migrations.slice(version)) connection.execute(migration);
    connection.pragma(`user_version = ${migrations.length}`);
  });
}
