// Records and requests that the store's tests write. Knows no test runner: a child process uses it too.

import { createHash } from 'node:crypto';
import type { Stat } from '../../src/model.ts';
import type { BaselineRecord } from '../../src/store/baseline-record.ts';
import type { GenerationRequest } from '../../src/store/store.ts';

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
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
