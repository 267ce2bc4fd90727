// What every Filesystem owes its readers. Each implementation runs it over a tree that this suite makes, by whatever way it can
// get at such a tree: as it lies, or copied into an image. Expected values come from the tree as it lies.

import {
  chmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReadError } from '../../src/errors.ts';
import type { Entry, Filesystem, LostEntry } from '../../src/filesystems/filesystem.ts';

export interface OpenedTree {
  readonly filesystem: Filesystem;
  /** Undoes what opening took. */
  close?(): void;
}

/** In the order of their bytes; the last two are no UTF-8. */
const NAMES = ['-dash', 'A', 'Z', 'a', 'a\nb', 'a b', 'ab', '~', '\xc3\xbc', '\xfe', '\xff'];
const BIG = 300_000;

/** Registers the suite. `open` gets a directory's path on the host, and is called once. */
export function filesystemContract(name: string, open: (root: string) => OpenedTree): void {
  describe(`${name} as a Filesystem`, () => {
    let root: string;
    let opened: OpenedTree;
    let filesystem: Filesystem;
    beforeAll(() => {
      root = mkdtempSync(join(tmpdir(), 'lw-filesystem-contract-'));
      makeTree(root);
      opened = open(root);
      filesystem = opened.filesystem;
    });
    afterAll(() => {
      filesystem.close();
      opened.close?.();
      rmSync(root, { recursive: true });
    });

    const entries = (directory: Entry) =>
      [...filesystem.list(directory).entries].filter(({ path }) => path !== '/lost+found');
    function find(path: string): Entry {
      let entry: Entry | LostEntry = filesystem.root;
      for (const part of path.split('/').filter(part => part !== '')) {
        const child: Entry | LostEntry | undefined = entries(entry as Entry).find(candidate =>
          candidate.path.endsWith(`/${part}`),
        );
        if (child === undefined || child.stat === null) throw new Error(`no ${path}`);
        entry = child;
      }
      return entry as Entry;
    }

    it('begins at "/", a directory', () => {
      expect([filesystem.root.path, filesystem.root.stat.type]).toEqual(['/', 'directory']);
      expect(filesystem.kind).not.toBe('');
    });

    it('lists names in the order of their bytes, without "." and ".."', () => {
      const listing = filesystem.list(find('/names'));
      expect(listing.fault).toBe(null);
      expect([...listing.entries].map(({ path }) => path)).toEqual(NAMES.map(part => `/names/${part}`));
    });

    it('lists the same again', () => {
      expect(entries(filesystem.root)).toEqual(entries(filesystem.root));
      expect(entries(filesystem.root).map(({ path }) => path)).toEqual([
        '/big',
        '/dir',
        '/empty',
        '/file',
        '/hard',
        '/holes',
        '/link',
        '/names',
        '/odd-link',
      ]);
    });

    it('lists an empty directory as empty', () => {
      expect(filesystem.list(find('/empty'))).toMatchObject({ fault: null });
      expect(entries(find('/empty'))).toEqual([]);
    });

    it('tells of each entry what its inode says', () => {
      for (const path of ['/big', '/dir', '/dir/below', '/file', '/link', '/holes']) {
        const stats = lstatSync(root + path, { bigint: true });
        const { stat, direntType, mountPoint } = find(path);
        expect({ path, ...stat }).toMatchObject({
          path,
          mode: Number(stats.mode) & 0o7777,
          uid: Number(stats.uid),
          gid: Number(stats.gid),
          links: Number(stats.nlink),
          mtimeNs: stats.mtimeNs,
          ...(stats.isDirectory() ? {} : { sizeBytes: Number(stats.size) }),
        });
        expect(mountPoint).toBe(false);
        expect([null, stat.type]).toContain(direntType);
      }
    });

    it('gives two names of one inode the same number', () => {
      expect(find('/hard').stat.inode).toBe(find('/file').stat.inode);
      expect(find('/hard').stat.links).toBe(2);
      expect(find('/big').stat.inode).not.toBe(find('/file').stat.inode);
    });

    it('reads files by position, short only at their end', () => {
      for (const path of ['/big', '/file', '/holes', '/dir/below']) {
        const expected = readFileSync(root + path);
        const file = filesystem.open(find(path));
        expect([file.size, file.stat().sizeBytes]).toEqual([expected.length, expected.length]);
        for (const [at, length] of [
          [0, 10],
          [1, 5000],
          [4090, 20],
          [expected.length - 7, 100],
          [expected.length, 5],
          [2 ** 40, 5],
          [0, BIG + 9],
        ] as const) {
          if (at < 0) continue;
          const into = new Uint8Array(length);
          const count = file.read(into, at);
          expect([path, at, count]).toEqual([path, at, Math.max(0, Math.min(length, expected.length - at))]);
          expect(Buffer.compare(into.subarray(0, count), expected.subarray(at, at + count))).toBe(0);
        }
        file.close();
      }
    });

    it('never steps over data', () => {
      const expected = readFileSync(`${root}/holes`);
      const file = filesystem.open(find('/holes'));
      for (let at = 0; at < file.size; at += 5000) {
        const next = file.nextData?.(at) ?? at;
        expect(next).toBeGreaterThanOrEqual(at);
        expect(expected.subarray(at, next).every(byte => byte === 0)).toBe(true);
      }
      file.close();
    });

    it('reads symlinks, whatever their bytes', () => {
      expect(filesystem.readLink(find('/link'))).toBe('file');
      expect(filesystem.readLink(find('/odd-link'))).toBe('no\nsuch/\xff');
    });

    it('lists nothing below what is no directory, and says why', () => {
      const listing = filesystem.list(find('/file'));
      expect([...listing.entries]).toEqual([]);
      expect(listing.fault?.code).toBe('ENOTDIR');
    });

    it('refuses to read what is no symlink', () => {
      expect(() => filesystem.readLink(find('/file'))).toThrow(ReadError);
    });

    it('tells extents in order, within the file system', () => {
      const extents = [...(filesystem.extents?.(find('/big')) ?? [])];
      let end = 0;
      for (const { logical, physical, length } of extents) {
        expect(logical).toBeGreaterThanOrEqual(end);
        expect(Math.min(physical, length)).toBeGreaterThan(0);
        end = logical + length;
      }
      if (filesystem.extents !== undefined) expect(end).toBeGreaterThanOrEqual(BIG);
    });
  });
}

