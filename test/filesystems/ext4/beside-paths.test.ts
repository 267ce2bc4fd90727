// What the volume tells beside paths: bitmaps, owners of blocks, deleted inodes, orphans, superblock facts.
// The oracles are dumpe2fs and debugfs, and the kernel where it says which inode it was.

import { closeSync, copyFileSync, openSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { Allocation } from '../../../src/filesystems/ext4/allocation.ts';
import { ownedBlocks } from '../../../src/filesystems/ext4/block-owners.ts';
import { openExt4 } from '../../../src/filesystems/ext4/ext4-filesystem.ts';
import {
  deletedInodes,
  inodesInUse,
  inodeTables,
  newestCtime,
  orphans,
} from '../../../src/filesystems/ext4/inode-scan.ts';
import { Ext4Volume } from '../../../src/filesystems/ext4/volume.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './loop-mount.ts';
import { pattern, populate, SMALL } from './populate.ts';
import { fsync } from './random-work.ts';

const MEBIBYTE = 2 ** 20;

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['ext4, 1 KiB blocks', ['-t', 'ext4', '-b', '1024']],
  ['ext4, 4 KiB blocks', ['-t', 'ext4', '-b', '4096']],
  ['ext2', ['-t', 'ext2', '-b', '1024', '-I', '128']],
  ['bigalloc', ['-t', 'ext4', '-O', 'bigalloc', '-C', '16384', '-b', '4096']],
  ['bigalloc, 1 KiB blocks', ['-t', 'ext4', '-O', 'bigalloc', '-C', '8192', '-b', '1024']],
  ['meta_bg', ['-t', 'ext4', '-O', 'meta_bg,^resize_inode', '-b', '1024', '-g', '1024']],
  ['no flex_bg', ['-t', 'ext4', '-O', '^flex_bg', '-b', '1024']],
  ['sparse_super2', ['-t', 'ext4', '-O', 'sparse_super2', '-b', '1024']],
  ['ea_inode, orphan_file', ['-t', 'ext4', '-O', 'ea_inode,orphan_file', '-b', '1024']],
];

