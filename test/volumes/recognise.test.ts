import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { rawCrc32 } from '../../src/struct/crc32.ts';
import { findVolumes } from '../../src/volumes/find-volumes.ts';
import { hasTool, run } from '../bytes/disk-fixtures.ts';
import { blank, gptDisk, hasTools, MIB, poke, scratch, survey } from './partition-fixtures.ts';

afterAll(() => scratch.remove());

describe('recognising', () => {
  const expectAsBlkid = (path: string, kind: string) => {
    const told = Object.fromEntries(
      run('blkid', '-p', '-o', 'export', path)
        .split('\n')
        .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const file = openFileBytes(path);
    const [volume] = findVolumes(file);
    file.close();
    // On request blkid escapes nothing but blanks.
    const label = (told.LABEL ?? '').replaceAll('\\ ', ' ');
    expect(volume).toMatchObject({ kind, label, uuid: told.UUID ?? null, offset: 0, size: file.size, partition: null });
  };

  const makers: readonly [kind: string, tool: string, size: number, ...args: string[]][] = [
    ['ext2', 'mkfs.ext2', 8 * MIB, '-q', '-F', '-L', 'two', 'IMAGE'],
    ['ext3', 'mkfs.ext3', 8 * MIB, '-q', '-F', '-L', 'three', 'IMAGE'],
    ['ext4', 'mkfs.ext4', 8 * MIB, '-q', '-F', '-L', 'four of them', 'IMAGE'],
    ['ext-journal', 'mke2fs', 8 * MIB, '-q', '-F', '-O', 'journal_dev', 'IMAGE'],
    ['xfs', 'mkfs.xfs', 320 * MIB, '-q', '-L', 'xfs label', 'IMAGE'],
    ['swap', 'mkswap', 8 * MIB, '-q', '-L', 'swap', 'IMAGE'],
    ['btrfs', 'mkfs.btrfs', 128 * MIB, '-q', '-L', 'butter', 'IMAGE'],
    ['fat', 'mkfs.vfat', 8 * MIB, '-n', 'SIXTEEN', 'IMAGE'],
    ['fat', 'mkfs.vfat', 64 * MIB, '-F', '32', '-n', 'WIDE', 'IMAGE'],
    ['ntfs', 'mkfs.ntfs', 8 * MIB, '-q', '-F', 'IMAGE'],
    ['exfat', 'mkfs.exfat', 8 * MIB, 'IMAGE'],
    [
      'luks',
      'cryptsetup',
      32 * MIB,
      'luksFormat',
      '-q',
      '--pbkdf-force-iterations',
      '1000',
      '--pbkdf',
      'pbkdf2',
      '--label',
      'locked',
      'IMAGE',
      scratch.path('key'),
    ],
    [
      'luks',
      'cryptsetup',
      32 * MIB,
      'luksFormat',
      '--type',
      'luks1',
      '-q',
      '--pbkdf-force-iterations',
      '1000',
      'IMAGE',
      scratch.path('key'),
    ],
  ];
  writeFileSync(scratch.path('key'), 'key');
  for (const [kind, tool, size, ...args] of makers) {
    const index = makers.findIndex(maker => maker[0] === kind && maker[2] === size && maker.length === args.length + 3);
    it.skipIf(!hasTool(tool) || !hasTool('blkid'))(`${kind} made by ${tool} (${index}) agrees with blkid`, () => {
      const path = blank(`made-${index}`, size);
      run(tool, ...args.map(arg => (arg === 'IMAGE' ? path : arg)));
      expectAsBlkid(path, kind);
    });
  }

  // Their tools need the kernel's help: the least that blkid accepts is written by hand.
  const crafted: readonly [kind: string, size: number, write: (disk: Buffer) => void][] = [
    ['lvm2', 8 * MIB, craftLvm2],
    ['zfs', 64 * MIB, craftZfs],
    ['md', 8 * MIB, disk => craftMd(disk, 4096)],
    ['md', 8 * MIB, disk => craftMd(disk, 0)],
    ['md', 8 * MIB, disk => craftMd(disk, disk.length - 8192)],
  ];
  for (const [index, [kind, size, write]] of crafted.entries()) {
    it.skipIf(!hasTool('blkid'))(`${kind} (${index}) agrees with blkid`, () => {
      const disk = Buffer.alloc(size);
      write(disk);
      const path = scratch.path(`crafted-${index}`);
      writeFileSync(path, disk);
      expectAsBlkid(path, kind);
    });
  }

  it.skipIf(!hasTools)('a leg of a mirror as what it contains, when that begins at its start', () => {
    const path = blank('leg', 8 * MIB);
    run('mkfs.ext4', '-q', '-F', path, '7M');
    for (const [level, kind] of [
      [1, 'ext4'],
      [5, 'md'],
    ] as const) {
      const disk = readFileSync(path);
      craftMd(disk, disk.length - 8192, level);
      writeFileSync(scratch.path('leg-of'), disk);
      const [volume] = survey(scratch.path('leg-of')).volumes;
      expect(volume?.kind).toBe(kind);
      expect(volume?.facts).toEqual([
        { name: 'md-level', detail: String(level) },
        { name: 'also-looks-like', detail: kind === 'md' ? 'ext4' : 'md' },
      ]);
    }
  });

  it.skipIf(!hasTool('mksquashfs', '-version'))('squashfs made by mksquashfs', () => {
    const path = scratch.path('squash');
    run('mksquashfs', scratch.path('key'), path, '-quiet', '-no-progress');
    expect(survey(path).volumes).toMatchObject([{ kind: 'squashfs', holdsFiles: true }]);
  });

  it.skipIf(!hasTools)('the file systems in partitions', () => {
    const path = gptDisk('filled');
    run('mkfs.ext4', '-q', '-F', '-L', 'root', '-E', `offset=${10 * MIB}`, path, '20M');
    const swap = blank('swap-part', 5 * MIB);
    run('mkswap', '-q', swap);
    poke(path, 50 * MIB, readFileSync(swap));
    expect(survey(path).volumes.map(({ kind, label, holdsFiles }) => ({ kind, label, holdsFiles }))).toEqual([
      { kind: 'unknown', label: '', holdsFiles: false },
      { kind: 'ext4', label: 'root', holdsFiles: true },
      { kind: 'swap', label: '', holdsFiles: false },
    ]);
  });

  for (const blockSize of [1024, 2048, 4096]) {
    it.skipIf(!hasTools)(`ext4 of ${blockSize}-byte blocks by its second superblock when the first is lost`, () => {
      const path = blank(`lost-${blockSize}`, 140 * MIB);
      run('mkfs.ext4', '-q', '-F', '-b', String(blockSize), '-L', 'lost', '-O', '^sparse_super2', path);
      const uuid = survey(path).volumes[0]?.uuid;
      poke(path, 1024, Buffer.alloc(1024));
      expect(survey(path).volumes).toMatchObject([
        { kind: 'ext4', label: 'lost', uuid, facts: [{ name: 'ext-superblock-lost' }] },
      ]);
    });
  }

  it.skipIf(!hasTools)('nothing in zeros, noise and empty disks', () => {
    expect(survey(blank('zeros', 3 * MIB)).volumes).toMatchObject([
      { kind: 'unknown', size: 3 * MIB, holdsFiles: false, facts: [] },
    ]);
    expect(survey(blank('empty', 0)).volumes).toEqual([]);
    expect(survey(blank('tiny', 100)).volumes).toMatchObject([{ kind: 'unknown', size: 100 }]);
  });

  it('says what else a volume looks like', () => {
    const path = blank('both', 8 * MIB);
    run('mkfs.ext4', '-q', '-F', path);
    poke(path, 0, Buffer.from('hsqs'));
    poke(path, 28, Buffer.from([4, 0]));
    expect(survey(path).volumes).toMatchObject([
      { kind: 'ext4', facts: [{ name: 'also-looks-like', detail: 'squashfs' }] },
    ]);
  });
});

/** LVM2's label in sector 1; its checksum begins with a value of LVM's own. */
function craftLvm2(disk: Buffer): void {
  const label = disk.subarray(512, 1024);
  label.write('LABELONE');
  label.writeUInt32LE(1, 8);
  label.writeUInt32LE(32, 20);
  label.write('LVM2 001', 24);
  label.write('abcdefGHIJKLmnopqrstuvwxyz012345', 32);
  label.writeUInt32LE(rawCrc32(0xf597a6cf, label.subarray(20)), 16);
}

/** Eight uberblocks in the ring of each label. */
function craftZfs(disk: Buffer): void {
  for (const label of [0, 256 * 1024, disk.length - 512 * 1024, disk.length - 256 * 1024]) {
    for (let slot = 0; slot < 8; slot++) disk.writeBigUInt64LE(0x00bab10cn, label + 128 * 1024 + slot * 1024);
  }
}

/** A version 1 superblock of md at `at`. */
function craftMd(disk: Buffer, at: number, level = 5): void {
  const superblock = disk.subarray(at, at + 1024);
  superblock.fill(0).writeUInt32LE(0xa92b4efc, 0);
  superblock.writeUInt32LE(1, 4);
  Buffer.from('00112233445566778899aabbccddeeff', 'hex').copy(superblock, 16);
  superblock.write('host:0', 32);
  superblock.writeUInt32LE(level, 72);
  superblock.writeBigUInt64LE(BigInt(at / 512), 144);
}
