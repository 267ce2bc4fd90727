// Whether a volume's log holds what was not written home, and then the replay of it in memory: the state that a mount would give.
// A log that holds work that was begun and not done is not replayed: a mount would finish that work first.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { UnsupportedError } from '../../errors.ts';
import { type BlockOverlay, makeOverlay, OverlaidBytes } from '../block-overlay.ts';
import { Log } from './log.ts';
import { findEnds, type LogEnds } from './log-head.ts';
import { replay, survey } from './log-replay.ts';
import { records, transactions } from './log-transactions.ts';
import { ReplayDisk, SECTOR_BYTES } from './replay-disk.ts';
import { type VolumeOptions, XfsVolume } from './volume.ts';

/** Plain data that crosses threads: what a replay found. */
export interface ReplayedLog {
  readonly kind: 'xfs';
  readonly overlay: BlockOverlay;
  readonly transactions: number;
  readonly buffers: number;
  readonly inodes: number;
  /** Items passed over because their blocks were freed later. */
  readonly cancelled: number;
  /** LSN of the last record, and of the first that was replayed. */
  readonly lastLsn: bigint | null;
  readonly tailLsn: bigint | null;
}

/** Throws UnsupportedError for a log on another device, DamageError, ReadError. */
export function logEnds(volume: XfsVolume): LogEnds {
  return findEnds(new Log(volume));
}

/** Throws DamageError, ReadError, UnsupportedError: then the state without it is all there is. */
export function replayLog(volume: XfsVolume, ends: LogEnds): ReplayedLog {
  const log = new Log(volume);
  const committed = () => transactions(records(log, ends, volume.superblock.raw.uuid));
  const found = survey(committed());
  if (found.open.length > 0) {
    const what = [...new Set(found.open)].join(', ');
    throw new UnsupportedError(`XFS: its log holds work that was not finished (${found.open.length}: ${what})`);
  }
  const disk = new ReplayDisk(volume.source);
  const counts = replay(committed(), found, disk, volume.superblock);
  const overlay = makeOverlay(SECTOR_BYTES, disk.overlaid());
  return { kind: 'xfs', overlay, ...counts, lastLsn: ends.lastLsn, tailLsn: ends.tailLsn };
}

/** The volume as a mount would show it. */
export function replayedVolume(
  source: ByteSource,
  { overlay }: Pick<ReplayedLog, 'overlay'>,
  options: VolumeOptions,
): XfsVolume {
  return new XfsVolume(new OverlaidBytes(source, overlay), options);
}
