// From a TargetSpec to the file systems in it: a directory is one, an image holds those of its volumes. Every thread does
// this by itself.

import { statSync } from 'node:fs';
import type { ByteSource } from '../bytes/byte-source.ts';
import { cacheShareBytes } from '../bytes/cached-bytes.ts';
import type { Fact } from '../bytes/fact.ts';
import { type Image, openImage } from '../bytes/open-image.ts';
import { slice } from '../bytes/slice.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../errors.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { openHostFilesystem } from '../filesystems/host/host-filesystem.ts';
import type { TargetIdentity, TargetSpec, VolumeFacts } from '../model.ts';
import { bytesOfText } from '../path.ts';
import { surveyDisk, type Volume } from '../volumes/find-volumes.ts';
import { commonFacts, type ReadVolume, type ReplayedVolume, readVolume } from './read-volume.ts';

/** What threads share of an opening. Plain data. */
export interface Opening {
  /** Threads that open the same target: memory bounds are divided by them. */
  readonly workers: number;
  /** Replays of journals that the main thread has done, by volume. */
  readonly replayed: ReadonlyMap<number, ReplayedVolume>;
}

export interface OpenedVolume extends Omit<ReadVolume, 'filesystem'> {
  /** Null: it cannot be read; then `trouble` says why. */
  readonly filesystem: Filesystem | null;
  readonly trouble: string | null;
  /** Whether files may lie in it, read or not. */
  readonly holdsFiles: boolean;
}

export interface OpenedTarget {
  /** `raw`, `qcow2`; null for a directory. */
  readonly container: string | null;
  /** Names of an image's internal snapshots. */
  readonly snapshots: readonly string[];
  readonly volumes: readonly OpenedVolume[];
  /** What concerns the container and its partition table. */
  readonly facts: readonly Fact[];
  readonly replayed: Opening['replayed'];
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
  const replayed = new Map<number, ReplayedVolume>();
  for (const volume of volumes) if (volume.replayed !== null) replayed.set(volume.facts.index, volume.replayed);
  const snapshots = image.snapshots.map(snapshot => snapshot.name);
  return { container: image.container, snapshots, volumes, facts, replayed, close: () => image.bytes.close?.() };
}

function openDirectory(target: TargetSpec): OpenedTarget {
  assertSame(target);
  const filesystem = openHostFilesystem(bytesOfText(target.path));
  const volume: OpenedVolume = { ...READ, facts: MOUNTED, filesystem, holdsFiles: true, writtenAtNs: null };
  return {
    container: null,
    snapshots: [],
    volumes: [volume],
    facts: [],
    replayed: new Map(),
    close: () => filesystem.close(),
  };
}

function openImageOf(target: TargetSpec, opening: Opening): Image {
  const { snapshot, identity, allowBacking = [] } = target;
  return openImage(target.path, { snapshot, identity, allowBacking, cacheBytes: cacheShareBytes(opening.workers) });
}

function openVolumeOf(disk: ByteSource, volume: Volume, target: TargetSpec, opening: Opening): OpenedVolume {
  const bytes = slice(disk, volume.offset, volume.size, `${target.name} volume ${volume.index}`);
  const holdsFiles = volume.holdsFiles || isFilesystemPartition(volume);
  try {
    const read = readVolume(bytes, volume, {
      workers: opening.workers,
      replay: target.replay ?? true,
      replayed: opening.replayed.get(volume.index),
    });
    if (read !== null) return { ...read, trouble: null, holdsFiles };
    const trouble = holdsFiles ? troubleOf(volume) : `${volume.kind} holds no files`;
    return unreadVolume(volume, trouble, holdsFiles);
  } catch (error) {
    if (!isAnswer(error)) throw error;
    return unreadVolume(volume, error.message, true);
  }
}

function isAnswer(error: unknown): error is Error {
  return error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError;
}

/** Partition types for file systems of Linux: what nobody recognises in one has lost its superblock rather than never had one. */
const FILESYSTEM_TYPES = new Set([
  '0x83',
  '0fc63daf-8483-4772-8e79-3d69d8477de4',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709',
  '933ac7e1-2eb4-4f13-b844-0e14e2aef915',
  '3b8f8425-20e0-4f3b-907f-1a25a76f98e8',
]);

function troubleOf(volume: Volume): string {
  if (volume.kind !== 'unknown') return `${volume.kind} is not read`;
  return 'a partition for a Linux file system in which none is recognised (its superblock may be lost)';
}

function isFilesystemPartition({ kind, partition }: Volume): boolean {
  return kind === 'unknown' && partition !== null && FILESYSTEM_TYPES.has(partition.type);
}

function unreadVolume(volume: Volume, trouble: string, holdsFiles: boolean): OpenedVolume {
  const facts = commonFacts(volume);
  return { facts, filesystem: null, replayed: null, trouble, journalTrouble: [], holdsFiles, writtenAtNs: null };
}

/** Of a volume that is read, nothing amiss. */
const READ = { trouble: null, journalTrouble: [], replayed: null } as const;

/** What a mounted tree tells of its file system. */
const MOUNTED: VolumeFacts = {
  index: 0,
  filesystem: 'host',
  uuid: null,
  label: '',
  offset: null,
  size: null,
  state: 'mounted',
  replayed: false,
  repairedAtNs: null,
  hot: false,
  log: null,
  gates: [],
};

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
