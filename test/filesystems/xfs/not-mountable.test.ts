// What this kernel may not mount: version 4 and realtime files. Filled by mkfs.xfs itself from a prototype and by xfs_db in
// writing mode; the oracles are the tree that was given to mkfs.xfs, and what xfs_db prints of each inode.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openFileBytes } from '../../../src/bytes/file-bytes.ts';
import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { UnsupportedError } from '../../../src/errors.ts';
import type { Entry } from '../../../src/filesystems/filesystem.ts';
import { openXfs, type XfsFilesystem } from '../../../src/filesystems/xfs/xfs-filesystem.ts';
import { scratchDirectory } from '../ext4/loop-mount.ts';
import { stateOfFilesystem } from '../ext4/mount-state.ts';
import { pattern } from '../ext4/populate.ts';
import { makeXfs, whyNoTools, works, xfsDb } from './xfs-images.ts';

const MEBIBYTE = 2 ** 20;

const VARIANTS: readonly (readonly [string, readonly string[]])[] = [
  ['version 4', ['-m', 'crc=0']],
  ['version 4, 1 KiB blocks', ['-m', 'crc=0', '-b', 'size=1024']],
  ['version 4, types in directories', ['-m', 'crc=0', '-n', 'ftype=1', '-b', 'size=2048']],
  ['version 4, old log, small projects', ['-m', 'crc=0', '-i', 'projid32bit=0', '-l', 'version=1,lazy-count=0']],
  ['version 4, 512-byte blocks, large directory blocks', ['-m', 'crc=0', '-b', 'size=512', '-n', 'size=4096']],
  ['version 4, large inodes', ['-m', 'crc=0', '-i', 'size=2048']],
];

const reason = whyNoTools();
if (reason !== null) process.stderr.write(`xfs/not-mountable.test.ts skipped: ${reason}\n`);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

/** What the prototype says of one path. */
interface Made {
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly content: string | null;
}

describe.skipIf(reason !== null)('an XFS image that no mount shows', () => {
  const scratch = scratchDirectory();
  const prototype = `${scratch.path}/prototype`;
  const image = `${scratch.path}/image`;
  let made: Map<string, Made>;
  beforeAll(() => {
    made = writePrototype(scratch.path, prototype);
  });
  afterAll(() => scratch.remove());

  describe.each(VARIANTS)('%s', (_name, options) => {
    beforeAll(() => expect(makeXfs(image, 128 * MEBIBYTE, [...options, '-p', prototype])).toBe(true));

    function opened<T>(use: (filesystem: XfsFilesystem) => T): T {
      const source = openFileBytes(image);
      try {
        return use(openXfs(source));
      } finally {
        source.close();
      }
    }

    it('shows every path and byte that was put in', () => {
      const { state, faults, damage, dirty } = opened(filesystem => ({
        ...stateOfFilesystem(filesystem),
        damage: filesystem.volume.damage.facts,
        dirty: filesystem.isDirty,
      }));
      expect([faults, damage, dirty]).toEqual([[], [], false]);
      const seen = [...state].map(([path, { type, mode, uid, gid, content }]) => [
        path,
        { type, mode, uid, gid, content },
      ]);
      expect(new Map(seen as [string, Made][])).toEqual(made);
    });

    it('tells of inodes what xfs_db prints', () => {
      const { state } = opened(stateOfFilesystem);
      const some = [...state].filter((_entry, index) => index % 40 === 0);
      const fields = ['core.size', 'core.nblocks', 'core.mtime.nsec', 'core.ctime.nsec'];
      const commands = some.flatMap(([, { inode }]) => [`inode ${inode}`, ...fields.map(field => `p ${field}`)]);
      const printed = xfsDb(image, ...commands).map(line => line.split(' = ')[1]);
      const blockSize = opened(({ volume }) => volume.blockSize);
      const seen = some.flatMap(([, entry]) => [
        entry.size,
        ((entry.blocks ?? 0) * 512) / blockSize,
        entry.mtimeNs % 1_000_000_000n,
        entry.ctimeNs % 1_000_000_000n,
      ]);
      expect(seen.map(String)).toEqual(printed);
      expect(some.length).toBeGreaterThan(40);
    });

    it('gives the extended attributes that xfs_db set', () => {
      const sizes = [1, 10, 200, 3000, 20_000, 65_536];
      const commands = sizes.map(size => `attr_set -u name-of-${size} -v ${size}`);
      const more = ['attr_set -s secure -v 60', 'attr_set -r rooted -v 5'];
      expect(
        works('xfs_db', [
          '-x',
          ...['path /short/file-3', ...commands, ...more].flatMap(command => ['-c', command]),
          image,
        ]),
      ).toBe(true);
      const expected = [
        ...sizes.map(size => [`user.name-of-${size}`, 'v'.repeat(size)]),
        ['security.secure', 'v'.repeat(60)],
        ['trusted.rooted', 'v'.repeat(5)],
      ];
      const seen = opened(filesystem => {
        const inode = Number(find(filesystem, '/short/file-3').stat.inode);
        const { volume } = filesystem;
        return volume
          .attributes(volume.inode(inode))
          .map(({ name, value }) => [name, Buffer.from(value).toString('latin1')]);
      });
      expect(new Map(seen as [string, string][])).toEqual(new Map(expected as [string, string][]));
    });
  });

  it('names realtime files as unsupported, and shows their inodes', () => {
    expect(makeXfs(image, 64 * MEBIBYTE, ['-p', prototype])).toBe(true);
    expect(works('xfs_db', ['-x', '-c', 'path /short/file-3', '-c', 'write core.realtime 1', image])).toBe(true);
    const source = openFileBytes(image);
    const filesystem = openXfs(source);
    const file = find(filesystem, '/short/file-3');
    expect(file.stat.sizeBytes).toBe(3 * 700);
    expect(() => filesystem.open(file)).toThrow(UnsupportedError);
    expect(() => [...filesystem.extents(file)]).toThrow('realtime');
    expect(filesystem.bytesAfterEnd(file)).toBe(null);
    expect(filesystem.open(find(filesystem, '/short/file-2')).size).toBe(2 * 700);
    source.close();
  });

  it('refuses features that would make the content misread', () => {
    expect(makeXfs(image, 64 * MEBIBYTE, [])).toBe(true);
    const sound = readFileSync(image);
    for (const [at, value, message] of [
      [216, 0x40000000, 'unknown incompatible features 0x40000000'],
      [216, 0x100, 'metadir'],
      [100, 0x34a30000, 'version 3'],
      [100, 0x14a50000, 'directories of version 1'],
    ] as const) {
      const bytes = Buffer.from(sound);
      bytes.writeUInt32BE(at === 100 ? (value + bytes.readUInt16BE(102)) >>> 0 : value, at);
      expect(() => openXfs(memoryBytes('volume', bytes))).toThrow(UnsupportedError);
      expect(() => openXfs(memoryBytes('volume', bytes))).toThrow(message);
    }
  });
});

