// Images by the real mke2fs, filled by the kernel: what we read of them is what its mount shows.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import type { Ext4Volume } from '../../../src/filesystems/ext4/volume.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';
import { stateOfFilesystem, stateOfMount, type TreeState } from './mount-state.ts';
import { LARGE, populate, SMALL } from './populate.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = 64 * MEBIBYTE;

/** mke2fs options by what they are about. */
const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['ext4, 4 KiB blocks', ['-t', 'ext4', '-b', '4096']],
  ['ext4, 1 KiB blocks', ['-t', 'ext4', '-b', '1024']],
  ['ext3', ['-t', 'ext3', '-b', '1024']],
  ['ext2', ['-t', 'ext2', '-b', '1024', '-I', '128']],
  ['group checksums only', ['-t', 'ext4', '-O', '^metadata_csum,uninit_bg', '-b', '1024']],
  ['inline data', ['-t', 'ext4', '-O', 'inline_data', '-b', '1024']],
  ['bigalloc, 1 KiB blocks', ['-t', 'ext4', '-O', 'bigalloc', '-C', '8192', '-b', '1024']],
  ['meta_bg', ['-t', 'ext4', '-O', 'meta_bg,^resize_inode', '-b', '1024', '-g', '1024']],
  ['no flex_bg', ['-t', 'ext4', '-O', '^flex_bg', '-b', '1024']],
  ['sparse_super2', ['-t', 'ext4', '-O', 'sparse_super2', '-b', '1024']],
  ['ea_inode', ['-t', 'ext4', '-O', 'ea_inode', '-b', '1024']],
  ['128-byte inodes', ['-t', 'ext4', '-I', '128']],
  ['no filetype, no dir_index', ['-t', 'ext4', '-O', '^filetype,^dir_index', '-b', '1024']],
  ['quota and project', ['-t', 'ext4', '-O', 'quota,project', '-b', '1024']],
];

/** With LOSTWRITE_LONG_TESTS set: these too. */
const MORE_VARIANTS: typeof VARIANTS = [
  ['ext4, 2 KiB blocks', ['-t', 'ext4', '-b', '2048']],
  ['ext2, 4 KiB blocks', ['-t', 'ext2', '-b', '4096']],
  ['no extents', ['-t', 'ext4', '-O', '^extent,^64bit', '-b', '1024']],
  ['no metadata checksums', ['-t', 'ext4', '-O', '^metadata_csum']],
  ['inline data, large inodes', ['-t', 'ext4', '-O', 'inline_data', '-I', '1024', '-b', '4096']],
  ['bigalloc', ['-t', 'ext4', '-O', 'bigalloc', '-C', '16384', '-b', '4096']],
  ['no 64bit', ['-t', 'ext4', '-O', '^64bit']],
  ['large_dir', ['-t', 'ext4', '-O', 'large_dir', '-b', '1024']],
  ['checksum seed', ['-t', 'ext4', '-O', 'metadata_csum_seed', '-b', '1024']],
  ['fast_commit', ['-t', 'ext4', '-O', 'fast_commit']],
  ['orphan_file', ['-t', 'ext4', '-O', 'orphan_file', '-b', '1024']],
  ['no journal', ['-t', 'ext4', '-O', '^has_journal', '-b', '1024']],
];

/** And these, with a directory of 100,000 names each. */
const LARGE_VARIANTS: typeof VARIANTS = [
  ['large: ext4', ['-t', 'ext4', '-b', '4096']],
  ['large: deep hash trees', ['-t', 'ext4', '-O', 'large_dir', '-b', '1024']],
  ['large: ext3', ['-t', 'ext3', '-b', '1024']],
  ['large: inline data', ['-t', 'ext4', '-O', 'inline_data', '-b', '1024']],
];
const LONG = process.env.LOSTWRITE_LONG_TESTS !== undefined;

const reason = whyNoMount();
if (reason !== null) process.stderr.write(`kernel-mount.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('an image that the kernel filled', () => {
  const scratch = scratchDirectory();
  let index = 0;
  afterAll(() => scratch.remove());

  describe.each(LONG ? [...VARIANTS, ...MORE_VARIANTS, ...LARGE_VARIANTS] : VARIANTS)('%s', (name, options) => {
    const large = name.startsWith('large: ');
    const image = `${scratch.path}/${index++}.img`;
    let expected: TreeState = new Map();
    let attributes = new Map<string, string[]>();
    let digestBefore = '';
    let made = false;

    beforeAll(() => {
      const point = `${scratch.path}/mount`;
      made =
        makeImage(image, large ? 512 * MEBIBYTE : SIZE, [...options, '-N', large ? '120000' : '4000']) &&
        withMount(image, point, 'rw', () => populate(point, large ? LARGE : SMALL));
      if (!made) {
        process.stderr.write(`skipped: mke2fs ${options.join(' ')} cannot be made or mounted here\n`);
        return;
      }
      withMount(image, point, 'ro,noload', () => {
        expected = stateOfMount(point);
        attributes = getfattr(`${point}/attributes`);
      });
      digestBefore = digestOf(readFileSync(image));
    });

    it('shows every path, inode and byte that the mount shows', context => {
      if (!made) context.skip();
      const source = openFileBytes(image);
      const filesystem = openExt4(source);
      const { state, faults } = stateOfFilesystem(filesystem);
      source.close();
      expect(faults).toEqual([]);
      expect(filesystem.volume.damage.facts).toEqual([]);
      expect([...state.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [path, entry] of expected) expect([path, state.get(path)]).toEqual([path, entry]);
      expect(digestOf(readFileSync(image))).toBe(digestBefore);
    });

    it('gives the extended attributes that getfattr gives', context => {
      if (!made) context.skip();
      const source = openFileBytes(image);
      const { volume, root } = openExt4(source);
      const directory = volume.directory(volume.inode(Number(root.stat.inode))).records.find(isAttributes)?.inode ?? 0;
      const seen = new Map([['', attributesOf(volume, directory)]]);
      for (const record of volume.directory(volume.inode(directory)).records) {
        seen.set(`/${record.name}`, attributesOf(volume, record.inode));
      }
      source.close();
      expect(seen).toEqual(attributes);
    });
  });
});

function isAttributes(record: { readonly name: string }): boolean {
  return record.name === 'attributes';
}

function attributesOf(volume: Ext4Volume, inode: number): string[] {
  const all = volume.attributes(volume.inode(inode));
  return all.map(({ name, value }) => `${name}=${digestOf(Buffer.from(value))}`).sort();
}

/** "name=digest" of each attribute of the paths below a directory. */
function getfattr(directory: string): Map<string, string[]> {
  const dump = run('getfattr', ['-R', '-d', '-m', '-', '-e', 'hex', '--absolute-names', directory]);
  const blocks = dump.split('\n\n').filter(block => block.startsWith('# file: '));
  return new Map(
    blocks.map(block => {
      const [head = '', ...lines] = block.trim().split('\n');
      return [head.slice('# file: '.length + directory.length), lines.map(digestedLine).sort()];
    }),
  );
}

function digestedLine(line: string): string {
  const [name = '', value = ''] = line.split('=0x');
  return `${name}=${digestOf(Buffer.from(value, 'hex'))}`;
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
