// A tree that changes between the listing and what is done with it: never a hang, never damage.

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ReadError } from '../../src/errors.ts';
import { faultOf } from '../../src/filesystems/fault.ts';
import type { Entry, Filesystem, LostEntry } from '../../src/filesystems/filesystem.ts';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import { SecondLook } from '../../src/filesystems/host/name-records.ts';

let root = '';
let host: Filesystem;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lwr-races-'));
  host = openHostFilesystem(root);
});
afterEach(() => rmSync(root, { recursive: true }));

function entries(directory: Entry): (Entry | LostEntry)[] {
  return [...host.list(directory).entries];
}

function entryOf(name: string): Entry {
  const found = entries(host.root).find(entry => entry.path === `/${name}`);
  if (found === undefined || found.stat === null) throw new Error(`${name} is not listed`);
  return found;
}

function codeOfOpening(file: Entry): string {
  try {
    host.open(file).close();
    return 'opened';
  } catch (error) {
    if (error instanceof ReadError) return `${error.code} ${faultOf(error).kind}`;
    throw error;
  }
}

describe('a file that is no longer what was listed', () => {
  let listed: Entry;
  beforeEach(() => {
    writeFileSync(join(root, 'file'), 'content');
    listed = entryOf('file');
    linkSync(join(root, 'file'), join(root, 'kept')); // So that its inode number is not given away.
    rmSync(join(root, 'file'));
  });

  test('gone: absent', () => {
    expect(codeOfOpening(listed)).toBe('ENOENT absent');
  });

  test('another file: stale', () => {
    writeFileSync(join(root, 'file'), 'content');
    expect(codeOfOpening(listed)).toBe('ESTALE absent');
  });

  test('a symlink, even one to the file itself: not followed', () => {
    symlinkSync('kept', join(root, 'file'));
    expect(codeOfOpening(listed)).toBe('ESTALE absent');
  });

  test('a FIFO that nobody writes to: no hang', () => {
    execFileSync('mkfifo', [join(root, 'file')]);
    expect(codeOfOpening(listed)).toBe('ESTALE absent');
  });

  test('a FIFO with the inode number of the file', () => {
    execFileSync('mkfifo', [join(root, 'file')]);
    const fifo = entryOf('file');
    expect(codeOfOpening({ ...listed, stat: { ...listed.stat, inode: fifo.stat.inode } })).toBe('ESTALE absent');
  });

  test('a socket: not opened', () => {
    const script = `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(join(root, 'file'))})`;
    execFileSync('python3', ['-c', script]);
    expect(codeOfOpening(listed)).toBe('ESTALE absent');
  });

  test('a directory: stale', () => {
    mkdirSync(join(root, 'file'));
    expect(codeOfOpening(listed)).toBe('ESTALE absent');
  });
});

describe('a directory that changes while it is listed', () => {
  test('names deleted before they are looked up are told of as absent, not as damage', () => {
    for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(root, name), name);
    const listing = host.list(host.root).entries;
    rmSync(join(root, 'b'));
    rmSync(join(root, 'c'));
    expect([...listing].map(entry => [entry.path, entry.stat === null ? entry.fault.kind : 'there'])).toEqual([
      ['/a', 'there'],
      ['/b', 'absent'],
      ['/c', 'absent'],
      ['/d', 'there'],
    ]);
  });

  test('a name that is deleted and made again is looked up', () => {
    writeFileSync(join(root, 'a'), 'a');
    const listing = host.list(host.root).entries;
    rmSync(join(root, 'a'));
    writeFileSync(join(root, 'a'), 'longer');
    expect([...listing].map(entry => entry.stat?.sizeBytes)).toEqual([6]);
  });

  test('when the whole directory goes, its names are absent', () => {
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/a'), 'a');
    const listing = host.list(entryOf('d')).entries;
    rmSync(join(root, 'd'), { recursive: true });
    expect([...listing].map(entry => [entry.path, entry.stat === null ? entry.fault.kind : 'there'])).toEqual([
      ['/d/a', 'absent'],
    ]);
  });

  test('one that a symlink has replaced is not listed', () => {
    mkdirSync(join(root, 'd'));
    mkdirSync(join(root, 'elsewhere'));
    writeFileSync(join(root, 'elsewhere/secret'), 's');
    const directory = entryOf('d');
    renameSync(join(root, 'd'), join(root, 'moved'));
    symlinkSync('elsewhere', join(root, 'd'));
    const { entries: listed, fault } = host.list(directory);
    expect([...listed]).toEqual([]);
    expect(fault).toEqual({ kind: 'absent', code: 'ESTALE', message: 'it has become another file (ESTALE)' });
  });
});

describe('the second look at a name that leads nowhere', () => {
  const readings = (...lists: string[][]) => {
    let count = 0;
    const look = new SecondLook(() => (lists[count++] ?? []).map(name => ({ name, type: null })));
    return { look, count: () => count };
  };

  test('a name that is no longer listed was deleted; one reading answers for all of them', () => {
    const { look, count } = readings(['c']);
    expect([look.lists('a'), look.lists('b'), look.lists('c')]).toEqual([false, false, true]);
    expect(count()).toBe(1);
  });

  test('a name that is listed once more leads nowhere', () => {
    const { look } = readings(['a'], ['a']);
    expect([look.lists('a'), look.listsStill('a')]).toEqual([true, true]);
  });
});
