// Broken and hostile VMDK, VHD, VHDX, VDI and split images: every cut and every changed field gives bytes or a typed error, from
// reading as from comparing the tables.

import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import { vdiHeader } from '../../src/bytes/vdi/layout.ts';
import { dynamicHeader, vhdFooter } from '../../src/bytes/vhd/layout.ts';
import * as vhdx from '../../src/bytes/vhdx/layout.ts';
import { grainMarker, sparseHeader } from '../../src/bytes/vmdk/layout.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../../src/errors.ts';
import { crc32c } from '../../src/struct/crc32c.ts';
import type { Fields, Struct } from '../../src/struct/struct.ts';
import { diskContent, hasTool, run, scratchFolder } from './disk-fixtures.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

// Thousands of images are opened; other work may slow that down.
vi.setConfig({ testTimeout: 60_000 });

const TYPED = [ReadError, DamageError, UnsupportedError, UsageError];
const DISK_BYTES = 2 ** 20 + 512 * 3;
const WINDOW_BYTES = 80_000;
const VALUES = [0n, 1n, 3n, 0xffn, 0x200n, 0x10000n, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 62n, 2n ** 64n - 1n];

/** Structures of an image: where fields lie, and what makes their checksum right again. */
interface Place {
  readonly struct: Struct<Fields>;
  readonly at: number;
  readonly seal?: (bytes: Buffer) => void;
}

interface Kind {
  readonly name: string;
  readonly format: string;
  readonly options: readonly string[];
  readonly bigEndian?: boolean;
  readonly places: (bytes: Buffer) => readonly Place[];
  /** Offsets of table entries, and their length. */
  readonly entries: (bytes: Buffer) => { readonly at: readonly number[]; readonly length: number };
}

const everySixteen = (start: number, count: number, length: number) => ({
  at: Array.from({ length: count }, (_, index) => start + index * length),
  length,
});

/** VHD's: the ones' complement of the sum. */
function sealVhd(at: number, length: number, checksumAt: number): (bytes: Buffer) => void {
  return bytes => {
    bytes.writeUInt32BE(0, at + checksumAt);
    const sum = bytes.subarray(at, at + length).reduce((total, byte) => total + byte, 0);
    bytes.writeUInt32BE(~sum >>> 0, at + checksumAt);
  };
}

function sealVhdx(at: number, length: number): (bytes: Buffer) => void {
  return bytes => {
    bytes.writeUInt32LE(0, at + 4);
    bytes.writeUInt32LE(crc32c(bytes, at, at + length), at + 4);
  };
}

function placesOfVhdx(): Place[] {
  const KIB = 1024;
  const regionSeal = sealVhdx(192 * KIB, 64 * KIB);
  const metadataAt = 3 * 1024 * KIB;
  return [
    { struct: vhdx.vhdxHeader, at: 64 * KIB, seal: sealVhdx(64 * KIB, 4 * KIB) },
    { struct: vhdx.vhdxHeader, at: 128 * KIB, seal: sealVhdx(128 * KIB, 4 * KIB) },
    { struct: vhdx.regionTable, at: 192 * KIB, seal: regionSeal },
    { struct: vhdx.regionEntry, at: 192 * KIB + 16, seal: regionSeal },
    { struct: vhdx.regionEntry, at: 192 * KIB + 48, seal: regionSeal },
    { struct: vhdx.metadataTable, at: metadataAt },
    ...[0, 1, 3].map(index => ({ struct: vhdx.metadataEntry, at: metadataAt + 32 + index * 32 })),
    { struct: vhdx.fileParameters, at: metadataAt + 65536 },
    { struct: vhdx.fileParameters, at: metadataAt + 65544 },
    { struct: vhdx.logEntry, at: 1024 * KIB },
    { struct: vhdx.dataDescriptor, at: 1024 * KIB + 64 },
    { struct: vhdx.zeroDescriptor, at: 1024 * KIB + 64 },
    { struct: vhdx.logDataSector, at: 1028 * KIB },
  ];
}

const vmdkDirectory = (bytes: Buffer) => Number(sparseHeader.at(bytes).directory) * 512;
const vmdkTable = (bytes: Buffer) => bytes.readUInt32LE(vmdkDirectory(bytes)) * 512;

