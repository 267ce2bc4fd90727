// Makes XFS images as a crash leaves them, and compares what we read of one with the kernel's mount of a copy.

import { copyFileSync } from 'node:fs';
import { expect } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import type { ReplayedLog } from '../../../src/filesystems/xfs/log-state.ts';
import { openXfs } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { run } from '../ext4/loop-mount.ts';
import { type EntryState, stateOfFilesystem, stateOfMount, type TreeState } from '../ext4/mount-state.ts';
import { makeXfs, withXfs } from './xfs-images.ts';

const SIZE = 80 * 2 ** 20;

/**
 * Formats and mounts an image, lets `work` run, has the log written and everything else stopped, and copies the image.
 * Returns the path of the copy.
 */
export function crash(scratch: string, format: readonly string[], work: (root: string) => void): string {
  const image = `${scratch}/busy.img`;
  const crashed = `${scratch}/crashed.img`;
  const made = makeXfs(image, SIZE, format);
  const done = withXfs(image, `${scratch}/mount`, 'rw', () => {
    work(`${scratch}/mount`);
    run('xfs_io', ['-x', '-c', 'shutdown -f', `${scratch}/mount`]);
    copyFileSync(image, crashed);
  });
  expect([made, done]).toEqual([true, true]);
  return crashed;
}

/** Returns what the replay found. */
export function compareWithMount(scratch: string, crashed: string): ReplayedLog | null {
  const source = openFileBytes(crashed);
  const filesystem = openXfs(source);
  const { state, faults } = stateOfFilesystem(filesystem);
  expect(filesystem.notReplayed).toBe(null);
  expect(faults).toEqual([]);
  expect(filesystem.volume.damage.facts).toEqual([]);
  const expected = mountedState(scratch, crashed);
  if (expected === null) throw new Error('the kernel refuses to mount the copy');
  expect([...state.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [path, entry] of expected) expect([path, state.get(path)]).toEqual([path, entry]);
  source.close();
  return filesystem.replayed;
}

/** What the image shows when its log is left alone. */
export function rawState(image: string): TreeState {
  const source = openFileBytes(image);
  const { state } = stateOfFilesystem(openXfs(source, { replay: false }));
  source.close();
  return state;
}

/** What the kernel shows after its recovery, or, by `norecovery`, without it. Null when it refuses. */
export function mountedState(scratch: string, crashed: string, options = 'rw,noatime'): TreeState | null {
  let state: TreeState = new Map<string, EntryState>();
  const copy = `${scratch}/copy.img`;
  copyFileSync(crashed, copy);
  const mounted = withXfs(copy, `${scratch}/mount`, options, () => {
    state = stateOfMount(`${scratch}/mount`);
  });
  return mounted ? state : null;
}
