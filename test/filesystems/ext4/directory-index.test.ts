// Names whose block and hash index are of different days: what the kernel's look-up finds we find, and nothing else.

import { copyFileSync, lstatSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { ReadError } from '../../../src/errors.ts';
import { type Ext4Filesystem, openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import { hashOfName } from '../../../src/filesystems/ext4/name-hash.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';

const reason = whyNoMount();
if (reason !== null) process.stderr.write(`ext4/directory-index.test.ts skipped: ${reason}\n`);
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MIB = 2 ** 20;
const NAMES = 700;

describe.skipIf(reason !== null)('the index of an ext4 directory', () => {
  const scratch = scratchDirectory();
  const point = `${scratch.path}/mount`;
  const path = (name: string): string => `${scratch.path}/${name}`;
  const [older, newer, damaged] = [path('older'), path('newer'), path('damaged')];
  afterAll(() => scratch.remove());

  /** An image with many names in a directory, and a copy in which some are gone and others have come. */
  function live(hash: string): void {
    expect(makeImage(older, 32 * MIB, ['-t', 'ext4', '-b', '1024'])).toBe(true);
    run('tune2fs', ['-E', `hash_alg=${hash}`, older]);
    withMount(older, point, 'noatime', () => {
      mkdirSync(`${point}/d`);
      for (const name of firstNames()) writeFileSync(`${point}/d/${name}`, '');
    });
    copyFileSync(older, newer);
    withMount(newer, point, 'noatime', () => {
      for (const name of firstNames().slice(0, 60)) unlinkSync(`${point}/d/${name}`);
      for (const name of laterNames()) writeFileSync(`${point}/d/${name}`, '');
    });
  }

  const firstNames = () => Array.from({ length: NAMES }, (_, index) => `name-\u00fc-${index}`);
  const laterNames = () => Array.from({ length: NAMES / 2 }, (_, index) => `later-${index * 31}`);

  function blocksOf(filesystem: Ext4Filesystem): number[] {
    const inode = filesystem.volume.inode(Number(directoryOf(filesystem).stat.inode));
    return filesystem.volume
      .blockMap(inode)
      .runs.flatMap(({ physical, length }) => Array.from({ length }, (_, index) => physical + index));
  }

  function directoryOf(filesystem: Ext4Filesystem) {
    const found = [...filesystem.list(filesystem.root).entries].find(entry => entry.path === '/d');
    if (found?.stat == null) throw new Error('no directory');
    return found;
  }

  /** Names that lead to an inode, by us. */
  function foundByUs(image: string): string[] {
    const filesystem = openExt4(memoryBytes('volume', readFileSync(image)));
    const { entries } = filesystem.list(directoryOf(filesystem));
    const found = [...entries].flatMap(entry => (entry.stat === null ? [] : [entry.path.slice('/d/'.length)]));
    return found.map(name => Buffer.from(name, 'latin1').toString('utf8')).sort();
  }

  function foundByKernel(image: string): string[] {
    let found: string[] = [];
    withMount(image, point, 'ro,noload', () => {
      found = [...firstNames(), ...laterNames()].filter(name => isThere(`${point}/d/${name}`));
    });
    return found.sort();
  }

  function isThere(name: string): boolean {
    try {
      lstatSync(name);
      return true;
    } catch {
      return false;
    }
  }

  describe.each(['half_md4', 'tea', 'legacy'])('by %s', hash => {
    it('leads to every name of a sound directory, and misses the names that the kernel misses where a block went back', () => {
      live(hash);
      expect(foundByUs(newer)).toEqual([...firstNames().slice(60), ...laterNames()].sort());
      const blocks = blocksOf(openExt4(memoryBytes('volume', readFileSync(newer))));
      const [then, now] = [readFileSync(older), readFileSync(newer)];
      const isChanged = (block: number) =>
        then.compare(now, block * 1024, (block + 1) * 1024, block * 1024, (block + 1) * 1024) !== 0;
      const shortfalls = blocks
        .filter(isChanged)
        .slice(0, 12)
        .map(block => {
          const bytes = Buffer.from(now);
          then.copy(bytes, block * 1024, block * 1024, (block + 1) * 1024);
          writeFileSync(damaged, bytes);
          const found = foundByKernel(damaged);
          expect(foundByUs(damaged)).toEqual(found);
          return NAMES - 60 + NAMES / 2 - found.length;
        });
      expect(shortfalls.filter(names => names > 0).length).toBeGreaterThan(0);
    });
  });

  describe('that cannot be used', () => {
    const all = () => [...firstNames().slice(60), ...laterNames()].sort();
    const rootOf = () => (blocksOf(openExt4(memoryBytes('volume', readFileSync(newer))))[0] ?? 0) * 1024;

    it('for the medium refuses its root, doubts no name', () => {
      live('half_md4');
      const [volume, at] = [memoryBytes('volume', readFileSync(newer)), rootOf()];
      const filesystem = openExt4({
        ...volume,
        read(into, from) {
          if (from < at + 1024 && from + into.length > at) throw new ReadError('volume', at, 1024);
          return volume.read(into, from);
        },
      });
      const { entries, fault } = filesystem.list(directoryOf(filesystem));
      expect([...entries].filter(({ stat }) => stat !== null).length).toBe(all().length);
      expect(fault?.code).toBe('EIO');
    });

    it('for all of its entries lead to one block, doubts no name', () => {
      live('half_md4');
      const bytes = readFileSync(newer);
      const at = rootOf() + 0x20;
      for (let entry = 1; entry < bytes.readUInt16LE(at + 2); entry++)
        bytes.writeUInt32LE(bytes.readUInt32LE(at + 4), at + entry * 8 + 4);
      writeFileSync(damaged, bytes);
      // tune2fs turns checksums off only where the last check is no older than the last mount, in whole seconds.
      run('debugfs', ['-w', '-R', 'set_super_value lastcheck now', damaged]);
      run('tune2fs', ['-O', '^metadata_csum', '-f', damaged]);
      expect(foundByUs(damaged)).toEqual(all());
    });
  });

  it('leads to every name by either kind of hash where the superblock does not say which', () => {
    live('half_md4');
    copyFileSync(newer, damaged);
    run('debugfs', ['-w', '-R', 'set_super_value flags 0', damaged]);
    expect(foundByUs(damaged)).toEqual([...firstNames().slice(60), ...laterNames()].sort());
  });

  it('has the hashes that debugfs computes', () => {
    const seed = '01234567-89ab-cdef-0123-456789abcdef';
    const words = [0x67452301, 0xefcdab89, 0x67452301, 0xefcdab89];
    for (const [version, name] of ['legacy', 'half_md4', 'tea'].entries()) {
      for (const text of ['a', 'name-17', 'x'.repeat(32), 'y'.repeat(255), 'later-310-and-some-more-of-it']) {
        const printed = run('debugfs', ['-R', `dx_hash -h ${name} -s ${seed} ${text}`]);
        const hash = /is 0x([0-9a-f]+)/.exec(printed)?.[1];
        expect(hashOfName(text, { version, unsigned: false, seed: words }).toString(16)).toBe(hash);
      }
    }
  });
});