const KINDS: readonly Kind[] = [
  {
    name: 'VDI',
    format: 'vdi',
    options: [],
    places: () => [{ struct: vdiHeader, at: 0 }],
    entries: bytes => everySixteen(vdiHeader.at(bytes).blockMapOffset, 2, 4),
  },
  {
    name: 'dynamic VHD',
    format: 'vpc',
    options: ['-o', 'force_size=on'],
    bigEndian: true,
    places: bytes => [
      { struct: vhdFooter, at: 0, seal: sealVhd(0, 512, 64) },
      { struct: vhdFooter, at: bytes.length - 512, seal: sealVhd(bytes.length - 512, 512, 64) },
      { struct: dynamicHeader, at: 512, seal: sealVhd(512, 1024, 36) },
    ],
    entries: () => everySixteen(1536, 1, 4),
  },
  {
    name: 'fixed VHD',
    format: 'vpc',
    options: ['-o', 'subformat=fixed,force_size=on'],
    bigEndian: true,
    places: bytes => [{ struct: vhdFooter, at: bytes.length - 512, seal: sealVhd(bytes.length - 512, 512, 64) }],
    entries: () => everySixteen(0, 1, 4),
  },
  {
    name: 'VHDX',
    format: 'vhdx',
    options: ['-o', 'block_size=1M'],
    places: placesOfVhdx,
    entries: () => everySixteen(2 * 2 ** 20, 2, 8),
  },
  {
    name: 'sparse VMDK',
    format: 'vmdk',
    options: [],
    places: () => [{ struct: sparseHeader, at: 0 }],
    entries: bytes => ({ at: [vmdkDirectory(bytes), vmdkTable(bytes), vmdkTable(bytes) + 4], length: 4 }),
  },
  {
    name: 'stream of VMDK',
    format: 'vmdk',
    options: ['-o', 'subformat=streamOptimized'],
    places: () => [
      { struct: sparseHeader, at: 0 },
      { struct: grainMarker, at: 65536 },
    ],
    entries: bytes => ({ at: [vmdkDirectory(bytes), vmdkTable(bytes), vmdkTable(bytes) + 4], length: 4 }),
  },
];

