// Every entry of a file system, in tree order.

import type { Entry, Filesystem } from '../../../src/filesystems/filesystem.ts';

export function* walkEntries(filesystem: Filesystem, directory = filesystem.root): Iterable<Entry> {
  for (const entry of filesystem.list(directory).entries) {
    if (entry.stat === null) continue;
    yield entry;
    if (entry.stat.type === 'directory') yield* walkEntries(filesystem, entry);
  }
}
