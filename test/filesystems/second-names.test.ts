// Directories of several names: listed as the kernel's own mount lists them, and never more than twice over in sum.

import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { DamageError, errorCode } from '../../src/errors.ts';
import { DamageLog } from '../../src/filesystems/damage-log.ts';
import type { DirectoryRecord } from '../../src/filesystems/directory-record.ts';
import { openExt4 } from '../../src/filesystems/ext4/ext4-filesystem.ts';
import type { Entry, Filesystem, LostEntry } from '../../src/filesystems/filesystem.ts';
import { InodeTree } from '../../src/filesystems/inode-tree.ts';
import type { InodeVolume, NamedInode } from '../../src/filesystems/inode-volume.ts';
import { XfsVolume } from '../../src/filesystems/xfs/volume.ts';
import { openXfs } from '../../src/filesystems/xfs/xfs-filesystem.ts';
import type { EntryType, Stat } from '../../src/model.ts';
import { comparePaths } from '../../src/path.ts';
import { makeImage, run, scratchDirectory, whyNoMount, withMount } from './ext4/loop-mount.ts';
import { restamp } from './xfs/restamp.ts';
import { makeXfs, whyNoXfsMount, withXfs } from './xfs/xfs-images.ts';

vi.setConfig({ testTimeout: 120_000 });

/** `path`, or `path: refused`; in tree order. */
function listed(filesystem: Pick<Filesystem, 'root' | 'list'>): string[] {
  return walked(filesystem).map(lineOf).sort(comparePaths);
}

/** Every name below the root, none twice. */
function walked(filesystem: Pick<Filesystem, 'root' | 'list'>): (Entry | LostEntry)[] {
  const found: (Entry | LostEntry)[] = [];
  const stack: Entry[] = [filesystem.root];
  for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
    for (const entry of filesystem.list(directory).entries) {
      found.push(entry);
      if (entry.stat !== null && entry.stat.type === 'directory') stack.push(entry);
    }
  }
  return found;
}

function lineOf({ path, stat }: Entry | LostEntry): string {
  return stat === null ? `${path}: refused` : path;
}

/** The same of a mount, each name looked up; depth first, as any program goes through it. */
function listedByKernel(root: string): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    for (const name of readdirSync(root + path).sort()) {
      const child = `${path}/${name}`;
      try {
        const isDirectory = lstatSync(root + child).isDirectory();
        lines.push(child);
        if (isDirectory) visit(child);
      } catch (error) {
        expect(['ELOOP', 'EUCLEAN']).toContain(errorCode(error));
        lines.push(`${child}: refused`);
      }
    }
  };
  visit('');
  return lines.sort(comparePaths);
}

/** Names of files enough that nothing is too much. */
function populate(root: string): void {
  for (const path of ['home/deep/deeper', 'other/empty', 'plain']) mkdirSync(`${root}/${path}`, { recursive: true });
  for (let index = 0; index < 40; index++) writeFileSync(`${root}/plain/file-${index}`, '');
  for (const name of ['a', 'b']) writeFileSync(`${root}/home/${name}`, name);
  writeFileSync(`${root}/home/deep/deeper/c`, 'c');
  writeFileSync(`${root}/other/number-of-old`, 'old');
}

const noExt4 = whyNoMount();
if (noExt4 !== null) process.stderr.write(`second-names.test.ts skipped: ${noExt4}\n`);

describe.skipIf(noExt4 !== null)('on ext4', () => {
  const scratch = scratchDirectory();
  const [image, point] = [`${scratch.path}/image`, `${scratch.path}/mount`];
  afterAll(() => scratch.remove());

  /** A volume that the kernel filled, and debugfs changed. */
  function changed(commands: readonly string[]): void {
    expect(makeImage(image, 4 * 2 ** 20, ['-t', 'ext4', '-b', '1024', '-O', '^metadata_csum,^has_journal'])).toBe(true);
    expect(withMount(image, point, 'rw', () => populate(point))).toBe(true);
    run('debugfs', ['-w', '-f', '-', image], commands.join('\n'));
  }

  it.each([
    ['a name in another directory', ['link /home/deep /other/deep-again']],
    ['a name before its own', ['link /home /before']],
    ['a name that comes before, in a directory of its own', ['link /home/deep /home/a-name-before']],
    ['a name below itself', ['link /home /home/deep/deeper/round', 'link <2> /home/root', 'link /plain /plain/self']],
    ['a file’s name', ['unlink /other/number-of-old', 'link /home/deep /other/number-of-old']],
    ['a moved directory’s name of old', ['unlink /home/deep', 'link /home/deep/deeper /other/moved']],
    ['names of one directory below another', ['link /home /other/home', 'link /home/deep /plain/deep']],
  ])('lists %s as the kernel does', (_what, commands) => {
    changed(commands);
    const ours = listed(openExt4(memoryBytes('volume', readFileSync(image))));
    expect(withMount(image, point, 'ro,noload', () => expect(ours).toEqual(listedByKernel(point)))).toBe(true);
  });

  it('tells what is reached through a second name, also where the entry says "file"', () => {
    changed(['link /home/deep /other/deep-again']);
    const bytes = readFileSync(image);
    const record = bytes.indexOf('deep-again') - 1;
    expect(bytes[record]).toBe(2);
    bytes[record] = 1;
    const entries = walked(openExt4(memoryBytes('volume', bytes)));
    const again = entries.filter(({ viaSecondName }) => viaSecondName === true);
    const types = again.map(({ path, stat, direntType }) => [path, stat?.type, direntType]);
    expect(types.sort()).toEqual([
      ['/other/deep-again', 'directory', 'file'],
      ['/other/deep-again/deeper', 'directory', 'directory'],
      ['/other/deep-again/deeper/c', 'file', 'file'],
    ]);
  });
});

