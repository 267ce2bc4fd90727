// What VMDK, VHD, VHDX and VDI images give away when one sector of their tables is of an older day, and that they are silent else.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import { vdiHeader } from '../../src/bytes/vdi/layout.ts';
import { vhdFooter } from '../../src/bytes/vhd/layout.ts';
import { BLOCK } from '../../src/bytes/vhdx/layout.ts';
import { sparseHeader } from '../../src/bytes/vmdk/layout.ts';
import { crc32c } from '../../src/struct/crc32c.ts';
import { diskContent, flatten, hasTool, run, scratchFolder } from './disk-fixtures.ts';
import { changedParts, fileOf, rulesOf, tellsOf, withOlderPart } from './older-parts.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const MIB = 2 ** 20;
const SECTOR = 512;
let images = 0;

function created(format: string, size: string, options = ''): string {
  const image = scratch.path(`image-${++images}.${format}`);
  run('qemu-img', 'create', '-q', '-f', format, ...(options === '' ? [] : ['-o', options]), image, size);
  return image;
}

function io(format: string, image: string, ...commands: readonly string[]): void {
  run('qemu-io', '-f', format, ...commands.flatMap(command => ['-c', command]), image);
}

function killed(format: string, image: string, ...commands: readonly string[]): void {
  const words = [...commands, 'sigraise 9'].flatMap(command => ['-c', command]);
  expect(spawnSync('qemu-io', ['-f', format, ...words, image]).signal).toBe('SIGKILL');
}

/** The bytes that `image` had before `later`, which is done. */
function during(image: string, later: () => void): Buffer {
  const before = readFileSync(image);
  later();
  expect(rulesOf(image)).toEqual([]);
  return before;
}

describe.skipIf(!hasQemu)('a VDI image', () => {
  const written = () => {
    const image = created('vdi', '300M');
    io('vdi', image, 'write -P 1 0 3M');
    return image;
  };

  it('whose block map is of an older day holds blocks that nothing names', () => {
    const image = written();
    const before = during(image, () => io('vdi', image, 'write -P 2 10M 2M', 'write -P 3 200M 1M'));
    const { blockMapOffset, dataOffset } = vdiHeader.at(before);
    expect(tellsOf(withOlderPart(image, before, blockMapOffset, SECTOR))).toMatchObject([
      { rule: 'vdi-block-unnamed', role: 'vdi-block-map', confidence: 'likely', at: dataOffset + 3 * MIB, entries: 2 },
      { rule: 'vdi-count-differs', role: 'vdi-block-map', confidence: 'possible', entries: 2 },
    ]);
    expect(rulesOf(withOlderPart(image, before, blockMapOffset + SECTOR, SECTOR))).toEqual([
      'vdi-block-unnamed likely',
      'vdi-count-differs possible',
    ]);
  });

  it('whose header is of an older day counts fewer blocks than its map names', () => {
    const image = written();
    const before = during(image, () => io('vdi', image, 'write -P 2 10M 2M'));
    expect(tellsOf(withOlderPart(image, before, 0, SECTOR))).toMatchObject([
      { rule: 'vdi-count-differs', role: 'vdi-header', confidence: 'likely', at: 0x184, entries: 2 },
    ]);
  });

  it('that was made anew in place, but for a sector of its map, names a block twice', () => {
    const image = created('vdi', '300M');
    io('vdi', image, 'write -P 2 200M 2M');
    const before = readFileSync(image);
    run('qemu-img', 'create', '-q', '-f', 'vdi', image, '300M');
    io('vdi', image, 'write -P 1 10M 1M', 'write -P 1 20M 1M', 'write -P 1 30M 1M');
    const { blockMapOffset } = vdiHeader.at(before);
    const told = tellsOf(withOlderPart(image, before, blockMapOffset + SECTOR, SECTOR));
    expect(told[0]).toMatchObject({
      rule: 'vdi-block-twice',
      confidence: 'likely',
      entries: 2,
      disk: { offset: 200 * MIB, length: MIB },
    });
  });

  it.each(['', 'static=on'])('of kind "%s" that was written to, zeroed, and killed is silent', options => {
    const image = created('vdi', '40M', options);
    io('vdi', image, 'write -P 1 0 3M', 'write -z 1M 1M', 'discard 2M 1M', 'write -P 4 30M 10M');
    expect(rulesOf(image)).toEqual([]);
    killed('vdi', image, 'write -P 1 20M 3M', 'flush', 'write -P 2 25M 1M');
    expect(rulesOf(image)).toEqual([]);
  });
});

