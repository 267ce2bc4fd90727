// The sources of this file system under the contract of all sources: a file by its block map, a volume under an overlay.

import { memoryBytes } from '../../../src/bytes/memory-bytes.ts';
import { makeOverlay, OverlaidBytes } from '../../../src/filesystems/block-overlay.ts';
import { MappedBytes } from '../../../src/filesystems/file-bytes.ts';
import { byteSourceContract } from '../../bytes/byte-source-contract.ts';
import { pattern } from './populate.ts';

const BLOCK = 1024;

byteSourceContract('a file by its block map', () => {
  const volume = pattern(1, 64 * BLOCK);
  const runs = [
    { logical: 0, physical: 40, length: 3, unwritten: false },
    { logical: 3, physical: 10, length: 2, unwritten: false },
    { logical: 9, physical: 5, length: 4, unwritten: true },
    { logical: 13, physical: 20, length: 8, unwritten: false },
    { logical: 40, physical: 50, length: 9, unwritten: false },
  ];
  const size = 47 * BLOCK - 333;
  const expected = Buffer.alloc(size);
  for (const { logical, physical, length, unwritten } of runs) {
    if (!unwritten) volume.copy(expected, logical * BLOCK, physical * BLOCK, (physical + length) * BLOCK);
  }
  const map = { runs, lost: [], nodes: [] };
  const source = new MappedBytes(memoryBytes('volume', volume), map, BLOCK, size, 'file');
  return { source, expected, borders: [3, 5, 9, 13, 21, 40].map(block => block * BLOCK) };
});

byteSourceContract('a volume under an overlay', () => {
  const volume = pattern(2, 50 * BLOCK + 100);
  const made = pattern(3, BLOCK);
  const overlay = makeOverlay(BLOCK, [
    { block: 30, content: made, escaped: false },
    { block: 3, content: 20 * BLOCK, escaped: true },
    { block: 4, content: 7 * BLOCK, escaped: false },
    { block: 0, content: 9 * BLOCK, escaped: false },
    { block: 50, content: 2 * BLOCK, escaped: false },
  ]);
  const expected = Buffer.from(volume);
  for (const [block, from] of [
    [3, 20],
    [4, 7],
    [0, 9],
    [50, 2],
  ] as const) {
    volume.copy(expected, block * BLOCK, from * BLOCK, (from + 1) * BLOCK);
  }
  made.copy(expected, 30 * BLOCK);
  expected.writeUInt32BE(0xc03b3998, 3 * BLOCK);
  const source = new OverlaidBytes(memoryBytes('volume', volume), overlay);
  return { source, expected, borders: [1, 3, 4, 5, 30, 31, 50].map(block => block * BLOCK) };
});
