// What is told of a volume: where it lies, its state, what is amiss with it. Opens nothing.

import type { Ext4Filesystem } from '../filesystems/ext4/ext4-filesystem.ts';
import type { XfsFilesystem } from '../filesystems/xfs/xfs-filesystem.ts';
import type { Nanoseconds, VolumeFacts } from '../model.ts';
import type { DiskVolume } from '../volumes/survey-disks.ts';

export interface ToldVolume {
  readonly facts: VolumeFacts;
  /** Why it cannot be read; null for one that is read. */
  readonly trouble: string | null;
  /** What of its journal could not be used: the state that is shown is not the one that was written last. */
  readonly journalTrouble: readonly string[];
  /** Whether files may lie in it, read or not. */
  readonly holdsFiles: boolean;
  /** When an image's file system was last written, as its superblock and journal say; null where nothing says. */
  readonly writtenAtNs: Nanoseconds | null;
}

/** A directory as a target: what a mounted tree tells of its file system. */
export const MOUNTED_TREE: ToldVolume = {
  facts: {
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
  },
  trouble: null,
  journalTrouble: [],
  holdsFiles: true,
  writtenAtNs: null,
};

/** A volume whose file system was opened. */
export function tellRead(volume: DiskVolume, filesystem: Ext4Filesystem | XfsFilesystem): ToldVolume {
  if (filesystem.kind === 'xfs') return tellXfs(volume, filesystem);
  const journalTrouble = journalTroubleOf(filesystem);
  const facts = ext4Facts(volume, filesystem, journalTrouble);
  return { facts, trouble: null, journalTrouble, holdsFiles: true, writtenAtNs: newestWrite(filesystem) };
}

/** @param refusal what opening its file system met; null: it was not opened, or there is none that is read. */
export function tellUnread(volume: DiskVolume, refusal: string | null): ToldVolume {
  const holdsFiles = refusal !== null || volume.holdsFiles || isFilesystemPartition(volume);
  const trouble = refusal ?? volume.trouble ?? (holdsFiles ? troubleOf(volume) : `${volume.kind} holds no files`);
  return { facts: commonFacts(volume), trouble, journalTrouble: [], holdsFiles, writtenAtNs: null };
}

function newestWrite({ volume, replayed }: Ext4Filesystem): Nanoseconds | null {
  const writtenNs = volume.superblock.writeTimeNs;
  const committedNs = replayed?.lastCommitNs ?? null;
  if (writtenNs === null || committedNs === null) return writtenNs ?? committedNs;
  return writtenNs > committedNs ? writtenNs : committedNs;
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

function isFilesystemPartition({ kind, partition }: DiskVolume): boolean {
  return kind === 'unknown' && partition !== null && FILESYSTEM_TYPES.has(partition.type);
}

function troubleOf(volume: DiskVolume): string {
  if (volume.kind !== 'unknown') return `${volume.kind} is not read`;
  return 'a partition for a Linux file system in which none is recognised (its superblock may be lost)';
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

/** Its superblock keeps no times. */
function tellXfs(volume: DiskVolume, filesystem: XfsFilesystem): ToldVolume {
  const { isDirty, notReplayed, replayed } = filesystem;
  const { damage, superblock } = filesystem.volume;
  const common = commonFacts(volume);
  const journalTrouble = notReplayed === null ? [] : [notReplayed];
  const broken = new Set([...journalTrouble, ...damage.facts.map(fact => fact.message)]);
  const state = superblock.features.includes('needsrepair') ? 'errors' : isDirty === false ? 'clean' : 'dirty';
  const facts = { ...common, state, replayed: replayed !== null, gates: [...common.gates, ...broken] };
  return { facts, trouble: null, journalTrouble, holdsFiles: true, writtenAtNs: null };
}
