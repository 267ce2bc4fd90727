// What of VMDK, VHD, VHDX, VDI and split images is refused, how that reads, and which other files an image may lead to.

import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import { byteSourceContract } from './byte-source-contract.ts';
import { diskContent, flatten, hasTool, noise, run, scratchFolder } from './disk-fixtures.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const MIB = 2 ** 20;
const content = diskContent('refusals', 3 * MIB + 512);
const raw = scratch.path('disk.raw');
writeFileSync(raw, content);

/** The whole disk, read at once. */
function contentOf(image: string, allowBacking: readonly string[] = []): Buffer {
  const opened = openImage(image, { allowBacking });
  const into = Buffer.alloc(opened.bytes.size);
  opened.bytes.read(into, 0);
  opened.bytes.close?.();
  return into;
}

/** A copy of an image with some of its bytes changed. */
function patched(name: string, image: string, change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(image);
  change(bytes);
  writeFileSync(scratch.path(name), bytes);
  return scratch.path(name);
}

function created(name: string, format: string, ...options: readonly string[]): string {
  run('qemu-img', 'create', '-q', '-f', format, ...options, scratch.path(name), '8M');
  return scratch.path(name);
}

function resealedVhd(bytes: Buffer): void {
  for (const at of [0, bytes.length - 512]) {
    bytes.writeUInt32BE(4, at + 60);
    bytes.writeUInt32BE(0, at + 64);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.writeUInt32BE(~sum >>> 0, at + 64);
  }
}

describe.skipIf(!hasQemu)('refused is', () => {
  it('a differencing VHD', () => {
    const image = patched('differencing.vhd', created('plain.vhd', 'vpc'), resealedVhd);
    expect(() => openImage(image)).toThrow(`${image}: differencing VHD images are not supported`);
  });

  it('a differencing VHDX', () => {
    const image = patched('differencing.vhdx', created('plain.vhdx', 'vhdx'), bytes => {
      bytes.writeUInt32LE(2, 3 * MIB + 65536 + 4);
    });
    expect(() => openImage(image)).toThrow(`${image}: differencing VHDX images are not supported`);
  });

  it('a VDI that is the difference to another', () => {
    const image = patched('differencing.vdi', created('plain.vdi', 'vdi'), bytes => bytes.writeUInt32LE(4, 0x4c));
    expect(() => openImage(image)).toThrow(`${image}: differencing VDI images are not supported`);
    const child = patched('child.vdi', scratch.path('plain.vdi'), bytes => bytes.fill(7, 0x1b8, 0x1c8));
    expect(() => openImage(child)).toThrow(`${child}: VDI images with a parent are not supported`);
  });

  it('a VMDK of ESX, and one of a kind that nobody knows', () => {
    writeFileSync(scratch.path('esx.vmdk'), 'COWD'.padEnd(1024, '\0'));
    expect(() => openImage(scratch.path('esx.vmdk'))).toThrow('VMDK (ESX sparse) images are not supported');
    const image = patched('version.vmdk', created('plain.vmdk', 'vmdk'), bytes => bytes.writeUInt32LE(9, 4));
    expect(() => openImage(image)).toThrow(`${image}: VMDK version 9 is not supported`);
  });

  it('a snapshot of a format that has none', () => {
    const image = created('snapshot.vdi', 'vdi');
    expect(() => openImage(image, { snapshot: 'x' })).toThrow(`${image}: a vdi image has no internal snapshot "x"`);
  });

  it('and leaves no descriptor behind', () => {
    const probe = () => {
      const fd = openSync('/dev/null', 'r');
      closeSync(fd);
      return fd;
    };
    const before = probe();
    for (const name of ['differencing.vhd', 'differencing.vhdx', 'child.vdi', 'esx.vmdk', 'version.vmdk']) {
      expect(() => openImage(scratch.path(name))).toThrow();
      expect(probe()).toBe(before);
    }
    expect(() => openImage(scratch.path('snapshot.vdi'), { snapshot: 'x' })).toThrow();
    expect(probe()).toBe(before);
  });
});