describe.skipIf(!hasQemu)('a dynamic VHD', () => {
  const TABLE_AT = 1536;
  const written = () => {
    const image = created('vpc', '600M');
    io('vpc', image, 'write -P 1 0 1M', 'write -P 1 7M 1M');
    return image;
  };
  const later = (image: string) => () => io('vpc', image, 'write -P 2 20M 1M', 'write -P 2 500M 1M');

  it('whose block table is of an older day holds blocks that nothing names', () => {
    const image = written();
    const before = during(image, later(image));
    expect(changedParts(before, readFileSync(image), SECTOR).slice(0, 2)).toEqual([TABLE_AT, TABLE_AT + SECTOR]);
    expect(tellsOf(withOlderPart(image, before, TABLE_AT, SECTOR))).toMatchObject([
      { rule: 'vhd-block-unnamed', role: 'vhd-block-table', confidence: 'likely', entries: 1 },
    ]);
    expect(tellsOf(withOlderPart(image, before, TABLE_AT + SECTOR, SECTOR))).toMatchObject([
      { rule: 'vhd-block-unnamed', entries: 1 },
    ]);
  });

  it('whose footer was not written at its new end has only the copy of it', () => {
    const image = written();
    const before = during(image, later(image));
    const at = readFileSync(image).length - SECTOR;
    expect(tellsOf(withOlderPart(image, before, at, SECTOR))).toMatchObject([
      { rule: 'vhd-footer-lost', role: 'vhd-footer', confidence: 'likely', at },
    ]);
  });

  it('that was made anew in place, but for a sector: footers differ, or a block is named twice', () => {
    const image = written();
    const before = readFileSync(image);
    run('qemu-img', 'create', '-q', '-f', 'vpc', image, '600M');
    io('vpc', image, 'write -P 1 300M 1M', 'write -P 1 400M 1M');
    expect(rulesOf(image)).toEqual([]);
    const [footers] = tellsOf(withOlderPart(image, before, 0, SECTOR));
    expect(footers).toMatchObject({ rule: 'vhd-footers-differ', confidence: 'likely' });
    expect(footers?.detail).toContain('uuid');
    const told = tellsOf(withOlderPart(image, before, TABLE_AT, SECTOR));
    expect(told).toMatchObject([{ rule: 'vhd-block-twice', entries: 2, disk: { length: 2 * MIB } }]);
  });

  it('whose first sector was zeroed is opened by its footer, and says so', () => {
    const image = created('vpc', '8M');
    io('vpc', image, 'write -P 1 0 1M', 'write -P 1 7M 1M');
    const harmed = withOlderPart(image, Buffer.alloc(SECTOR), 0, SECTOR);
    expect(rulesOf(harmed)).toEqual(['vhd-footer-lost likely']);
    const opened = openImage(harmed);
    const expected = flatten(image, scratch.path('flat'), '-f', 'vpc');
    const into = Buffer.alloc(expected.length);
    opened.bytes.read(into, 0);
    expect(opened.facts.map(({ name }) => name)).toContain('vhd-first-footer-broken');
    expect(Buffer.compare(into, expected)).toBe(0);
    opened.bytes.close?.();
  });

  it('that was written to, zeroed, and killed is silent', () => {
    const image = written();
    io('vpc', image, 'write -z 7M 1M', 'write -P 3 90M 3M');
    expect(rulesOf(image)).toEqual([]);
    killed('vpc', image, 'write -P 1 200M 3M', 'flush', 'write -P 2 250M 1M');
    expect(rulesOf(image)).toEqual([]);
  });
});

