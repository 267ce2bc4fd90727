// The log's word on names that lead to a directory of another name, in its own view and on the disk.

import { expect, it } from 'vitest';
import type { Entry, Filesystem } from '../../src/filesystems/filesystem.ts';
import { FormerEndCollector } from '../../src/filesystems/former-ends.ts';
import type { KnownNewest } from '../../src/filesystems/logged-state.ts';
import type { EntryType } from '../../src/model.ts';
import { parentPath } from '../../src/path.ts';
import { openJournalReference } from '../../src/references/journal.ts';

function entryOf(path: string, inode: bigint, type: EntryType = 'directory'): Entry {
  const times = { mtimeNs: 0n, ctimeNs: 0n, crtimeNs: null };
  const common = { mode: 0, uid: 0, gid: 0, sizeBytes: 0, links: 1, generation: 1, blocks512: null };
  return { path, stat: { type, inode, ...times, ...common }, direntType: type, device: 0n, mountPoint: false };
}

const again = (entry: Entry): Entry => ({ ...entry, viaSecondName: true });

/** Of these entries, the root first. Opening a file is no part of the test. */
function filesystemOf([root, ...entries]: readonly [Entry, ...Entry[]]): Filesystem {
  const refuse = (): never => {
    throw new Error('read');
  };
  const list = ({ path }: Entry) => ({ entries: entries.filter(each => parentPath(each.path) === path), fault: null });
  return { kind: 'ext4', root, list, open: refuse, readLink: refuse, close: refuse };
}

it('a name that the log’s view has beside a home exists, and no more is said of it or of what it shows', () => {
  const root = entryOf('/', 2n);
  const view = filesystemOf([
    root,
    entryOf('/home', 3n),
    entryOf('/home/file', 4n, 'file'),
    again(entryOf('/second', 3n)),
    again(entryOf('/second/file', 4n, 'file')),
    entryOf('/third', 5n),
    entryOf('/third/file', 6n, 'file'),
  ]);
  const disk = filesystemOf([
    root,
    entryOf('/home', 3n),
    entryOf('/home/file', 4n, 'file'),
    again(entryOf('/third', 5n)),
    again(entryOf('/third/file', 6n, 'file')),
  ]);
  const facts = { fromNs: 0n, toNs: 1n, holes: 0, isUndisturbed: true };
  const newest: KnownNewest = { inode: () => 'unknown', names: () => false };
  const logged = {
    ...facts,
    view,
    inodes: new Set<number>(),
    blocks: [],
    newest,
    ends: new FormerEndCollector().finish(),
  };
  const said = [...openJournalReference(logged, disk).expectations()];
  // What the disk shows by a second name is there: that file's content is as the log has it, and is not read.
  expect(said.map(({ path, type, stat }) => [path, type, stat?.inode ?? null])).toEqual([
    ['/', 'directory', 2n],
    ['/home', 'directory', 3n],
    ['/home/file', 'file', 4n],
    ['/second', 'directory', null],
    ['/third', 'directory', 5n],
    ['/third/file', 'file', 6n],
  ]);
});
