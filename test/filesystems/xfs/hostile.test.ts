// Broken and malicious XFS volumes: cut off anywhere, every field set to what it should not be, structures that go in circles.
// Each gives values or typed errors in bounded work, and what is not hit is still shown. Under version 5 a change of a block
// comes with its checksum made right again, so that it gets past that.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ByteSource } from '../../../src/bytes/byte-source.ts';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { ReadError } from '../../../src/errors.ts';
import {
  agf,
  agfl,
  agi,
  btreeBlock,
  daInfo,
  inode as inodeLayout,
  inodeRecord,
  inodeV3,
  remoteHeader,
  superblock as superblockLayout,
} from '../../../src/filesystems/xfs/layout.ts';
import { bufferItem, inodeItem, operation, recordHeader } from '../../../src/filesystems/xfs/log-layout.ts';
import { XfsVolume } from '../../../src/filesystems/xfs/volume.ts';
import type { Fields } from '../../../src/struct/struct.ts';
import { run, scratchDirectory } from '../ext4/loop-mount.ts';
import { pattern } from '../ext4/populate.ts';
import { randomNumbers } from '../ext4/random-work.ts';
import { crash } from './crash.ts';
import { exercise } from './exercise.ts';
import { restamp } from './restamp.ts';
import { makeXfs, whyNoTools, whyNoXfsMount, works } from './xfs-images.ts';

const KIBIBYTE = 1024;
/** Every value at every place; takes minutes. */
const THOROUGH = process.env.LOSTWRITE_LONG_TESTS !== undefined;
const reason = whyNoTools() ?? whyNoXfsMount();
if (reason !== null) process.stderr.write(`xfs/hostile.test.ts skipped: ${reason}\n`);

const FORMATS: readonly (readonly [string, readonly string[]])[] = [
  ['version 4', ['-m', 'crc=0', '-b', 'size=1024']],
  ['version 5', ['-b', 'size=1024', '-i', 'sparse=1']],
];

vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000 });

