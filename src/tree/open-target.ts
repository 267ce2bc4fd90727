// From a TargetSpec to the file systems in it: a directory is one, an image holds those of its volumes. Every thread does
// this by itself.

import { statSync } from 'node:fs';
import type { ByteSource } from '../bytes/byte-source.ts';
import { cacheShareBytes } from '../bytes/cached-bytes.ts';
import type { Fact } from '../bytes/fact.ts';
import { type Image, openImage, type Survey } from '../bytes/open-image.ts';
import { slice } from '../bytes/slice.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../errors.ts';
import { Ext4Filesystem, openExt4 } from '../filesystems/ext4/ext4-filesystem.ts';
import type { ReplayedJournal } from '../filesystems/ext4/journal-state.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { openHostFilesystem } from '../filesystems/host/host-filesystem.ts';
import type { TargetIdentity, TargetSpec } from '../model.ts';
import { bytesOfText } from '../path.ts';
import { surveyDisk, type Volume } from '../volumes/find-volumes.ts';
import { MOUNTED_TREE, type ToldVolume, tellRead, tellUnread } from './told-volume.ts';

/** What threads share of an opening. Plain data. */
export interface Opening {
  /** Threads that open the same target: memory bounds are divided by them. */
  readonly workers: number;
  /** Replays of journals that the main thread has done, by volume. */
  readonly replayed: ReadonlyMap<number, ReplayedJournal>;
}

export interface OpenedVolume extends ToldVolume {
  /** Null: it cannot be read; then `trouble` says why. */
  readonly filesystem: Filesystem | null;
}

export interface OpenedTarget {
  /** `raw`, `qcow2`, ...; null for a directory. */
  readonly container: string | null;
  /** Names of an image's internal snapshots. */
  readonly snapshots: readonly string[];
  readonly volumes: readonly OpenedVolume[];
  /** What concerns the container and its partition table. */
  readonly facts: readonly Fact[];
  readonly replayed: Opening['replayed'];
  /** Compares the tables of an image's container: reads them all. */
  survey(): Survey;
  close(): void;
}

const ALONE: Opening = { workers: 1, replayed: new Map() };

/**
 * All volumes of a target. Throws UsageError when the target is gone or has become another one, UnsupportedError,
 * DamageError or ReadError when its container cannot be read; a volume that cannot be read is a volume with `trouble`.
 */
export function openTarget(target: TargetSpec, opening: Opening = ALONE): OpenedTarget {
  if (target.kind === 'directory') return openDirectory(target);
  const image = openImageOf(target, opening);
  try {
    const disk = surveyDisk(image.bytes);
    const volumes = disk.volumes.map(volume => openVolumeOf(image.bytes, volume, target, opening));
    return openedImage(image, volumes, [...image.facts, ...disk.facts]);
  } catch (error) {
    image.bytes.close?.();
    throw error;
  }
}

/** The file system of one volume, for a worker. Throws what keeps it from being read. */
export function openVolume(target: TargetSpec, volume: number, opening: Opening): Filesystem {
  const opened = openTarget(target, opening);
  const { filesystem = null, trouble = 'no such volume' } = opened.volumes[volume] ?? {};
  if (filesystem !== null) return filesystem;
  opened.close();
  throw new UsageError(`${target.name}: volume ${volume}: ${trouble}`);
}

function openedImage(image: Image, volumes: readonly OpenedVolume[], facts: readonly Fact[]): OpenedTarget {
  const replayed = new Map<number, ReplayedJournal>();
  for (const { facts: volume, filesystem } of volumes) {
    if (filesystem instanceof Ext4Filesystem && filesystem.replayed !== null)
      replayed.set(volume.index, filesystem.replayed);
  }
  const snapshots = image.snapshots.map(snapshot => snapshot.name);
  const { container, survey } = image;
  return { container, snapshots, volumes, facts, replayed, survey, close: () => image.bytes.close?.() };
}

function openDirectory(target: TargetSpec): OpenedTarget {
  assertSame(target);
  const filesystem = openHostFilesystem(bytesOfText(target.path));
  const volumes = [{ ...MOUNTED_TREE, filesystem }];
  const survey = () => ({ tells: [], trouble: null });
  const close = () => filesystem.close();
  return { container: null, snapshots: [], volumes, facts: [], replayed: new Map(), survey, close };
}

function openImageOf(target: TargetSpec, opening: Opening): Image {
  const { snapshot, identity, allowBacking = [] } = target;
  return openImage(target.path, { snapshot, identity, allowBacking, cacheBytes: cacheShareBytes(opening.workers) });
}

function openVolumeOf(disk: ByteSource, volume: Volume, target: TargetSpec, opening: Opening): OpenedVolume {
  const bytes = slice(disk, volume.offset, volume.size, `${target.name} volume ${volume.index}`);
  try {
    const filesystem = openFilesystem(bytes, volume, target, opening);
    if (filesystem === null) return { ...tellUnread(volume, null), filesystem };
    return { ...tellRead(volume, filesystem), filesystem };
  } catch (error) {
    if (!isAnswer(error)) throw error;
    return { ...tellUnread(volume, error.message), filesystem: null };
  }
}

function openFilesystem(
  bytes: ByteSource,
  volume: Volume,
  target: TargetSpec,
  opening: Opening,
): Ext4Filesystem | null {
  if (!['ext2', 'ext3', 'ext4'].includes(volume.kind)) return null;
  const replayed = opening.replayed.get(volume.index);
  const cacheBytes = cacheShareBytes(opening.workers);
  return openExt4(bytes, {
    cacheBytes,
    replay: target.replay ?? true,
    ...(replayed === undefined ? {} : { replayed }),
  });
}

function isAnswer(error: unknown): error is Error {
  return error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError;
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

/** Throws UsageError when the directory is gone or has become another one. */
function assertSame(target: TargetSpec): void {
  if (statSync(target.path, { throwIfNoEntry: false }) === undefined)
    throw new UsageError(`${target.name}: no such target`);
  const now = JSON.stringify(identityOf(target.path));
  if (now !== JSON.stringify(target.identity))
    throw new UsageError(`${target.name}: became another file during the run`);
}
