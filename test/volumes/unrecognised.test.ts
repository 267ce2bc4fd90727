// Partitions that nobody reads: whether files may lie in them, and what is said of them.

import { truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { surveyDisks } from '../../src/volumes/survey-disks.ts';
import { run } from '../bytes/disk-fixtures.ts';
import { blank, hasTools, MIB, poke, scratch } from './partition-fixtures.ts';

afterAll(() => scratch.remove());

function judged(path: string): [holdsFiles: boolean, trouble: string | null][] {
  const file = openFileBytes(path);
  try {
    return surveyDisks([file]).volumes.map(({ holdsFiles, trouble }) => [holdsFiles, trouble]);
  } finally {
    file.close();
  }
}

/** A disk of 64 MiB with a partition of 4 MiB of each type, the first at 1 MiB. */
function gptOf(name: string, ...types: readonly string[]): string {
  const path = blank(name, 64 * MIB);
  run(
    'sgdisk',
    ...types.flatMap((type, at) => ['-n', `${at + 1}:${1 + 4 * at}M:+4M`, '-t', `${at + 1}:${type}`]),
    path,
  );
  return path;
}

const startOf = (partition: number) => (1 + 4 * (partition - 1)) * MIB;
const FAT = Buffer.from('FAT32');

/** As much of FAT32's boot sector as tells it. */
function pokeFat(path: string, at: number): void {
  poke(path, at + 82, FAT);
  poke(path, at + 510, Uint8Array.of(0x55, 0xaa));
}

const LOST = 'a partition for a Linux file system in which none is recognised (its superblock may be lost)';

describe.skipIf(!hasTools)('a partition of a GPT', () => {
  test('that starts the machine, swaps or keeps room free holds no files, whatever lies in it', () => {
    const path = gptOf('boot', 'ef02', '8200', '0c01', '4100');
    for (const partition of [1, 2, 3, 4]) poke(path, startOf(partition), Buffer.from('code'));
    expect(judged(path)).toEqual(
      ['BIOS boot', 'Linux swap', 'Microsoft reserved', 'PReP boot'].map(type => [
        false,
        `a partition of type ${type}: it holds no files`,
      ]),
    );
  });

  test('for the EFI system holds no files of the system; the same FAT in another partition does', () => {
    const path = gptOf('efi', 'ef00', '0700');
    for (const partition of [1, 2]) pokeFat(path, startOf(partition));
    expect(judged(path)).toEqual([
      [false, 'an EFI system partition: it holds what starts the machine, and is not read'],
      [true, null],
    ]);
  });

  test('for a file system of Linux has lost its superblock, also when it begins with zeros', () => {
    expect(judged(gptOf('linux', '8300', '8302', 'ea00'))).toEqual([
      [true, LOST],
      [true, LOST],
      [true, LOST],
    ]);
  });

  test('of any other type may hold files when there is something at its start', () => {
    const path = gptOf('other', '0700', '0700');
    poke(path, startOf(1) + 60_000, Buffer.from('something'));
    expect(judged(path)).toEqual([
      [true, 'nothing is recognised in it (its superblock may be lost)'],
      [false, 'nothing is recognised in it: it begins with zeros'],
    ]);
  });

  test('beyond the end of the image is told of, and may have held files', () => {
    const path = gptOf('cut', '8300', '8300', '8200', 'ef00');
    truncateSync(path, 3 * MIB);
    const cut = (partition: number) =>
      `it begins at byte ${startOf(partition)}, and the disk ends at ${3 * MIB}: the image was cut`;
    expect(judged(path)).toEqual([
      [true, LOST],
      [true, cut(2)],
      [false, cut(3)],
      [false, cut(4)],
    ]);
  });
});

describe('a disk without a partition table', () => {
  let path = '';
  beforeAll(() => {
    path = blank('noise', MIB);
    poke(path, 5000, Buffer.from('noise'));
  });

  test('in which nothing is recognised says so', () => {
    expect(judged(path)).toEqual([[false, 'nothing in it is recognised']]);
  });
});