describe.skipIf(reason !== null)('a hostile XFS volume', () => {
  const scratch = scratchDirectory();
  const image = `${scratch.path}/image`;
  afterAll(() => scratch.remove());

  describe.each(FORMATS)('%s', (_name, options) => {
    let volume: Buffer;
    let paths: number;
    const summed = !options.includes('crc=0');
    beforeAll(() => {
      const { prototype, count } = writePrototype(scratch.path);
      paths = count;
      expect(makeXfs(image, 24 * KIBIBYTE * KIBIBYTE, ['-d', 'agcount=1', ...options, '-p', prototype])).toBe(true);
      const commands = [3, 200, 3000].map(size => `attr_set -u name-of-${size} -v ${size}`);
      expect(
        works('xfs_db', ['-x', ...['path /d/file-1', ...commands].flatMap(command => ['-c', command]), image]),
      ).toBe(true);
      volume = readFileSync(image);
    });

    const flip = (struct: { readonly fields: Fields }, at: number, block: number, length: number) =>
      flipFields(volume, struct, at, summed ? { block, length } : null);

    it('is whole before it is broken', () => {
      const exercised = exercise(memoryBytes('volume', volume));
      expect(exercised.faults).toEqual([]);
      expect(exercised.paths.length).toBe(paths);
      expect(exercised.filesystem?.volume.damage.facts).toEqual([]);
    });

    it('may end anywhere', () => {
      for (
        let length = 0;
        length < volume.length;
        length += length < 4 * KIBIBYTE ? 256 : (THOROUGH ? 16 : 1500) * KIBIBYTE
      )
        exercise(memoryBytes('volume', volume.subarray(0, length)));
    });

    it('may have anything in any field of the superblock', () => flip(superblockLayout, 0, 0, 512));

    it('may have anything in any field of a header of its group', () => {
      for (const [struct, sector] of [
        [agf, 1],
        [agi, 2],
        [agfl, 3],
      ] as const) {
        flip(struct, sector * 512, sector * 512, 512);
      }
    });

    it('may have anything in any field of a block of its trees, and of their records', () => {
      for (const block of treeRoots(volume)) {
        const at = block * KIBIBYTE;
        flip(btreeBlock, at, at, KIBIBYTE);
        flip(inodeRecord, at + (summed ? 56 : 16), at, KIBIBYTE);
      }
    });

    it('may have anything in any field of an inode, and of its forks', () => {
      for (const name of THOROUGH ? ['d', 'file-1', 'holes', 'link', 'short', 'node'] : ['file-1', 'node']) {
        const { at, length } = inodePlaceOf(volume, name);
        flip(inodeLayout, at, at, length);
        if (summed) flip(inodeV3, at, at, length);
        const fork = at + (summed ? 176 : 100);
        for (let word = 0; word < (THOROUGH ? 80 : 24); word += THOROUGH ? 4 : 8) flip(wordAt, fork + word, at, length);
      }
    });

    it('may have anything in any word of a block of directories, attributes or symlinks', () => {
      const blocks = metadataBlocks(volume);
      expect(blocks.length).toBeGreaterThan(6);
      for (const block of blocks) {
        const at = block * KIBIBYTE;
        flip(daInfo, at, at, KIBIBYTE);
        if (THOROUGH) flip(remoteHeader, at, at, KIBIBYTE);
        for (let word = 56; word < (THOROUGH ? 300 : 100); word += THOROUGH ? 4 : 20)
          flip(wordAt, at + word, at, KIBIBYTE);
        for (let word = KIBIBYTE - 16; word < KIBIBYTE; word += 8) flip(wordAt, at + word, at, KIBIBYTE);
      }
    });

    it('may be noise in any block', () => {
      const random = randomNumbers(7);
      for (let block = 0; block < 200; block += THOROUGH ? 1 : 5) {
        const noise = Uint8Array.from({ length: KIBIBYTE }, () => Math.floor(random() * 256));
        exercise(patched(volume, block * KIBIBYTE, noise));
      }
    });

    it('may be refused by the medium at any block', () => {
      for (let block = 0; block < 200; block += THOROUGH ? 1 : 5) {
        const bad = memoryBytes('volume', volume);
        exercise({
          ...bad,
          read(into, at) {
            const hit = at < (block + 1) * KIBIBYTE && at + into.length > block * KIBIBYTE;
            if (hit) throw new ReadError('volume', block * KIBIBYTE, KIBIBYTE);
            return bad.read(into, at);
          },
        });
      }
    });

    it('does not follow what leads back', () => {
      const changed = Buffer.from(volume);
      const { at, length } = inodePlaceOf(volume, 'd');
      // The root is found again below itself.
      const entry = changed.indexOf('file-1', metadataBlocks(volume)[0]);
      expect(entry).toBeGreaterThan(0);
      for (const tree of treeRoots(volume)) {
        const block = tree * KIBIBYTE;
        changed.writeUInt16BE(1, block + 4);
        changed.writeUInt16BE(2, block + 6);
        for (let word = block + (summed ? 56 : 16); word < block + KIBIBYTE; word += 4)
          changed.writeUInt32BE(tree, word);
        restamp(changed, block, KIBIBYTE);
      }
      for (const header of [512, 1024]) {
        changed.writeUInt32BE(2, header + (header === 512 ? 28 : 24));
        restamp(changed, header, 512);
      }
      changed.writeUInt16BE(2, at + 16);
      if (summed) restamp(changed, at, length);
      const { filesystem, paths: seen } = exercise(memoryBytes('volume', changed));
      expect(seen.length).toBe(paths);
      expect(filesystem?.volume.damage.facts.map(fact => fact.code)).toContain('ELOOP');
    });

    it('gives a directory one name, and shows it under others as far as all that is not more than the whole', () => {
      const changed = Buffer.from(volume);
      const source = new XfsVolume(memoryBytes('volume', volume));
      const root = source.inode(source.rootInode);
      const target = source.directory(root).records.find(({ name }) => name === 'd')?.inode ?? 0;
      // The root's entries are in its inode: each leads to the directory "d" now.
      const fork = root.location + (summed ? 176 : 100);
      const end = fork + root.sizeBytes;
      for (const { inode } of source.directory(root).records) {
        const word = Buffer.alloc(4);
        word.writeUInt32BE(inode);
        const place = changed.indexOf(word, fork + 6);
        expect(place).toBeLessThan(end);
        changed.writeUInt32BE(target, place);
      }
      if (summed) restamp(changed, root.location, source.superblock.inodeSize);
      const { faults, paths: seen } = exercise(memoryBytes('volume', changed));
      const names = source.directory(root).records.map(({ name }) => name);
      const below = names.map(name => seen.filter(path => path.startsWith(`/${name}/`)).length);
      const inDirectory = source.directory(source.inode(target)).records.length;
      expect(below.every(count => count >= inDirectory && count === below[0])).toBe(true);
      expect(seen.length).toBe(names.length * (1 + (below[0] ?? 0)));
      expect(seen.length).toBeLessThan(2 * paths);
      expect(faults).toEqual([]);
    });
  });

  describe('with a log that holds what was not written home', () => {
    let dirty: Buffer;
    let start: number;
    beforeAll(() => {
      dirty = readFileSync(crash(scratch.path, ['-b', 'size=1024'], work));
      const { superblock } = new XfsVolume(memoryBytes('volume', dirty));
      start = (superblock.logStart ?? 0) * KIBIBYTE;
    });

    it('is replayed before it is broken', () => {
      const { filesystem, faults } = exercise(memoryBytes('volume', dirty));
      expect(faults).toEqual([]);
      expect(filesystem?.replayed?.inodes).toBeGreaterThan(40);
    });

    it('may have anything in any field of a record', () => {
      for (const block of recordsIn(dirty, start)) flipFields(dirty, recordHeader, start + block * 512, null);
    });

    it('may have anything in what is logged, with checksums that agree', () => {
      // Without a checksum a record is believed.
      for (const block of recordsIn(dirty, start)) {
        const record = start + block * 512;
        const believed = Buffer.from(dirty);
        believed.writeUInt32LE(0, record + 32);
        const end = Math.min(believed.readUInt32BE(record + 12), THOROUGH ? 20_000 : 900);
        for (let at = record + 512; at < record + 512 + end; at += THOROUGH ? 12 : 44) {
          flipFields(believed, operation, at, null);
          if (THOROUGH) for (const struct of [bufferItem, inodeItem]) flipFields(believed, struct, at, null);
        }
      }
    });

    it('may be noise in any block', () => {
      const random = randomNumbers(9);
      for (let block = 0; block < (THOROUGH ? 400 : 60); block++) {
        const noise = Uint8Array.from({ length: 512 }, () => Math.floor(random() * 256));
        exercise(patched(dirty, start + block * 512, noise));
      }
    });

    it('may have a log that never ends', () => {
      const [first = 0] = recordsIn(dirty, start);
      const endless = Buffer.from(dirty);
      const header = dirty.subarray(start + first * 512, start + first * 512 + 512);
      const { superblock } = new XfsVolume(memoryBytes('volume', dirty));
      for (let at = start; at < start + superblock.logBlocks * KIBIBYTE; at += 512) endless.set(header, at);
      const { filesystem } = exercise(memoryBytes('volume', endless));
      expect(filesystem?.replayed).toBe(null);
      expect(filesystem?.notReplayed).not.toBe(null);
    });
  });
});

