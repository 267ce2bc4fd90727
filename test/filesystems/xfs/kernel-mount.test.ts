// Images by the real mkfs.xfs, filled by the kernel: what we read of them is what its mount shows.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import type { XfsVolume } from '../../../src/filesystems/xfs/volume.ts';
import { openXfs } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { run, scratchDirectory } from '../ext4/loop-mount.ts';
import { stateOfFilesystem, stateOfMount, type TreeState } from '../ext4/mount-state.ts';
import { makeXfs, populateXfs, whyNoXfsMount, withXfs } from './xfs-images.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = 160 * MEBIBYTE;

/** mkfs.xfs options by what they are about. */
const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['as mkfs makes it', []],
  ['1 KiB blocks', ['-b', 'size=1024']],
  ['rmapbt, nrext64', ['-m', 'rmapbt=1', '-i', 'nrext64=1']],
  ['no finobt, reflink, bigtime, inobtcount', ['-m', 'finobt=0,reflink=0,bigtime=0,inobtcount=0']],
  ['1 KiB blocks, large directory blocks', ['-b', 'size=1024', '-n', 'size=8192']],
  ['no sparse inodes, 2 KiB blocks, large inodes', ['-b', 'size=2048', '-i', 'size=1024,sparse=0']],
  ['the largest directory blocks and inodes', ['-n', 'size=65536', '-i', 'size=2048', '-d', 'agcount=8']],
];

/** With LOSTWRITE_LONG_TESTS set: these too. */
const MORE_VARIANTS: typeof VARIANTS = [
  ['4 KiB sectors, stripes', ['-s', 'size=4096', '-d', 'su=64k,sw=4']],
  ['no reflink, rmapbt, 1 KiB blocks', ['-m', 'rmapbt=1,reflink=0', '-b', 'size=1024', '-l', 'size=10m']],
  ['nrext64, no bigtime', ['-i', 'nrext64=1', '-m', 'bigtime=0']],
  ['16 KiB directory blocks, 2 KiB blocks', ['-b', 'size=2048', '-n', 'size=16384']],
  ['another uuid in the metadata', ['-m', 'uuid=01234567-89ab-cdef-0123-456789abcdef']],
];
const LONG = process.env.LOSTWRITE_LONG_TESTS !== undefined;

const reason = whyNoXfsMount();
if (reason !== null) process.stderr.write(`xfs/kernel-mount.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('an XFS image that the kernel filled', () => {
  const scratch = scratchDirectory();
  let index = 0;
  afterAll(() => scratch.remove());

  describe.each(LONG ? [...VARIANTS, ...MORE_VARIANTS] : VARIANTS)('%s', (_name, options) => {
    const image = `${scratch.path}/${index++}.img`;
    let expected: TreeState = new Map();
    let attributes = new Map<string, string[]>();
    let digestBefore = '';

    beforeAll(() => {
      const point = `${scratch.path}/mount`;
      expect(makeXfs(image, SIZE, options)).toBe(true);
      expect(withXfs(image, point, 'rw', () => populateXfs(point))).toBe(true);
      withXfs(image, point, 'ro,norecovery', () => {
        expected = stateOfMount(point);
        attributes = getfattr(`${point}/attributes`);
      });
      digestBefore = digestOf(readFileSync(image));
    });

    it('shows every path, inode and byte that the mount shows', () => {
      const source = openFileBytes(image);
      const filesystem = openXfs(source);
      const { state, faults } = stateOfFilesystem(filesystem);
      source.close();
      expect(faults).toEqual([]);
      expect(filesystem.volume.damage.facts).toEqual([]);
      expect([...state.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [path, entry] of expected) expect([path, state.get(path)]).toEqual([path, entry]);
      expect(digestOf(readFileSync(image))).toBe(digestBefore);
    });

    it('gives the extended attributes that getfattr gives', () => {
      const source = openFileBytes(image);
      const { volume } = openXfs(source);
      const directory = volume.directory(volume.inode(volume.rootInode)).records.find(isAttributes)?.inode ?? 0;
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

function attributesOf(volume: XfsVolume, inode: number): string[] {
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
