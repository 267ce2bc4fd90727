// Formats that a kernel may not mount: filled by mke2fs from a tree, which is what they must read as; debugfs sets the flags.
// And encrypted directories, where the kernel can make them.

import { copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { UnsupportedError } from '../../../src/errors.ts';
import { type Ext4Filesystem, openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import { detectExt4 } from '../../../src/filesystems/ext4/superblock.ts';
import type { Entry } from '../../../src/filesystems/filesystem.ts';
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
    expect(faults).toEqual([]);
    expect(filesystem.volume.damage.facts).toEqual([]);
    const paths = [...state.keys()].filter(path => path !== '/lost+found').sort();
    expect(paths).toEqual(['/', ...readdirSync(tree, { recursive: true }).map(path => `/${String(path)}`)].sort());
    for (const path of paths.filter(candidate => state.get(candidate)?.type === 'file' && state.get(candidate)?.size)) {
      expect([path, contentOf(filesystem, path).equals(readFileSync(tree + path))]).toEqual([path, true]);
    }
    expect(state.get('/link')?.content).toBe('t'.repeat(500));
    source.close();
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

function contentOf(filesystem: Ext4Filesystem, path: string): Buffer {
  const file = filesystem.open(find(filesystem, path));
  const bytes = Buffer.alloc(file.size);
  file.read(bytes, 0);
  return bytes;
}