const reason = whyNoMount();
if (reason !== null) process.stderr.write(`beside-paths.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('a bitmap whose checksum is wrong', () => {
  const scratch = scratchDirectory();
  const image = `${scratch.path}/image`;
  afterAll(() => scratch.remove());

  it('tells of no block whether it is in use; one that is right does', () => {
    expect(makeImage(image, 64 * MEBIBYTE, ['-t', 'ext4', '-b', '1024', '-O', 'metadata_csum'])).toBe(true);
    const bitmaps = [...run('dumpe2fs', [image]).matchAll(/Block bitmap at (\d+)/g)].map(found => Number(found[1]));
    const bytes = readFileSync(image);
    const [first = 0] = bitmaps;
    bytes[first * 1024 + 100] = 0x5a;
    writeFileSync(image, bytes);
    const source = openFileBytes(image);
    try {
      const { isAllocated } = openExt4(source).blocks;
      expect([isAllocated(0), isAllocated(1), isAllocated(8000)]).toEqual([true, null, null]);
      expect([isAllocated(8193), isAllocated(16_000)]).toEqual([true, false]);
    } finally {
      source.close();
    }
  });
});

describe.skipIf(reason !== null)('beside paths', () => {
  const scratch = scratchDirectory();
  const point = `${scratch.path}/mount`;
  const image = `${scratch.path}/image`;
  afterAll(() => scratch.remove());

  function withVolume<T>(use: (volume: Ext4Volume) => T): T {
    const source = openFileBytes(image);
    try {
      return use(new Ext4Volume(source));
    } finally {
      source.close();
    }
  }

  describe.each(VARIANTS)('%s', (_name, options) => {
    beforeAll(() => {
      const made = makeImage(image, 64 * MEBIBYTE, [...options, '-N', '4000']);
      expect([made, withMount(image, point, 'rw', () => populate(point, SMALL))]).toEqual([true, true]);
    });

    it('finds the blocks and inodes free that dumpe2fs finds free', () => {
      const free = freeOf(image);
      const seen = withVolume(volume => {
        const allocation = new Allocation(volume);
        const { firstDataBlock, blocksCount, inodesCount } = volume.superblock;
        const blocks = range(firstDataBlock, blocksCount).filter(block => !allocation.isBlockInUse(block));
        const inodes = range(1, inodesCount + 1).filter(inode => !allocation.isInodeInUse(inode));
        expect(volume.damage.facts).toEqual([]);
        return { blocks, inodes };
      });
      expect(seen.blocks).toEqual(free.blocks);
      expect(seen.inodes).toEqual(free.inodes);
    });

    it('knows an owner for every block in use, and for no other', () => {
      const free = new Set(freeOf(image).blocks);
      const { owned, twice, first, count, cluster } = withVolume(volume => {
        const { firstDataBlock, blocksCount, clusterBlocks } = volume.superblock;
        const clusters = new Set<number>();
        const blocks = new Set<number>();
        const twice: number[] = [];
        for (const run of ownedBlocks(volume)) {
          for (let block = run.physical; block < run.physical + run.length; block++) {
            if (blocks.has(block) && run.role !== 'attributes') twice.push(block);
            blocks.add(block);
            clusters.add(Math.floor((block - firstDataBlock) / clusterBlocks));
          }
        }
        expect(volume.damage.facts).toEqual([]);
        return { owned: clusters, twice, first: firstDataBlock, count: blocksCount, cluster: clusterBlocks };
      });
      expect(twice).toEqual([]);
      const inUse = range(first, count).filter(block => !free.has(block));
      const clustersInUse = [...new Set(inUse.map(block => Math.floor((block - first) / cluster)))];
      expect([...owned].sort((left, right) => left - right)).toEqual(clustersInUse);
    });

    it('goes through exactly the inodes that are in use', () => {
      const free = new Set(freeOf(image).inodes);
      const { numbers, count, first } = withVolume(volume => ({
        numbers: [...inodesInUse(volume)].map(inode => inode.number),
        count: volume.superblock.inodesCount,
        first: volume.superblock.firstInode,
      }));
      const used = range(first, count + 1).filter(inode => !free.has(inode));
      expect(numbers.filter(number => number >= first)).toEqual(used);
    });
  });

  describe('a volume with a history', () => {
    const facts = { generation: 0, inode: 0, ctimeNs: 0n, deleted: 0 };
    beforeAll(() => {
      makeImage(image, 32 * MEBIBYTE, [
        '-t',
        'ext4',
        '-b',
        '1024',
        '-L',
        'a label',
        '-U',
        '01234567-89ab-cdef-0123-456789abcdef',
      ]);
      withMount(image, point, 'rw', () => {
        writeFileSync(`${point}/kept`, pattern(1, 2500));
        writeFileSync(`${point}/deleted`, pattern(2, 5000));
        facts.deleted = statSync(`${point}/deleted`).ino;
        fsync(`${point}/deleted`);
        unlinkSync(`${point}/deleted`);
        facts.inode = statSync(`${point}/kept`).ino;
        facts.ctimeNs = statSync(point, { bigint: true }).ctimeNs;
      });
      const [, generation = ''] =
        /Generation: (\d+)/.exec(run('debugfs', ['-R', `stat <${facts.inode}>`, image])) ?? [];
      facts.generation = Number(generation);
    });

    it('tells the generation of an inode', () => {
      const source = openFileBytes(image);
      const filesystem = openExt4(source);
      const kept = [...filesystem.list(filesystem.root).entries].find(({ path }) => path === '/kept');
      expect(kept?.stat?.generation).toBe(facts.generation);
      expect(facts.generation).toBeGreaterThan(0);
      source.close();
    });

    it('finds what is left of a deleted inode, and the newest change', () => {
      withVolume(volume => {
        expect([...deletedInodes(volume)].map(inode => inode.number)).toEqual([facts.deleted]);
        expect(newestCtime(volume)).toBe(facts.ctimeNs);
      });
    });

    it('tells what stands after the end of a file in its last block', () => {
      const [block = ''] = run('debugfs', ['-R', 'bmap /kept 2', image]).trim().split(/\s/);
      const bytes = readFileSync(image).subarray(Number(block) * 1024 + (2500 - 2048), Number(block) * 1024 + 1024);
      expect(bytes.length).toBe(572);
      withVolume(volume => {
        expect(Buffer.compare(volume.bytesAfterEnd(volume.inode(facts.inode)) ?? Buffer.alloc(0), bytes)).toBe(0);
      });
    });

    it('states the facts that dumpe2fs states', () => {
      const dumped = new Map(
        dumpe2fs(['-h', image])
          .split('\n')
          .map(line => splitLine(line)),
      );
      withVolume(({ superblock }) => {
        expect(superblock.label).toBe('a label');
        expect(superblock.uuid).toBe('01234567-89ab-cdef-0123-456789abcdef');
        expect([...superblock.features].sort()).toEqual((dumped.get('Filesystem features') ?? '').split(/\s+/).sort());
        expect(String(superblock.inodesCount)).toBe(dumped.get('Inode count'));
        expect(String(superblock.blocksCount)).toBe(dumped.get('Block count'));
        expect(String(superblock.freeBlocks)).toBe(dumped.get('Free blocks'));
        expect(String(superblock.mountCount)).toBe(dumped.get('Mount count'));
        expect(superblock.clean).toBe(dumped.get('Filesystem state') === 'clean');
        expect(ctime(superblock.mountTimeNs)).toBe(dumped.get('Last mount time'));
        expect(ctime(superblock.writeTimeNs)).toBe(dumped.get('Last write time'));
        expect(ctime(superblock.mkfsTimeNs)).toBe(dumped.get('Filesystem created'));
        expect(ctime(superblock.lastCheckNs)).toBe(dumped.get('Last checked'));
        expect([superblock.errorCount, superblock.hasErrors, superblock.needsRecovery]).toEqual([0, false, false]);
      });
    });

    it('states where the inode tables are', () => {
      const dumped = [...dumpe2fs([image]).matchAll(/Inode table at (\d+)-(\d+)/g)].map(([, from, to]) => [
        Number(from),
        Number(to),
      ]);
      const seen = withVolume(volume =>
        [...inodeTables(volume)].map(({ physical, length }) => [physical, physical + length - 1]),
      );
      expect(seen).toEqual(dumped);
      expect(seen.length).toBeGreaterThan(1);
    });
  });

  it.each([
    ['in the list of the superblock', []],
    ['in the orphan file', ['-O', 'orphan_file']],
  ])('finds orphans %s', (_name, options) => {
    const crashed = `${scratch.path}/crashed`;
    const numbers: number[] = [];
    makeImage(image, 32 * MEBIBYTE, ['-t', 'ext4', '-b', '1024', ...options]);
    withMount(image, point, 'commit=600', () => {
      const open: number[] = [];
      for (const name of ['one', 'two', 'three']) {
        writeFileSync(`${point}/${name}`, name);
        numbers.push(statSync(`${point}/${name}`).ino);
        open.push(openSync(`${point}/${name}`, 'r'));
        rmSync(`${point}/${name}`);
      }
      writeFileSync(`${point}/last`, 'last');
      fsync(`${point}/last`);
      copyFileSync(image, crashed);
      for (const fd of open) closeSync(fd);
    });
    const source = openFileBytes(crashed);
    expect(orphans(openExt4(source).volume).sort()).toEqual(numbers.sort());
    source.close();
  });
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function dumpe2fs(args: readonly string[]): string {
  return run('env', ['TZ=UTC', 'LC_ALL=C', 'dumpe2fs', ...args]);
}

/** The "Free blocks:" and "Free inodes:" lines of all groups. */
function freeOf(image: string): { readonly blocks: number[]; readonly inodes: number[] } {
  const dump = dumpe2fs([image]);
  const sizeOf = (what: string) => Number(new RegExp(`^${what} size: +(\\d+)$`, 'm').exec(dump)?.[1] ?? 0);
  // Of a cluster it names the first block.
  const perCluster = Math.max(1, sizeOf('Cluster') / sizeOf('Block'));
  return {
    blocks: listed(dump, /^ {2}Free blocks: (.*)$/gm, perCluster),
    inodes: listed(dump, /^ {2}Free inodes: (.*)$/gm, 1),
  };
}

function listed(dump: string, line: RegExp, each: number): number[] {
  return [...dump.matchAll(line)].flatMap(([, list = '']) =>
    list
      .split(', ')
      .filter(part => part.trim() !== '')
      .flatMap(part => {
        const [from = 0, to = from] = part.split('-').map(Number);
        return range(from, to + each);
      }),
  );
}

function splitLine(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** As ctime(3) in UTC. */
function ctime(timeNs: bigint | null): string {
  const date = new Date(Number((timeNs ?? 0n) / 1_000_000n));
  const [weekday = '', day = '', month = '', year = '', time = ''] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
}