describe.skipIf(!hasQemu)('a sparse VMDK', () => {
  const written = (options = '') => {
    const image = created('vmdk', '300M', options);
    io('vmdk', image, 'write -P 1 0 3M');
    return image;
  };
  const tableAt = (bytes: Buffer, directory: 'directory' | 'redundantDirectory', index: number) =>
    bytes.readUInt32LE(Number(sparseHeader.at(bytes)[directory]) * SECTOR + index * 4) * SECTOR;

  it('whose grain table is of an older day has a copy that names more', () => {
    const image = written();
    const before = during(image, () => io('vmdk', image, 'write -P 2 5M 1M', 'write -P 2 200M 2M'));
    const at = tableAt(before, 'directory', 0);
    const [tell, ...more] = tellsOf(withOlderPart(image, before, at, SECTOR));
    expect(more).toEqual([]);
    expect(tell).toMatchObject({
      rule: 'vmdk-grain-tables-differ',
      role: 'vmdk-grain-table',
      confidence: 'likely',
      at: at + 80 * 4,
      entries: 16,
      disk: { offset: 5 * MIB, length: MIB },
    });
    expect(tell?.detail).toContain('the table is of an older day');
    const sixth = tableAt(before, 'directory', 6) + SECTOR;
    expect(changedParts(before, readFileSync(image), SECTOR)).toContain(sixth);
    expect(tellsOf(withOlderPart(image, before, sixth, SECTOR))).toMatchObject([
      { entries: 32, disk: { offset: 200 * MIB, length: 2 * MIB } },
    ]);
  });

  it('whose copy of a grain table is of an older day', () => {
    const image = written();
    const before = during(image, () => io('vmdk', image, 'write -P 2 5M 1M'));
    const [tell] = tellsOf(withOlderPart(image, before, tableAt(before, 'redundantDirectory', 0), SECTOR));
    expect(tell).toMatchObject({ rule: 'vmdk-grain-tables-differ', entries: 16 });
    expect(tell?.detail).toContain('the copy is of an older day');
  });

  it('that was made anew in place, but for a sector of both tables, names a grain twice', () => {
    const image = written();
    const before = readFileSync(image);
    run('qemu-img', 'create', '-q', '-f', 'vmdk', image, '300M');
    io('vmdk', image, 'write -P 2 200M 2M');
    const once = withOlderPart(image, before, tableAt(before, 'directory', 0), SECTOR);
    const both = withOlderPart(once, before, tableAt(before, 'redundantDirectory', 0), SECTOR);
    expect(tellsOf(both)).toMatchObject([{ rule: 'vmdk-grain-twice', confidence: 'likely', entries: 32 }]);
  });

  it.each(['', 'zeroed_grain=on', 'subformat=twoGbMaxExtentSparse'])(
    'of kind "%s" that was written to is silent',
    kind => {
      const image = written(kind);
      io('vmdk', image, 'write -z 1M 1M', 'write -P 3 90M 12M', ...(kind.startsWith('sub') ? [] : ['discard 2M 64k']));
      expect(rulesOf(image)).toEqual([]);
      killed('vmdk', image, 'write -P 1 200M 3M', 'flush', 'write -P 2 250M 1M');
      expect(rulesOf(image)).toEqual([]);
    },
  );

  it('whose parent was written to since says so', () => {
    const parent = written();
    const child = scratch.path('child.vmdk');
    run('qemu-img', 'create', '-q', '-f', 'vmdk', '-b', parent, '-F', 'vmdk', child);
    io('vmdk', child, 'write -P 5 5M 1M');
    expect(rulesOf(child)).toEqual([]);
    io('vmdk', parent, 'write -P 6 9M 1M');
    expect(rulesOf(child)).toEqual(['vmdk-parent-changed possible']);
  });
});

