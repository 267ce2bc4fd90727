// Single damages on otherwise sound XFS volumes: what a mount refuses we refuse with its code, and what it still shows we show.

import { copyFileSync, lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { DamageError, errorCode } from '../../../src/errors.ts';
import type { Entry } from '../../../src/filesystems/filesystem.ts';
import { checksumOf, describeBlock } from '../../../src/filesystems/xfs/self-description.ts';
import { openXfs, type XfsFilesystem } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { run, scratchDirectory } from '../ext4/loop-mount.ts';
import { makeXfs, populateXfs, whyNoXfsMount, withXfs, works } from './xfs-images.ts';

const BLOCK = 4096;
const reason = whyNoXfsMount();
if (reason !== null) process.stderr.write(`xfs/damaged.test.ts skipped: ${reason}\n`);
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

describe.skipIf(reason !== null)('an XFS volume with one damage', () => {
  const scratch = scratchDirectory();
  const point = `${scratch.path}/mount`;
  const image = `${scratch.path}/image`;
  const copy = `${scratch.path}/damaged`;
  let whole: Buffer;
  let sound: XfsFilesystem;
  afterAll(() => scratch.remove());
  beforeAll(() => {
    expect(makeXfs(image, 100 * 2 ** 20, ['-b', `size=${BLOCK}`])).toBe(true);
    withXfs(image, point, 'rw', () => populateXfs(point));
    whole = readFileSync(image);
    sound = openXfs(memoryBytes('volume', whole));
  });

  /** The image with bytes changed, for us in memory and for the kernel in a file. */
  function damaged(change: (bytes: Buffer) => void): XfsFilesystem {
    const bytes = Buffer.from(whole);
    change(bytes);
    copyFileSync(image, copy);
    writeFileSync(copy, bytes);
    return openXfs(memoryBytes('volume', bytes));
  }

  /** What the kernel answers on the damaged image. */
  function mounted<T>(use: () => T): T {
    let answer: T | undefined;
    expect(withXfs(copy, point, 'ro,norecovery', () => (answer = use()))).toBe(true);
    return answer as T;
  }

  const inodeOf = (path: string) => sound.volume.inode(Number(find(sound, path).stat.inode));

  describe.each([
    ['a wrong checksum', (bytes: Buffer, at: number) => bytes.writeUInt8(0xaa, at + 100)],
    [
      'the number of another',
      (bytes: Buffer, at: number) => stamped(bytes, at, () => bytes.writeUInt32BE(77, at + 156)),
    ],
    ['no type', (bytes: Buffer, at: number) => stamped(bytes, at, () => bytes.writeUInt16BE(0o150644, at + 2))],
    ['another format', (bytes: Buffer, at: number) => stamped(bytes, at, () => bytes.writeUInt8(1, at + 5))],
  ])('an inode with %s', (_name, change) => {
    it('has the code that the mount gives, and leaves its neighbours alone', () => {
      const path = '/many-3/file-3';
      const filesystem = damaged(bytes => change(bytes, inodeOf(path).location));
      const entries = [...filesystem.list(find(filesystem, '/many-3')).entries];
      const lost = entries.filter(entry => entry.stat === null);
      expect(lost.map(entry => [entry.path, entry.stat === null && entry.fault.kind])).toEqual([[path, 'unreadable']]);
      const { names, codes } = mounted(() => {
        const all = readdirSync(`${point}/many-3`).map(name => `/many-3/${name}`);
        const refused = all.map(name => [name, hostCode(() => lstatSync(point + name))]);
        return { names: all, codes: refused.filter(([, code]) => code !== null) };
      });
      expect(entries.map(entry => entry.path).sort()).toEqual(names.sort());
      expect(lost.map(entry => [entry.path, entry.stat === null ? entry.fault.code : null])).toEqual(codes);
    });
  });

  describe.each([
    ['a wrong checksum', (bytes: Buffer, at: number) => bytes.writeUInt8(0xaa, at + 70)],
    ['another owner', (bytes: Buffer, at: number) => restamped(bytes, at, () => bytes.writeUInt32BE(999, at + 44))],
    ['another place', (bytes: Buffer, at: number) => restamped(bytes, at, () => bytes.writeUInt32BE(999, at + 12))],
    [
      'another file system',
      (bytes: Buffer, at: number) => restamped(bytes, at, () => bytes.writeUInt32BE(999, at + 24)),
    ],
  ])('a block of a directory with %s', (_name, change) => {
    it('costs its own names, and no others', () => {
      const { runs } = sound.volume.blockMap(inodeOf('/crowd'));
      const run = runs.find(({ logical, length }) => logical <= 2 && 2 < logical + length);
      const at = ((run?.physical ?? 0) + 2 - (run?.logical ?? 0)) * BLOCK;
      const inBlock = namesIn(whole.subarray(at, at + BLOCK));
      const filesystem = damaged(bytes => change(bytes, at));
      const listing = filesystem.list(find(filesystem, '/crowd'));
      const seen = new Set([...listing.entries].map(entry => entry.path.slice('/crowd/'.length)));
      const all = [...sound.list(find(sound, '/crowd')).entries].map(entry => entry.path.slice('/crowd/'.length));
      expect(all.filter(name => !seen.has(name)).sort()).toEqual(inBlock.sort());
      expect(inBlock.length).toBeGreaterThan(5);
      expect(listing.fault?.code).toBe(mounted(() => hostCode(() => readdirSync(`${point}/crowd`))));
    });
  });

  it('loses the part of a file that a broken block of its tree maps', () => {
    const inode = inodeOf('/many-extents');
    const leaf = sound.volume.blockMap(inode).nodes.at(-2) ?? 0;
    const filesystem = damaged(bytes => bytes.writeUInt8(0xaa, leaf * BLOCK + 100));
    const file = filesystem.open(find(filesystem, '/many-extents'));
    const codes = Array.from({ length: 4000 }, (_, index) => codeOf(() => file.read(new Uint8Array(10), index * 8192)));
    const lost = codes.filter(code => code === 'EUCLEAN').length;
    // A leaf has room for 251 extents.
    expect([lost > 10, lost <= 251, codes.filter(code => code === null).length]).toEqual([true, true, 4000 - lost]);
    // The kernel reads all of a file's tree before it reads of the file, and says so of the pages.
    expect(mounted(() => hostCode(() => readFileSync(`${point}/many-extents`)))).toBe('EIO');
  });

  it('refuses a symlink with a wrong checksum, and shows that it is one', () => {
    const path = '/links/long-900';
    const at = (sound.volume.blockMap(inodeOf(path)).runs[0]?.physical ?? 0) * BLOCK;
    const filesystem = damaged(bytes => bytes.writeUInt8(0xaa, at + 300));
    const link = find(filesystem, path);
    expect(link.stat).toEqual(find(sound, path).stat);
    expect(codeOf(() => filesystem.readLink(link))).toBe(mounted(() => hostCode(() => readlinkSync(point + path))));
  });

  it('refuses the attributes of a leaf with a wrong checksum, and reads the file', () => {
    const path = '/attributes/many';
    const inode = inodeOf(path);
    const at = (sound.volume.attributeMap(inode).runs[0]?.physical ?? 0) * BLOCK;
    const { volume, ...filesystem } = ((damagedOne: XfsFilesystem) => ({
      volume: damagedOne.volume,
      file: damagedOne.open(find(damagedOne, path)),
    }))(damaged(bytes => bytes.writeUInt8(0xaa, at + 500)));
    expect(() => volume.attributes(volume.inode(inode.number))).toThrow(DamageError);
    const content = Buffer.alloc(4);
    filesystem.file.read(content, 0);
    expect(content.toString()).toBe('many');
    expect(mounted(() => works('getfattr', ['-d', '-m', '-', point + path]))).toBe(false);
  });

  it('is shown by a copy of its superblock, or with a wrong checksum of it', () => {
    const names = namesAtRoot(sound);
    for (const [change, message] of [
      [(bytes: Buffer) => bytes.writeUInt32BE(7, 84), 'sb_agblocks'],
      [(bytes: Buffer) => bytes.writeUInt16BE(700, 104), 'sb_inodesize'],
      [(bytes: Buffer) => bytes.writeUInt8(0xaa, 400), 'checksum'],
    ] as const) {
      const filesystem = damaged(change);
      expect(namesAtRoot(filesystem)).toEqual(names);
      expect(filesystem.volume.damage.facts.map(fact => fact.message).join()).toContain(message);
      expect(withXfs(copy, point, 'ro,norecovery', () => undefined)).toBe(false);
    }
  });

  it('shows everything when the headers of groups are wrong, and says where', () => {
    const { agBlocks } = sound.volume.superblock;
    const filesystem = damaged(bytes => {
      for (const sector of [1, 2, 3]) bytes.writeUInt8(0xaa, agBlocks * BLOCK + sector * 512 + 400);
    });
    expect(namesAtRoot(filesystem)).toEqual(namesAtRoot(sound));
    expect([...filesystem.volume.inodesInUse()].length).toBe([...sound.volume.inodesInUse()].length);
    const places = filesystem.volume.damage.facts.map(fact =>
      fact instanceof DamageError ? [fact.at, fact.code] : null,
    );
    expect(places).toEqual([[agBlocks * BLOCK + 1024, 'EUCLEAN']]);
  });

  it('has a log that was cut off within a record', () => {
    run('cp', [image, copy]);
    const crashed = `${scratch.path}/torn`;
    withXfs(copy, point, 'rw', () => {
      for (let index = 0; index < 200; index++) writeFileSync(`${point}/torn-${index}`, `${index}`);
      run('sync', ['-f', point]);
      for (let index = 0; index < 40; index++) {
        writeFileSync(`${point}/late-${index}`, `${index}`);
        run('xfs_io', ['-c', 'fsync', `${point}/late-${index}`]);
      }
      run('xfs_io', ['-x', '-c', 'shutdown -f', point]);
      copyFileSync(copy, crashed);
    });
    const bytes = readFileSync(crashed);
    const { logStart, logBlocks } = sound.volume.superblock;
    const start = (logStart ?? 0) * BLOCK;
    const last = bytes.subarray(start, start + logBlocks * BLOCK).lastIndexOf(Buffer.from('feedbabe', 'hex'));
    // A block of the last record was never written.
    bytes.fill(0x5a, start + last + 600, start + last + 700);
    writeFileSync(crashed, bytes);
    const filesystem = openXfs(memoryBytes('volume', bytes));
    expect(filesystem.notReplayed).toBe(null);
    let expected: string[] = [];
    expect(
      withXfs(
        crashed,
        point,
        'rw',
        () =>
          (expected = readdirSync(point)
            .map(name => `/${name}`)
            .sort()),
      ),
    ).toBe(true);
    expect(namesAtRoot(filesystem)).toEqual(expected);
    expect(expected).toContain('/torn-7');
  });
});

/** Names in the entries of a block of a directory. */
function namesIn(block: Buffer): string[] {
  const names: string[] = [];
  for (let at = 64; at < block.length; ) {
    if (block.readUInt16BE(at) === 0xffff) {
      at += block.readUInt16BE(at + 2);
      continue;
    }
    const length = block.readUInt8(at + 8);
    names.push(block.toString('latin1', at + 9, at + 9 + length));
    at += Math.ceil((8 + 1 + length + 1 + 2) / 8) * 8;
  }
  return names.filter(name => name !== '.' && name !== '..');
}

/** With the inode's checksum right again. */
function stamped(bytes: Buffer, at: number, change: () => void): void {
  change();
  bytes.writeUInt32LE(checksumOf(bytes, 100, at, at + 512), at + 100);
}

/** With the block's checksum right again. */
function restamped(bytes: Buffer, at: number, change: () => void): void {
  change();
  const block = bytes.subarray(at, at + BLOCK);
  const checksumAt = describeBlock(block)?.checksumAt ?? 0;
  block.writeUInt32LE(checksumOf(block, checksumAt), checksumAt);
}

function namesAtRoot(filesystem: XfsFilesystem): string[] {
  return [...filesystem.list(filesystem.root).entries].map(({ path }) => path);
}

function codeOf(action: () => unknown): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

const hostCode = codeOf;

function find(filesystem: XfsFilesystem, path: string): Entry {
  let entry = filesystem.root;
  for (const part of path.split('/').filter(name => name !== '')) {
    const child = [...filesystem.list(entry).entries].find(candidate => candidate.path.endsWith(`/${part}`));
    if (child === undefined || child.stat === null) throw new Error(`no ${path}`);
    entry = child;
  }
  return entry;
}
