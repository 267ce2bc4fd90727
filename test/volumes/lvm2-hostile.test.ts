// LVM2 metadata that means harm: any value in any field, any cut, texts without end. A value or a typed error, and no hang.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { DamageError, ReadError } from '../../src/errors.ts';
import { rawCrc32 } from '../../src/struct/crc32.ts';
import { parseConfig } from '../../src/volumes/lvm2/config-text.ts';
import { CRC_SEED, labelHeader, mdaHeader, pvHeader, rawLocation } from '../../src/volumes/lvm2/layout.ts';
import { parseVolumeGroup } from '../../src/volumes/lvm2/volume-group.ts';
import { surveyDisks, volumeBytes } from '../../src/volumes/survey-disks.ts';
import { canLayOut, layOut, scratch } from './lvm2-fixtures.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const AREA = 4096;
const LABEL = 512;
const LOCATION = AREA + 40;

let disks: Buffer[] = [];
beforeAll(() => {
  if (!canLayOut) return;
  // The metadata is in the first MiB; what a volume's bytes are does not matter here.
  disks = layOut('lwrhost').map(path => readFileSync(path).subarray(0, 2 ** 20));
});
afterAll(() => scratch.remove());

/** How surveying ended, with every volume that has bytes read in part; an error that is not typed propagates. */
function examine(parts: readonly Uint8Array[]): string {
  const sources = parts.map((part, at) => memoryBytes(`disk ${at}`, part));
  try {
    const { volumes } = surveyDisks(sources);
    for (const volume of volumes) {
      if (volume.bytes === null) continue;
      for (const at of [0, volume.size / 2, volume.size - 1])
        readPart(() => volumeBytes(sources, volume, 'lv').read(new Uint8Array(4096), at));
    }
    return volumes.map(({ kind, trouble }) => (trouble === null ? kind : 'trouble')).join(' ');
  } catch (error) {
    if (error instanceof DamageError || error instanceof ReadError) return error.name;
    throw error;
  }
}

function readPart(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ReadError || error instanceof DamageError)) throw error;
  }
}

function mended(disk: Buffer): Buffer {
  disk.writeUInt32LE(rawCrc32(CRC_SEED, disk.subarray(LABEL + 20, LABEL + 512)), LABEL + 16);
  disk.writeUInt32LE(rawCrc32(CRC_SEED, disk.subarray(AREA + 4, AREA + 512)), AREA);
  return disk;
}

/** The committed text of a disk, and the same disk with another one in its place, all checksums right. */
function textOf(disk: Buffer): string {
  const [offset, size] = [Number(disk.readBigUInt64LE(LOCATION)), Number(disk.readBigUInt64LE(LOCATION + 8))];
  return disk.toString('latin1', AREA + offset, AREA + offset + size);
}

function withText(disk: Buffer, text: string): Buffer {
  const changed = Buffer.from(disk);
  const bytes = Buffer.from(text, 'latin1');
  const offset = Number(disk.readBigUInt64LE(LOCATION));
  bytes.copy(changed, AREA + offset);
  changed.writeBigUInt64LE(BigInt(bytes.length), LOCATION + 8);
  changed.writeUInt32LE(rawCrc32(CRC_SEED, bytes), LOCATION + 16);
  return mended(changed);
}

