// Images by the real mke2fs, filled by the kernel: what we read of them is what its mount shows.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import type { Ext4Volume } from '../../../src/filesystems/ext4/volume.ts';
import { FORMATS, MORE_FORMATS } from './formats.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';
import { stateOfFilesystem, stateOfMount, type TreeState } from './mount-state.ts';
import { LARGE, populate, SMALL } from './populate.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = 64 * MEBIBYTE;

/** With LOSTWRITE_LONG_TESTS set, too: a directory of 100,000 names in each. */
const LARGE_FORMATS: typeof FORMATS = [
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

  describe.each(LONG ? [...FORMATS, ...MORE_FORMATS, ...LARGE_FORMATS] : FORMATS)('%s', (name, options) => {
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
