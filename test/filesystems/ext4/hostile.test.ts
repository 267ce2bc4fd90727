// Broken and malicious volumes: cut off anywhere, every field set to what it should not be, structures that go in circles.
// Each gives values or typed errors in bounded work, and what is not hit is still shown.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { ReadError } from '../../../src/errors.ts';
import { blockHeader, commitHeader, journalSuperblock } from '../../../src/filesystems/ext4/journal-layout.ts';
import {
  directoryEntry,
  extentHeader,
  extentLeaf,
  groupDescriptor,
  inode as inodeLayout,
  superblock as superblockLayout,
} from '../../../src/filesystems/ext4/layout.ts';
import { Ext4Volume } from '../../../src/filesystems/ext4/volume.ts';
import type { Fields } from '../../../src/struct/struct.ts';
import { exercise } from './exercise.ts';
import { run, scratchDirectory } from './loop-mount.ts';
import { pattern } from './populate.ts';
import { randomNumbers } from './random-work.ts';

const KIBIBYTE = 1024;
/** Every value at every place; takes minutes. */
const THOROUGH = process.env.LOSTWRITE_LONG_TESTS !== undefined;
const missing = ['mke2fs', 'debugfs'].filter(tool => spawnSync(tool, ['-V']).error !== undefined);
if (missing.length > 0) process.stderr.write(`hostile.test.ts skipped: no ${missing.join(', no ')}\n`);

