// Names whose entries and hash index are of different days: what the kernel's look-up refuses we refuse, what it finds we find.

import { copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { hashOf } from '../../../src/filesystems/xfs/directory-index.ts';
import { DIRECTORY_LEAF_AT } from '../../../src/filesystems/xfs/layout.ts';
import { openXfs, type XfsFilesystem } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { scratchDirectory } from '../ext4/loop-mount.ts';
import { makeXfs, whyNoXfsMount, withXfs, xfsDb } from './xfs-images.ts';

const BLOCK = 4096;
const reason = whyNoXfsMount();
if (reason !== null) process.stderr.write(`xfs/directory-index.test.ts skipped: ${reason}\n`);
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe.skipIf(reason !== null)('the index of an XFS directory', () => {
  const scratch = scratchDirectory();
  const point = `${scratch.path}/mount`;
  const [older, newer, damaged] = ['older', 'newer', 'damaged'].map(name => `${scratch.path}/${name}`) as [
    string,
    string,
    string,
  ];
  afterAll(() => scratch.remove());

  /** An image with so many names in a directory, and a copy in which some are gone and others have come. */
  function live(options: readonly string[], count: number): void {
    expect(makeXfs(older, 64 * 2 ** 20, options)).toBe(true);
    withXfs(older, point, 'rw', () => {
      mkdirSync(`${point}/d`);
      for (let index = 0; index < count; index++) writeFileSync(`${point}/d/name-${index}`, '');
    });
    copyFileSync(older, newer);
    withXfs(newer, point, 'rw', () => {
      for (let index = 0; index < count; index += 7) unlinkSync(`${point}/d/name-${index}`);
      for (let index = 0; index < count / 8; index++) writeFileSync(`${point}/d/later-${index * 31}`, '');
    });
  }

  /** Blocks of the directory behind its entries. In blocks of the volume. */
  function indexBlocks(filesystem: XfsFilesystem): number[] {
    const inode = filesystem.volume.inode(Number(directoryOf(filesystem).stat.inode));
    return filesystem.volume.blockMap(inode).runs.flatMap(({ logical, physical, length }) => {
      const isIndex = logical >= DIRECTORY_LEAF_AT / BLOCK && logical < (2 * DIRECTORY_LEAF_AT) / BLOCK;
      return isIndex ? Array.from({ length }, (_, index) => physical + index) : [];
    });
  }

  function directoryOf(filesystem: XfsFilesystem) {
    const found = [...filesystem.list(filesystem.root).entries].find(({ path }) => path === '/d');
    if (found?.stat == null) throw new Error('no directory');
    return found;
  }

  /** What of the directory leads nowhere, by us. */
  function refusedByUs(image: string): string[] {
    const filesystem = openXfs(memoryBytes('volume', readFileSync(image)));
    const { entries } = filesystem.list(directoryOf(filesystem));
    return [...entries].flatMap(({ path, stat }) => (stat === null ? [path] : [])).sort();
  }

  function refusedByKernel(image: string): string[] {
    const refused: string[] = [];
    withXfs(image, point, 'ro,norecovery', () => {
      for (const name of readdirSync(`${point}/d`)) {
        try {
          lstatSync(`${point}/d/${name}`);
        } catch {
          refused.push(`/d/${name}`);
        }
      }
    });
    return refused.sort();
  }

  describe.each([
    ['one leaf', 200, []],
    ['leaves below a node', 1500, []],
    ['two levels of nodes', 9000, ['-b', 'size=1024']],
    ['directory blocks of several blocks', 1500, ['-n', 'size=16384']],
  ] as const)('of %s', (_name, count, options) => {
    it('leads to every name of a sound directory', () => {
      live(options, count);
      for (const image of [older, newer]) expect(refusedByUs(image)).toEqual([]);
    });
  });

  it.each([
    ['its only leaf', 200],
    ['one of its leaves, or the node above them,', 1500],
  ])('of which %s went back misses the names that the kernel misses', (_name, count) => {
    live([], count);
    const sound = openXfs(memoryBytes('volume', readFileSync(newer)));
    const blocks = indexBlocks(sound);
    const now = readFileSync(newer);
    const then = readFileSync(older);
    const lost = blocks.filter(
      block => then.compare(now, block * BLOCK, (block + 1) * BLOCK, block * BLOCK, (block + 1) * BLOCK) !== 0,
    );
    const found = lost.map(block => {
      const bytes = Buffer.from(now);
      then.copy(bytes, block * BLOCK, block * BLOCK, (block + 1) * BLOCK);
      writeFileSync(damaged, bytes);
      const refused = refusedByKernel(damaged);
      expect(refusedByUs(damaged)).toEqual(refused);
      return refused.length;
    });
    expect(found.filter(refused => refused > 0).length).toBeGreaterThan(0);
  });

  it('has the hashes that xfs_db computes', () => {
    for (const name of ['a', 'name-17', 'later-310', 'x'.repeat(255), 'umlaut-\u00e4'])
      expect(`0x${hashOf(Buffer.from(name).toString('latin1')).toString(16)}`).toBe(xfsDb(newer, `hash ${name}`)[0]);
  });
});
