// From a TargetSpec to the file systems in it: a directory is one, an image holds those of its volumes. Every thread does
// this by itself.

import { statSync } from 'node:fs';
import type { ByteSource } from '../bytes/byte-source.ts';
import { cacheShareBytes } from '../bytes/cached-bytes.ts';
import type { Fact } from '../bytes/fact.ts';
import { type Image, openImage } from '../bytes/open-image.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../errors.ts';
import { Ext4Filesystem, openExt4 } from '../filesystems/ext4/ext4-filesystem.ts';
import type { ReplayedJournal } from '../filesystems/ext4/journal-state.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { openHostFilesystem } from '../filesystems/host/host-filesystem.ts';
import type { Nanoseconds, TargetIdentity, TargetSpec, VolumeFacts } from '../model.ts';
import { bytesOfText } from '../path.ts';
import type { Volume } from '../volumes/find-volumes.ts';
import { type DiskVolume, surveyDisks, volumeBytes } from '../volumes/survey-disks.ts';

/** What threads share of an opening. Plain data. */
export interface Opening {
  /** Threads that open the same target: memory bounds are divided by them. */
  readonly workers: number;
  /** Replays of journals that the main thread has done, by volume. */
  readonly replayed: ReadonlyMap<number, ReplayedJournal>;
}

export interface OpenedVolume {
  readonly facts: VolumeFacts;
  /** Null: it cannot be read; then `trouble` says why. */
  readonly filesystem: Filesystem | null;
  readonly trouble: string | null;
  /** What of its journal could not be used: the state that is shown is not the one that was written last. */
  readonly journalTrouble: readonly string[];
  /** Whether files may lie in it, read or not. */
  readonly holdsFiles: boolean;
  /** When an image's file system was last written, as its superblock and journal say; null where nothing says. */
  readonly writtenAtNs: Nanoseconds | null;
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
  const images: Image[] = [];
  try {
    for (const part of parts)
      images.push(openImageOf({ ...target, ...part }, { ...opening, workers: opening.workers * parts.length }));
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
  const replayed = new Map<number, ReplayedJournal>();
  for (const { facts: volume, filesystem } of volumes) {
    if (filesystem instanceof Ext4Filesystem && filesystem.replayed !== null)
      replayed.set(volume.index, filesystem.replayed);
  }
  const snapshots = images.flatMap(image => image.snapshots.map(snapshot => snapshot.name));
  const container = images[0]?.container ?? null;
  return { container, snapshots, volumes, facts, replayed, close: () => closeAll(images) };
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

function openVolumeOf(
  disks: readonly ByteSource[],
  volume: DiskVolume,
  target: TargetSpec,
  opening: Opening,
): OpenedVolume {
  const holdsFiles = volume.holdsFiles || isFilesystemPartition(volume);
  if (volume.trouble !== null) return unreadVolume(volume, volume.trouble, holdsFiles);
  try {
    const bytes = volumeBytes(disks, volume, `${target.name} volume ${volume.index}`);
    const filesystem = openFilesystem(bytes, volume, target, opening);
    if (filesystem !== null) {
      const writtenAtNs = newestWrite(filesystem);
      const journalTrouble = journalTroubleOf(filesystem);
      const facts = ext4Facts(volume, filesystem, journalTrouble);
      return { facts, filesystem, trouble: null, journalTrouble, holdsFiles, writtenAtNs };
    }
    const trouble = holdsFiles ? troubleOf(volume) : `${volume.kind} holds no files`;
    return unreadVolume(volume, trouble, holdsFiles);
  } catch (error) {
    if (!isAnswer(error)) throw error;
    return unreadVolume(volume, error.message, true);
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

function newestWrite({ volume, replayed }: Ext4Filesystem): Nanoseconds | null {
  const writtenNs = volume.superblock.writeTimeNs;
  const committedNs = replayed?.lastCommitNs ?? null;
  if (writtenNs === null || committedNs === null) return writtenNs ?? committedNs;
  return writtenNs > committedNs ? writtenNs : committedNs;
}

function isAnswer(error: unknown): error is Error {
  return error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError;
}

function commonFacts({ index, kind, uuid, label, disk, offset, size, facts }: DiskVolume): VolumeFacts {
  const gates = facts.map(fact => `${fact.name}: ${fact.detail}`);
  const unknown = { state: 'not examined', replayed: false, repairedAtNs: null, hot: false, log: null };
  return { index, filesystem: kind, uuid, label, offset: disk === null ? null : offset, size, ...unknown, gates };
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

function unreadVolume(volume: DiskVolume, trouble: string, holdsFiles: boolean): OpenedVolume {
  const facts = commonFacts(volume);
  return { facts, filesystem: null, trouble, journalTrouble: [], holdsFiles, writtenAtNs: null };
}

function journalTroubleOf({ notReplayed, replayed }: Ext4Filesystem): string[] {
  return notReplayed === null ? [...(replayed?.errors ?? [])] : [notReplayed];
}

/** With what was found broken at the opening, each once. */
function ext4Facts(volume: DiskVolume, filesystem: Ext4Filesystem, journalTrouble: readonly string[]): VolumeFacts {
  const { superblock, damage } = filesystem.volume;
  const { replayed } = filesystem;
  const common = commonFacts(volume);
  const broken = new Set([...journalTrouble, ...damage.facts.map(fact => fact.message)]);
  const dirty = superblock.needsRecovery || !superblock.clean;
  const state = superblock.hasErrors ? 'errors' : dirty ? 'dirty' : 'clean';
  const { lastCheckNs, mkfsTimeNs } = superblock;
  const repairedAtNs = lastCheckNs !== null && mkfsTimeNs !== null && lastCheckNs > mkfsTimeNs ? lastCheckNs : null;
  const gates = [...common.gates, ...broken];
  return { ...common, state, replayed: replayed !== null, repairedAtNs, gates };
}

/** Of a volume that is read, nothing amiss. */
const READ = { trouble: null, journalTrouble: [] } as const;

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