function makeTree(root: string): void {
  mkdirSync(`${root}/names`);
  for (const name of NAMES) writeFileSync(Buffer.from(`${root}/names/${name}`, 'latin1'), name);
  mkdirSync(`${root}/empty`);
  mkdirSync(`${root}/dir`);
  writeFileSync(`${root}/dir/below`, 'below');
  writeFileSync(`${root}/file`, 'a file with two names');
  linkSync(`${root}/file`, `${root}/hard`);
  writeFileSync(
    `${root}/big`,
    Buffer.from(Array.from({ length: BIG }, (_, index) => (index * 31 + (index >> 9)) & 0xff)),
  );
  const holes = Buffer.alloc(200_000);
  holes.fill(7, 80_000, 90_000);
  holes.fill(9, 199_000);
  writeFileSync(`${root}/holes`, holes);
  symlinkSync('file', `${root}/link`);
  symlinkSync(Buffer.from('no\nsuch/\xff', 'latin1'), `${root}/odd-link`);
  for (const link of ['/link', '/odd-link']) lutimesSync(root + link, 1_300_000_000, 1_300_000_000);
  chmodSync(`${root}/file`, 0o4751);
  utimesSync(`${root}/big`, 1_234_567_890, 1_234_567_890);
  for (const path of ['/dir', '/dir/below', '/file', '/holes', '/empty'])
    utimesSync(root + path, 1_400_000_000, 1_400_000_000);
}
