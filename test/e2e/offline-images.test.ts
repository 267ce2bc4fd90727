// Images that mke2fs filled from a directory, with no kernel at work: their times are copies, and accuse nobody.

import { closeSync, mkdirSync, openSync, readSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { populate } from '../filesystems/ext4/populate.ts';
import { blank, canMount, copy, inodeAt, MIB, mounted, tool } from './image-fixtures.ts';
import { Place } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOUNTS = canMount();
const INODE_BYTES = 256;

let place: Place;
let source = '';
beforeAll(() => {
  place = new Place();
  source = place.at('source');
  mkdirSync(source);
  if (!MOUNTS) return;
  populate(source, { files: 60, oddNames: 300, crowd: 150, sparseBytes: MIB, depth: 20 });
  // More of them than blocks of 1 KiB have room for.
  rmSync(`${source}/attributes`, { recursive: true });
});
afterAll(() => place.remove());

/** As mke2fs fills it. */
function filledFrom(directory: string, name: string, ...options: readonly string[]): string {
  const image = blank(place.at(name), 48 * MIB);
  tool('mkfs.ext4', '-q', '-F', '-d', directory, ...options, image);
  return image;
}

function scanned(image: string): string[] {
  const { report, stderr } = place.scan(image);
  expect({ stderr, errors: report.errors }).toEqual({ stderr: '', errors: [] });
  return report.findings.map(({ path, verdict, confidence, evidence }) =>
    [path, verdict, confidence, ...evidence.map(({ rule }) => rule)].join(' '),
  );
}

describe.skipIf(!MOUNTS)('an image that mke2fs filled', () => {
  test.each(['1024', '4096'])('from a directory, in blocks of %s bytes: nothing is found', blockSize => {
    expect(scanned(filledFrom(source, `filled-${blockSize}.img`, '-b', blockSize))).toEqual([]);
  });

  test('in which only lost+found is, made a while after the root', () => {
    const image = filledFrom(emptyDirectory(), 'slow.img', '-b', '4096');
    const [, root = ''] = /crtime: 0x([0-9a-f]{8})/.exec(tool('debugfs', '-R', 'stat /', image)) ?? [];
    for (const field of ['crtime', 'ctime']) {
      tool('debugfs', '-w', '-R', `sif /lost+found ${field} @${Number.parseInt(root, 16) + 5}`, image);
    }
    expect(scanned(image)).toEqual([]);
  });

  test('and a kernel wrote to: still nothing, until an inode of a directory goes back', () => {
    const image = filledFrom(source, 'lived-in.img', '-b', '4096');
    mounted(image, 'rw', point => {
      mkdirSync(`${point}/made`);
      writeFileSync(`${point}/many-1/made`, 'made');
    });
    const before = copy(image, place.at('before.img'));
    mounted(image, 'rw', point => {
      writeFileSync(`${point}/made/later`, 'later');
      writeFileSync(`${point}/many-2/made`, 'made');
    });
    expect(scanned(image)).toEqual([]);
    putBack(image, before, inodeAt(image, '/made'));
    expect(scanned(image)).toEqual(['/made stale proven newer-inode-in-log']);
  });
});

function emptyDirectory(): string {
  const path = place.at('nothing');
  mkdirSync(path);
  return path;
}

/** An inode as it was in an older image. */
function putBack(image: string, older: string, at: number): void {
  const inode = new Uint8Array(INODE_BYTES);
  const from = openSync(older, 'r');
  readSync(from, inode, 0, INODE_BYTES, at);
  closeSync(from);
  const to = openSync(image, 'r+');
  writeSync(to, inode, 0, INODE_BYTES, at);
  closeSync(to);
}