function bytesOf(value: bigint, length: number, bigEndian: boolean): Buffer {
  const bytes = Array.from({ length }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
  return Buffer.from(bigEndian ? bytes.reverse() : bytes);
}

/** Opens, reads what it can, compares the tables: how it ended. An error of any other type propagates, and fails the test. */
function examine(path: string): string {
  try {
    const image = openImage(path);
    try {
      image.survey();
      const { bytes } = image;
      const into = new Uint8Array(WINDOW_BYTES);
      for (const at of [0, DISK_BYTES / 2, bytes.size - WINDOW_BYTES]) if (at >= 0) bytes.read(into, Math.floor(at));
      let at = 0;
      for (let step = 0; step < 100 && at < bytes.size; step++) at = (bytes.nextData?.(at) ?? at) + 4096;
      return image.container;
    } finally {
      image.bytes.close?.();
    }
  } catch (error) {
    if (error instanceof Error && TYPED.some(type => error instanceof type)) return error.name;
    throw error;
  }
}

describe.skipIf(!hasQemu).each(KINDS)('a hostile $name', ({ format, options, bigEndian = false, places, entries }) => {
  let victim = Buffer.alloc(0);
  let changed = victim;
  let target = '';
  beforeAll(() => {
    const raw = scratch.path('victim.raw');
    target = scratch.path(`hostile-${KINDS.findIndex(kind => kind.places === places)}`);
    writeFileSync(raw, diskContent('victim', DISK_BYTES));
    run('qemu-img', 'convert', '-f', 'raw', '-O', format, ...options, raw, target);
    if (!options.join().includes('streamOptimized')) run('qemu-io', '-f', format, '-c', 'write -P 1 0 200k', target);
    victim = readFileSync(target);
    changed = Buffer.from(victim);
  });

  /** How it ends after one change, which is then undone. The parts of the file that `seal` writes are written as well. */
  function outcome(at: number, change: Buffer, place?: Place): string {
    change.copy(changed, at);
    place?.seal?.(changed);
    const sealed = place === undefined ? [[at, change.length]] : [[place.at, Math.max(1024, place.struct.size)]];
    const fd = openSync(target, 'r+');
    try {
      for (const [start = 0, length = 0] of sealed)
        writeSync(fd, changed, start, Math.min(length, victim.length - start), start);
      return examine(target);
    } finally {
      for (const [start = 0, length = 0] of sealed)
        writeSync(fd, victim, start, Math.min(length, victim.length - start), start);
      closeSync(fd);
      for (const [start = 0, length = 0] of sealed) victim.copy(changed, start, start, start + length);
    }
  }

  it('is read when nothing is changed', () => {
    expect(examine(target)).toBe({ vpc: 'vhd' }[format] ?? format);
  });

  it('is bytes or a typed error with any value in any field, its checksum made right', () => {
    const seen = places(victim).flatMap(place =>
      Object.values(place.struct.fields).flatMap(({ offset, length }) =>
        VALUES.map(value => outcome(place.at + offset, bytesOf(value, Math.min(length, 16), bigEndian), place)),
      ),
    );
    expect(new Set(seen)).toContain('DamageError');
    expect(seen.length).toBeGreaterThan(100);
  });

  it('is bytes or a typed error with any value in any table entry', () => {
    const { at, length } = entries(victim);
    const own = [512, 1024, victim.length, victim.length - 512].flatMap(place => [place, place / 512]).map(BigInt);
    const present = VALUES.flatMap(value => [value, (value << 20n) | 6n]);
    const seen = at.flatMap(entry =>
      [...present, ...own].map(value => outcome(entry, bytesOf(value, length, bigEndian))),
    );
    if (!options.join().includes('fixed')) expect(new Set(seen)).toContain('DamageError');
    expect(seen.length).toBeGreaterThan(20);
  });

  it('is bytes or a typed error wherever it is cut', () => {
    const cut = `${target}.cut`;
    writeFileSync(cut, victim);
    const starts = [0, 512, 1536, ...places(victim).map(({ at }) => at), ...entries(victim).at];
    const structures = starts.flatMap(at => [at - 1, at, at + 1, at + 40, at + 512]);
    const steps = Array.from({ length: 24 }, (_, step) => Math.floor((victim.length * step) / 24));
    const cuts = [...structures, ...steps].filter(length => length >= 0).sort((left, right) => right - left);
    const fd = openSync(cut, 'r+');
    const seen = cuts.map(length => {
      ftruncateSync(fd, length);
      return examine(cut);
    });
    closeSync(fd);
    expect(seen.at(-1)).toBe('raw');
    expect(seen.length).toBe(cuts.length);
  });
});

describe.skipIf(!hasQemu)('a hostile descriptor of a VMDK', () => {
  const folder = () => scratch.path('descriptor');
  const describeWith = (change: (text: string) => string): string => {
    const path = `${folder()}.vmdk`;
    run('qemu-img', 'create', '-q', '-f', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', path, '3M');
    writeFileSync(path, change(readFileSync(path, 'latin1')));
    return examine(path);
  };

  it.each([
    ['as it is', (text: string) => text, 'vmdk'],
    ['without extents', (text: string) => text.replace(/^RW.*$/m, ''), 'DamageError'],
    ['with an extent longer than its file', (text: string) => text.replace('RW 6144', 'RW 999999'), 'DamageError'],
    ['with an extent that is itself', (text: string) => text.replace('-s001', ''), 'DamageError'],
    ['with an extent above it', (text: string) => text.replace('"descriptor', '"../../etc/passwd'), 'UsageError'],
    ['with an extent that is not there', (text: string) => text.replace('s001', 's002'), 'UsageError'],
    ['with an extent of another kind', (text: string) => text.replace(' SPARSE ', ' SESPARSE '), 'UnsupportedError'],
    ['with an extent over the network', (text: string) => text.replace('"desc', '"nbd://desc'), 'UnsupportedError'],
    ['with a parent that is itself', (text: string) => parented(text, 'descriptor.vmdk'), 'DamageError'],
    [
      'with a parent without a name',
      (text: string) => text.replace('parentCID=ffffffff', 'parentCID=1'),
      'DamageError',
    ],
    ['without a content id', (text: string) => text.replace(/^CID=.*$/m, ''), 'DamageError'],
    ['of zeros', (text: string) => text.slice(0, 21) + '\0'.repeat(400), 'DamageError'],
    ['of one endless line', (text: string) => text + 'x'.repeat(2 ** 21), 'vmdk'],
    ['of thousands of extents', (text: string) => text.replace(/^(RW.*)$/m, '$1\n'.repeat(5000)), 'DamageError'],
  ])('%s', (_, change, expected) => {
    expect(describeWith(change)).toBe(expected);
  });

  function parented(text: string, name: string): string {
    return text.replace('parentCID=ffffffff', `parentCID=1\nparentFileNameHint="${name}"`);
  }
});
