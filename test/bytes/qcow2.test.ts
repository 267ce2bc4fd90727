import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import { byteSourceContract } from './byte-source-contract.ts';
import { diskContent, flatten, hasTool, noise, run, scratchFolder } from './disk-fixtures.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const MIB = 2 ** 20;
const content = diskContent('qcow2', 5 * MIB + 512 * 3);
const raw = scratch.path('disk.raw');
writeFileSync(raw, content);

let images = 0;
const newImage = () => scratch.path(`image-${++images}.qcow2`);
const io = (image: string, ...commands: readonly string[]) =>
  run('qemu-io', '-f', 'qcow2', ...commands.flatMap(command => ['-c', command]), image);

/** The image passes the contract with the bytes that QEMU reads from it. */
function readsLikeQemu(name: string, make: () => string, borders: readonly number[] = []): void {
  byteSourceContract(name, () => {
    const image = make();
    return { source: openImage(image).bytes, expected: flatten(image, scratch.path('flat')), borders };
  });
}

function converted(...options: readonly string[]): string {
  const image = newImage();
  run('qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', ...options, raw, image);
  return image;
}

describe.skipIf(!hasQemu)('a qcow2 image', () => {
  for (const clusterSize of [512, 4096, 65536, 2 * MIB]) {
    for (const version of ['0.10', '1.1']) {
      const base = `cluster_size=${clusterSize},compat=${version}`;
      const borders = [clusterSize, 2 * clusterSize, Math.min(4 * MIB, (clusterSize / 8) * clusterSize)];
      readsLikeQemu(`of ${base}`, () => converted('-o', base), borders);
      readsLikeQemu(`of ${base}, deflated`, () => converted('-c', '-o', base), borders);
    }
    const base = `cluster_size=${clusterSize},compression_type=zstd`;
    readsLikeQemu(`of ${base}`, () => converted('-c', '-o', base), [clusterSize, 2 * clusterSize]);
  }

  for (const clusterSize of [16384, 65536, 2 * MIB]) {
    const base = `cluster_size=${clusterSize},extended_l2=on`;
    readsLikeQemu(`of ${base}`, () => converted('-o', base), [clusterSize / 32, clusterSize]);
    readsLikeQemu(`of ${base}, deflated`, () => converted('-c', '-o', base), [clusterSize / 32, clusterSize]);
  }

  for (const preallocation of ['metadata', 'falloc', 'full']) {
    readsLikeQemu(`with preallocated ${preallocation}`, () => converted('-o', `preallocation=${preallocation}`));
  }

  readsLikeQemu('without any data', () => {
    const image = newImage();
    run('qemu-img', 'create', '-f', 'qcow2', image, '3M');
    return image;
  });

  readsLikeQemu('with clusters that were zeroed, discarded and written again', () => {
    const image = converted();
    io(
      image,
      'write -z 64k 200k',
      'discard 1M 256k',
      'write -P 0x5a 300k 10k',
      'write -z -u 2M 128k',
      'write -P 7 2100k 1k',
    );
    return image;
  });

  readsLikeQemu('some clusters of which are compressed and some are not', () => {
    const image = converted('-c');
    io(image, 'write -P 0x11 100k 3k', 'write -P 0x22 1M 64k', 'write -c -P 0x33 3M 64k');
    return image;
  });
});

