// What a qcow2 image gives away when one of its own tables lost an update, and that it is silent when none did. qemu-img's own check
// is the oracle for how many clusters are in contradiction.

import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import { qcow2Header } from '../../src/bytes/qcow2/layout.ts';
import { hasTool, run, scratchFolder } from './disk-fixtures.ts';
import { rulesOf, tellsOf, withOlderPart } from './older-parts.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const CLUSTER = 65536;
const MIB = 2 ** 20;
let images = 0;

function created(size = '4G', ...options: readonly string[]): string {
  const image = scratch.path(`image-${++images}.qcow2`);
  run('qemu-img', 'create', '-q', '-f', 'qcow2', ...options, image, size);
  io(image, 'write -P 1 0 3M');
  return image;
}

function io(image: string, ...commands: readonly string[]): void {
  run('qemu-io', '-f', 'qcow2', ...commands.flatMap(command => ['-c', command]), image);
}

/** As io, and the process is killed before it closes the image. */
function killed(image: string, ...commands: readonly string[]): void {
  const words = [...commands, 'sigraise 9'].flatMap(command => ['-c', command]);
  expect(spawnSync('qemu-io', ['-f', 'qcow2', ...words, image]).signal).toBe('SIGKILL');
}

const snapshot = (flag: string, image: string) => run('qemu-img', 'snapshot', '-q', flag, 'a', image);

/** What qemu-img finds wrong. */
function checked(image: string): { leaks: number; corruptions: number } {
  const { stdout } = spawnSync('qemu-img', ['check', '--output=json', image], { encoding: 'utf8' });
  const { leaks = 0, corruptions = 0 } = JSON.parse(stdout);
  return { leaks, corruptions };
}

function headerOf(image: string) {
  return qcow2Header.at(readFileSync(image));
}

/** The L2 table that an L1 entry names. */
function tableAt(image: string, index: number): number {
  const bytes = readFileSync(image);
  return Number(bytes.readBigUInt64BE(qcow2Header.at(bytes).l1Offset + index * 8) & 0x00fffffffffffe00n);
}

function refcountBlock(image: string): number {
  const bytes = readFileSync(image);
  return Number(bytes.readBigUInt64BE(qcow2Header.at(bytes).refcountTableOffset));
}

/** The image after `later`, one cluster of it as it was before. */
function older(image: string, later: () => void, place: () => number): string {
  const before = readFileSync(image);
  later();
  expect(rulesOf(image)).toEqual([]);
  return withOlderPart(image, before, place(), CLUSTER);
}

