// What the volume tells beside paths: owners of blocks, free space, inodes, sequence numbers, superblock facts.
// The oracles are xfs_db, and the kernel where it says which inode it was.

import { closeSync, copyFileSync, openSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { Allocation } from '../../../src/filesystems/xfs/allocation.ts';
import { ownedBlocks } from '../../../src/filesystems/xfs/block-owners.ts';
import { deletedInodes, inodesInUse, newestCtime, orphans } from '../../../src/filesystems/xfs/inode-scan.ts';
import { type LoggedObject, loggedObjects } from '../../../src/filesystems/xfs/logged-objects.ts';
import { XfsVolume } from '../../../src/filesystems/xfs/volume.ts';
import { openXfs } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import type { BlockRole } from '../../../src/model.ts';
import { run, scratchDirectory } from '../ext4/loop-mount.ts';
import { pattern } from '../ext4/populate.ts';
import { fsync } from '../ext4/random-work.ts';
import { makeXfs, populateXfs, whyNoXfsMount, withXfs, xfsDb } from './xfs-images.ts';

const MEBIBYTE = 2 ** 20;

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['as mkfs makes it', []],
  ['1 KiB blocks, rmapbt, nrext64', ['-b', 'size=1024', '-m', 'rmapbt=1', '-i', 'nrext64=1']],
  ['no sparse inodes, no finobt, many groups', ['-m', 'finobt=0', '-i', 'sparse=0', '-d', 'agcount=5']],
];

/** xfs_db's words for what a block is to its owner. */
const TYPES: Partial<Record<BlockRole, readonly string[]>> = {
  superblock: ['sb'],
  'group-descriptors': ['agi', 'agf', 'agfl'],
  'free-list': ['freelist'],
  'free-space-tree': ['btbno', 'btcnt'],
  'inode-tree': ['btino', 'btfino'],
  'reverse-map-tree': ['btrmap'],
  'reference-count-tree': ['btrefcnt'],
  'inode-table': ['inode'],
  // It tells of a tree of extents only whose it is.
  'block-map': ['data', 'dir', 'attr'],
  directory: ['dir'],
  symlink: ['symlink'],
  attributes: ['attr'],
  journal: ['log'],
  data: ['data'],
};

