import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/bytes/byte-source.ts';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { DamageError, ReadError, UnsupportedError } from '../../src/errors.ts';
import { rawCrc32 } from '../../src/struct/crc32.ts';
import { type Disk, findVolumes, surveyDisk } from '../../src/volumes/find-volumes.ts';
import { gptEntry, gptHeader } from '../../src/volumes/layout.ts';
import { hasTool, run, scratchFolder } from '../bytes/disk-fixtures.ts';

const scratch = scratchFolder();
afterAll(() => scratch.remove());

const MIB = 2 ** 20;
const SECTOR = 512;
const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('skipped: loop devices need root\n');
const hasTools = ['sgdisk', 'sfdisk', 'blkid', 'mkfs.ext4', 'mkswap'].map(tool => hasTool(tool)).every(Boolean);

function blank(name: string, size: number): string {
  const path = scratch.path(name);
  closeSync(openSync(path, 'w'));
  truncateSync(path, size);
  return path;
}

function survey(path: string): Disk {
  const file = openFileBytes(path);
  try {
    return surveyDisk(file);
  } finally {
    file.close();
  }
}

const factNames = (path: string) => survey(path).facts.map(({ name }) => name);

interface TableOfTool {
  readonly partitiontable: {
    readonly sectorsize: number;
    readonly partitions: readonly {
      node: string;
      start: number;
      size: number;
      type: string;
      uuid?: string;
      name?: string;
    }[];
  };
}

/** What sfdisk says of the disk, in our words. */
function tableOfTool(path: string, ...options: readonly string[]) {
  const { partitiontable }: TableOfTool = JSON.parse(run('sfdisk', '--json', ...options, path));
  return partitiontable.partitions.map(({ node, start, size, type, uuid, name }) => ({
    number: Number(node.slice(path.length).replace(/^p/, '')),
    offset: start * partitiontable.sectorsize,
    size: size * partitiontable.sectorsize,
    type: uuid === undefined ? `0x${type.padStart(2, '0')}` : type.toLowerCase(),
    guid: uuid?.toLowerCase() ?? null,
    name: name ?? '',
  }));
}

function tableOfOurs(path: string) {
  return survey(path).volumes.map(({ partition, offset, size }) => ({
    number: partition?.number,
    offset,
    size,
    type: partition?.type,
    guid: partition?.guid,
    name: partition?.name,
  }));
}

/** A disk of 64 MiB with partitions 1, 2 and 5. Made once, then copied: sgdisk takes its time. */
function gptDisk(name: string): string {
  const template = scratch.path('gpt-template');
  if (!existsSync(template)) {
    const parts = ['-n', '1:2048:+8M', '-t', '1:ef00', '-c', '1:EFI system', '-n', '2:+1M:+20M'];
    run('sgdisk', ...parts, '-n', '5:50M:+5M', '-t', '5:8200', '-c', '5:größe', blank('gpt-template', 64 * MIB));
  }
  run('cp', '--sparse=always', template, scratch.path(name));
  return scratch.path(name);
}

