// Files beside the inspected one, through the worker's own file system: a mounted tree and an image alike. Nothing is asked
// before a scanner does.

import { faultOf } from '../src/filesystems/fault.ts';
import type { Entry, Filesystem, LostEntry } from '../src/filesystems/filesystem.ts';
import type { BytePath } from '../src/model.ts';
import { PathResolver } from '../src/tree/resolve-path.ts';
import type { Siblings } from './scanner.ts';

export function siblingsOf(filesystem: Filesystem, path: BytePath): Siblings {
  return {
    first(suffix, count) {
      try {
        return firstBytes(filesystem, `${path}${suffix}`, count);
      } catch (error) {
        return faultOf(error).kind === 'absent' ? null : 'unreadable';
      }
    },
  };
}

function firstBytes(filesystem: Filesystem, path: BytePath, count: number): Uint8Array | null | 'unreadable' {
  const entry = entryAt(filesystem, path);
  if (entry === null) return null;
  if (entry.stat === null) return entry.fault.kind === 'absent' ? null : 'unreadable';
  if (entry.stat.type !== 'file') return null;
  const file = filesystem.open(entry);
  try {
    const bytes = new Uint8Array(count);
    return bytes.subarray(0, file.read(bytes, 0));
  } finally {
    file.close();
  }
}

function entryAt(filesystem: Filesystem, path: BytePath): Entry | LostEntry | null {
  return filesystem.lookUp === undefined ? new PathResolver(filesystem).entry(path) : filesystem.lookUp(path);
}
