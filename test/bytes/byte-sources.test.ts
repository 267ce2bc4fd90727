import { closeSync, mkdirSync, openSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/bytes/byte-source.ts';
import { CachedBytes, cacheShareBytes } from '../../src/bytes/cached-bytes.ts';
import { openFileBytes, searchSize } from '../../src/bytes/file-bytes.ts';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { readExactly } from '../../src/bytes/read-exactly.ts';
import { slice } from '../../src/bytes/slice.ts';
import { DamageError, ReadError, UsageError } from '../../src/errors.ts';
import { byteSourceContract } from './byte-source-contract.ts';
import { diskContent, run, scratchFolder } from './disk-fixtures.ts';

const scratch = scratchFolder();
afterAll(() => scratch.remove());

const content = diskContent('plain', 1_000_003);
const path = scratch.path('plain');
writeFileSync(path, content);

const isRoot = process.getuid?.() === 0;
if (!isRoot) process.stderr.write('skipped: block devices need root\n');

byteSourceContract('a regular file', () => ({ source: openFileBytes(path), expected: content }));

byteSourceContract('an empty file', () => {
  writeFileSync(scratch.path('empty'), '');
  return { source: openFileBytes(scratch.path('empty')), expected: new Uint8Array(0) };
});

byteSourceContract('bytes in memory', () => ({ source: memoryBytes('memory', content), expected: content }));

byteSourceContract('a slice', () => ({
  source: slice(openFileBytes(path), 12345, 700_000, 'part'),
  expected: content.subarray(12345, 712_345),
}));

byteSourceContract('a cached file of one page', () => ({
  source: new CachedBytes(openFileBytes(path), 0, 4096),
  expected: content,
}));

byteSourceContract('a cached slice', () => ({
  source: new CachedBytes(slice(openFileBytes(path), 5, content.length - 5, 'part'), 300_000),
  expected: content.subarray(5),
}));

describe.skipIf(!isRoot)('a block device', () => {
  const sectors = diskContent('device', 1_000_448);
  let device = '';
  byteSourceContract('a loop device', () => {
    writeFileSync(scratch.path('device'), sectors);
    device = run('losetup', '--find', '--show', '--read-only', scratch.path('device')).trim();
    return { source: openFileBytes(device), expected: sectors };
  });
  afterAll(() => device !== '' && run('losetup', '--detach', device));

  it('is recognised again by its node', () => {
    const source = openFileBytes(device);
    const node = statSync(device, { bigint: true });
    expect(source.identity).toMatchObject({ device: `${node.dev}`, inode: `${node.ino}`, sizeBytes: 0 });
    openFileBytes(device, source.identity).close();
    source.close();
  });
});

describe.skipIf(!isRoot)('a medium that fails', () => {
  it('is a ReadError with EIO and the place, and the rest stays readable', () => {
    const medium = scratch.path('failing');
    writeFileSync(medium, content.subarray(0, 2 ** 19));
    const device = run('losetup', '--find', '--show', medium).trim();
    // The device keeps its size; what its file no longer has cannot be read.
    truncateSync(medium, 2 ** 18);
    const source = openFileBytes(device);
    try {
      expect(() => source.read(new Uint8Array(100), 2 ** 18 + 4096)).toThrow(
        new ReadError(device, 2 ** 18 + 4096, 4096, 'EIO'),
      );
      const into = Buffer.alloc(100);
      expect(source.read(into, 5)).toBe(100);
      expect(Buffer.compare(into, content.subarray(5, 105))).toBe(0);
    } finally {
      source.close();
      run('losetup', '--detach', device);
    }
  });
});

describe('opening a file', () => {
  it('takes nothing but regular files and block devices', () => {
    mkdirSync(scratch.path('folder'));
    run('mkfifo', scratch.path('fifo'));
    for (const other of ['folder', 'fifo']) {
      expect(() => openFileBytes(scratch.path(other))).toThrow(UsageError);
      expect(() => openFileBytes(scratch.path(other))).toThrow('neither a regular file nor a block device');
    }
    expect(() => openFileBytes(scratch.path('absent'))).toThrow(
      `${scratch.path('absent')}: cannot be opened: no such file or directory`,
    );
  });

  it('refuses a file that is another one by now', () => {
    const copy = scratch.path('copy');
    writeFileSync(copy, content);
    const first = openFileBytes(copy);
    first.close();
    openFileBytes(copy, first.identity).close();
    utimesSync(copy, 1, 2);
    expect(() => openFileBytes(copy, first.identity)).toThrow(`${copy}: changed since the scan began`);
  });

  it('leaves no descriptor behind when it refuses', () => {
    const probe = () => {
      const fd = openSync(path, 'r');
      closeSync(fd);
      return fd;
    };
    const before = probe();
    const identity = { device: '', inode: '', sizeBytes: 0, mtimeNs: '' };
    expect(() => openFileBytes(path, identity)).toThrow(UsageError);
    expect(() => openFileBytes(scratch.path('folder'))).toThrow(UsageError);
    expect(probe()).toBe(before);
  });

  it('says where a file ends that was cut while it was read', () => {
    const cut = scratch.path('cut');
    writeFileSync(cut, content);
    const source = openFileBytes(cut);
    truncateSync(cut, 5000);
    expect(() => source.read(new Uint8Array(1000), 4500)).toThrow(new ReadError(cut, 5000, 500, 'ESTALE'));
    source.close();
  });
});

describe('the size of what only reading measures', () => {
  it('is found to the sector', () => {
    for (const sectors of [0, 1, 2, 3, 7, 8, 9, 1000, 2 ** 21 + 12345]) {
      const read = (into: Uint8Array, at: number) => Math.max(0, Math.min(into.length, sectors * 512 - at));
      expect(searchSize(read)).toBe(sectors * 512);
    }
  });
});

/** Counts reads, and refuses those that touch [bad, bad + 512). */
function flaky(bytes: Uint8Array, bad: number): ByteSource & { reads: number } {
  return {
    name: 'flaky',
    size: bytes.length,
    reads: 0,
    read(into, at) {
      this.reads++;
      if (at < bad + 512 && at + into.length > bad) throw new ReadError('flaky', bad, 512);
      const part = bytes.subarray(at, at + into.length);
      into.set(part);
      return part.length;
    },
  };
}

describe('a cache', () => {
  it('asks once for a page that stays in use', () => {
    const below = flaky(content, content.length);
    const cached = new CachedBytes(below, 3 * 65536);
    const into = new Uint8Array(100);
    for (let round = 0; round < 50; round++) for (const at of [0, 65536, 131_072]) cached.read(into, at + round);
    expect(below.reads).toBe(3);
    cached.read(into, 200_000);
    cached.read(into, 131_072);
    cached.read(into, 65536);
    expect(below.reads).toBe(4);
    cached.read(into, 0);
    expect(below.reads).toBe(5);
  });

  it('passes long reads through', () => {
    const below = flaky(content, content.length);
    const cached = new CachedBytes(below, 3 * 65536);
    for (let round = 0; round < 3; round++) cached.read(new Uint8Array(65536), 100);
    expect(below.reads).toBe(3);
  });

  it('still gives the good bytes beside bad ones, and tries the whole page once', () => {
    const below = flaky(content, 70_000);
    const cached = new CachedBytes(below, 3 * 65536);
    const into = new Uint8Array(100);
    for (let round = 0; round < 3; round++) expect(cached.read(into, 66_000)).toBe(100);
    expect(Buffer.compare(into, content.subarray(66_000, 66_100))).toBe(0);
    expect(below.reads).toBe(4);
    expect(() => cached.read(into, 69_950)).toThrow(new ReadError('flaky', 70_000, 512));
  });

  it('divides the memory of the process among workers', () => {
    expect(cacheShareBytes(4)).toBe(cacheShareBytes(1) / 4);
  });
});

describe('reading a structure', () => {
  it('names it, and where it is cut short', () => {
    const source = slice(openFileBytes(path), 0, 100, 'volume');
    expect(Buffer.from(readExactly(source, 90, 10, 'tail'))).toEqual(content.subarray(90, 100));
    expect(() => readExactly(source, 90, 11, 'tail')).toThrow('volume: tail at 90: found 10 bytes, expected 11 bytes');
  });

  it('refuses a slice beyond its source', () => {
    const source = openFileBytes(path);
    expect(() => slice(source, 1_000_000, 4, 'part')).toThrow(DamageError);
    expect(() => slice(source, -1, 4, 'part')).toThrow('part at -1');
    source.close();
  });
});
