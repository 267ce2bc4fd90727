// Bytes after a file's end in its last block: the kernel zeroes them when it writes the block, so others are of another day
// of the block or of the inode. Only a file system in an image shows them. Needs no reference.

import { unlessRefused } from '../src/errors.ts';
import type { Entry, Filesystem } from '../src/filesystems/filesystem.ts';
import type { Observation } from '../src/model.ts';

export function slackOf(filesystem: Filesystem, entry: Entry): Observation[] {
  const rest = bytesAfterEnd(filesystem, entry);
  const first = rest?.findIndex(byte => byte !== 0) ?? -1;
  if (rest === null || first < 0) return [];
  const { sizeBytes } = entry.stat;
  const end = rest.findLastIndex(byte => byte !== 0) + 1;
  const detail = `After the end of the file, its last block goes on with ${end - first} bytes that are not zero.`;
  const ranges = [{ offset: sizeBytes + first, length: end - first }];
  return [{ scanner: 'slack', rule: 'bytes-after-end', path: entry.path, supports: true, detail, ranges }];
}

/** Null where there are none to see; what is broken or refused there, the reading of the file has told. */
function bytesAfterEnd(filesystem: Filesystem, entry: Entry): Uint8Array | null {
  return unlessRefused(() => filesystem.bytesAfterEnd?.(entry) ?? null);
}