/** Four bytes. */
const wordAt = { fields: { word: remoteHeader.fields.magic } };

/** The volume with other bytes at one place, without a copy of it. */
function patched(volume: Buffer, at: number, bytes: Uint8Array): ByteSource {
  const sound = memoryBytes('volume', volume);
  return {
    ...sound,
    read(into, from) {
      const count = sound.read(into, from);
      const first = Math.max(at, from);
      const end = Math.min(at + bytes.length, from + count);
      if (first < end) into.set(bytes.subarray(first - at, end - at), first - from);
      return count;
    },
  };
}

interface Summed {
  readonly block: number;
  readonly length: number;
}

/** Sets each field of a structure to values that it should not have, one at a time, and exercises the volume each time. */
function flipFields(volume: Buffer, struct: { readonly fields: Fields }, at: number, summed: Summed | null): void {
  const block = summed?.block ?? at;
  const length = summed?.length ?? KIBIBYTE;
  for (const field of Object.values(struct.fields)) {
    const place = at + field.offset - block;
    const width = Math.min(field.length, 8, length - place);
    if (width <= 0) continue;
    for (const value of THOROUGH ? [0x00, 0x01, 0x7f, 0x80, 0xff] : [0x00, 0xff]) {
      const broken = Buffer.from(volume.subarray(block, block + length));
      broken.fill(value === 1 ? 0 : value, place, place + width);
      if (value === 1) broken[place + width - 1] = 1;
      if (Buffer.compare(broken, volume.subarray(block, block + length)) === 0) continue;
      if (summed !== null) restamp(broken, 0, length);
      exercise(patched(volume, block, broken));
    }
  }
}

