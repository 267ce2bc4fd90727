// VMDK, VHD, VHDX, VDI and split images: made by qemu-img, written by qemu-io, read byte for byte like the disk they were made of.

import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import { byteSourceContract } from './byte-source-contract.ts';
import { diskContent, hasTool, run, scratchFolder } from './disk-fixtures.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const MIB = 2 ** 20;
/** Neither whole blocks of any format nor whole grains. */
const content = diskContent('boxes', 5 * MIB + 512 * 3);
const raw = scratch.path('disk.raw');
writeFileSync(raw, content);

let images = 0;

/** A new image of the content. */
function converted(format: string, options: string): string {
  const image = scratch.path(`image-${++images}.${format}`);
  const chosen = options === '' ? [] : ['-o', options];
  run('qemu-img', 'convert', '-f', 'raw', '-O', format, ...chosen, raw, image);
  return image;
}

/** What qemu-io is told to do to the image, and to a raw copy of the disk. */
function written(format: string, image: string, disk: Buffer, commands: readonly string[]): Buffer {
  const flat = scratch.path(`flat-${++images}`);
  writeFileSync(flat, disk);
  const words = commands.flatMap(command => ['-c', command]);
  run('qemu-io', '-f', format, ...words, image);
  run('qemu-io', '-f', 'raw', ...words, flat);
  return readFileSync(flat);
}

const WRITES = [
  'write -P 0x5a 300k 10k',
  'write -z 64k 200k',
  'write -P 7 2100k 1k',
  'write -P 0x11 4095k 2k',
  'write -z 3M 1M',
  'write -P 9 5242880 512',
];

interface Kind {
  readonly format: string;
  readonly options: string;
  /** Where its blocks or grains end. */
  readonly unit: number;
  readonly canWrite?: boolean;
}

const KINDS: readonly Kind[] = [
  { format: 'vdi', options: '', unit: MIB },
  { format: 'vdi', options: 'static=on', unit: MIB },
  { format: 'vpc', options: 'subformat=dynamic,force_size=on', unit: 2 * MIB },
  { format: 'vpc', options: 'subformat=fixed,force_size=on', unit: 5 * MIB },
  { format: 'vhdx', options: 'subformat=dynamic', unit: 8 * MIB },
  { format: 'vhdx', options: 'subformat=dynamic,block_size=1M', unit: MIB },
  { format: 'vhdx', options: 'subformat=fixed,block_size=2M', unit: 2 * MIB },
  { format: 'vmdk', options: 'subformat=monolithicSparse', unit: 65536 },
  { format: 'vmdk', options: 'subformat=monolithicSparse,zeroed_grain=on', unit: 65536 },
  { format: 'vmdk', options: 'subformat=monolithicSparse,compat6=on', unit: 65536 },
  { format: 'vmdk', options: 'subformat=streamOptimized', unit: 65536, canWrite: false },
  { format: 'vmdk', options: 'subformat=monolithicFlat', unit: 4096 },
  { format: 'vmdk', options: 'subformat=twoGbMaxExtentSparse', unit: 65536 },
  { format: 'vmdk', options: 'subformat=twoGbMaxExtentFlat', unit: 4096 },
];

describe.skipIf(!hasQemu).each(KINDS)('an image of $format, $options', ({ format, options, unit, canWrite = true }) => {
  const borders = [unit, 2 * unit, 4 * MIB, 5 * MIB];

  byteSourceContract('converted', () => ({
    source: openImage(converted(format, options)).bytes,
    expected: content,
    borders,
  }));

  if (!canWrite) return;
  byteSourceContract('converted, then written to', () => {
    const image = converted(format, options);
    const expected = written(format, image, content, WRITES);
    return { source: openImage(image).bytes, expected, borders };
  });

  byteSourceContract('created empty, then written to', () => {
    const image = scratch.path(`created-${++images}.${format}`);
    run('qemu-img', 'create', '-f', format, ...(options === '' ? [] : ['-o', options]), image, `${content.length}`);
    const expected = written(format, image, Buffer.alloc(content.length), WRITES);
    return { source: openImage(image).bytes, expected, borders };
  });

  it('tells nothing amiss', () => {
    const image = openImage(converted(format, options));
    expect(image.survey()).toEqual({ tells: [], trouble: null });
    image.bytes.close?.();
  });
});
