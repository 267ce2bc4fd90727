// Files that are no images of their own, for another file beside them is: pieces of a split image, extents of a VMDK.

import { extname } from 'node:path';
import { firstPieceOf } from '../bytes/split-image.ts';
import { extentFiles } from '../bytes/vmdk/extent-files.ts';

/** Those of these files (absolute paths) that belong to another one of them. Only descriptors are read, no disks. */
export function piecesAmong(paths: readonly string[]): ReadonlySet<string> {
  const all = new Set(paths);
  const pieces = new Set<string>();
  for (const path of paths) {
    const first = firstPieceOf(path);
    if (first !== null && all.has(first)) pieces.add(path);
    if (extname(path).toLowerCase() !== '.vmdk') continue;
    for (const extent of extentFiles(path)) if (extent !== path) pieces.add(extent);
  }
  return pieces;
}