describe.skipIf(!hasQemu)('a qcow2 image of which one cluster is of an older day', () => {
  it('the L1 table: the mapping table that it should name is found, with the part of the disk', () => {
    const image = created('1G');
    const harmed = older(
      image,
      () => io(image, 'write -P 2 600M 1M'),
      () => headerOf(image).l1Offset,
    );
    expect(checked(harmed)).toEqual({ leaks: 17, corruptions: 0 });
    expect(tellsOf(harmed)).toMatchObject([
      {
        rule: 'qcow2-mapping-table-unnamed',
        role: 'qcow2-l1-table',
        confidence: 'proven',
        at: tableAt(image, 1),
        entries: 16,
        disk: { offset: 512 * MIB, length: 512 * MIB },
      },
    ]);
  });

  it('the L1 table after a snapshot: the table that was written since shares entries with the older one', () => {
    const image = created();
    snapshot('-c', image);
    const harmed = older(
      image,
      () => io(image, 'write -P 4 1M 1M'),
      () => headerOf(image).l1Offset,
    );
    const [orphan] = tellsOf(harmed).filter(({ confidence }) => confidence === 'proven');
    expect(orphan).toMatchObject({ rule: 'qcow2-mapping-table-unnamed', entries: 16, disk: { offset: 0 } });
    expect(rulesOf(harmed)).toContain('qcow2-refcount-too-low likely');
  });

  it('a mapping table: what was allocated since is counted, and nothing names it', () => {
    const image = created();
    const harmed = older(
      image,
      () => io(image, 'write -P 2 8M 1M'),
      () => tableAt(image, 0),
    );
    expect(checked(harmed)).toEqual({ leaks: 16, corruptions: 0 });
    expect(tellsOf(harmed)).toMatchObject([{ rule: 'qcow2-cluster-unnamed', confidence: 'possible', entries: 16 }]);
  });

  it('a mapping table of before a discard names clusters that are free', () => {
    const image = created();
    const harmed = older(
      image,
      () => io(image, 'discard 1M 1M'),
      () => tableAt(image, 0),
    );
    expect(tellsOf(harmed)).toMatchObject([
      { rule: 'qcow2-refcount-too-low', confidence: 'likely', entries: 16, disk: { offset: MIB, length: CLUSTER } },
    ]);
  });

  it('a mapping table of before a discard, when its clusters were used again for other places', () => {
    const image = created();
    const harmed = older(
      image,
      () => {
        io(image, 'discard 1M 1M');
        io(image, 'write -P 5 1G 512k');
      },
      () => tableAt(image, 0),
    );
    const told = tellsOf(harmed);
    expect(told.map(({ rule, entries }) => `${rule} ${entries}`)).toContain('qcow2-cluster-twice 9');
    expect(rulesOf(harmed)).toContain('qcow2-refcount-too-low likely');
  });

  it('a refcount block: clusters are in use that it counts as free', () => {
    const image = created();
    const harmed = older(
      image,
      () => io(image, 'write -P 2 8M 1M'),
      () => refcountBlock(image),
    );
    expect(checked(harmed).corruptions).toBe(32);
    expect(tellsOf(harmed)).toMatchObject([
      { rule: 'qcow2-refcount-too-low', role: 'qcow2-refcount-block', entries: 16, disk: { offset: 8 * MIB } },
    ]);
  });

  it('a mapping table of before a snapshot: it says that its clusters are its own', () => {
    const image = created();
    const harmed = older(
      image,
      () => snapshot('-c', image),
      () => tableAt(image, 0),
    );
    expect(checked(harmed)).toEqual({ leaks: 0, corruptions: 48 });
    expect(tellsOf(harmed)).toMatchObject([
      { rule: 'qcow2-copied-flag-differs', confidence: 'likely', entries: 48, disk: { offset: 0 } },
    ]);
  });

  it('the header of before a snapshot: what is counted twice is used once', () => {
    const image = created();
    const harmed = older(
      image,
      () => snapshot('-c', image),
      () => 0,
    );
    expect(checked(harmed)).toEqual({ leaks: 51, corruptions: 0 });
    expect(tellsOf(harmed)).toMatchObject([
      { rule: 'qcow2-refcount-too-high', confidence: 'possible', entries: 49 },
      { rule: 'qcow2-cluster-unnamed', confidence: 'possible', entries: 2 },
    ]);
  });

  it('the header of before the snapshot was deleted: its table is gone', () => {
    const image = created();
    snapshot('-c', image);
    io(image, 'write -P 4 1M 1M');
    const harmed = older(
      image,
      () => snapshot('-d', image),
      () => 0,
    );
    expect(rulesOf(harmed)).toEqual(['qcow2-refcount-too-low likely']);
  });
});

