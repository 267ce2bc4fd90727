// From a TargetSpec to the file systems in it: a directory is one, an image holds those of its volumes. Every thread does
// this by itself.

import { statSync } from 'node:fs';
import type { ByteSource } from '../bytes/byte-source.ts';
import { cacheShareBytes } from '../bytes/cached-bytes.ts';
import type { Fact } from '../bytes/fact.ts';
import { type Image, openImage, type Survey } from '../bytes/open-image.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../errors.ts';
import { type Ext4Filesystem, openExt4 } from '../filesystems/ext4/ext4-filesystem.ts';
import type { ReplayedJournal } from '../filesystems/ext4/journal-state.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { openHostFilesystem } from '../filesystems/host/host-filesystem.ts';
import type { ReplayedLog } from '../filesystems/xfs/log-state.ts';
import { openXfs, type XfsFilesystem } from '../filesystems/xfs/xfs-filesystem.ts';
import type { TargetIdentity, TargetSpec } from '../model.ts';
import { bytesOfText } from '../path.ts';
import { type DiskVolume, surveyDisks, volumeBytes } from '../volumes/survey-disks.ts';
import { MOUNTED_TREE, type ToldVolume, tellRead, tellUnread } from './told-volume.ts';

/** What a replay in memory gave. Plain data, to be shared by threads. */
type ReplayedVolume = ReplayedJournal | ReplayedLog;

/** What threads share of an opening. Plain data. */
export interface Opening {
  /** Threads that open the same target: memory bounds are divided by them. */
  readonly workers: number;
  /** Replays of journals that the main thread has done, by volume. */
  readonly replayed: ReadonlyMap<number, ReplayedVolume>;
}

export interface OpenedVolume extends ToldVolume {
  /** Null: it cannot be read; then `trouble` says why. */
  readonly filesystem: Filesystem | null;
  /** What its journal's replay in memory gave; null where there was none to be done, wanted or possible. */
  readonly replayed: ReplayedVolume | null;
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
  const images = openImages(target, opening);
  try {
    const disks = images.map(image => image.bytes);
    const survey = surveyDisks(disks);
    assertTogether(target, survey.strangers);
    const volumes = survey.volumes.map(volume => openVolumeOf(disks, volume, target, opening));
    return openedImage(images, volumes, [...images.flatMap(image => image.facts), ...survey.facts]);
  } catch (error) {
    closeAll(images);
    throw error;
  }
}

/** The target's image, and those that hold further physical volumes of its groups. */
function openImages(target: TargetSpec, opening: Opening): Image[] {
  const parts = [target, ...(target.more ?? [])];
  const shared = { ...opening, workers: opening.workers * parts.length };
  const images: Image[] = [];
  try {
    for (const part of parts) images.push(openImageOf({ ...target, ...part }, shared));
    return images;
  } catch (error) {
    closeAll(images);
    throw error;
  }
}

function closeAll(images: readonly Image[]): void {
  for (const image of images) image.bytes.close?.();
}

/** Disks that have nothing in common are scanned one by one: a finding must not lie on "one of them". */
function assertTogether(target: TargetSpec, strangers: readonly number[]): void {
  const [first] = strangers;
  if (first === undefined) return;
  const path = first === 0 ? target.path : (target.more?.[first - 1]?.path ?? '');
  throw new UsageError(`${path}: shares no volume group with the other images: run it once for each`);
}

/** The file system of one volume, for a worker. Throws what keeps it from being read. */
export function openVolume(target: TargetSpec, volume: number, opening: Opening): Filesystem {
  const opened = openTarget(target, opening);
  const { filesystem = null, trouble = 'no such volume' } = opened.volumes[volume] ?? {};
  if (filesystem !== null) return filesystem;
  opened.close();
  throw new UsageError(`${target.name}: volume ${volume}: ${trouble}`);
}

function openedImage(images: readonly Image[], volumes: readonly OpenedVolume[], facts: readonly Fact[]): OpenedTarget {
  const replayed = new Map<number, ReplayedVolume>();
  for (const volume of volumes) if (volume.replayed !== null) replayed.set(volume.facts.index, volume.replayed);
  const snapshots = images.flatMap(image => image.snapshots.map(snapshot => snapshot.name));
  const container = images[0]?.container ?? null;
  const [survey, close] = [() => surveyAll(images), () => closeAll(images)];
  return { container, snapshots, volumes, facts, replayed, survey, close };
}

/** Places on a disk say nothing where there are several. */
function surveyAll(images: readonly Image[]): Survey {
  const surveys = images.map(image => image.survey());
  const tells = surveys.flatMap(survey => survey.tells);
  const trouble = surveys.map(survey => survey.trouble).find(each => each !== null) ?? null;
  return { tells: images.length === 1 ? tells : tells.map(tell => ({ ...tell, disk: null })), trouble };
}

function openDirectory(target: TargetSpec): OpenedTarget {
  assertSame(target);
  const filesystem = openHostFilesystem(bytesOfText(target.path));
  const volumes = [{ ...MOUNTED_TREE, filesystem, replayed: null }];
  const survey = () => ({ tells: [], trouble: null });
  const close = () => filesystem.close();
  return { container: null, snapshots: [], volumes, facts: [], replayed: new Map(), survey, close };
}

function openImageOf(target: TargetSpec, opening: Opening): Image {
  const { snapshot, identity, allowBacking = [] } = target;
  return openImage(target.path, { snapshot, identity, allowBacking, cacheBytes: cacheShareBytes(opening.workers) });
}

function openVolumeOf(
  disks: readonly ByteSource[],
  volume: DiskVolume,
  target: TargetSpec,
  opening: Opening,
): OpenedVolume {
  if (volume.trouble !== null) return { ...tellUnread(volume, null), filesystem: null, replayed: null };
  try {
    const bytes = volumeBytes(disks, volume, `${target.name} volume ${volume.index}`);
    const filesystem = openFilesystem(bytes, volume, target, opening);
    if (filesystem === null) return { ...tellUnread(volume, null), filesystem, replayed: null };
    return { ...tellRead(volume, filesystem), filesystem, replayed: filesystem.replayed };
  } catch (error) {
    if (!isAnswer(error)) throw error;
    return { ...tellUnread(volume, error.message), filesystem: null, replayed: null };
  }
}

/** Null for a kind that nobody reads. Throws what the reader throws. */
function openFilesystem(
  bytes: ByteSource,
  volume: DiskVolume,
  target: TargetSpec,
  opening: Opening,
): Ext4Filesystem | XfsFilesystem | null {
  const options = { cacheBytes: cacheShareBytes(opening.workers), replay: target.replay ?? true };
  const replayed = opening.replayed.get(volume.index);
  if (volume.kind === 'xfs') {
    return openXfs(bytes, replayed !== undefined && 'kind' in replayed ? { ...options, replayed } : options);
  }
  if (!['ext2', 'ext3', 'ext4'].includes(volume.kind)) return null;
  return openExt4(bytes, replayed === undefined || 'kind' in replayed ? options : { ...options, replayed });
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
