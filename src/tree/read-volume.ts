// Which reader a volume has by its kind, and what is told of a volume that is read: state, times, what of its journal is not used.

import type { ByteSource } from '../bytes/byte-source.ts';
import { cacheShareBytes } from '../bytes/cached-bytes.ts';
import { type Ext4Filesystem, openExt4 } from '../filesystems/ext4/ext4-filesystem.ts';
import type { ReplayedJournal } from '../filesystems/ext4/journal-state.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import type { ReplayedLog } from '../filesystems/xfs/log-state.ts';
import { openXfs, type XfsFilesystem } from '../filesystems/xfs/xfs-filesystem.ts';
import type { Nanoseconds, VolumeFacts } from '../model.ts';
import type { Volume } from '../volumes/find-volumes.ts';

/** What a replay in memory gave, to be shared by threads. Plain data. */
export type ReplayedVolume = ReplayedJournal | ReplayedLog;

export interface ReadOptions {
  /** Threads that open the same target: memory bounds are divided by them. */
  readonly workers: number;
  readonly replay: boolean;
  /** A replay that another thread has done. */
  readonly replayed: ReplayedVolume | undefined;
}

/** A volume's file system, and what is told of it. */
export interface ReadVolume {
  readonly filesystem: Filesystem;
  readonly facts: VolumeFacts;
  readonly replayed: ReplayedVolume | null;
  /** What of its journal could not be used: the state that is shown is not the one that was written last. */
  readonly journalTrouble: readonly string[];
  /** When it was last written, as its superblock and journal say; null where nothing says. */
  readonly writtenAtNs: Nanoseconds | null;
}

/** Null for a kind that nobody reads. Throws what the reader throws. */
export function readVolume(bytes: ByteSource, volume: Volume, options: ReadOptions): ReadVolume | null {
  if (volume.kind === 'xfs') return readXfs(bytes, volume, options);
  return ['ext2', 'ext3', 'ext4'].includes(volume.kind) ? readExt4(bytes, volume, options) : null;
}

function readExt4(bytes: ByteSource, volume: Volume, { workers, replay, replayed }: ReadOptions): ReadVolume {
  const shared = replayed === undefined || 'kind' in replayed ? {} : { replayed };
  const filesystem = openExt4(bytes, { cacheBytes: cacheShareBytes(workers), replay, ...shared });
  const { notReplayed } = filesystem;
  const journalTrouble = notReplayed === null ? [...(filesystem.replayed?.errors ?? [])] : [notReplayed];
  return {
    filesystem,
    facts: ext4Facts(volume, filesystem, journalTrouble),
    replayed: filesystem.replayed,
    journalTrouble,
    writtenAtNs: newestWrite(filesystem),
  };
}

function newestWrite({ volume, replayed }: Ext4Filesystem): Nanoseconds | null {
  const writtenNs = volume.superblock.writeTimeNs;
  const committedNs = replayed?.lastCommitNs ?? null;
  if (writtenNs === null || committedNs === null) return writtenNs ?? committedNs;
  return writtenNs > committedNs ? writtenNs : committedNs;
}

/** With what was found broken at the opening, each once. */
function ext4Facts(volume: Volume, filesystem: Ext4Filesystem, journalTrouble: readonly string[]): VolumeFacts {
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

function readXfs(bytes: ByteSource, volume: Volume, { workers, replay, replayed }: ReadOptions): ReadVolume {
  const shared = replayed !== undefined && 'kind' in replayed ? { replayed } : {};
  const filesystem = openXfs(bytes, { cacheBytes: cacheShareBytes(workers), replay, ...shared });
  const { notReplayed } = filesystem.log;
  return {
    filesystem,
    facts: xfsFacts(volume, filesystem),
    replayed: filesystem.log.replayed,
    journalTrouble: notReplayed === null ? [] : [notReplayed],
    writtenAtNs: null,
  };
}

/** With what was found broken at the opening, each once. */
function xfsFacts(volume: Volume, { log, volume: { damage, superblock } }: XfsFilesystem): VolumeFacts {
  const common = commonFacts(volume);
  const refusal = log.notReplayed === null ? [] : [log.notReplayed];
  const broken = new Set([...refusal, ...damage.facts.map(fact => fact.message)]);
  const state = superblock.features.includes('needsrepair') ? 'errors' : log.dirty === false ? 'clean' : 'dirty';
  return { ...common, state, replayed: log.replayed !== null, gates: [...common.gates, ...broken] };
}

/** What is known of any volume, read or not. */
export function commonFacts({ index, kind, uuid, label, offset, size, facts }: Volume): VolumeFacts {
  const gates = facts.map(fact => `${fact.name}: ${fact.detail}`);
  const unknown = { state: 'not examined', replayed: false, repairedAtNs: null, hot: false, log: null };
  return { index, filesystem: kind, uuid, label, offset, size, ...unknown, gates };
}
