// What a tree holds, said twice: by the kernel through node:fs, and by a Filesystem. Tests compare the two.

import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { Entry, Filesystem, LostEntry } from '../../../src/filesystems/filesystem.ts';
import type { EntryType } from '../../../src/model.ts';

/** One entry, in words that compare well. */
export interface EntryState {
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Null for what states none that matters (devices). */
  readonly size: number;
  readonly links: number;
  readonly inode: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly crtimeNs: bigint | null;
  readonly blocks: number | null;
  /** Digest of the bytes, or a symlink's target. */
  readonly content: string | null;
}

export type TreeState = Map<string, EntryState>;

const CHUNK = 2 ** 20;
const BUFFER = new Uint8Array(CHUNK);
/** Larger files are compared where they may hold data, at their start and at their end. */
const WHOLE = 64 * 2 ** 20;

/** @param root of a mount. Paths: latin1, absolute within it. */
export function stateOfMount(root: string): TreeState {
  const state: TreeState = new Map();
  const visit = (path: string): void => {
    const host = Buffer.from(root + path, 'latin1');
    const stats = lstatSync(host, { bigint: true });
    state.set(path === '' ? '/' : path, stateOfStats(stats, host));
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(host, { encoding: 'buffer' })) visit(`${path}/${name.toString('latin1')}`);
  };
  visit('');
  return state;
}

function stateOfStats(stats: BigIntStats, host: Buffer): EntryState {
  return {
    type: typeOf(stats),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    links: Number(stats.nlink),
    inode: stats.ino,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    crtimeNs: stats.birthtimeNs === 0n ? null : stats.birthtimeNs,
    blocks: Number(stats.blocks),
    content: hostContent(stats, host),
  };
}

function typeOf(stats: BigIntStats): EntryType {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  if (stats.isSocket()) return 'socket';
  return stats.isCharacterDevice() ? 'character-device' : 'block-device';
}

function hostContent(stats: BigIntStats, host: Buffer): string | null {
  if (stats.isSymbolicLink()) return readlinkSync(host, 'latin1');
  if (!stats.isFile()) return null;
  const fd = openSync(host, 'r');
  try {
    return digest(Number(stats.size), (into, at) => readSync(fd, into, 0, into.length, at));
  } finally {
    closeSync(fd);
  }
}

function digest(size: number, read: (into: Uint8Array, at: number) => number): string {
  const hash = createHash('sha256');
  for (const [from, to] of rangesOf(size)) {
    for (let at = from; at < to; at += CHUNK) {
      const piece = BUFFER.subarray(0, Math.min(CHUNK, to - at));
      const filled = read(piece, at);
      if (filled !== piece.length) throw new Error(`short read of ${filled} bytes at ${at} of ${size}`);
      hash.update(piece);
    }
  }
  return hash.digest('hex');
}

function rangesOf(size: number): [number, number][] {
  if (size <= WHOLE) return [[0, size]];
  const around = [0, size / 3, size / 2, size].map(at => Math.floor(at));
  return around.map(at => [Math.max(0, at - CHUNK), Math.min(size, at + CHUNK)]);
}

export interface ReadState {
  readonly state: TreeState;
  /** Paths with a fault: "path: code". */
  readonly faults: string[];
}

/** The same of one of our file systems. */
export function stateOfFilesystem(filesystem: Filesystem): ReadState {
  const state: TreeState = new Map();
  const faults: string[] = [];
  const visit = (entry: Entry | LostEntry): void => {
    if (entry.stat === null) {
      faults.push(`${entry.path}: ${entry.fault.code}`);
      return;
    }
    state.set(entry.path, stateOfEntry(filesystem, entry));
    if (entry.stat.type !== 'directory') return;
    const listing = filesystem.list(entry);
    if (listing.fault !== null) faults.push(`${entry.path}: ${listing.fault.code}`);
    for (const child of listing.entries) visit(child);
  };
  visit(filesystem.root);
  return { state, faults };
}

function stateOfEntry(filesystem: Filesystem, entry: Entry): EntryState {
  const { stat } = entry;
  return {
    type: stat.type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.sizeBytes,
    links: stat.links,
    inode: stat.inode,
    mtimeNs: stat.mtimeNs,
    ctimeNs: stat.ctimeNs,
    crtimeNs: stat.crtimeNs,
    blocks: stat.blocks512,
    content: entryContent(filesystem, entry),
  };
}

function entryContent(filesystem: Filesystem, entry: Entry): string | null {
  if (entry.stat.type === 'symlink') return filesystem.readLink(entry);
  if (entry.stat.type !== 'file') return null;
  const file = filesystem.open(entry);
  try {
    return digest(file.size, (into, at) => file.read(into, at));
  } finally {
    file.close();
  }
}
