// Places for the stores of tests, generations in one go, and the sqlite3 program that checks them.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import type { Store } from '../../src/store/store.ts';
import { request, sha256 } from './sample-records.ts';

/** A path for a store in a directory that goes with the test. */
export function storePath(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'lostwrite-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return path.join(directory, 'store.db');
}

export function sha256OfFile(file: string): string {
  return sha256(readFileSync(file));
}

/** What the sqlite3 program answers. */
export function sqlite3(file: string, sql: string): string {
  return execFileSync('sqlite3', [file, sql], { encoding: 'utf8' }).trim();
}

/** Writes a whole generation; gives its id. */
export function capture(store: Store, atNs: bigint, records: Iterable<BaselineRecord>, baseline?: string): number {
  const writer = store.createGeneration(request(atNs, baseline));
  for (const record of records) writer.add(record);
  writer.finish();
  return writer.id;
}

/** Records with their block lists fetched, for comparing. */
export function whole(records: Iterable<BaselineRecord>): BaselineRecord[] {
  return [...records].map(record => ({ ...record, content: record.content === null ? null : { ...record.content } }));
}