describe.skipIf(!hasQemu)('a chain', () => {
  /** Three disks of different sizes: reads beyond a shorter one give zeros. */
  function chain(folder: string, options: readonly string[], middleOptions: readonly string[] = options): string {
    mkdirSync(scratch.path(folder));
    const path = (name: string) => scratch.path(folder, name);
    writeFileSync(path('base.raw'), content.subarray(0, 3 * MIB + 512 * 5));
    run(
      'qemu-img',
      'create',
      '-f',
      'qcow2',
      '-b',
      'base.raw',
      '-F',
      'raw',
      ...middleOptions,
      path('middle.qcow2'),
      '4M',
    );
    io(
      path('middle.qcow2'),
      'write -P 0x41 10k 3k',
      'write -P 0x42 1M 100k',
      'write -z 2M 64k',
      'write -P 0x43 4090k 4k',
    );
    run('qemu-img', 'create', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', ...options, path('top.qcow2'), '6M');
    io(path('top.qcow2'), 'write -P 0x51 12k 1k', 'write -z 1100k 8k', 'write -P 0x52 5M 70k', 'discard 10k 64k');
    return path('top.qcow2');
  }

  readsLikeQemu('of three disks of different sizes', () => chain('plain', []), [3 * MIB + 512 * 5, 4 * MIB]);
  readsLikeQemu('of small clusters', () => chain('small', ['-o', 'cluster_size=512']));
  readsLikeQemu('of large clusters', () => chain('large', ['-o', 'cluster_size=2M']));
  readsLikeQemu('of subclusters', () => chain('sub', ['-o', 'extended_l2=on,cluster_size=128k']), [4096]);
  readsLikeQemu('of different kinds', () => chain('mixed', ['-o', 'extended_l2=on'], ['-o', 'compat=0.10']));

  it('is followed relative to each image, and told', () => {
    const top = chain('told', []);
    const image = openImage(top);
    expect(image.paths).toEqual(['top.qcow2', 'middle.qcow2', 'base.raw'].map(name => scratch.path('told', name)));
    expect(image.facts.filter(({ name }) => name === 'qcow2-backing-file').map(({ detail }) => detail)).toEqual([
      `${scratch.path('told', 'middle.qcow2')} (qcow2)`,
      `${scratch.path('told', 'base.raw')} (raw)`,
    ]);
    image.bytes.close?.();
  });

  it('without recorded formats is followed by magic', () => {
    const top = chain('probed', []);
    const middle = scratch.path('probed', 'middle.qcow2');
    for (const image of [top, middle]) {
      const bytes = readFileSync(image);
      // The extension with the format's name becomes an unknown one.
      bytes.writeUInt32BE(0x12345678, bytes.indexOf('e2792aca', 0, 'hex'));
      writeFileSync(image, bytes);
    }
    const image = openImage(top);
    const expected = flatten(chain('probed-known', []), scratch.path('flat'));
    const into = Buffer.alloc(expected.length);
    expect(image.bytes.read(into, 0)).toBe(expected.length);
    expect(Buffer.compare(into, expected)).toBe(0);
    expect(image.facts.map(({ detail }) => detail)).toContain(`${middle} (qcow2 by its first bytes)`);
    image.bytes.close?.();
  });
});

describe.skipIf(!hasQemu)('a data file', () => {
  function withDataFile(name: string, option: string): string {
    mkdirSync(scratch.path(name));
    const image = scratch.path(name, 'image.qcow2');
    run('qemu-img', 'create', '-f', 'qcow2', '-o', `data_file=${scratch.path(name, 'data')},${option}`, image, '5M');
    io(image, 'write -P 0x61 0 10k', 'write -P 0x62 70k 100k', 'write -z 128k 64k', 'write -P 0x63 4M 1000k');
    return image;
  }
  readsLikeQemu('beside the image', () => withDataFile('data', 'data_file_raw=off'));
  readsLikeQemu('that is the disk itself', () => withDataFile('raw-data', 'data_file_raw=on'));
});

describe.skipIf(!hasQemu)('internal snapshots', () => {
  const image = () => scratch.path('snapshots.qcow2');
  beforeAll(() => {
    run('qemu-img', 'convert', '-O', 'qcow2', raw, image());
    run('qemu-img', 'snapshot', '-c', 'first', image());
    io(image(), 'write -P 0x71 0 200k', 'write -z 1M 1M');
    run('qemu-img', 'snapshot', '-c', 'second one', image());
    io(image(), 'write -P 0x72 100k 100k');
  });
  const flat = (name: string) => () => ({
    source: openImage(image(), { snapshot: name }).bytes,
    expected: flatten(image(), scratch.path('flat'), '-l', `snapshot.name=${name}`),
  });

  byteSourceContract('the first', flat('first'));
  byteSourceContract('the second', flat('second one'));
  readsLikeQemu('the active disk beside them', image);

  it('the first holds what the disk began with', () => {
    const source = openImage(image(), { snapshot: 'first' }).bytes;
    const into = Buffer.alloc(content.length);
    expect(source.read(into, 0)).toBe(content.length);
    expect(Buffer.compare(into, content)).toBe(0);
    source.close?.();
  });

  it('are listed as qemu-img lists them, and found by id', () => {
    const opened = openImage(image(), { snapshot: '2' });
    expect(opened.bytes.name).toBe(`${image()}@second one`);
    const told = JSON.parse(run('qemu-img', 'info', '--output=json', image())).snapshots;
    expect(opened.snapshots.map(({ id, name, takenAtNs }) => ({ id, name, takenAtNs }))).toEqual(
      told.map((each: Record<string, string | number>) => ({
        id: each.id,
        name: each.name,
        takenAtNs: BigInt(each['date-sec'] ?? 0) * 1_000_000_000n + BigInt(each['date-nsec'] ?? 0),
      })),
    );
    opened.bytes.close?.();
  });

  it('keep their size when the disk is resized', () => {
    const grown = scratch.path('grown.qcow2');
    copyFileSync(image(), grown);
    run('qemu-img', 'resize', grown, '600M');
    const opened = openImage(grown, { snapshot: 'first' });
    expect(opened.bytes.size).toBe(content.length);
    opened.bytes.close?.();
  });
});

describe.skipIf(!hasQemu)('stepping over holes', () => {
  interface MapEntry {
    readonly start: number;
    readonly length: number;
    readonly zero: boolean;
  }

  it('finds the same data as qemu-img map', () => {
    const image = newImage();
    run('qemu-img', 'create', '-f', 'qcow2', image, '10G');
    io(
      image,
      'write -P 1 1M 64k',
      'write -P 2 3G 130k',
      'write -z 3073M 1M',
      'write -P 3 5G 64k',
      'write -P 4 10485696k 64k',
    );
    const source = openImage(image).bytes;
    const map: MapEntry[] = JSON.parse(run('qemu-img', 'map', '--output=json', image));
    const cluster = 65536;
    const expected = map
      .filter(({ zero }) => !zero)
      .flatMap(({ start, length }) => Array.from({ length: length / cluster }, (_, index) => start + index * cluster));
    const found: number[] = [];
    const next = source.nextData?.bind(source) ?? (() => Number.NaN);
    for (let at = next(0); at < source.size; at = next(at + cluster)) found.push(at);
    expect(found).toEqual(expected);
    expect(found.length).toBe(6);
    source.close?.();
  });

  it('looks through to a raw base', () => {
    const base = scratch.path('hole-base.raw');
    const disk = Buffer.alloc(4 * MIB);
    noise('base', 5000).copy(disk, 3 * MIB);
    writeFileSync(base, disk);
    const image = newImage();
    run('qemu-img', 'create', '-f', 'qcow2', '-b', base, '-F', 'raw', image, '100M');
    const source = openImage(image).bytes;
    expect(source.nextData?.(0)).toBe(3 * MIB);
    expect(source.nextData?.(3 * MIB + 8192)).toBe(100 * MIB);
    source.close?.();
  });
});

describe.skipIf(!hasQemu)('facts', () => {
  it('say what the header says', () => {
    const image = converted('-o', 'lazy_refcounts=on,cluster_size=4096');
    const bytes = readFileSync(image);
    bytes.writeBigUInt64BE(3n, 72);
    writeFileSync(image, bytes);
    const opened = openImage(image);
    expect(opened.container).toBe('qcow2');
    expect(opened.facts.map(({ name }) => name)).toEqual([
      'qcow2-version',
      'qcow2-cluster-bytes',
      'qcow2-compression',
      'qcow2-lazy-refcounts',
      'qcow2-dirty',
      'qcow2-corrupt',
    ]);
    expect(opened.facts[1]?.detail).toBe('4096');
    opened.bytes.close?.();
  });
});