describe.skipIf(!hasQemu)('the files of a VMDK', () => {
  it('lie in its folder, or in one that was allowed', () => {
    mkdirSync(scratch.path('inner'));
    mkdirSync(scratch.path('outer'));
    const image = scratch.path('inner', 'flat.vmdk');
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=monolithicFlat', raw, image);
    expect(openImage(image).paths).toEqual([image, scratch.path('inner', 'flat-flat.vmdk')]);
    renameSync(scratch.path('inner', 'flat-flat.vmdk'), scratch.path('outer', 'flat-flat.vmdk'));
    const text = readFileSync(image, 'latin1').replace('"flat-flat', '"../outer/flat-flat');
    writeFileSync(image, text.slice(0, 512));
    const extent = scratch.path('outer', 'flat-flat.vmdk');
    expect(() => openImage(image)).toThrow(
      `${image}: the extent ${extent} lies outside the image's folder: allow it with --allow-backing ${scratch.path('outer')}`,
    );
    expect(Buffer.compare(contentOf(image, [scratch.path('outer')]), content)).toBe(0);
  });

  it('may be many: one of zeros, and two in one file', () => {
    const image = scratch.path('many.vmdk');
    const descriptor = (middle: string) =>
      ['# Disk DescriptorFile', 'version=1', 'CID=12345678', 'parentCID=ffffffff', 'createType="custom"', middle].join(
        '\n',
      );
    writeFileSync(scratch.path('many.bin'), content);
    const lines = ['RW 16 FLAT "many.bin" 8', 'RW 100 ZERO', 'RW 24 FLAT "many.bin" 2048'];
    writeFileSync(image, descriptor(lines.join('\n')));
    const expected = Buffer.concat([
      content.subarray(8 * 512, 24 * 512),
      Buffer.alloc(100 * 512),
      content.subarray(2048 * 512, 2072 * 512),
    ]);
    expect(Buffer.compare(contentOf(image), expected)).toBe(0);
  });

  it('an extent without its descriptor is a disk of its own, and says so', () => {
    const image = scratch.path('alone.vmdk');
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=twoGbMaxExtentSparse', raw, image);
    const opened = openImage(scratch.path('alone-s001.vmdk'));
    expect(opened.facts[0]?.detail).toContain('an extent without its descriptor');
    opened.bytes.close?.();
    expect(Buffer.compare(contentOf(scratch.path('alone-s001.vmdk')), content)).toBe(0);
  });

  byteSourceContract('a child of a parent that is shorter', () => {
    const parent = scratch.path('parent.vmdk');
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', raw, parent);
    const child = scratch.path('child.vmdk');
    run('qemu-img', 'create', '-q', '-f', 'vmdk', '-o', 'zeroed_grain=on', '-b', parent, '-F', 'vmdk', child);
    run('qemu-io', '-f', 'vmdk', '-c', 'write -P 5 1M 100k', '-c', 'write -z 2M 128k', child);
    return { source: openImage(child).bytes, expected: flatten(child, scratch.path('flat')), borders: [MIB, 2 * MIB] };
  });

  byteSourceContract('a stream with its grain directory in the footer', () => {
    const stream = scratch.path('stream.vmdk');
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, stream);
    const bytes = readFileSync(stream);
    const body = Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
    const footer = Buffer.from(bytes.subarray(0, 512));
    // A marker of one sector for the footer (type 3), the footer, and the marker for the end of the stream.
    const marker = Buffer.alloc(512);
    marker.writeUInt32LE(1, 0);
    marker.writeUInt32LE(3, 12);
    body.writeBigUInt64LE(0xffffffffffffffffn, 56);
    const image = scratch.path('footer.vmdk');
    writeFileSync(image, Buffer.concat([body, marker, footer, Buffer.alloc(512)]));
    const expected = flatten(image, scratch.path('flat'));
    expect(Buffer.compare(expected, content)).toBe(0);
    return { source: openImage(image).bytes, expected, borders: [65536, MIB] };
  });
});