function poke(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

function firstBytes(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openFileBytes(path);
  file.read(bytes, 0);
  file.close();
  return bytes;
}

const lastSector = (path: string) => openAndSize(path) - SECTOR;
function openAndSize(path: string): number {
  const file = openFileBytes(path);
  file.close();
  return file.size;
}

describe.skipIf(!hasTools)('a GPT', () => {
  it('is read as sfdisk reads it', () => {
    const path = gptDisk('gpt');
    const disk = survey(path);
    expect(disk.scheme).toBe('gpt');
    expect(disk.facts).toEqual([]);
    expect(tableOfOurs(path)).toEqual(tableOfTool(path));
    expect(disk.volumes.map(({ partition }) => partition?.typeName)).toEqual([
      'EFI system',
      'Linux file system',
      'Linux swap',
    ]);
    expect(disk.volumes.map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it.skipIf(!isRoot)('of 4096-byte sectors is read as sfdisk reads it', () => {
    const path = blank('gpt4k', 64 * MIB);
    const device = run('losetup', '--find', '--show', '--sector-size', '4096', path).trim();
    try {
      run('sgdisk', '-n', '1:0:+10M', '-t', '1:ef00', '-n', '2:0:+20M', '-c', '2:data', device);
      expect(survey(path)).toMatchObject({ scheme: 'gpt', facts: [] });
      expect(tableOfOurs(path)).toEqual(tableOfTool(device));
      expect(tableOfOurs(path).map(({ size }) => size)).toEqual([10 * MIB, 20 * MIB]);
    } finally {
      run('losetup', '--detach', device);
    }
  });

  it('with 200 entries is read as sfdisk reads it', () => {
    const path = blank('gpt200', 64 * MIB);
    run('sgdisk', '-S', '200', path);
    run('sgdisk', '-n', '190:0:+1M', '-n', '3:0:+1M', path);
    expect(tableOfOurs(path)).toEqual(tableOfTool(path).sort((left, right) => left.number - right.number));
  });

  for (const [what, at] of [
    ['header', SECTOR + 24],
    ['header magic', SECTOR],
    ['entries', 2 * SECTOR + 130],
  ] as const) {
    it(`with a damaged first ${what} is read from its backup, and says so`, () => {
      const path = gptDisk('first-damaged');
      const expected = tableOfOurs(path);
      poke(path, at, Buffer.from('damage'));
      expect(tableOfOurs(path)).toEqual(expected);
      expect(factNames(path)).toEqual(['gpt-backup-used']);
    });
  }

  it('with a damaged backup says so', () => {
    const path = gptDisk('backup-damaged');
    const expected = tableOfOurs(path);
    poke(path, lastSector(path) + 30, Buffer.from('damage'));
    expect(tableOfOurs(path)).toEqual(expected);
    expect(survey(path).facts).toEqual([
      { name: 'gpt-backup-damaged', detail: `a header with a wrong checksum at ${lastSector(path)}` },
    ]);
  });

  it('with damaged entries in both copies gives what the first says, and says so', () => {
    const path = gptDisk('entries-damaged');
    const expected = tableOfOurs(path);
    poke(path, 2 * SECTOR + 60 * 128, Buffer.from('damage'));
    poke(path, lastSector(path) - 32 * SECTOR + 60 * 128, Buffer.from('damage'));
    expect(tableOfOurs(path).slice(0, 3)).toEqual(expected);
    expect(factNames(path)).toContain('gpt-entries-checksum');
  });

  it('that is announced and lost in both copies is damage', () => {
    const path = gptDisk('both-damaged');
    poke(path, SECTOR + 24, Buffer.from('damage'));
    poke(path, lastSector(path) + 24, Buffer.from('damage'));
    expect(() => survey(path)).toThrow(DamageError);
    expect(() => survey(path)).toThrow('a header with a wrong checksum at 512');
  });

  it('whose copies differ says so, and gives the first', () => {
    const path = gptDisk('differ');
    const before = readFileSync(path);
    run('sgdisk', '-d', '5', path);
    poke(path, before.length - 33 * SECTOR, before.subarray(before.length - 33 * SECTOR));
    expect(factNames(path)).toEqual(['gpt-copies-differ']);
    expect(tableOfOurs(path).map(({ number }) => number)).toEqual([1, 2]);
  });

  it('on a disk that grew finds its backup, and says where it is', () => {
    const path = gptDisk('grown');
    truncateSync(path, 80 * MIB);
    expect(survey(path).facts).toEqual([
      {
        name: 'gpt-backup-misplaced',
        detail: `the first copy expects the second in sector ${(64 * MIB) / SECTOR - 1}, the disk's last is ${(80 * MIB) / SECTOR - 1}`,
      },
    ]);
  });

  it('on a disk that was cut gives what is left of its partitions', () => {
    const path = gptDisk('cut');
    truncateSync(path, 20 * MIB);
    const disk = survey(path);
    expect(disk.facts.map(({ name }) => name)).toEqual(['gpt-backup-damaged', 'partition-unusable']);
    const [, second] = disk.volumes;
    expect(second).toMatchObject({ offset: 10 * MIB, size: 10 * MIB });
    expect(second?.facts).toEqual([
      { name: 'partition-cut', detail: `the last ${10 * MIB} bytes lie beyond the end of the disk` },
    ]);
  });

  it('beside partitions in the first sector is told as hybrid', () => {
    const path = gptDisk('hybrid');
    run('sgdisk', '-h', '1:2', path);
    expect(survey(path)).toMatchObject({ scheme: 'gpt', facts: [{ name: 'gpt-hybrid-mbr' }] });
    expect(tableOfOurs(path)).toEqual(tableOfTool(path));
  });

  it('is still found when the first sector is lost', () => {
    const path = gptDisk('unannounced');
    const expected = tableOfOurs(path);
    poke(path, 0, Buffer.alloc(SECTOR));
    expect(tableOfOurs(path)).toEqual(expected);
    expect(factNames(path)).toEqual(['gpt-without-protective-mbr']);
    poke(path, 0, Buffer.alloc(34 * SECTOR));
    expect(tableOfOurs(path)).toEqual(expected);
    expect(factNames(path)).toEqual(['gpt-without-protective-mbr', 'gpt-backup-used']);
  });

  it('left over at the end counts for nothing beside a file system or an MBR', () => {
    const path = gptDisk('left-over');
    poke(path, 0, Buffer.alloc(MIB));
    run('mkfs.ext4', '-q', '-F', path, '30M');
    expect(survey(path)).toMatchObject({ scheme: null, volumes: [{ kind: 'ext4', offset: 0 }] });
    const other = gptDisk('left-over-mbr');
    run('sh', '-c', `printf 'label: dos\\nsize=10M\\n' | sfdisk -q --wipe never ${other}`);
    poke(other, lastSector(other) - 32 * SECTOR, readFileSync(gptDisk('donor')).subarray(-33 * SECTOR));
    expect(survey(other)).toMatchObject({ scheme: 'mbr', facts: [{ name: 'gpt-ignored' }] });
  });

  it('with overlapping partitions says so', () => {
    const path = gptDisk('overlap');
    rewrite(path, entries => entries.writeBigUInt64LE(2100n, 128 + 32));
    const disk = survey(path);
    expect(disk.volumes.map(({ facts }) => facts.map(({ detail }) => detail))).toEqual([
      ['shares bytes with partition 2'],
      ['shares bytes with partition 1'],
      [],
    ]);
  });
});

/** Changes the first copy's entries and header, and makes its checksums right again. */
function rewrite(
  path: string,
  changeEntries: (entries: Buffer) => void,
  changeHeader: (header: Buffer) => void = () => undefined,
): void {
  const bytes = firstBytes(path, 34 * SECTOR);
  const header = bytes.subarray(SECTOR, 2 * SECTOR);
  const entries = bytes.subarray(2 * SECTOR);
  changeEntries(entries);
  header.writeUInt32LE(crc32(entries.subarray(0, 128 * 128)), 88);
  changeHeader(header);
  header.fill(0, 16, 20).writeUInt32LE(crc32(Buffer.from(header.subarray(0, 92))), 16);
  poke(path, 0, bytes);
}

describe.skipIf(!hasTools)('an MBR', () => {
  function mbrDisk(name: string): string {
    const path = blank(name, 64 * MIB);
    const script = scratch.path('script');
    const lines = [
      'label: dos',
      'size=10M, bootable',
      'size=5M, type=82',
      'size=1M',
      'size=40M, type=5',
      'size=4M',
      'size=6M, type=8e',
      'size=3M',
      'size=2M',
    ];
    writeFileSync(script, `${lines.join('\n')}\n`);
    run('sh', '-c', `sfdisk -q ${path} < ${script}`);
    return path;
  }

  it('with logical partitions is read as sfdisk reads it', () => {
    const path = mbrDisk('mbr');
    expect(survey(path)).toMatchObject({ scheme: 'mbr', facts: [] });
    expect(tableOfOurs(path)).toEqual(tableOfTool(path).filter(({ type }) => type !== '0x05'));
    expect(tableOfOurs(path).map(({ number }) => number)).toEqual([1, 2, 3, 5, 6, 7, 8]);
  });

  it('with a gap in the chain of logical partitions gives those before it', () => {
    const path = mbrDisk('mbr-broken');
    const [, , , , sixth] = survey(path).volumes;
    // The table of logical partition 6 lies a mebibyte before it.
    const table = (sixth?.offset ?? 0) - MIB;
    poke(path, table, Buffer.alloc(SECTOR));
    const disk = survey(path);
    expect(disk.volumes.map(({ partition }) => partition?.number)).toEqual([1, 2, 3, 5]);
    expect(disk.facts).toEqual([
      { name: 'mbr-chain-broken', detail: `no table of logical partitions at byte ${table}` },
    ]);
  });

  it('whose chain returns to its start ends there', () => {
    const path = mbrDisk('mbr-loop');
    const [, , , fifth, sixth] = survey(path).volumes;
    const next = Buffer.alloc(4);
    // The second entry of partition 6's table is made to point to the first table.
    poke(path, (sixth?.offset ?? 0) - MIB + 446 + 16 + 8, next);
    const disk = survey(path);
    expect(disk.volumes.map(({ partition }) => partition?.number)).toEqual([1, 2, 3, 5, 6]);
    const detail = `the chain of logical partitions returns to byte ${(fifth?.offset ?? 0) - MIB}`;
    expect(disk.facts).toEqual([{ name: 'mbr-chain-broken', detail }]);
  });
});

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

/** How surveying ended; an error that is not typed propagates. */
function examine(disk: ByteSource): string {
  try {
    return surveyDisk(disk).scheme ?? 'none';
  } catch (error) {
    if (error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError)
      return error.name;
    throw error;
  }
}

describe.skipIf(!hasTools)('hostile tables', () => {
  const values = [0n, 1n, 2n, 127n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
  const put = (bytes: Buffer, at: number, length: number, value: bigint) => {
    for (let index = 0; index < length; index++) bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
  };

  it('of a GPT give volumes or typed errors with any value in any field, its checksums right', () => {
    const path = gptDisk('hostile');
    const original = firstBytes(path, 34 * SECTOR);
    const seen = new Set<string>();
    const attempt = (changeEntries: (entries: Buffer) => void, changeHeader: (header: Buffer) => void) => {
      poke(path, 0, original);
      rewrite(path, changeEntries, changeHeader);
      const file = openFileBytes(path);
      seen.add(examine(file));
      file.close();
    };
    const nothing = () => undefined;
    for (const value of values) {
      for (const { offset, length } of Object.values(gptHeader.fields))
        attempt(nothing, header => put(header, offset, length, value));
      for (const { offset, length } of Object.values(gptEntry.fields))
        attempt(entries => put(entries, offset, length, value), nothing);
    }
    expect(seen).toEqual(new Set(['gpt']));
  });

  it('of thousands of partitions at one place stay bounded', () => {
    const path = gptDisk('thousands');
    const entry = firstBytes(path, 3 * SECTOR).subarray(2 * SECTOR, 2 * SECTOR + 128);
    const entries = Buffer.concat(Array.from({ length: 8192 }, () => entry));
    poke(path, 8 * MIB, entries);
    rewrite(
      path,
      () => undefined,
      header => {
        header.writeBigUInt64LE(BigInt((8 * MIB) / SECTOR), 72);
        header.writeUInt32LE(8192, 80);
        header.writeUInt32LE(crc32(entries), 88);
      },
    );
    expect(survey(path).volumes.length).toBe(8192);
    rewrite(
      path,
      () => undefined,
      header => header.writeUInt32LE(2 ** 32 - 1, 80),
    );
    expect(factNames(path)).toEqual(['gpt-backup-used']);
  });

  it('give volumes or typed errors wherever a disk is cut', () => {
    const path = gptDisk('cuts');
    const fd = openSync(path, 'r+');
    const cuts = [
      50 * MIB,
      10 * MIB,
      MIB,
      34 * SECTOR,
      33 * SECTOR,
      3 * SECTOR,
      2 * SECTOR,
      1000,
      SECTOR,
      511,
      100,
      1,
      0,
    ];
    const seen = cuts.map(cut => {
      ftruncateSync(fd, cut);
      const file = openFileBytes(path);
      const outcome = examine(file);
      file.close();
      return outcome;
    });
    closeSync(fd);
    expect(seen).toEqual([
      ...['gpt', 'gpt', 'gpt', 'gpt', 'gpt', 'gpt', 'gpt'],
      ...['DamageError', 'DamageError', 'none', 'none', 'none', 'none'],
    ]);
  });

  it('in any random first sector give volumes or typed errors', () => {
    const path = blank('random', MIB);
    let state = 1;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state;
    };
    const seen = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const sector = Buffer.from(Array.from({ length: SECTOR }, () => random() >> 8));
      for (let entry = 446; entry < 510; entry += 16) {
        sector[entry] = random() & 0x80;
        if (round % 3 === 0) sector[entry + 4] = 5;
        if (round % 2 === 0) sector.writeUInt32LE(random() % 2048, entry + 8);
      }
      sector.writeUInt16LE(0xaa55, 510);
      poke(path, 0, sector);
      const file = openFileBytes(path);
      seen.add(examine(file));
      file.close();
    }
    // A random type of 0xee announces a GPT that is not there.
    expect(seen).toEqual(new Set(['mbr', 'none', 'DamageError']));
  });

  it('on a medium that refuses parts of it are told', () => {
    const path = gptDisk('eio');
    const file = openFileBytes(path);
    const refusing = (from: number, to: number): ByteSource => ({
      name: 'disk',
      size: file.size,
      read(into, at) {
        if (at < to && at + into.length > from) throw new ReadError('disk', at, into.length);
        return file.read(into, at);
      },
    });
    expect(surveyDisk(refusing(SECTOR, 2 * SECTOR)).facts.map(({ name }) => name)).toEqual(['gpt-backup-used']);
    const [, second] = surveyDisk(refusing(10 * MIB, 11 * MIB)).volumes;
    expect(second?.kind).toBe('unknown');
    expect(second?.facts.map(({ name }) => name)).toContain('unreadable-signature');
    file.close();
  });
});
