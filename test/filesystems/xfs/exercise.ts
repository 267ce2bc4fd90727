// Uses everything that can be asked of an XFS volume, and lets nothing pass but values and typed errors, in bounded work.

import { expect } from 'vitest';
import type { ByteSource } from '../../../src/bytes/byte-source.ts';
import { DamageError, ReadError, UnsupportedError } from '../../../src/errors.ts';
import type { Entry } from '../../../src/filesystems/filesystem.ts';
import { Allocation } from '../../../src/filesystems/xfs/allocation.ts';
import { ownedBlocks } from '../../../src/filesystems/xfs/block-owners.ts';
import { deletedInodes, newestCtime, orphans } from '../../../src/filesystems/xfs/inode-scan.ts';
import { loggedObjects } from '../../../src/filesystems/xfs/logged-objects.ts';
import { openXfs, type XfsFilesystem } from '../../../src/filesystems/xfs/xfs-filesystem.ts';

const MOST_ENTRIES = 5000;
const MOST_READS = 200_000;
const PIECE = 8192;

export interface Exercised {
  /** Null when the volume was refused. */
  readonly filesystem: XfsFilesystem | null;
  /** Paths, in the order of the walk. */
  readonly paths: readonly string[];
  /** "path: code" of what could not be had. */
  readonly faults: readonly string[];
}

export function exercise(source: ByteSource): Exercised {
  const counted = countedReads(source);
  const filesystem = attempt(() => openXfs(counted));
  if (filesystem === null) return { filesystem, paths: [], faults: [] };
  const paths: string[] = [];
  const faults: string[] = [];
  const stack: Entry[] = [filesystem.root];
  for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
    const listing = filesystem.list(directory);
    if (listing.fault !== null) faults.push(`${directory.path}: ${listing.fault.code}`);
    for (const entry of listing.entries) {
      paths.push(entry.path);
      expect(paths.length).toBeLessThan(MOST_ENTRIES);
      if (entry.stat === null) faults.push(`${entry.path}: ${entry.fault.code}`);
      else if (entry.stat.type === 'directory') stack.push(entry);
      else exerciseEntry(filesystem, entry);
    }
  }
  exerciseVolume(filesystem);
  return { filesystem, paths, faults };
}

function exerciseEntry(filesystem: XfsFilesystem, entry: Entry): void {
  const { volume } = filesystem;
  attempt(() => filesystem.readLink(entry));
  attempt(() => [...filesystem.extents(entry)].length);
  attempt(() => volume.attributes(volume.inode(Number(entry.stat.inode))));
  attempt(() => filesystem.bytesAfterEnd(entry));
  const file = attempt(() => filesystem.open(entry));
  if (file === null) return;
  const piece = new Uint8Array(PIECE);
  for (const at of [0, Math.floor(file.size / 2), file.size - 10, file.size]) {
    const count = attempt(() => file.read(piece, Math.max(0, at)));
    if (count !== null) expect(count).toBe(Math.max(0, Math.min(PIECE, file.size - Math.max(0, at))));
    attempt(() => file.nextData?.(Math.max(0, at)));
  }
}

function exerciseVolume({ volume }: XfsFilesystem): void {
  const allocation = new Allocation(volume);
  const { blocksCount } = volume.superblock;
  for (const block of [0, 1, 2, 100, blocksCount - 1, blocksCount]) attempt(() => allocation.isBlockInUse(block));
  for (const inode of [0, 1, 64, 128, 131, 2 ** 40]) attempt(() => allocation.isInodeInUse(inode));
  attempt(() => [...deletedInodes(volume)].length);
  attempt(() => newestCtime(volume));
  attempt(() => orphans(volume));
  attempt(() => [...loggedObjects(volume)].length);
  attempt(() => {
    let runs = 0;
    for (const run of ownedBlocks(volume)) runs += run.length > 0 ? 1 : 0;
    return runs;
  });
}

/** Null instead of an answer that is an error; what is none of the three is a bug. */
function attempt<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    const answer = error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError;
    if (!answer) throw error;
    return null;
  }
}

function countedReads(source: ByteSource): ByteSource {
  let reads = 0;
  return {
    name: source.name,
    size: source.size,
    read(into, at) {
      reads++;
      if (reads > MOST_READS) throw new Error(`more than ${MOST_READS} reads`);
      if (!(Number.isSafeInteger(at) && at >= 0)) throw new Error(`a read at ${at}`);
      return source.read(into, at);
    },
  };
}
