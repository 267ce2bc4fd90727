// From node's BigIntStats to the model's Stat. The inode's generation number needs an ioctl that Node does not have.

import { type BigIntStats, constants } from 'node:fs';
import type { EntryType, Stat } from '../../model.ts';

const TYPE_OF_FORMAT = new Map<number, EntryType>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'directory'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
  [constants.S_IFCHR, 'character-device'],
  [constants.S_IFBLK, 'block-device'],
]);

/** A mode's file type; a mode of no known type (damage) counts as a regular file, as the kernel shows it. */
function typeOfMode(mode: number): EntryType {
  return TYPE_OF_FORMAT.get(mode & constants.S_IFMT) ?? 'file';
}

export function statOfHost(stats: BigIntStats): Stat {
  const mode = Number(stats.mode);
  return {
    type: typeOfMode(mode),
    mode: mode & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    sizeBytes: Number(stats.size),
    links: Number(stats.nlink),
    inode: stats.ino,
    generation: null,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    crtimeNs: stats.birthtimeNs === 0n ? null : stats.birthtimeNs,
    blocks512: Number(stats.blocks),
  };
}
