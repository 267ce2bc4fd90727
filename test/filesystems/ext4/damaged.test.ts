// Single damages on otherwise sound volumes: what a mount refuses we refuse with its code, and what it still shows we show.

import {
  closeSync,
  copyFileSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  writeFileSync,
} from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { errorCode } from '../../../src/errors.ts';
import { type Ext4Filesystem, openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import type { Entry } from '../../../src/filesystems/filesystem.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';
import { populate, SMALL } from './populate.ts';

const KIBIBYTE = 1024;
const reason = whyNoMount();
if (reason !== null) process.stderr.write(`damaged.test.ts skipped: ${reason}\n`);
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe.skipIf(reason !== null)('a volume with one damage', () => {
  const scratch = scratchDirectory();
  const point = `${scratch.path}/mount`;
  const summed = `${scratch.path}/summed`;
  const plain = `${scratch.path}/plain`;
  afterAll(() => scratch.remove());
  beforeAll(() => {
    for (const [image, feature] of [
      [summed, 'metadata_csum'],
      [plain, '^metadata_csum'],
    ] as const) {
      expect(makeImage(image, 64 * 2 ** 20, ['-t', 'ext4', '-b', '1024', '-N', '4000', '-O', feature])).toBe(true);
      withMount(image, point, 'rw', () => populate(point, SMALL));
    }
  });

  /** The image with bytes changed, for us in memory and for the kernel in a file. */
  function damaged(
    image: string,
    change: (bytes: Buffer) => void,
  ): { readonly filesystem: Ext4Filesystem; readonly copy: string } {
    const copy = `${scratch.path}/damaged`;
    copyFileSync(image, copy);
    const bytes = readFileSync(image);
    change(bytes);
    writeFileSync(copy, bytes);
    return { filesystem: openExt4(memoryBytes('volume', bytes)), copy };
  }

  describe.each([
    ['an inode with a wrong checksum', () => summed, '/many-3/file-3', 0x02],
    ['an inode without links', () => plain, '/many-3/file-3', 0x1a],
    ['an inode of no type', () => plain, '/many-3/file-3', 0x00],
    ['an inode with a broken extent tree', () => plain, '/many-3/file-3', 0x28],
    ['an inode with an impossible extent', () => plain, '/many-3/file-3', 0x28 + 12 + 6],
    ['an inode with an impossible size of its second part', () => plain, '/many-3/file-3', 0x80],
    ['a directory inode with a wrong checksum', () => summed, '/many-3', 0x02],
    ['a symlink of another length', () => plain, '/links/link-58', 0x04],
  ])('%s', (_name, image, path, offset) => {
    it('has the code that the mount gives, and leaves its neighbours alone', () => {
      const at = locationOf(image(), path);
      const { filesystem, copy } = damaged(image(), bytes =>
        bytes.writeUInt16LE(offset === 0x1a || offset === 0 ? 0 : 0x7fff, at + offset),
      );
      const parent = path.slice(0, path.lastIndexOf('/'));
      const entries = [...filesystem.list(find(filesystem, parent)).entries];
      const lost = entries.filter(entry => entry.stat === null);
      expect(lost.map(entry => entry.path)).toEqual([path]);
      withMount(copy, point, 'ro,noload', () => {
        const names = readdirSync(point + parent).map(name => `${parent}/${name}`);
        expect(entries.map(entry => entry.path).sort()).toEqual(names.sort());
        const codes = names
          .map(name => [name, hostCode(() => lstatSync(point + name))])
          .filter(([, code]) => code !== null);
        expect(lost.map(entry => [entry.path, entry.stat === null ? entry.fault.code : null])).toEqual(codes);
      });
      expect(lost.map(entry => entry.stat === null && entry.fault.kind)).toEqual(['unreadable']);
    });
  });

  it('loses the entries of a directory block with a wrong checksum, and no others', () => {
    const block = blockOf(summed, '/crowd', 3);
    const inBlock = namesIn(readFileSync(summed).subarray(block * KIBIBYTE, (block + 1) * KIBIBYTE));
    const { filesystem } = damaged(summed, bytes => bytes.writeUInt8(0xaa, block * KIBIBYTE + 20));
    const listing = filesystem.list(find(filesystem, '/crowd'));
    expect(listing.fault).toMatchObject({ kind: 'unreadable', code: 'EBADMSG' });
    const seen = new Set([...listing.entries].map(entry => entry.path.slice('/crowd/'.length)));
    const all = listed(summed, point, '/crowd');
    expect(inBlock.length).toBeGreaterThan(5);
    expect(all.filter(name => !seen.has(name)).sort()).toEqual(inBlock.sort());
    expect(seen.size).toBe(all.length - inBlock.length);
  });

  it('loses the part of a file that a broken extent block maps', () => {
    const { filesystem: whole } = damaged(summed, () => undefined);
    const inode = Number(find(whole, '/fragmented').stat.inode);
    const map = whole.volume.blockMap(whole.volume.inode(inode));
    const leaf = map.nodes[1] ?? 0;
    const { filesystem, copy } = damaged(summed, bytes => bytes.writeUInt8(0xaa, leaf * KIBIBYTE + 8));
    const file = filesystem.open(find(filesystem, '/fragmented'));
    const ours = Array.from({ length: Math.ceil(file.size / 8192) }, (_, index) =>
      codeOf(() => file.read(new Uint8Array(10), index * 8192)),
    );
    expect(new Set(ours)).toEqual(new Set([null, 'EBADMSG']));
    withMount(copy, point, 'ro,noload', () => {
      const fd = openSync(`${point}/fragmented`, 'r');
      const theirs = ours.map((_, index) => hostCode(() => readSync(fd, new Uint8Array(10), 0, 10, index * 8192)));
      closeSync(fd);
      expect(theirs.map(code => code === null)).toEqual(ours.map(code => code === null));
    });
  });

  it('refuses the attributes of a block with a wrong checksum, and reads the file', () => {
    const { filesystem: whole } = damaged(summed, () => undefined);
    const inode = whole.volume.inode(Number(find(whole, '/attributes/with-500').stat.inode));
    expect(inode.attributeBlock).toBeGreaterThan(0);
    const { filesystem } = damaged(summed, bytes => bytes.writeUInt8(0xaa, inode.attributeBlock * KIBIBYTE + 900));
    expect(codeOf(() => filesystem.volume.attributes(filesystem.volume.inode(inode.number)))).toBe('EBADMSG');
    expect(filesystem.open(find(filesystem, '/attributes/with-500')).read(new Uint8Array(100), 0)).toBe(100);
  });

  it('notes a superblock and a group descriptor with wrong checksums, and reads on', () => {
    const { filesystem } = damaged(summed, bytes => {
      bytes.writeUInt8(0x77, 1024 + 0x88);
      bytes.writeUInt8(0x77, 2048 + 0x10);
    });
    expect(filesystem.list(filesystem.root).fault).toBe(null);
    const noted = filesystem.volume.damage.facts.map(fact => [fact.message.split(' at ')[0], fact.code]);
    expect(noted).toContainEqual(['ext4_super_block checksum', 'EBADMSG']);
    expect(noted).toContainEqual(['ext4_group_desc checksum', 'EBADMSG']);
  });

  it('takes a backup of the superblock and of the descriptors where the first are gone', () => {
    const { filesystem } = damaged(summed, bytes => {
      bytes.fill(0, 1024 + 0x04, 1024 + 0x30);
      bytes.fill(0xff, 2048, 3072);
    });
    expect(filesystem.volume.superblock.at).toBe(8193 * KIBIBYTE);
    expect(listedPaths(filesystem, '/crowd').length).toBe(listed(summed, point, '/crowd').length);
  });
});

function locationOf(image: string, path: string): number {
  const [, block = '', offset = ''] =
    /located at block (\d+), offset (0x[0-9a-f]+)/.exec(run('debugfs', ['-R', `imap ${path}`, image])) ?? [];
  return Number(block) * KIBIBYTE + Number(offset);
}

function blockOf(image: string, path: string, logical: number): number {
  return Number(run('debugfs', ['-R', `bmap ${path} ${logical}`, image]).trim());
}

function namesIn(block: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at < block.length - 12; at += block.readUInt16LE(at + 4)) {
    if (block.readUInt32LE(at) !== 0) names.push(block.toString('latin1', at + 8, at + 8 + block.readUInt8(at + 6)));
  }
  return names;
}

/** As the kernel lists it. */
function listed(image: string, point: string, path: string): string[] {
  let names: string[] = [];
  withMount(image, point, 'ro,noload', () => {
    names = readdirSync(point + path);
  });
  return names;
}

function listedPaths(filesystem: Ext4Filesystem, path: string): string[] {
  return [...filesystem.list(find(filesystem, path)).entries]
    .filter(entry => entry.stat !== null)
    .map(entry => entry.path);
}

function find(filesystem: Ext4Filesystem, path: string): Entry {
  let entry = filesystem.root;
  for (const part of path.split('/').filter(name => name !== '')) {
    const child = [...filesystem.list(entry).entries].find(candidate => candidate.path.endsWith(`/${part}`));
    if (child === undefined || child.stat === null) throw new Error(`no ${path}`);
    entry = child;
  }
  return entry;
}

function codeOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

const NAMELESS = new Map([
  ['Unknown system error -74', 'EBADMSG'],
  ['Unknown system error -117', 'EUCLEAN'],
]);

/** Node has no names for two of them. */
function hostCode(action: () => unknown): string | null {
  const code = codeOf(action);
  return code === null ? null : (NAMELESS.get(code) ?? code);
}