describe.skipIf(!canLayOut)('hostile physical volumes', () => {
  const values = [
    0n,
    1n,
    511n,
    512n,
    4096n,
    2n ** 20n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ];

  test('any value in any field, checksums right and wrong', () => {
    const fields = [
      ...Object.values(labelHeader.fields).map(field => [LABEL + field.offset, field.length]),
      ...Object.values(pvHeader.fields).map(field => [LABEL + 32 + field.offset, field.length]),
      ...[0, 8, 16, 24, 32, 40, 48, 56].map(at => [LABEL + 32 + pvHeader.size + at, 8]),
      ...Object.values(mdaHeader.fields).map(field => [AREA + field.offset, field.length]),
      ...Object.values(rawLocation.fields).map(field => [LOCATION + field.offset, field.length]),
    ];
    const endings = new Set<string>();
    for (const [at = 0, length = 0] of fields) {
      for (const value of values) {
        for (const mend of [true, false]) {
          const disk = Buffer.from(disks[0] ?? '');
          for (let index = 0; index < Math.min(length, 8); index++)
            disk[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
          endings.add(examine([mend ? mended(disk) : disk]));
        }
      }
    }
    expect([...endings].every(ending => /^(trouble|lvm2|unknown|DamageError)( trouble)*$/.test(ending))).toBe(true);
    expect(endings.size).toBeGreaterThan(2);
  });

  test('cut at any sector of the first, and anywhere in the label', () => {
    const disk = disks[0] ?? Buffer.alloc(0);
    const cuts = [...Array.from({ length: 40 }, (_, sector) => sector * 512), 513, 543, 544, 600, 4097, 4136, 5000];
    for (const cut of cuts) expect(() => examine([disk.subarray(0, cut)])).not.toThrow();
  });

  test('any number in the text replaced by any other, checksums right', () => {
    const [first = Buffer.alloc(0), ...others] = disks;
    const text = textOf(first);
    const numbers = [...text.matchAll(/(?<== |, )\d+/g)];
    expect(numbers.length).toBeGreaterThan(30);
    for (const { index, 0: digits } of numbers) {
      for (const value of [
        '0',
        '1',
        '-1',
        '4294967296',
        '9007199254740993',
        '99999999999999999999',
        '"text"',
        '[ 1, 2 ]',
      ]) {
        const changed = text.slice(0, index) + value + text.slice(index + digits.length);
        expect(() => examine([withText(first, changed), ...others])).not.toThrow();
      }
    }
  });

  test('any line of the text left out or doubled, checksums right', () => {
    const [first = Buffer.alloc(0), ...others] = disks;
    const lines = textOf(first).split('\n');
    lines.forEach((line, at) => {
      for (const replacement of [[], [line, line]]) {
        const changed = lines.toSpliced(at, 1, ...replacement).join('\n');
        expect(() => examine([withText(first, changed), ...others])).not.toThrow();
      }
    });
  });

  test('random bytes anywhere in the text, checksums right', () => {
    const [first = Buffer.alloc(0)] = disks;
    const text = textOf(first);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ unit: 'binary', maxLength: 6 }), (at, put) => {
        const changed = text.slice(0, at) + Buffer.from(put).toString('latin1') + text.slice(at + put.length);
        examine([withText(first, changed)]);
      }),
      { numRuns: 100 },
    );
  });

  test('a ring that is full of beginnings costs little', () => {
    const disk = Buffer.from(disks[0] ?? '');
    const text = textOf(disk);
    const head = text.slice(0, 400);
    const id = /id = "([^"]+)"/.exec(head)?.[1] ?? '';
    for (let at = AREA + 512, seqno = 1000; at + 512 <= disk.length; at += 512) {
      disk.fill(`lwrhost {\nid = "${id}"\nseqno = ${seqno++}\n`.padEnd(512, '#'), at, at + 512, 'latin1');
    }
    expect(examine([mended(disk)])).toBe('trouble');
  });
});

describe('hostile texts', () => {
  const LENGTH = 4 * 1024 * 1024;

  test.each([
    ['sections without end', 'a {\n'.repeat(1000)],
    ['lists without end', `a = [${'1,'.repeat(LENGTH / 2)}`],
    ['white space', ' '.repeat(LENGTH)],
    ['comments', '#\n'.repeat(LENGTH / 2)],
    ['a comment', '#'.repeat(LENGTH)],
    ['a text that does not end', `a = "${'x'.repeat(LENGTH)}`],
    ['a text of escapes', `a = "${'\\"'.repeat(LENGTH / 2)}"`],
    ['closing braces', '}'.repeat(LENGTH)],
    ['a name', 'x'.repeat(LENGTH)],
    ['a name and nothing', 'a ='],
    ['the same name twice', 'a = 1 a = 2'],
    ['bytes of no meaning', 'a = \xff\x01'],
  ])('%s', (_, text) => {
    expect(() => {
      try {
        parseConfig(text, 'text');
        parseVolumeGroup(text, 'text');
      } catch (error) {
        if (!(error instanceof DamageError)) throw error;
      }
    }).not.toThrow();
  });

  test('say where they stop making sense', () => {
    expect(() => parseConfig('a = 1\nb = ]', 'text')).toThrow('text at 11: found "]", expected a value');
    expect(() => parseConfig('a { b = 1', 'text')).toThrow('text at 9: found the end, expected a name');
    expect(() => parseVolumeGroup('a = 1', 'text')).toThrow('text volume groups at 0: found 0, expected 1');
  });
});