const noXfs = whyNoXfsMount();
if (noXfs !== null) process.stderr.write(`second-names.test.ts skipped: ${noXfs}\n`);

describe.skipIf(noXfs !== null)('on XFS', () => {
  const scratch = scratchDirectory();
  const [image, point] = [`${scratch.path}/image`, `${scratch.path}/mount`];
  afterAll(() => scratch.remove());

  it.each([
    ['a file’s name', '/other', 'number-of-old', '/home/deep'],
    ['a directory’s name', '/other', 'empty', '/home'],
    ['a name below itself', '/home/deep', 'deeper', '/home'],
  ])('lists %s that leads to a directory as the kernel does', (_what, holder, name, directory) => {
    expect(makeXfs(image, 24 * 2 ** 20, ['-d', 'agcount=1', '-b', 'size=1024'])).toBe(true);
    expect(withXfs(image, point, 'rw', () => populate(point))).toBe(true);
    const bytes = readFileSync(image);
    leadTo(bytes, holder, name, directory);
    writeFileSync(image, bytes);
    const ours = listed(openXfs(memoryBytes('volume', bytes)));
    expect(withXfs(image, point, 'ro,norecovery', () => expect(ours).toEqual(listedByKernel(point)))).toBe(true);
  });
});

/** Makes a name of a directory in its inode lead to that of another path. */
function leadTo(bytes: Buffer, holder: string, name: string, directory: string): void {
  const volume = new XfsVolume(memoryBytes('volume', bytes));
  const inodeAt = (path: string): number =>
    path
      .split('/')
      .slice(1)
      .reduce((above, part) => {
        const { records } = volume.directory(volume.inode(above));
        return records.find(record => record.name === part)?.inode ?? 0;
      }, volume.rootInode);
  const { location } = volume.inode(inodeAt(holder));
  // A byte for the type follows the name, then the number.
  const at = bytes.indexOf(name, location) + name.length + 1;
  expect(bytes.readUInt32BE(at)).toBe(inodeAt(`${holder}/${name}`));
  bytes.writeUInt32BE(inodeAt(directory), at);
  restamp(bytes, location, volume.superblock.inodeSize);
}

/** name -> inode. A directory: the inode that its ".." names, and its names. */
type Directories = ReadonlyMap<number, readonly [parent: number, names: Readonly<Record<string, number>>]>;

const ROOT = 2;
/** Numbers from here on are files. */
const FILES = 10_000_000;

function inodeOf(number: number): NamedInode {
  const type: EntryType = number < FILES ? 'directory' : 'file';
  const times = { mtimeNs: 0n, ctimeNs: 0n, crtimeNs: null };
  const common = { mode: 0, uid: 0, gid: 0, sizeBytes: 0, links: 1, generation: null, blocks512: null };
  const stat: Stat = { type, inode: BigInt(number), ...times, ...common };
  return { number, type, location: number, stat: () => stat };
}

function volumeOf(directories: Directories, onRead = (): void => undefined): InodeVolume<NamedInode> {
  return {
    damage: new DamageLog(),
    rootInode: ROOT,
    inode: inodeOf,
    directory: ({ number }) => {
      onRead();
      const [parent, names] = directories.get(number) ?? [0, {}];
      const records = Object.entries(names).map(([name, inode]) => ({ name, inode, type: null }));
      return { records, faults: [], parent };
    },
    statedParent: ({ number }) => directories.get(number)?.[0] ?? null,
    inodesInUse: () => [...directories.keys()].sort((left, right) => left - right).map(inodeOf),
  };
}

const treeOf = (directories: Directories): string[] => listed(new InodeTree(volumeOf(directories)));