describe.skipIf(!hasQemu)('a VHDX image', () => {
  const HEADERS = [64 * 1024, 128 * 1024] as const;
  const TABLE_AT = 2 * MIB;
  const PAGE = 4096;
  const written = () => {
    const image = created('vhdx', '300M', 'block_size=1M');
    io('vhdx', image, 'write -P 1 0 1M');
    return image;
  };

  it('one of whose headers is of an older day: their sequence numbers are too far apart', () => {
    const image = written();
    const before = during(image, () => io('vhdx', image, 'write -P 2 5M 1M'));
    for (const at of HEADERS) {
      expect(tellsOf(withOlderPart(image, before, at, PAGE))).toMatchObject([
        { rule: 'vhdx-header-sequence', role: 'vhdx-header', confidence: 'likely', at },
      ]);
    }
  });

  it('whose block table is of an older day, which the log still holds, is proven', () => {
    const image = written();
    const before = during(image, () => io('vhdx', image, 'write -P 2 5M 1M', 'write -P 3 7M 1M'));
    const [first] = tellsOf(withOlderPart(image, before, TABLE_AT, PAGE));
    expect(first).toMatchObject({
      rule: 'vhdx-table-older-than-log',
      role: 'vhdx-block-table',
      at: TABLE_AT,
      entries: 2,
      disk: { offset: 5 * MIB, length: MIB },
    });
    // In one session two blocks: the first entry of the log holds the table as it was between them.
    const session = created('vhdx', '300M', 'block_size=1M');
    io('vhdx', session, 'write -P 1 0 1M', 'write -P 2 5M 1M');
    const between = readFileSync(session);
    between.writeBigUInt64LE(BigInt(BLOCK.zero), TABLE_AT + 5 * 8);
    expect(tellsOf(withOlderPart(session, between, TABLE_AT, PAGE))).toMatchObject([
      { rule: 'vhdx-table-older-than-log', confidence: 'proven', entries: 1, disk: { offset: 5 * MIB } },
    ]);
  });

  it('that was made anew in place, but for its block table, names a block twice', () => {
    const image = written();
    io('vhdx', image, 'write -P 2 200M 1M');
    const before = readFileSync(image);
    run('qemu-img', 'create', '-q', '-f', 'vhdx', '-o', 'block_size=1M', image, '1000M');
    io('vhdx', image, 'write -P 2 900M 3M');
    expect(rulesOf(image)).toEqual([]);
    const told = rulesOf(withOlderPart(image, before, TABLE_AT, PAGE));
    expect(told).toContain('vhdx-block-twice likely');
  });

  it('one of whose region tables was overwritten is read by the other', () => {
    const image = written();
    for (const at of [192 * 1024, 256 * 1024]) {
      expect(tellsOf(withOlderPart(image, Buffer.alloc(0), at, PAGE))).toMatchObject([
        { rule: 'vhdx-region-tables-differ', role: 'vhdx-region-table', confidence: 'likely' },
      ]);
    }
  });

  it('that was written to, grown, and killed is silent', () => {
    const image = written();
    io('vhdx', image, 'write -P 1 3M 5M', 'write -P 1 90M 12M');
    io('vhdx', image, 'write -P 2 40M 30M');
    expect(rulesOf(image)).toEqual([]);
    killed('vhdx', image, 'write -P 1 200M 3M', 'flush', 'write -P 2 250M 1M');
    expect(rulesOf(image)).toEqual([]);
  });

  it('whose log was not written back is read as QEMU reads it after its replay', () => {
    const disk = diskContent('vhdx log', 6 * MIB);
    disk.fill(0, 3 * MIB, 5 * MIB);
    const source = fileOf(scratch.path('log.raw'), disk);
    const image = scratch.path('log.vhdx');
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vhdx', '-o', 'block_size=1M', source, image);
    const before = readFileSync(image);
    io('vhdx', image, 'write -P 0x77 3M 64k');
    const expected = flatten(image, scratch.path('flat'));
    // As if the machine had stopped between the log and the table: the headers name the log's entry, the table lacks the block.
    const stopped = readFileSync(image);
    before.copy(stopped, TABLE_AT, TABLE_AT, TABLE_AT + PAGE);
    for (const at of HEADERS) {
      stopped.copy(stopped, at + 48, MIB + 32, MIB + 48);
      stopped.writeUInt32LE(0, at + 4);
      stopped.writeUInt32LE(crc32c(stopped, at, at + PAGE), at + 4);
    }
    const dirty = fileOf(scratch.path('dirty.vhdx'), stopped);
    expect(spawnSync('qemu-img', ['check', dirty], { encoding: 'utf8' }).stderr).toContain('replayed');
    const opened = openImage(dirty);
    const into = Buffer.alloc(expected.length);
    opened.bytes.read(into, 0);
    expect(Buffer.compare(into, expected)).toBe(0);
    expect(opened.facts).toContainEqual({
      name: 'vhdx-log-replayed',
      detail: 'was not closed by what last wrote it: 1 entries of its log were replayed in memory',
    });
    expect(opened.survey()).toEqual({ tells: [], trouble: null });
    opened.bytes.close?.();
    expect(Buffer.compare(readFileSync(dirty), stopped)).toBe(0);
    io('vhdx', dirty, 'read 0 512');
    expect(Buffer.compare(flatten(dirty, scratch.path('flat')), expected)).toBe(0);
  });

  it('that was not closed and has nothing in its log says so', () => {
    const image = written();
    const bytes = readFileSync(image);
    for (const at of HEADERS) {
      bytes.fill(0x5a, at + 48, at + 64);
      bytes.writeUInt32LE(0, at + 4);
      bytes.writeUInt32LE(crc32c(bytes, at, at + PAGE), at + 4);
    }
    const opened = openImage(fileOf(image, bytes));
    expect(opened.facts.map(({ name }) => name)).toContain('vhdx-log-empty');
    opened.bytes.close?.();
  });
});

describe.skipIf(!hasQemu)('layouts', () => {
  it('are those that qemu-img wrote', () => {
    const vhd = readFileSync(created('vpc', '8M', 'force_size=on'));
    expect(vhdFooter.at(vhd)).toMatchObject({
      cookie: 'conectix',
      diskType: 3,
      currentBytes: 8 * MIB,
      creator: 'qem2',
    });
    const vdi = readFileSync(created('vdi', '8M'));
    expect(vdiHeader.at(vdi)).toMatchObject({
      magic: 0xbeda107f,
      diskBytes: 8 * MIB,
      blocksInImage: 8,
      sectorBytes: 512,
    });
    const vmdk = readFileSync(created('vmdk', '8M'));
    expect(sparseHeader.at(vmdk)).toMatchObject({ magic: 'KDMV', capacity: 16384, grainSectors: 128, flags: 3 });
  });
});
