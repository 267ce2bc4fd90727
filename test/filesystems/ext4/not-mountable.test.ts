// Formats that a kernel may not mount: filled by mke2fs from a tree, flags set by debugfs. The oracle is what debugfs shows of
// every inode, name and byte, and beside it the tree. And encrypted directories, where the kernel can make them: it is the oracle.

import { createHash } from 'node:crypto';
import {
  chownSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { UnsupportedError } from '../../../src/errors.ts';
import { type Ext4Filesystem, openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import { detectExt4 } from '../../../src/filesystems/ext4/superblock.ts';
import type { Entry } from '../../../src/filesystems/filesystem.ts';
import { stateOfDebugfs } from './debugfs-state.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';
import { stateOfFilesystem } from './mount-state.ts';
import { pattern } from './populate.ts';

const reason = whyNoMount();
if (reason !== null) process.stderr.write(`not-mountable.test.ts skipped: ${reason}\n`);
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

/** mke2fs options, and debugfs commands on the image. */
const FORMATS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['casefold', ['-O', 'casefold', '-E', 'encoding=utf8'], ['sif /Dir flags 0x40080000', 'sif /crowd flags 0x40080000']],
  ['verity', ['-O', 'verity'], ['sif /Dir/file flags 0x180000']],
  ['blocks of 64 KiB', ['-b', '65536'], []],
  ['blocks of 16 KiB', ['-b', '16384'], []],
  ['quota', ['-O', 'quota,project'], []],
  ['quota, 1 KiB blocks, inline data', ['-b', '1024', '-O', 'quota,inline_data'], []],
  ['multi-mount protection', ['-O', 'mmp'], []],
];

describe.skipIf(reason !== null)('a format that not every kernel mounts', () => {
  const scratch = scratchDirectory();
  const tree = `${scratch.path}/tree`;
  const image = `${scratch.path}/image`;
  beforeAll(() => makeTree(tree));
  afterAll(() => scratch.remove());

  it.each(FORMATS)('reads as the tree that it was filled from: %s', (_name, options, commands) => {
    expect(makeImage(image, 64 * 2 ** 20, ['-t', 'ext4', '-d', tree, ...options])).toBe(true);
    if (commands.length > 0) run('debugfs', ['-w', '-f', '-', image], commands.join('\n'));
    const source = openFileBytes(image);
    const filesystem = openExt4(source);
    const { state, faults } = stateOfFilesystem(filesystem);
    source.close();
    expect(faults).toEqual([]);
    expect(filesystem.volume.damage.facts).toEqual([]);
    const expected = stateOfDebugfs(image, `${scratch.path}/dump`);
    expect(new Map([...state].sort())).toEqual(new Map([...expected].sort()));
    // Beside what debugfs says: the tree that mke2fs read.
    const paths = [...state.keys()].filter(path => path !== '/lost+found').sort();
    expect(paths).toEqual(['/', ...readdirSync(tree, { recursive: true }).map(path => `/${String(path)}`)].sort());
    for (const path of paths.filter(candidate => state.get(candidate)?.type === 'file')) {
      expect([path, state.get(path)?.content]).toEqual([path, sha256(readFileSync(tree + path))]);
    }
  });

  it('dirdata of Lustre: what follows a name is none of it', () => {
    expect(makeImage(image, 64 * 2 ** 20, ['-t', 'ext4', '-b', '4096', '-O', '^metadata_csum', '-d', tree])).toBe(true);
    const expected = stateOfDebugfs(image, `${scratch.path}/dump`);
    const bytes = readFileSync(image);
    for (const path of ['/', '/Dir', '/Dir/sub', '/lost+found']) {
      const block = Number(run('debugfs', ['-R', `bmap ${path} 0`, image]).trim()) * 4096;
      addDirdata(bytes.subarray(block, block + 4096));
    }
    bytes.writeUInt32LE(bytes.readUInt32LE(1024 + 0x60) | 0x1000, 1024 + 0x60);
    const filesystem = openExt4(memoryBytes('volume', bytes));
    const { state, faults } = stateOfFilesystem(filesystem);
    expect([faults, filesystem.volume.damage.facts]).toEqual([[], []]);
    expect(new Map([...state].sort())).toEqual(new Map([...expected].sort()));
  });

  describe('encrypted by the kernel', () => {
    let made = false;
    beforeAll(() => {
      makeImage(image, 32 * 2 ** 20, ['-t', 'ext4', '-b', '1024', '-O', 'encrypt']);
      made = withMount(image, `${scratch.path}/mount`, 'test_dummy_encryption', () => {
        const root = `${scratch.path}/mount/secret`;
        mkdirSync(root);
        for (let index = 0; index < 400; index++) writeFileSync(`${root}/file-${index}`, pattern(index, index));
        symlinkSync('target', `${root}/link`);
      });
      if (!made) process.stderr.write('encrypted directories skipped: this kernel cannot make them\n');
    });

    it('shows names and inodes, and refuses contents', context => {
      if (!made) context.skip();
      const source = openFileBytes(image);
      const filesystem = openExt4(source);
      const secret = find(filesystem, '/secret');
      const listing = filesystem.list(secret);
      const entries = [...listing.entries];
      expect([listing.fault, filesystem.volume.damage.facts]).toEqual([null, []]);
      expect(new Set(entries.map(({ path }) => path)).size).toBe(401);
      expect(entries.every(({ path }) => !path.slice('/secret/'.length).includes('/'))).toBe(true);
      withMount(image, `${scratch.path}/mount`, 'ro,noload', () => {
        const root = `${scratch.path}/mount/secret`;
        const theirs = readdirSync(root).map(name => lstatSync(`${root}/${name}`, { bigint: true }));
        // Of an encrypted symlink a mount computes the size of what it would show; ours is the stored one.
        const sizes = new Map(theirs.map(stats => [stats.ino, stats.isSymbolicLink() ? 18 : Number(stats.size)]));
        expect(new Map(entries.map(({ stat }) => [stat?.inode, stat?.sizeBytes]))).toEqual(sizes);
      });
      for (const entry of entries) {
        if (entry.stat === null) continue;
        const use = () => (entry.stat.type === 'symlink' ? filesystem.readLink(entry) : filesystem.open(entry));
        expect(use).toThrow(UnsupportedError);
        expect(use).toThrow(expect.objectContaining({ code: 'ENOKEY' }));
      }
      source.close();
    });
  });

  it('is told from other bytes by its magic', () => {
    makeImage(image, 8 * 2 ** 20, ['-t', 'ext2']);
    const bytes = readFileSync(image);
    expect(detectExt4(memoryBytes('volume', bytes))).toBe(true);
    expect(detectExt4(memoryBytes('volume', bytes.subarray(0, 1024 + 0x39)))).toBe(false);
    bytes.writeUInt8(0, 1024 + 0x38);
    expect(detectExt4(memoryBytes('volume', bytes))).toBe(false);
  });

  it('refuses features that would make the content misread', () => {
    makeImage(image, 8 * 2 ** 20, ['-t', 'ext4']);
    const broken = `${scratch.path}/broken`;
    for (const [bit, message] of [
      [0x40000000, 'unknown incompatible features 0x40000000'],
      [0x8, 'an external journal'],
      [0x1, 'compressed'],
    ] as const) {
      copyFileSync(image, broken);
      const bytes = readFileSync(broken);
      bytes.writeUInt32LE((bytes.readUInt32LE(1024 + 0x60) | bit) >>> 0, 1024 + 0x60);
      writeFileSync(broken, bytes);
      const source = openFileBytes(broken);
      expect(() => openExt4(source)).toThrow(UnsupportedError);
      expect(() => openExt4(source)).toThrow(message);
      source.close();
    }
  });
});

function makeTree(root: string): void {
  mkdirSync(`${root}/Dir/sub`, { recursive: true });
  mkdirSync(`${root}/crowd`);
  writeFileSync(`${root}/Dir/file`, pattern(1, 300_000));
  writeFileSync(`${root}/Dir/sub/plain`, 'umlauts');
  for (let index = 0; index < 900; index++) writeFileSync(`${root}/crowd/a-name-of-some-length-${index}`, '');
  symlinkSync('t'.repeat(500), `${root}/link`);
  symlinkSync('short', `${root}/Dir/sub/link`);
  run('mknod', [`${root}/fifo`, 'p']);
  chownSync(`${root}/Dir/sub/plain`, 70_000, 100_000);
  utimesSync(`${root}/Dir`, 4_294_967_296.25, 4_294_967_296.25);
  linkSync(`${root}/Dir/file`, `${root}/crowd/second-name`);
}

function find(filesystem: Ext4Filesystem, path: string): Entry {
  let entry = filesystem.root;
  for (const part of path.split('/').filter(name => name !== '')) {
    const bytes = Buffer.from(part).toString('latin1');
    const child = [...filesystem.list(entry).entries].find(candidate => candidate.path.endsWith(`/${bytes}`));
    if (child === undefined || child.stat === null) throw new Error(`no ${path}`);
    entry = child;
  }
  return entry;
}

/** No tool here makes it: a file identifier behind the last name of a directory block, where there is room, and its flag. */
function addDirdata(block: Buffer): void {
  for (let at = 0; at < block.length; ) {
    const length = block.readUInt16LE(at + 4);
    const end = at + 8 + block.readUInt8(at + 6);
    if (end + 18 <= at + length) {
      block.writeUInt8(block.readUInt8(at + 7) | 0x10, at + 7);
      // NUL after the name, a length that counts itself, 16 bytes.
      block.write(`\0\x11${'F'.repeat(16)}`, end, 'latin1');
    }
    at += Math.max(8, length);
  }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