/** mke2fs options; the volume has 2 MiB. */
const FORMATS: readonly (readonly [string, readonly string[]])[] = [
  ['with checksums', ['-t', 'ext4', '-b', '1024', '-O', 'inline_data,^has_journal']],
  ['without checksums', ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum,^has_journal']],
  ['ext2', ['-t', 'ext2', '-b', '1024', '-I', '128']],
];

vi.setConfig({ testTimeout: 600_000, hookTimeout: 60_000 });

describe.skipIf(missing.length > 0)('a hostile volume', () => {
  const scratch = scratchDirectory();
  const tree = `${scratch.path}/tree`;
  beforeAll(() => makeTree(tree));
  afterAll(() => scratch.remove());

  function makeVolume(options: readonly string[], size = '2M'): Buffer {
    const image = `${scratch.path}/image`;
    writeFileSync(image, '');
    run('mke2fs', [
      '-q',
      '-F',
      '-N',
      '96',
      '-U',
      '00000000-0000-4000-8000-000000000001',
      ...options,
      '-d',
      tree,
      image,
      size,
    ]);
    return readFileSync(image);
  }

  describe.each(FORMATS)('%s', (_name, options) => {
    let volume: Buffer;
    beforeAll(() => {
      volume = makeVolume(options);
    });

    it('is whole before it is broken', () => {
      const { paths, faults, filesystem } = exercise(memoryBytes('volume', volume));
      expect(paths.length).toBe(40 + 12);
      expect(faults).toEqual([]);
      expect(filesystem?.volume.damage.facts).toEqual([]);
    });

    it('may end anywhere', () => {
      for (
        let length = 0;
        length < volume.length;
        length += length < 8 * KIBIBYTE ? 128 : (THOROUGH ? 1 : 9) * KIBIBYTE
      ) {
        exercise(memoryBytes('volume', volume.subarray(0, length)));
      }
    });

    it('may have anything in any field of the superblock', () => {
      flipFields(volume, superblockLayout, 1024);
    });

    it('may have anything in any field of a group descriptor', () => {
      flipFields(volume, groupDescriptor, 2 * KIBIBYTE);
    });

    it('may have anything in any field of an inode', () => {
      for (const number of THOROUGH ? [2, 11, 12, 13, 14, 15, 16, 17] : [2, 12, 13, 14])
        flipFields(volume, inodeLayout, locationOf(volume, number));
    });

    it('may have anything in any extent or block pointer of an inode', () => {
      for (const number of [2, 12, 13, 14, 15]) {
        const at = locationOf(volume, number) + 0x28;
        flipFields(volume, extentHeader, at);
        for (let entry = 1; entry < 5; entry++) flipFields(volume, extentLeaf, at + 12 * entry);
      }
    });

    it('may have anything in any block of a directory, of an extent tree or of attributes', () => {
      const blocks = metadataBlocks(volume);
      expect(blocks.length).toBeGreaterThan(3);
      for (const block of blocks) {
        for (let at = 0; at < (THOROUGH ? 120 : 40); at += THOROUGH ? 4 : 12)
          flipFields(volume, directoryEntry, block * KIBIBYTE + at);
      }
    });

    it('may be noise in any block', () => {
      const random = randomNumbers(7);
      for (let block = 1; block < 140; block += THOROUGH ? 1 : 3) {
        const broken = Buffer.from(volume);
        for (let at = 0; at < KIBIBYTE; at++) broken[block * KIBIBYTE + at] = Math.floor(random() * 256);
        exercise(memoryBytes('volume', broken));
      }
    });

    it('may be refused by the medium at any block', () => {
      for (let block = 1; block < 140; block += THOROUGH ? 1 : 3) {
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
  });

  describe('in circles', () => {
    let volume: Buffer;
    beforeAll(() => {
      volume = makeVolume(['-t', 'ext2', '-b', '1024']);
    });

    function debugfs(...commands: readonly string[]): Buffer {
      const image = `${scratch.path}/changed`;
      writeFileSync(image, volume);
      run('debugfs', ['-w', '-f', '-', image], commands.join('\n'));
      return readFileSync(image);
    }

    it('gives the root no second name', () => {
      const { paths, faults } = exercise(memoryBytes('volume', debugfs('link <2> /d/loop', 'link <2> /loop')));
      expect([...faults].sort()).toEqual(['/d/loop: ELOOP', '/loop: ELOOP']);
      expect(paths.length).toBe(40 + 12 + 2);
    });

    it('gives a directory one name, and shows it under others as far as all that is not more than the whole', () => {
      const { faults, paths } = exercise(
        memoryBytes('volume', debugfs('link /d /aa', 'link /d /zz', 'link /d /d/again', 'link /d/e /e')),
      );
      const round = ['/aa/again: ELOOP', '/d/again: ELOOP'];
      expect([...faults].sort()).toEqual([...round, '/zz: ELOOP']);
      for (const path of ['/aa/file-0', '/d/file-0', '/e/deep']) expect(paths).toContain(path);
      const below = 40 + 3;
      expect(paths.length).toBe(40 + 12 + 4 + below + 1);
    });

    it('shows a directory whose parent does not name it where it is named', () => {
      const { faults, paths } = exercise(memoryBytes('volume', debugfs('link /d/e /moved', 'unlink /d/e')));
      expect(faults).toEqual([]);
      expect(paths).toContain('/moved/deep');
    });

    it('ends a doubling maze below its first step', () => {
      const steps = Array.from({ length: 12 }, (_, level) => `mkdir /m${level}`);
      const links = Array.from({ length: 11 }, (_, level) =>
        [`x`, `y`].map(name => `link /m${level + 1} /m${level}/${name}`),
      );
      const maze = debugfs('rm /short', 'rm /medium', ...steps, ...links.flat());
      const { faults, paths } = exercise(memoryBytes('volume', maze));
      expect(faults.every(fault => /^\/m\d+\/[xy]\/[xy]: ELOOP$/.test(fault))).toBe(true);
      expect(faults.length).toBe(40);
      expect(paths.length).toBe(40 + 12 - 2 + 12 + 22 + 40);
    });

    it('does not follow pointers that lead back', () => {
      const at = locationOf(volume, inodeOf(volume, 'long')) + 0x28;
      const broken = Buffer.from(volume);
      const indirect = broken.readUInt32LE(at + 48);
      for (const pointer of [52, 56]) broken.writeUInt32LE(indirect, at + pointer);
      for (let entry = 0; entry < KIBIBYTE; entry += 4) broken.writeUInt32LE(indirect, indirect * KIBIBYTE + entry);
      broken.writeUInt32LE(0x7fffffff, locationOf(volume, inodeOf(volume, 'long')) + 4);
      const { filesystem } = exercise(memoryBytes('volume', broken));
      const codes = filesystem?.volume.damage.facts.map(fact => fact.code);
      expect(codes).toContain('ELOOP');
    });
  });

  describe('with a journal', () => {
    let dirty: Buffer;
    beforeAll(() => {
      const blocks = `${scratch.path}/blocks`;
      const image = `${scratch.path}/dirty`;
      writeFileSync(image, makeVolume(['-t', 'ext4', '-b', '1024', '-J', 'size=1'], '4M'));
      writeFileSync(blocks, pattern(4, 3 * KIBIBYTE));
      const commands = [
        `jo -c`,
        `jw -b 3000,3001,3002 ${blocks}`,
        `jw -b 3003 ${blocks}`,
        'jw -r 3001,3002',
        `jw -b 3002 ${blocks}`,
        'jc',
      ];
      run('debugfs', ['-w', '-f', '-', image], commands.join('\n'));
      dirty = readFileSync(image);
    });

    it('is replayed before it is broken', () => {
      const { filesystem, faults } = exercise(memoryBytes('volume', dirty));
      expect(faults).toEqual([]);
      expect([...(filesystem?.replayed?.overlay.blocks ?? [])]).toEqual([3000, 3002, 3003]);
      const replayed = new Uint8Array(3 * KIBIBYTE);
      filesystem?.volume.source.read(replayed, 3000 * KIBIBYTE);
      const home = dirty.subarray(3001 * KIBIBYTE, 3002 * KIBIBYTE);
      const first = pattern(4, KIBIBYTE);
      expect(Buffer.compare(replayed, Buffer.concat([first, home, first]))).toBe(0);
    });

    it('may have anything in any field of the journal', () => {
      const start = journalStart(dirty);
      flipFields(dirty, journalSuperblock, start);
      for (let block = 1; block < (THOROUGH ? 14 : 6); block++) {
        const at = start + block * KIBIBYTE;
        flipFields(dirty, blockHeader, at);
        for (let field = 12; field < 80; field += 16) flipFields(dirty, blockHeader, at + field);
        flipFields(dirty, commitHeader, at);
      }
    });

    it('may have a log that never ends', () => {
      const start = journalStart(dirty);
      const descriptor = dirty.subarray(start + KIBIBYTE, start + 2 * KIBIBYTE);
      const endless = Buffer.from(dirty);
      const volume = new Ext4Volume(memoryBytes('volume', dirty));
      for (const { logical, physical, length } of volume.blockMap(volume.rawInode(8)).runs) {
        for (let block = logical === 0 ? 1 : 0; block < length; block++)
          endless.set(descriptor, (physical + block) * KIBIBYTE);
      }
      const { filesystem } = exercise(memoryBytes('volume', endless));
      expect(filesystem?.replayed?.errors.length).toBe(1);
    });

    it('may be noise in any block', () => {
      const random = randomNumbers(9);
      const start = journalStart(dirty);
      for (let block = 0; block < 14; block++) {
        const broken = Buffer.from(dirty);
        for (let at = 0; at < KIBIBYTE; at++) broken[start + block * KIBIBYTE + at] = Math.floor(random() * 256);
        exercise(memoryBytes('volume', broken));
      }
    });
  });
});

/** Sets each field of a structure to values that it should not have, one at a time, and exercises the volume each time. */
function flipFields(volume: Buffer, struct: { readonly fields: Fields }, at: number): void {
  for (const field of Object.values(struct.fields)) {
    const length = Math.min(field.length, 8);
    for (const value of THOROUGH ? [0x00, 0x01, 0x7f, 0x80, 0xff] : [0x00, 0xff]) {
      const broken = Buffer.from(volume);
      broken.fill(value === 1 ? 0 : value, at + field.offset, at + field.offset + length);
      if (value === 1) broken[at + field.offset] = 1;
      if (Buffer.compare(broken, volume) !== 0) exercise(memoryBytes('volume', broken));
    }
    const flipped = Buffer.from(volume);
    flipped[at + field.offset] = (flipped[at + field.offset] ?? 0) ^ 0x10;
    exercise(memoryBytes('volume', flipped));
  }
}

function locationOf(volume: Buffer, inode: number): number {
  return new Ext4Volume(memoryBytes('volume', volume)).inodeLocation(inode);
}

function inodeOf(bytes: Buffer, name: string): number {
  const volume = new Ext4Volume(memoryBytes('volume', bytes));
  return volume.directory(volume.inode(2)).records.find(record => record.name === name)?.inode ?? 0;
}

/** Blocks of directories, of block maps and of attributes. */
function metadataBlocks(bytes: Buffer): number[] {
  const volume = new Ext4Volume(memoryBytes('volume', bytes));
  const blocks: number[] = [];
  for (let number = 2; number <= 64; number++) {
    const inode = volume.rawInode(number);
    if (!inode.inUse || (number > 2 && number < 11)) continue;
    const map = volume.blockMap(inode);
    blocks.push(...map.nodes);
    if (inode.type === 'directory') for (const run of map.runs.slice(0, 2)) blocks.push(run.physical);
    if (inode.attributeBlock > 0) blocks.push(inode.attributeBlock);
  }
  return blocks;
}

function journalStart(bytes: Buffer): number {
  const volume = new Ext4Volume(memoryBytes('volume', bytes));
  return (volume.blockMap(volume.rawInode(8)).runs[0]?.physical ?? 0) * KIBIBYTE;
}

/** 40 files in a directory, and 11 other things beside lost+found. */
function makeTree(root: string): void {
  mkdirSync(`${root}/d/e/deep`, { recursive: true });
  for (let index = 0; index < 40; index++) writeFileSync(`${root}/d/file-${index}`, '');
  writeFileSync(`${root}/short`, 'short');
  writeFileSync(`${root}/medium`, pattern(1, 150));
  writeFileSync(`${root}/long`, pattern(2, 100_000));
  writeFileSync(`${root}/attributed`, 'attributed');
  for (const [name, length] of [
    ['user.small', 10],
    ['user.large', 600],
  ] as const) {
    spawnSync('setfattr', ['-n', name, '-v', 'v'.repeat(length), `${root}/attributed`]);
  }
  symlinkSync('target', `${root}/fast`);
  symlinkSync('t'.repeat(100), `${root}/slow`);
  const holes = Buffer.alloc(400_000);
  for (let at = 0; at < holes.length; at += 20_000) holes.fill(1, at, at + 100);
  writeFileSync(`${root}/holes`, holes);
  writeFileSync(`${root}/name-${'x'.repeat(250)}`, 'long name');
}
