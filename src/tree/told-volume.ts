// What is told of a volume: where it lies, its state, what is amiss with it. Opens nothing.

import type { Ext4Filesystem } from '../filesystems/ext4/ext4-filesystem.ts';
import type { XfsFilesystem } from '../filesystems/xfs/xfs-filesystem.ts';
import type { Nanoseconds, VolumeFacts } from '../model.ts';
import type { DiskVolume } from '../volumes/survey-disks.ts';

export interface ToldVolume {
  readonly facts: VolumeFacts;
  /** Which partition it is, in words; null where there is no partition table. */
  readonly partition: string | null;
  /** Why it cannot be read; null for one that is read. */
  readonly trouble: string | null;
  /** What of its journal could not be used: the state that is shown is not the one that was written last. */
  readonly journalTrouble: readonly string[];
  /** How much of the file system, as its superblock counts, lies beyond the end of the volume. */
  readonly missingBytes: number;
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
  partition: null,
  trouble: null,
  journalTrouble: [],
  missingBytes: 0,
  holdsFiles: true,
  writtenAtNs: null,
};

/** A volume whose file system was opened. */
export function tellRead(volume: DiskVolume, filesystem: Ext4Filesystem | XfsFilesystem): ToldVolume {
  if (filesystem.kind === 'xfs') return tellXfs(volume, filesystem);
  const journalTrouble = journalTroubleOf(filesystem);
  const facts = ext4Facts(volume, filesystem, journalTrouble);
  const missingBytes = missingBytesOf(filesystem);
  return { ...told(volume, facts), journalTrouble, missingBytes, writtenAtNs: newestWrite(filesystem) };
}

/** @param refusal what opening its file system met; null: it was not opened, or there is none that is read. */
export function tellUnread(volume: DiskVolume, refusal: string | null): ToldVolume {
  const holdsFiles = refusal !== null || volume.holdsFiles;
  const trouble = refusal ?? volume.trouble ?? `${volume.kind} ${holdsFiles ? 'is not read' : 'holds no files'}`;
  return { ...told(volume, commonFacts(volume)), trouble, holdsFiles };
}

/** Of a volume that is read and has no journal to tell of. */
function told({ partition }: DiskVolume, facts: VolumeFacts): ToldVolume {
  const nothing = { trouble: null, journalTrouble: [], missingBytes: 0, writtenAtNs: null };
  return { facts, partition: partition === null ? null : partitionWords(partition), holdsFiles: true, ...nothing };
}

function partitionWords({ number, scheme, type, typeName, name }: NonNullable<DiskVolume['partition']>): string {
  const kind = typeName ?? `type ${type}`;
  return `${number} of the ${scheme.toUpperCase()}, ${kind}${name === '' || name === kind ? '' : `, "${name}"`}`;
}

function missingBytesOf({ volume: { source, superblock } }: Ext4Filesystem | XfsFilesystem): number {
  return Math.max(0, superblock.blocksCount * superblock.blockSize - source.size);
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
  const missingBytes = missingBytesOf(filesystem);
  return { ...told(volume, facts), journalTrouble, missingBytes };
}