/** Roots of the free space's and the inodes' trees. */
function treeRoots(volume: Buffer): number[] {
  return [512 + 16, 512 + 20, 1024 + 20].map(at => volume.readUInt32BE(at));
}

function recordOf(source: XfsVolume, name: string, directory = source.rootInode): number {
  const { records } = source.directory(source.inode(directory));
  const found = records.find(record => record.name === name)?.inode;
  return found ?? recordOf(source, name, records.find(record => record.name === 'd')?.inode);
}

function inodePlaceOf(volume: Buffer, name: string): { at: number; length: number } {
  const source = new XfsVolume(memoryBytes('volume', volume));
  return { at: source.rawInode(recordOf(source, name)).location, length: source.superblock.inodeSize };
}

/** Some blocks of directories, of attributes, of symlinks and of trees of extents. */
function metadataBlocks(bytes: Buffer): number[] {
  const source = new XfsVolume(memoryBytes('volume', bytes));
  const blocks: number[] = [];
  for (const name of ['d', 'node', 'file-1', 'link']) {
    const inode = source.inode(recordOf(source, name));
    const data = inode.type === 'file' ? [] : source.blockMap(inode).runs;
    const runs = [...data, ...source.attributeMap(inode).runs];
    blocks.push(...source.blockMap(inode).nodes);
    for (const { physical, length } of runs.slice(0, 5))
      blocks.push(...[0, 1].filter(step => step < length).map(step => physical + step));
  }
  return blocks;
}

/** Blocks of the log at which its first records begin. */
function recordsIn(volume: Buffer, start: number): number[] {
  const blocks: number[] = [];
  for (let block = 0; blocks.length < (THOROUGH ? 8 : 3); block++) {
    if (volume.readUInt32BE(start + block * 512) === 0xfeedbabe) blocks.push(block);
  }
  return blocks.slice(1);
}

function work(root: string): void {
  run('mkdir', [`${root}/made`]);
  for (let index = 0; index < 60; index++) writeFileSync(`${root}/made/file-${index}`, pattern(index, index * 30));
}

/** A directory with 8 files, one with several blocks, files of some sizes, a long link. Returns how many paths it makes. */
function writePrototype(scratch: string): { prototype: string; count: number } {
  const prototype = `${scratch}/prototype`;
  writeFileSync(`${scratch}/content`, pattern(1, 1500));
  const files = (count: number) =>
    Array.from({ length: count }, (_, index) => `file-${index} ---644 0 0 ${scratch}/content`);
  const lines = [
    ...['/', '0 0', 'd--755 0 0', 'd d--755 0 0', ...files(8), '$', 'node d--755 0 0', ...files(170), '$'],
    ...[`link l--777 0 0 ${'l'.repeat(800)}`, 'short l--777 0 0 target', `holes ---644 0 0 ${scratch}/content`, '$'],
  ];
  writeFileSync(prototype, `${lines.join('\n')}\n`);
  return { prototype, count: 8 + 170 + 5 };
}
