// What the store's tests put into stores: places for them, records, and the sqlite3 program that checks them.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Stat } from '../../src/model.ts';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import type { GenerationRequest, Store } from '../../src/store/store.ts';

/** A path for a store in a directory that goes with the test. */
export function storePath(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'lostwrite-store-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return path.join(directory, 'store.db');
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function sha256OfFile(file: string): string {
  return sha256(readFileSync(file));
}

/** What the sqlite3 program answers. */
export function sqlite3(file: string, sql: string): string {
  return execFileSync('sqlite3', [file, sql], { encoding: 'utf8' }).trim();
}

export const STAT: Stat = {
  type: 'file',
  mode: 0o644,
  uid: 1000,
  gid: 100,
  sizeBytes: 5,
  links: 1,
  inode: 12345n,
  generation: 3_000_000_000,
  mtimeNs: 1_401_588_000_123_456_789n,
  ctimeNs: 1_401_588_001_123_456_789n,
  crtimeNs: 1_301_588_000_000_000_001n,
  blocks512: 8,
};

export function fileRecord(at: string, text = 'hello', stat: Partial<Stat> = {}): BaselineRecord {
  const content = { sha256: sha256(text), blocks: blockHashes(1, text) };
  return { path: at, stat: { ...STAT, ...stat }, linkTarget: null, content, unread: null };
}

/** So many hashes that look random and differ from one another. */
export function blockHashes(count: number, seed: string): Uint8Array {
  const hashes = new Uint8Array(count * 8);
  for (let at = 0; at < hashes.length; at += 32) {
    hashes.set(
      createHash('sha256')
        .update(`${seed} ${at}`)
        .digest()
        .subarray(0, hashes.length - at),
      at,
    );
  }
  return hashes;
}

export function request(atNs: bigint, baseline = 'nightly'): GenerationRequest {
  return { baseline, target: 'vm042', atNs, capturedNs: atNs + 5n, toolVersion: '0.1.0', digestAlgorithm: 'sha256' };
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