describe('a split image', () => {
  /** Pieces of `size` bytes beside each other; the name of the first. */
  function split(bytes: Buffer, size: number, name: (index: number) => string): string {
    for (let index = 0; index * size < bytes.length; index++)
      writeFileSync(scratch.path(name(index)), bytes.subarray(index * size, (index + 1) * size));
    return scratch.path(name(0));
  }
  const numbered =
    (base: string, first: number, digits = 3) =>
    (index: number) =>
      `${base}.${String(index + first).padStart(digits, '0')}`;
  const disk = Buffer.concat([noise('split', 300_000), Buffer.alloc(200_000), noise('more', 100_001)]);

  for (const [first, digits] of [
    [1, 3],
    [0, 3],
    [1, 2],
    [0, 4],
  ] as const) {
    byteSourceContract(`from number ${first}, of ${digits} digits`, () => ({
      source: openImage(split(disk, 70_000, numbered(`disk-${first}-${digits}`, first, digits))).bytes,
      expected: disk,
      borders: [70_000, 140_000, 210_000],
    }));
  }

  byteSourceContract('as split names its pieces', () => {
    const letters = (index: number) =>
      `disk.${'abcdefghijklmnop'[Math.floor(index / 26)]}${String.fromCharCode(97 + (index % 26))}`;
    return { source: openImage(split(disk, 20_000, letters)).bytes, expected: disk, borders: [520_000, 540_000] };
  });

  it('says what it is made of', () => {
    const image = openImage(split(disk, 300_000, numbered('told', 1)));
    expect(image).toMatchObject({ container: 'split raw', facts: [{ name: 'split-pieces', detail: '3' }] });
    expect(image.paths).toEqual(['told.001', 'told.002', 'told.003'].map(name => scratch.path(name)));
    image.bytes.close?.();
  });

  it.skipIf(!hasQemu)('may be cut through a container', () => {
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, scratch.path('whole.qcow2'));
    const first = split(readFileSync(scratch.path('whole.qcow2')), 1_000_000, numbered('cut.qcow2', 1));
    expect(openImage(first).container).toBe('qcow2');
    expect(Buffer.compare(contentOf(first), content)).toBe(0);
  });

  it('of which a piece is missing, cut or named instead of the first is refused', () => {
    split(disk, 100_000, numbered('gap', 1));
    renameSync(scratch.path('gap.003'), scratch.path('gap.x'));
    expect(() => openImage(scratch.path('gap.001'))).toThrow(
      `${scratch.path('gap.003')}: this piece of a split image is not there`,
    );
    split(disk, 100_000, numbered('short', 1));
    writeFileSync(scratch.path('short.002'), disk.subarray(0, 99_999));
    expect(() => openImage(scratch.path('short.001'))).toThrow(
      `${scratch.path('short.002')} has 99999 bytes, the first piece 100000`,
    );
    expect(() => openImage(scratch.path('short.002'))).toThrow(`name its first piece, ${scratch.path('short.001')}`);
    split(disk, 300_000, index => `lettered.${['aa', 'ab', 'ac'][index]}`);
    expect(() => openImage(scratch.path('lettered.ac'))).toThrow(
      `name its first piece, ${scratch.path('lettered.aa')}`,
    );
    copyFileSync(scratch.path('lettered.ac'), scratch.path('lettered.ae'));
    expect(openImage(scratch.path('lettered.ae')).container).toBe('raw');
  });

  it('is none when it stands alone', () => {
    copyFileSync(raw, scratch.path('alone.001'));
    const image = openImage(scratch.path('alone.001'));
    expect({ container: image.container, facts: image.facts, size: image.bytes.size }).toEqual({
      container: 'raw',
      facts: [],
      size: content.length,
    });
    image.bytes.close?.();
  });
});
