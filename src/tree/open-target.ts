// From a TargetSpec to the file systems in it. Every worker does this by itself.

import { lstatSync, statSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { openHostFilesystem } from '../filesystems/host/host-filesystem.ts';
import type { TargetIdentity, TargetSpec } from '../model.ts';
import { bytesOfText } from '../path.ts';

/**
 * The file system of one volume of a target (a directory has one, number 0).
 * Throws UsageError when the target is gone or has become another one.
 */
export function openTarget(target: TargetSpec, volume: number): Filesystem {
  assertSame(target);
  if (target.kind === 'directory' && volume === 0) return openHostFilesystem(bytesOfText(target.path));
  throw new UsageError(`${target.name}: disk images cannot be scanned yet; mount it read-only and scan the mount`);
}

/** What makes a target the same one for every thread. A directory's size and mtime may move under a scan, its inode not. */
export function identityOf(path: string): TargetIdentity {
  const stats = statSync(path, { bigint: true });
  const directory = stats.isDirectory();
  return {
    device: String(stats.dev),
    inode: String(stats.ino),
    sizeBytes: directory ? 0 : Number(stats.size),
    mtimeNs: directory ? '0' : String(stats.mtimeNs),
  };
}

function assertSame(target: TargetSpec): void {
  if (lstatSync(target.path, { throwIfNoEntry: false }) === undefined)
    throw new UsageError(`${target.name}: no such target`);
  const now = JSON.stringify(identityOf(target.path));
  if (now !== JSON.stringify(target.identity))
    throw new UsageError(`${target.name}: became another file during the run`);
}