/** Directories of each form, files of all sizes, links, devices. Returns what it says of each path. */
function writePrototype(scratch: string, prototype: string): Map<string, Made> {
  const made = new Map<string, Made>([['/', { type: 'directory', mode: 0o755, uid: 0, gid: 0, content: null }]]);
  const lines = ['/', '0 0', 'd--755 0 0'];
  const sources = [0, 1, 2, 3, 4].map(number => pattern(number, number === 4 ? 30_000 : number * 700));
  mkdirSync(`${scratch}/sources`);
  for (const [number, bytes] of sources.entries()) writeFileSync(`${scratch}/sources/${number}`, bytes);
  for (const [directory, count] of [
    ['empty', 0],
    ['short', 5],
    ['block', 40],
    ['leaf', 190],
    ['node', 1400],
  ] as const) {
    lines.push(`${directory} d--751 3 4`);
    made.set(`/${directory}`, { type: 'directory', mode: 0o751, uid: 3, gid: 4, content: null });
    for (let index = 0; index < count; index++) {
      lines.push(`file-${index} ---640 ${index} 70000 ${scratch}/sources/${index % 5}`);
      const content = createHash('sha256')
        .update(sources[index % 5] ?? '')
        .digest('hex');
      made.set(`/${directory}/file-${index}`, { type: 'file', mode: 0o640, uid: index, gid: 70_000, content });
    }
    lines.push('$');
  }
  for (const length of [1, 100, 156, 157, 336, 337, 900, 1023]) {
    lines.push(`link-${length} l--777 0 0 ${'l'.repeat(length)}`);
    made.set(`/link-${length}`, { type: 'symlink', mode: 0o777, uid: 0, gid: 0, content: 'l'.repeat(length) });
  }
  lines.push(
    'fifo p--644 0 0',
    'block-device b--600 0 0 8 17',
    'char c--620 0 5 4 64',
    `set -ug755 9 8 ${scratch}/sources/1`,
    '$',
  );
  made.set('/fifo', { type: 'fifo', mode: 0o644, uid: 0, gid: 0, content: null });
  made.set('/block-device', { type: 'block-device', mode: 0o600, uid: 0, gid: 0, content: null });
  made.set('/char', { type: 'character-device', mode: 0o620, uid: 0, gid: 5, content: null });
  const content = createHash('sha256')
    .update(sources[1] ?? '')
    .digest('hex');
  made.set('/set', { type: 'file', mode: 0o6755, uid: 9, gid: 8, content });
  writeFileSync(prototype, `${lines.join('\n')}\n`);
  return made;
}

function find(filesystem: XfsFilesystem, path: string): Entry {
  let entry = filesystem.root;
  for (const part of path.split('/').filter(name => name !== '')) {
    const child = [...filesystem.list(entry).entries].find(candidate => candidate.path.endsWith(`/${part}`));
    if (child === undefined || child.stat === null) throw new Error(`no ${path}`);
    entry = child;
  }
  return entry;
}
