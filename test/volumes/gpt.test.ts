import { readFileSync, truncateSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { DamageError } from '../../src/errors.ts';
import { run } from '../bytes/disk-fixtures.ts';
import {
  blank,
  factNames,
  gptDisk,
  hasTools,
  isRoot,
  lastSector,
  MIB,
  poke,
  rewrite,
  SECTOR,
  scratch,
  survey,
  tableOfOurs,
  tableOfTool,
} from './partition-fixtures.ts';

// Many runs of tools; other work may slow them down.
vi.setConfig({ testTimeout: 60_000 });

afterAll(() => scratch.remove());

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
    expect(disk.facts.map(({ name }) => name)).toEqual(['gpt-backup-damaged']);
    const [, second, last] = disk.volumes;
    expect(last).toMatchObject({ offset: 50 * MIB, size: 0, kind: 'unknown' });
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
