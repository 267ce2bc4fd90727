// Makes images as a crash leaves them, and compares what we read of one with the kernel's mount of a copy.

import { copyFileSync } from 'node:fs';
import { expect } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import type { ReplayedJournal } from '../../../src/filesystems/ext4/journal-state.ts';
import { makeImage, withMount } from './loop-mount.ts';
import { type EntryState, stateOfFilesystem, stateOfMount, type TreeState } from './mount-state.ts';

/** 4 KiB. */
const SECTORS_OF_BLOCK = 8;

/** Formats and mounts an image, lets `work` run, and copies the image while it is mounted. Returns the path of the copy. */
export function crash(scratch: string, format: readonly string[], mount: string, work: (root: string) => void): string {
  const image = `${scratch}/busy.img`;
  const crashed = `${scratch}/crashed.img`;
  const made = makeImage(image, 48 * 2 ** 20, [...format, '-J', 'size=8']);
  const done = withMount(image, `${scratch}/mount`, mount, () => {
    work(`${scratch}/mount`);
    copyFileSync(image, crashed);
  });
  expect([made, done]).toEqual([true, true]);
  return crashed;
}

/** @param fast whether fast commits are replayed: what those change, a mount gives the time of the mount. */
export function compareWithMount(scratch: string, crashed: string, fast: boolean): ReplayedJournal | null {
  const copiedAt = BigInt(Date.now()) * 1_000_000n;
  const source = openFileBytes(crashed);
  const filesystem = openExt4(source);
  const { state, faults } = stateOfFilesystem(filesystem);
  expect(filesystem.replayed?.errors).toEqual([]);
  expect(faults).toEqual([]);
  expect(filesystem.volume.damage.facts).toEqual([]);
  const expected = mountedState(scratch, crashed);
  // Some replays of fast commits fail in the kernel itself ("corrupted journal superblock").
  if (fast && expected === null) return null;
  if (expected === null) throw new Error('the kernel refuses to mount the copy');
  expect([...state.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [path, entry] of expected) {
    const seen = state.get(path);
    expect([path, seen && fast ? asReplayed(entry, seen, copiedAt) : seen]).toEqual([path, entry]);
  }
  source.close();
  return filesystem.replayed;
}

/** What the image shows when its journal is left alone. */
export function rawState(image: string): TreeState {
  const source = openFileBytes(image);
  const { state } = stateOfFilesystem(openExt4(source, { replay: false }));
  source.close();
  return state;
}

/** Null when the kernel refuses. */
export function mountedState(scratch: string, crashed: string): TreeState | null {
  let state: TreeState = new Map<string, EntryState>();
  const copy = `${scratch}/copy.img`;
  copyFileSync(crashed, copy);
  const mounted = withMount(copy, `${scratch}/mount`, 'rw,noatime', () => {
    state = stateOfMount(`${scratch}/mount`);
  });
  return mounted ? state : null;
}

/**
 * What a mount's replay of fast commits decides for itself is taken as it is: times that are those of the mount, and how many
 * nodes an extent tree has.
 */
function asReplayed(expected: EntryState, seen: EntryState, since: bigint): EntryState {
  const touched = (time: bigint) => time >= since - 20_000_000n;
  const nodes = Math.abs((expected.blocks ?? 0) - (seen.blocks ?? 0)) <= 2 * SECTORS_OF_BLOCK;
  return {
    ...seen,
    mtimeNs: touched(expected.mtimeNs) ? expected.mtimeNs : seen.mtimeNs,
    ctimeNs: touched(expected.ctimeNs) ? expected.ctimeNs : seen.ctimeNs,
    blocks: nodes ? expected.blocks : seen.blocks,
  };
}