const reason = whyNoXfsMount();
if (reason !== null) process.stderr.write(`xfs/beside-paths.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('beside the paths of XFS', () => {
  const scratch = scratchDirectory();
  const point = `${scratch.path}/mount`;
  const image = `${scratch.path}/image`;
  afterAll(() => scratch.remove());

  function withVolume<T>(use: (volume: XfsVolume) => T): T {
    const source = openFileBytes(image);
    try {
      return use(new XfsVolume(source));
    } finally {
      source.close();
    }
  }

  describe.each(VARIANTS)('%s', (_name, options) => {
    let uses: readonly Use[];
    let inodes: number[];
    beforeAll(() => {
      const made = makeXfs(image, 100 * MEBIBYTE, options);
      const filled = withXfs(image, point, 'rw', () => populateXfs(point));
      expect([made, filled]).toEqual([true, true]);
      withXfs(image, point, 'ro,norecovery', () => {
        inodes = run('find', [point, '-printf', '%i\\n']).trim().split('\n').map(Number);
      });
      uses = usesOf(image);
    });

    it('finds the blocks free that xfs_db finds free', () => {
      const free = withVolume(volume => {
        const allocation = new Allocation(volume);
        const found = uses.flatMap((_use, block) => (allocation.isBlockInUse(block) ? [] : [block]));
        expect(volume.damage.facts).toEqual([]);
        return found;
      });
      expect(free).toEqual(
        uses.flatMap(({ type }, block) => (type.startsWith('free') && type !== 'freelist' ? [block] : [])),
      );
      expect(free.length).toBeGreaterThan(1000);
    });

    it('knows what every block in use is, and to whom, and no other', () => {
      const owned = new Map<number, string>();
      const shared = new Set<number>();
      withVolume(volume => {
        for (const { role, inode, physical, length } of ownedBlocks(volume)) {
          for (let block = physical; block < physical + length; block++) {
            if (owned.has(block)) shared.add(block);
            const type = uses[block]?.type ?? 'none';
            const known = TYPES[role]?.includes(type) ? type : `${role}, not ${type}`;
            owned.set(block, inode === 0 ? known : `${known} of ${inode}`);
          }
        }
        expect(volume.damage.facts).toEqual([]);
      });
      const expected = uses.flatMap(({ type, inode }, block) => {
        if (type.startsWith('free') && type !== 'freelist') return [];
        return [[block, shared.has(block) ? owned.get(block) : inode === null ? type : `${type} of ${inode}`]];
      });
      expect([...owned].sort(([left], [right]) => left - right)).toEqual(expected);
      // The two copies of the shared file have what the first has.
      const kilobytes = options.includes('size=1024') ? 1 : 4;
      expect(shared.size).toBe(Math.ceil(200_000 / 1024 / kilobytes));
    });

    it('goes through exactly the inodes that are in use', () => {
      const { numbers, made } = withVolume(volume => ({
        numbers: [...inodesInUse(volume)].map(inode => inode.number),
        made: [volume.rootInode + 1, volume.rootInode + 2],
      }));
      // The bitmap and the summary of a realtime device are there without one.
      expect(numbers).toEqual([...new Set([...inodes, ...made])].sort((left, right) => left - right));
      withVolume(volume => {
        const allocation = new Allocation(volume);
        expect(numbers.every(number => allocation.isInodeInUse(number))).toBe(true);
        expect([...deletedInodes(volume)].some(({ number }) => allocation.isInodeInUse(number))).toBe(false);
      });
    });

    it('tells the sequence numbers that xfs_db tells', () => {
      const objects = withVolume(volume => [...loggedObjects(volume)]);
      const kinds = new Set(objects.map(({ kind }) => kind));
      expect([...kinds].sort()).toEqual([
        'attributes',
        'directory',
        'extent-tree',
        'group-header',
        'group-tree',
        'inode',
        'superblock',
        'symlink',
      ]);
      const checked = objects.filter(({ kind }, index) => kind !== 'inode' || index % 50 === 0);
      const bytes = readFileSync(image);
      const commands = checked.flatMap(object => commandsFor(object, bytes));
      const printed = xfsDb(image, ...commands)
        .filter(line => / = /.test(line))
        .map(line => BigInt(line.split(' = ')[1] ?? ''));
      expect(checked.map(({ lsn }) => lsn)).toEqual(printed);
    });
  });

  describe('a volume with a history', () => {
    const facts = { generation: 0, inode: 0, ctimeNs: 0n, deleted: 0 };
    beforeAll(() => {
      const uuid = 'uuid=01234567-89ab-cdef-0123-456789abcdef';
      makeXfs(image, 64 * MEBIBYTE, ['-b', 'size=1024', '-L', 'a label', '-m', uuid]);
      withXfs(image, point, 'rw', () => {
        writeFileSync(`${point}/kept`, pattern(1, 2500));
        writeFileSync(`${point}/deleted`, pattern(2, 5000));
        facts.deleted = statSync(`${point}/deleted`).ino;
        fsync(`${point}/deleted`);
        unlinkSync(`${point}/deleted`);
        facts.inode = statSync(`${point}/kept`).ino;
        facts.ctimeNs = statSync(point, { bigint: true }).ctimeNs;
      });
      facts.generation = Number(printedField(image, `inode ${facts.inode}`, 'core.gen'));
    });

    it('tells the generation of an inode', () => {
      const source = openFileBytes(image);
      const filesystem = openXfs(source);
      const kept = [...filesystem.list(filesystem.root).entries].find(({ path }) => path === '/kept');
      expect(kept?.stat?.generation).toBe(facts.generation);
      expect(facts.generation).toBeGreaterThan(0);
      source.close();
    });

    it('finds what is left of a deleted inode, and the newest change', () => {
      withVolume(volume => {
        const [deleted, ...others] = deletedInodes(volume);
        expect([deleted?.number, others]).toEqual([facts.deleted, []]);
        expect(String(deleted?.raw.generation)).toBe(printedField(image, `inode ${facts.deleted}`, 'core.gen'));
        expect(newestCtime(volume)).toBe(facts.ctimeNs);
      });
    });

    it('tells what stands after the end of a file in its last block', () => {
      const [extent = ''] = xfsDb(image, `inode ${facts.inode}`, 'bmap');
      const [, group = '', inGroup = ''] = /startblock \d+ \((\d+)\/(\d+)\) count 3 /.exec(extent) ?? [];
      const block = Number(group) * Number(printedField(image, 'sb 0', 'agblocks')) + Number(inGroup) + 2;
      expect(block).toBeGreaterThan(2);
      withVolume(volume => {
        const rest = volume.bytesAfterEnd(volume.inode(facts.inode));
        const bytes = readFileSync(image).subarray(block * 1024 + (2500 - 2048), (block + 1) * 1024);
        expect(rest?.length).toBe(572);
        expect(Buffer.compare(rest ?? Buffer.alloc(0), bytes)).toBe(0);
      });
    });

    it('states the facts that xfs_db states', () => {
      withVolume(({ superblock }) => {
        expect(superblock.label).toBe('a label');
        expect(superblock.uuid).toBe('01234567-89ab-cdef-0123-456789abcdef');
        for (const [field, value] of [
          ['dblocks', superblock.blocksCount],
          ['agblocks', superblock.agBlocks],
          ['agcount', superblock.agCount],
          ['rootino', superblock.rootInode],
          ['icount', superblock.raw.inodeCount],
          ['ifree', superblock.raw.freeInodes],
          ['fdblocks', superblock.raw.freeBlocks],
        ] as const) {
          expect([field, String(value)]).toEqual([field, printedField(image, 'sb 0', field)]);
        }
        const [version = ''] = xfsDb(image, 'version');
        for (const [feature, name] of [
          ['crc', 'CRC'],
          ['finobt', 'FINOBT'],
          ['reflink', 'REFLINK'],
          ['rmapbt', 'RMAPBT'],
          ['bigtime', 'BIGTIME'],
          ['inobtcount', 'INOBTCNT'],
          ['ftype', 'FTYPE'],
          ['spinodes', 'SPARSE_INODES'],
          ['projid32', 'PROJID32BIT'],
        ] as const) {
          expect([feature, superblock.features.includes(feature)]).toEqual([
            feature,
            version.split(',').includes(name),
          ]);
        }
      });
    });
  });

  it('finds files that are open without a name', () => {
    const crashed = `${scratch.path}/crashed`;
    const numbers: number[] = [];
    makeXfs(image, 64 * MEBIBYTE, []);
    withXfs(image, point, 'rw', () => {
      const open: number[] = [];
      for (const name of ['one', 'two', 'three']) {
        writeFileSync(`${point}/${name}`, name);
        numbers.push(statSync(`${point}/${name}`).ino);
        open.push(openSync(`${point}/${name}`, 'r'));
        rmSync(`${point}/${name}`);
      }
      writeFileSync(`${point}/last`, 'last');
      fsync(`${point}/last`);
      run('xfs_io', ['-x', '-c', 'shutdown -f', point]);
      copyFileSync(image, crashed);
      for (const fd of open) closeSync(fd);
    });
    const source = openFileBytes(crashed);
    expect(orphans(openXfs(source).volume).sort()).toEqual(numbers.sort());
    source.close();
  });
});

/** What xfs_db finds a block to be used for. */
interface Use {
  readonly type: string;
  readonly inode: number | null;
}

/** Of every block, in the order of their places. */
function usesOf(image: string): Use[] {
  const blocks = Number(printedField(image, 'sb 0', 'dblocks'));
  const agBlocks = Number(printedField(image, 'sb 0', 'agblocks'));
  const groups = Math.ceil(blocks / agBlocks);
  const commands = Array.from({ length: groups }, (_, group) => {
    const count = Math.min(agBlocks, blocks - group * agBlocks);
    return [`agf ${group}`, `blockuse -n -c ${count}`];
  });
  const lines = xfsDb(image, 'blockget -n', ...commands.flat());
  return lines.flatMap(line => {
    const [, type, inode] = /^block \d+ \(\d+\/\d+\) type (\S+)(?: inode (\d+))?/.exec(line) ?? [];
    return type === undefined ? [] : [{ type, inode: inode === undefined ? null : Number(inode) }];
  });
}

/** One field of a structure that xfs_db prints. */
function printedField(image: string, place: string, field: string): string {
  const [line = ''] = xfsDb(image, place, `p ${field}`);
  return line.split(' = ')[1] ?? '';
}

const FIELD_OF_MAGIC = new Map([
  ['XDB3', 'bhdr.hdr.lsn'],
  ['XDD3', 'dhdr.hdr.lsn'],
  ['XDF3', 'fhdr.hdr.lsn'],
  ['3df1', 'lhdr.info.lsn'],
  ['3dff', 'lhdr.info.lsn'],
  ['3ebe', 'nhdr.info.lsn'],
]);

/** Where xfs_db finds the LSN of an object. */
function commandsFor({ kind, at, group, inode }: LoggedObject, bytes: Buffer): string[] {
  const place = `daddr ${at / 512}`;
  const magic = bytes.toString('latin1', at, at + 4);
  const shortMagic = bytes.toString('hex', at + 8, at + 10);
  switch (kind) {
    case 'superblock':
      return ['sb 0', 'p lsn'];
    case 'inode':
      return [`inode ${inode}`, 'p v3.lsn'];
    case 'group-header':
      return [`${magic === 'XAGF' ? 'agf' : 'agi'} ${group}`, 'p lsn'];
    case 'group-tree':
      return [place, 'type bnobt', 'p lsn'];
    case 'extent-tree':
      return [place, 'type bmapbtd', 'p lsn'];
    case 'attributes':
      return [place, 'type attr3', 'p hdr.info.lsn'];
    case 'symlink':
      return [place, 'type symlink', 'p lsn'];
    default:
      return [place, 'type dir3', `p ${FIELD_OF_MAGIC.get(magic) ?? FIELD_OF_MAGIC.get(shortMagic)}`];
  }
}
