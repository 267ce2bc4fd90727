import { expect, test } from 'vitest';
import type { Entry, Filesystem } from '../../src/filesystems/filesystem.ts';
import type { Stat } from '../../src/model.ts';
import { readRecords } from '../../src/tree/entry-record.ts';
import { walkSubtree } from '../../src/tree/walk.ts';

function entryOf(path: string, type: Stat['type'], inode: bigint): Entry {
  const times = { mtimeNs: 0n, ctimeNs: 0n, crtimeNs: null };
  const stat = {
    type,
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    links: 1,
    inode,
    generation: null,
    blocks512: 0,
    ...times,
  };
  return { path, stat, direntType: type, device: 0n, mountPoint: false };
}

test('a name that a damaged directory lists twice is walked once, as its first entry', () => {
  const root = entryOf('/', 'directory', 2n);
  const entries = [entryOf('/a', 'file', 11n), entryOf('/a', 'file', 12n), entryOf('/b', 'file', 13n)];
  const filesystem: Filesystem = {
    kind: 'test',
    root,
    list: () => ({ entries, fault: null }),
    open: () => expect.fail('nothing is opened'),
    readLink: () => expect.fail('nothing is read'),
    close: () => undefined,
  };
  const options = { budget: 100, selection: { includes: () => true }, crossMounts: false, cancelled: () => false };
  const walked = walkSubtree(filesystem, root, options);
  const records = walked.parts.flatMap(part => [...readRecords(part)]);
  expect(records.map(({ name, stat }) => [name, stat?.inode])).toEqual([
    ['', 2n],
    ['a', 11n],
    ['b', 13n],
  ]);
});
