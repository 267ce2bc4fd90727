// Finds a volume's journal and, when it has not been checkpointed, replays it in memory: the state that a mount would give.
// Orphans are left as they are: a mount would delete inodes without names and cut off blocks beyond the ends of truncated files,
// which no path shows, but which blocks512 and the allocation bitmaps do.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { DamageError, UnsupportedError } from '../../errors.ts';
import type { Nanoseconds } from '../../model.ts';
import { type BlockMap, type BlockRun, writtenBlock } from '../block-map.ts';
import { type BlockOverlay, makeOverlay, type OverlaidBlock, OverlaidBytes } from '../block-overlay.ts';
import { type FastCommits, readFastCommits } from './fast-commit.ts';
import { applyFastCommits, type FastCommitPatches } from './fast-commit-state.ts';
import { checkInode } from './inode-check.ts';
import { Journal } from './journal.ts';
import { JOURNAL_INCOMPAT } from './journal-layout.ts';
import { type ReplayedLog, replayLog } from './journal-replay.ts';
import { formatUuid } from './superblock.ts';
import { Ext4Volume } from './volume.ts';

/** A volume's journal, wherever it is. */
export interface OpenJournal {
  readonly journal: Journal;
  /** The source that `placeOf` gives offsets of. */
  readonly source: ByteSource;
  /** Byte offset of a block of the log; null where the journal's map has none. */
  placeOf(logBlock: number): number | null;
  /** Blocks of the volume that the journal fills; empty for an external one. */
  readonly runs: readonly BlockRun[];
}

/** Plain data that crosses threads: what a replay found. */
export interface ReplayedJournal {
  readonly overlay: BlockOverlay;
  readonly patches: FastCommitPatches | null;
  readonly firstSequence: number;
  /** One after the last transaction that was replayed. */
  readonly endSequence: number;
  readonly fastCommits: number;
  readonly revokedCopies: number;
  readonly lastCommitNs: Nanoseconds | null;
  /** Why a mount would be refused; what could be replayed is. */
  readonly errors: readonly string[];
}

/** Null when the volume has none. Throws DamageError, UnsupportedError, ReadError when it cannot be had. */
export function openJournal(volume: Ext4Volume, external: ByteSource | null): OpenJournal | null {
  const { superblock } = volume;
  if (superblock.journalInode !== 0) return journalInInode(volume);
  if (superblock.raw.journalDevice === 0) return null;
  if (external !== null) return journalOnDevice(volume, external);
  throw new UnsupportedError(`ext4: its journal is on another device (uuid ${superblock.journalUuid})`);
}

function journalInInode(volume: Ext4Volume): OpenJournal {
  const inode = volume.rawInode(volume.superblock.journalInode);
  checkInode(inode, volume.superblock, volume);
  const map = volume.blockMap(inode);
  const journal = new Journal(volume.content(inode, `${volume.source.name} (journal)`), volume.blockSize);
  return { journal, source: volume.source, placeOf: block => placeIn(map, block, volume.blockSize), runs: map.runs };
}

/** Its own superblock, of ext4's kind, is at 1024; the log's is in the next block. */
function journalOnDevice(volume: Ext4Volume, device: ByteSource): OpenJournal {
  const uuid = new Uint8Array(16);
  device.read(uuid, 1024 + 0x68);
  if (formatUuid(uuid) !== volume.superblock.journalUuid) {
    throw new DamageError('external journal s_uuid', 1024 + 0x68, formatUuid(uuid), volume.superblock.journalUuid);
  }
  const { blockSize } = volume;
  const journal = new Journal(device, blockSize, Math.floor(1024 / blockSize) + 1);
  return { journal, source: device, placeOf: block => block * blockSize, runs: [] };
}

function placeIn(map: BlockMap, block: number, blockSize: number): number | null {
  const place = writtenBlock(map, block);
  return place === null ? null : place * blockSize;
}

/** Throws what openJournal throws. */
export function replayJournal(volume: Ext4Volume, external: ByteSource | null): ReplayedJournal | null {
  const opened = openJournal(volume, external);
  if (opened === null) return null;
  const log = replayLog(opened.journal, volume.superblock.blocksCount);
  const blocks = overlaidBlocks(log, opened);
  const overlay = makeOverlay(volume.blockSize, blocks);
  const fast = fastCommitsOf(opened.journal, log, volume);
  const errors = fast?.error ? [...log.errors, fast.error] : log.errors;
  const replayed = {
    overlay,
    patches: null,
    firstSequence: log.firstSequence,
    endSequence: log.endSequence,
    fastCommits: fast?.commits ?? 0,
    revokedCopies: log.revokedCopies,
    lastCommitNs: log.lastCommitNs,
    errors: errors.map(error => error.message),
  };
  return fast === null || fast.changes.length === 0
    ? replayed
    : withFastCommits(volume, opened, replayed, blocks, fast);
}

function overlaidBlocks(log: ReplayedLog, opened: OpenJournal): OverlaidBlock[] {
  const blocks: OverlaidBlock[] = [];
  for (const [block, { logBlock, escaped }] of log.copies) {
    const place = opened.placeOf(logBlock);
    // A log block in a hole of the journal was read as zeros.
    blocks.push({ block, content: place ?? new Uint8Array(opened.journal.blockSize), escaped });
  }
  return blocks;
}

function fastCommitsOf(journal: Journal, log: ReplayedLog, volume: Ext4Volume): FastCommits | null {
  if (!journal.has(JOURNAL_INCOMPAT.fastCommit) || journal.raw.start === 0) return null;
  return readFastCommits(journal, log.endSequence, volume.superblock.inodeSize);
}

function withFastCommits(
  volume: Ext4Volume,
  opened: OpenJournal,
  replayed: ReplayedJournal,
  blocks: readonly OverlaidBlock[],
  fast: FastCommits,
): ReplayedJournal {
  const source = new OverlaidBytes(volume.source, replayed.overlay, opened.source);
  const logged = new Ext4Volume(source, { damage: volume.damage });
  const { patches, slots, error } = applyFastCommits(logged, fast.changes);
  const made = tableBlocks(logged, slots);
  const untouched = blocks.filter(({ block }) => !made.has(block));
  const changed = [...made].map(([block, content]) => ({ block, content, escaped: false }));
  return {
    ...replayed,
    overlay: makeOverlay(volume.blockSize, [...untouched, ...changed]),
    patches,
    errors: error === null ? replayed.errors : [...replayed.errors, error.message],
  };
}

/** The inode table's blocks with the changed slots in them. */
function tableBlocks(volume: Ext4Volume, slots: ReadonlyMap<number, Uint8Array>): Map<number, Uint8Array> {
  const blocks = new Map<number, Uint8Array>();
  for (const [number, slot] of slots) {
    const location = volume.inodeLocation(number);
    const at = location % volume.blockSize;
    const block = (location - at) / volume.blockSize;
    const content = blocks.get(block) ?? volume.readBlock(block).slice();
    content.set(slot, at);
    blocks.set(block, content);
  }
  return blocks;
}

/** The volume as a mount would show it. @param external an external journal's device, when the places are its offsets. */
export function replayedVolume(
  source: ByteSource,
  replayed: ReplayedJournal,
  external: ByteSource | null,
  options: { readonly cacheBytes?: number } = {},
): Ext4Volume {
  const overlaid = new OverlaidBytes(source, replayed.overlay, external ?? source);
  return new Ext4Volume(overlaid, { ...options, patches: replayed.patches });
}