describe('a volume made of malice', () => {
  const files = (count: number): Record<string, number> =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, FILES + index]));

  it('repeats no more names than it holds, the names of the lowest numbers first', () => {
    const lines = treeOf(
      new Map([
        [ROOT, [ROOT, { home: 3, x: 4, y: 5 }]],
        [3, [ROOT, files(10)]],
        [4, [ROOT, { again: 3 }]],
        [5, [ROOT, { again: 3 }]],
      ]),
    );
    // 15 names: one repetition of 10 beside the name itself fits.
    expect(lines.filter(line => line.startsWith('/x/'))).toHaveLength(11);
    expect(lines.filter(line => line.startsWith('/y/'))).toEqual(['/y/again: refused']);
    expect(lines).toHaveLength(15 + 10);
  });

  it('ends a directory of very many second names at that, in a few readings of each directory', () => {
    let readings = 0;
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`second-${index}`, 3]));
    const directories: Directories = new Map([
      [ROOT, [ROOT, { home: 3, many: 4 }]],
      [3, [ROOT, files(20)]],
      [4, [ROOT, many]],
    ]);
    const entries = walked(new InodeTree(volumeOf(directories, () => readings++)));
    const shown = entries.filter(({ path, stat }) => path.startsWith('/many/second-') && stat?.type === 'directory');
    expect(shown).toHaveLength(Math.floor((2 + 20 + 50_000) / 21));
    expect(entries.length).toBeLessThanOrEqual(2 * (2 + 20 + 50_000));
    expect(readings).toBeLessThan(2 * shown.length);
  });

  it('shows no second name below a second name', () => {
    const lines = treeOf(
      new Map([
        [ROOT, [ROOT, { a: 3, b: 4, ...files(20) }]],
        [3, [ROOT, { inner: 4 }]],
        [4, [ROOT, { inner: 3, x: FILES }]],
      ]),
    );
    expect(lines.filter(line => !line.startsWith('/f'))).toEqual([
      '/a',
      '/a/inner',
      '/a/inner/inner: refused',
      '/a/inner/x',
      '/b',
      '/b/inner',
      '/b/inner/inner: refused',
      '/b/x',
    ]);
  });

  it('follows no circle of homes', () => {
    const lines = treeOf(
      new Map([
        [ROOT, [ROOT, { into: 3, ...files(20) }]],
        [3, [4, { next: 4 }]],
        [4, [3, { next: 3 }]],
      ]),
    );
    expect(lines.filter(line => !line.startsWith('/f'))).toEqual(['/into: refused']);
  });

  it('hangs a directory that no name is the home of under each name that leads to it', () => {
    const volume = volumeOf(
      new Map([
        [ROOT, [ROOT, { n: 3, ...files(20) }]],
        [3, [9, { inner: FILES }]],
      ]),
    );
    const directory = volume.directory;
    const typed = { ...volume, directory: (inode: NamedInode) => asFiles(directory(inode)) };
    const entries = walked(new InodeTree(typed));
    expect(entries.filter(({ viaSecondName }) => viaSecondName).map(({ path }) => path)).toEqual(['/n', '/n/inner']);
  });

  it('is at home under the other name where its own cannot be looked up', () => {
    const volume = volumeOf(
      new Map([
        [ROOT, [ROOT, { own: 3, holder: 4 }]],
        [3, [ROOT, { inner: FILES }]],
        [4, [ROOT, { other: 3 }]],
      ]),
    );
    const { directory } = volume;
    const fault = new DamageError('index', 0, 'nothing', 'the name');
    const unindexed = (record: DirectoryRecord) => (record.name === 'own' ? { ...record, fault } : record);
    const holed = (inode: NamedInode) => ({ ...directory(inode), records: directory(inode).records.map(unindexed) });
    const entries = walked(new InodeTree({ ...volume, directory: holed }));
    expect(entries.map(lineOf).sort()).toEqual(['/holder', '/holder/other', '/holder/other/inner', '/own: refused']);
    expect(entries.some(({ viaSecondName }) => viaSecondName)).toBe(false);
  });

  it('goes down a chain of homes of any depth, and up again', () => {
    const depth = 200_000;
    const directories = new Map<number, readonly [number, Readonly<Record<string, number>>]>();
    directories.set(ROOT, [ROOT, { again: depth - 2, d: 3 }]);
    for (let number = 3; number < depth + 3; number++) {
      const isLast = number === depth + 2;
      directories.set(number, [number - 1, isLast ? { top: 3, end: FILES } : { d: number + 1 }]);
    }
    const tree = new InodeTree(volumeOf(directories));
    const again = walked({ root: tree.root, list: entry => (entry.path === '/d' ? NOTHING : tree.list(entry)) });
    expect(again.map(lineOf)).toEqual([
      '/again',
      '/d',
      '/again/d',
      '/again/d/d',
      '/again/d/d/d',
      '/again/d/d/d/d',
      '/again/d/d/d/d/end',
      '/again/d/d/d/d/top: refused',
    ]);
  });
});

const NOTHING = { entries: [], fault: null };

/** All names state that they lead to files. */
function asFiles<T extends { readonly records: readonly { readonly type: EntryType | null }[] }>(content: T): T {
  return { ...content, records: content.records.map(record => ({ ...record, type: 'file' as const })) };
}