describe.skipIf(!hasQemu)('a qcow2 image that lost nothing is silent', () => {
  const acts: readonly (readonly [string, (image: string) => void])[] = [
    ['written to', image => io(image, 'write -P 2 600M 1M', 'write -P 3 100k 3k')],
    ['with a snapshot', image => snapshot('-c', image)],
    [
      'written to since its snapshot',
      image => [snapshot('-c', image), io(image, 'write -P 3 1M 1M', 'discard 2M 512k')],
    ],
    ['whose snapshot was deleted', image => [snapshot('-c', image), io(image, 'write 1M 1M'), snapshot('-d', image)]],
    ['put back to its snapshot', image => [snapshot('-c', image), io(image, 'write 1M 1M'), snapshot('-a', image)]],
    ['grown', image => run('qemu-img', 'resize', '-q', image, '600G')],
    ['shrunk', image => run('qemu-img', 'resize', '-q', '--shrink', image, '2M')],
    ['discarded and zeroed', image => io(image, 'discard 1M 1M', 'write -z 100k 300k', 'write -z -u 2M 256k')],
    ['with compressed clusters', image => io(image, 'write -c -P 9 8M 64k', 'write -c -P 9 9M 64k', 'write 8M 4k')],
    ['with a dirty bitmap', image => run('qemu-img', 'bitmap', '--add', image, 'b')],
    ['amended', image => run('qemu-img', 'amend', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=on', image)],
    ['killed while it was written to', image => killed(image, 'write 5M 3M', 'flush', 'write 9M 1M', 'discard 1M 1M')],
    ['killed without a flush', image => killed(image, 'write 600M 1M', 'write 1M 1M', 'discard 0 64k')],
  ];
  const kinds = ['', 'cluster_size=4096', 'extended_l2=on', 'refcount_bits=1', 'refcount_bits=64', 'compat=0.10'];

  it.each(acts)('%s', (name, act) => {
    const image = created();
    act(image);
    if (!name.startsWith('killed')) expect(checked(image)).toEqual({ leaks: 0, corruptions: 0 });
    expect(rulesOf(image)).toEqual([]);
  });

  it.each(kinds)('of kind "%s", written to and discarded', kind => {
    const image = created('1G', ...(kind === '' ? [] : ['-o', kind]));
    io(image, 'write -P 3 5M 200k', 'discard 1M 1M', 'write -c 9M 64k', 'write -P 2 700M 64k');
    expect(checked(image)).toEqual({ leaks: 0, corruptions: 0 });
    expect(rulesOf(image)).toEqual([]);
  });

  it.each(['metadata', 'falloc', 'full'])('preallocated (%s)', preallocation => {
    const image = scratch.path(`preallocated-${preallocation}.qcow2`);
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `preallocation=${preallocation}`, image, '8M');
    expect(rulesOf(image)).toEqual([]);
  });

  it('committed into its base, and rebased', () => {
    const base = created('1G');
    const top = scratch.path('top.qcow2');
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', top);
    io(top, 'write -P 5 5M 3M');
    run('qemu-img', 'commit', '-q', top);
    expect([rulesOf(base), rulesOf(top)]).toEqual([[], []]);
    io(top, 'write -P 6 9M 1M');
    run('qemu-img', 'rebase', '-q', '-b', '', top);
    expect(rulesOf(top)).toEqual([]);
  });

  it('with lazy refcounts and killed: its counters lag behind, and it says so', () => {
    const image = created('4G', '-o', 'lazy_refcounts=on');
    killed(image, 'write -P 1 9M 3M', 'flush', 'write 20M 1M');
    expect(checked(image).corruptions).toBeGreaterThan(0);
    const opened = openImage(image);
    expect(opened.facts.map(({ name }) => name)).toContain('qcow2-dirty');
    opened.bytes.close?.();
    expect(rulesOf(image)).toEqual([]);
  });

  it('beside a data file', () => {
    const image = scratch.path('with-data.qcow2');
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', `data_file=${scratch.path('data')}`, image, '1G');
    io(image, 'write 1M 3M', 'write 600M 1M', 'discard 1M 1M');
    expect(rulesOf(image)).toEqual([]);
  });
});

describe.skipIf(!hasQemu)('a qcow2 image', () => {
  it('whose backing file lost an update says which', () => {
    const base = created('1G');
    const before = readFileSync(base);
    io(base, 'write -P 2 600M 1M');
    const harmed = withOlderPart(base, before, headerOf(base).l1Offset, CLUSTER);
    const top = scratch.path('over-harmed.qcow2');
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-b', harmed, '-F', 'qcow2', top);
    expect(tellsOf(top)).toMatchObject([{ rule: 'qcow2-mapping-table-unnamed', disk: { offset: 512 * MIB } }]);
    expect(tellsOf(top)[0]?.detail.startsWith(`${harmed}: cluster `)).toBe(true);
  });

  it('that is too large to be compared is read all the same, and says so', () => {
    const image = scratch.path('large.qcow2');
    run('qemu-img', 'create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512', image, '1M');
    truncateSync(image, 2 ** 37);
    const opened = openImage(image);
    expect(opened.bytes.read(new Uint8Array(10), 0)).toBe(10);
    expect(opened.survey()).toEqual({
      tells: [],
      trouble: `${image}: its tables have too many entries (268435456) to be compared`,
    });
    opened.bytes.close?.();
  });
});

describe.skipIf(!hasQemu)('hostile qcow2 tables', () => {
  it('are compared, or refused with a reason, whatever an entry says', () => {
    const image = created();
    snapshot('-c', image);
    io(image, 'write 600M 1M');
    const before = readFileSync(image);
    const { l1Offset, refcountTableOffset } = headerOf(image);
    const places = [l1Offset, tableAt(image, 0), tableAt(image, 1), refcountTableOffset, refcountBlock(image)];
    const values = [1n, 0x10000n, 2n ** 40n, 2n ** 62n + 5n, 2n ** 63n, 2n ** 64n - 1n, BigInt(l1Offset)];
    const seen = places.flatMap(place =>
      values.map(value => {
        const changed = Buffer.from(before);
        changed.writeBigUInt64BE(value, place);
        const opened = openImage(withOlderPart(image, changed, place, 8));
        const { tells, trouble } = opened.survey();
        opened.bytes.close?.();
        return trouble === null ? tells.length > 0 : trouble;
      }),
    );
    expect(new Set(seen)).toEqual(new Set([true, false]));
  });
});
