// LVM2 as its own tools lay it out: every byte of a logical volume, and what copies that differ give away.

import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { type Disks, type DiskVolume, surveyDisks, volumeBytes } from '../../src/volumes/survey-disks.ts';
import { byteSourceContract } from '../bytes/byte-source-contract.ts';
import { run } from '../bytes/disk-fixtures.ts';
import {
  blank,
  bytesAt,
  canLayOut,
  copyOf,
  fillVolume,
  layOut,
  MIB,
  makePlain,
  putBytes,
  scratch,
  seqnoOf,
  withTools,
} from './lvm2-fixtures.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const GROUP = 'lwrvg';
const VOLUMES = { lin: 18, str: 16, home: 9 } as const;
/** Where the tools put the only metadata area of a disk. */
const AREA = { at: 4096, bytes: MIB - 4096 };

let disks: string[] = [];
beforeAll(() => {
  if (!canLayOut) return;
  disks = layOut(GROUP);
  withTools(disks, tools => {
    for (const [name, extents] of Object.entries(VOLUMES)) {
      fillVolume(tools, disks, `${GROUP}/${name}`, makePlain(name, extents * MIB));
    }
  });
});
afterAll(() => scratch.remove());

function survey(paths: readonly string[]): Disks {
  return surveyDisks(paths.map(path => openFileBytes(path)));
}

function named(volumes: readonly DiskVolume[], name: string): DiskVolume {
  const found = volumes.find(({ facts }) =>
    facts.some(fact => fact.name === 'logical-volume' && fact.detail.endsWith(`/${name}`)),
  );
  if (found === undefined) throw new Error(`no logical volume ${name}`);
  return found;
}

function factOf(volume: DiskVolume | undefined, name: string): string | undefined {
  return volume?.facts.find(fact => fact.name === name)?.detail;
}

describe.skipIf(!canLayOut)('the bytes of logical volumes over three disks', () => {
  for (const name of ['lin', 'str', 'home'] as const) {
    byteSourceContract(`logical volume ${name}`, () => ({
      source: volumeBytes([], named(survey(disks).volumes, name), name),
      expected: readFileSync(scratch.path(`${name}.plain`)),
      borders: [65_536, 131_072, 7 * MIB, 12 * MIB, 13 * MIB],
    }));
  }

  test('are found whatever order the disks come in', () => {
    const [first = '', second = '', third = ''] = disks;
    for (const order of [
      [third, first, second],
      [second, third, first],
    ]) {
      const { volumes, strangers } = survey(order);
      expect(strangers).toEqual([]);
      expect(volumes.map(({ kind, holdsFiles, trouble }) => [kind, holdsFiles, trouble === null])).toEqual([
        ...order.map(() => ['lvm2', false, false]),
        ...order.map(() => ['ext4', true, true]),
      ]);
      const bytes = new Uint8Array(VOLUMES.lin * MIB);
      volumeBytes([], named(volumes, 'lin'), 'lin').read(bytes, 0);
      expect(Buffer.compare(bytes, readFileSync(scratch.path('lin.plain')))).toBe(0);
    }
  });

  test('are named by what blkid says of them', () => {
    for (const name of ['lin', 'str', 'home'] as const) {
      const { uuid } = named(survey(disks).volumes, name);
      expect(uuid).toBe(run('blkid', '-p', '-s', 'UUID', '-o', 'value', scratch.path(`${name}.plain`)).trim());
    }
  });

  test('of a disk that is not there are not made up: its volumes say which disk they need', () => {
    const [first = '', second = '', third = ''] = disks;
    const ids = withTools(disks, tools => tools.lvm('pvs', '--noheadings', '-o', 'pv_uuid').trim().split(/\s+/));
    expect(ids).toHaveLength(3);
    const troubles = (paths: string[]) =>
      survey(paths)
        .volumes.filter(({ disk }) => disk === null)
        .map(({ trouble, bytes }) => [trouble?.replace(/ \(.*/, ''), bytes === null]);
    const need = (name: string, missing: string | undefined) => [
      `logical volume ${GROUP}/${name}: needs physical volume ${missing}`,
      true,
    ];
    expect(troubles([first, second])).toEqual([need('lin', ids[2]), need('str', ids[2]), [undefined, false]]);
    expect(troubles([second, third])).toEqual([need('lin', ids[0]), need('str', ids[0]), [undefined, false]]);
    const only = survey([first]).volumes.filter(({ disk }) => disk === null);
    expect(only.map(({ trouble }) => trouble?.includes(`${ids[1]}`))).toEqual([true, true, true]);
    expect(only.map(({ holdsFiles }) => holdsFiles)).toEqual([true, true, true]);
  });

  test('beyond the end of a disk that was cut are refused, not zero', () => {
    const cut = copyOf(disks[1] ?? '', 'cut.img');
    truncateSync(cut, 12 * MIB);
    const [first = '', , third = ''] = disks;
    const source = volumeBytes([], named(survey([first, cut, third]).volumes, 'home'), 'home');
    expect(() => source.read(new Uint8Array(9 * MIB), 0)).toThrow(/EIO reading/);
  });

  test('of a disk that is there twice are not chosen from', () => {
    const twin = copyOf(disks[1] ?? '', 'twin.img');
    expect(named(survey([...disks, twin]).volumes, 'home').trouble).toMatch(/which is there more than once$/);
  });

  test('disks of other groups are strangers', () => {
    const other = blank(scratch.path('stranger.img'), 40 * MIB);
    expect(survey([...disks, other]).strangers).toEqual([3]);
    expect(survey([other]).strangers).toEqual([]);
  });
});

describe.skipIf(!canLayOut)('a physical volume', () => {
  test('in a partition is found there', () => {
    const disk = blank(scratch.path('parted.img'), 48 * MIB);
    run('sgdisk', '-n', '1:2048:0', '-t', '1:8e00', disk);
    const plain = makePlain('inside', 8 * MIB);
    withTools(
      [disk],
      tools => {
        tools.lvm('pvcreate', '-y', ...tools.devices);
        tools.lvm('vgcreate', '-s', '1M', 'inner', ...tools.devices);
        tools.create('root', '-l', '8', 'inner');
      },
      MIB,
    );
    // The group's extents begin a MiB into the physical volume, which begins a MiB into the disk.
    putBytes(disk, 2 * MIB, readFileSync(plain));
    const { volumes } = survey([disk]);
    expect(volumes.map(({ kind, holdsFiles }) => [kind, holdsFiles])).toEqual([
      ['lvm2', false],
      ['ext4', true],
    ]);
    const bytes = new Uint8Array(8 * MIB);
    volumeBytes([], named(volumes, 'root'), 'root').read(bytes, 0);
    expect(Buffer.compare(bytes, readFileSync(plain))).toBe(0);
  });

  test('in no group holds no files', () => {
    const disk = blank(scratch.path('free.img'), 40 * MIB);
    withTools([disk], tools => tools.lvm('pvcreate', '-y', ...tools.devices));
    expect(survey([disk]).volumes).toMatchObject([
      { kind: 'lvm2', holdsFiles: false, trouble: 'a physical volume in no volume group' },
    ]);
  });

  test('whose only copy is elsewhere may hold files', () => {
    const two = ['with.img', 'without.img'].map(name => blank(scratch.path(name), 40 * MIB));
    withTools(two, tools => {
      const [one = '', other = ''] = tools.devices;
      tools.lvm('pvcreate', '-y', one);
      tools.lvm('pvcreate', '-y', '--metadataignore', 'y', other);
      tools.lvm('vgcreate', '-s', '1M', 'half', ...tools.devices);
      tools.create('far', '-l', '3', 'half', other);
    });
    expect(named(survey(two).volumes, 'far').trouble).toBeNull();
    expect(survey(two.slice(1)).volumes).toMatchObject([
      { holdsFiles: true, trouble: 'a physical volume of LVM2 whose volume group is not known' },
    ]);
  });
});

describe.skipIf(!canLayOut)('copies of the metadata that differ', () => {
  let changed: string[] = [];
  let older: Buffer;
  let [before, after] = [0, 0];
  beforeAll(() => {
    if (!canLayOut) return;
    changed = disks.map((disk, number) => copyOf(disk, `changed${number}.img`));
    older = bytesAt(changed[1] ?? '', AREA.at, AREA.bytes);
    before = seqnoOf(changed, GROUP);
    withTools(changed, tools => tools.lvm('lvextend', '-l', '+1', `${GROUP}/home`, tools.devices[1] ?? ''));
    after = seqnoOf(changed, GROUP);
  });

  test('an area that went back on one disk: the newest counts, and the older one is told', () => {
    expect(after).toBe(before + 1);
    putBytes(changed[1] ?? '', AREA.at, older);
    const { volumes } = survey(changed);
    expect(named(volumes, 'home').size).toBe(10 * MIB);
    expect(factOf(volumes[1], 'lvm-seqno-differs')).toBe(
      `its metadata of ${GROUP} is of seqno ${before}, another disk's of ${after}: its update was lost, or it was not there then`,
    );
    expect([0, 2].map(at => factOf(volumes[at], 'lvm-seqno-differs'))).toEqual([undefined, undefined]);
  });

  test('a header that went back while its text was written: the ring gives the newer one away', () => {
    const disk = copyOf(disks[0] ?? '', 'ring.img');
    const header = bytesAt(disk, AREA.at, 512);
    const all = [disk, copyOf(disks[1] ?? '', 'ring1.img'), copyOf(disks[2] ?? '', 'ring2.img')];
    withTools(all, tools => tools.lvm('lvextend', '-l', '+1', `${GROUP}/home`, tools.devices[1] ?? ''));
    putBytes(disk, AREA.at, header);
    const { volumes } = survey(all);
    expect(factOf(volumes[0], 'lvm-newer-in-ring')).toBe(
      `the ring holds a newer text of ${GROUP} (seqno ${after}, the header points to ${before}): ` +
        "the header's update was lost, or the change was given up",
    );
    expect(factOf(volumes[0], 'lvm-seqno-differs')).toContain(`seqno ${before}, another disk's of ${after}`);
    expect([1, 2].map(at => factOf(volumes[at], 'lvm-newer-in-ring'))).toEqual([undefined, undefined]);
  });

  test('a lost header: the newest text of the ring stands in for what it pointed to', () => {
    const all = disks.map((disk, number) => copyOf(disk, `lost${number}.img`));
    for (const disk of all) putBytes(disk, AREA.at, Buffer.alloc(512));
    const { volumes } = survey(all);
    expect(factOf(volumes[0], 'lvm-header-lost')).toContain(`seqno ${before}`);
    const bytes = new Uint8Array(VOLUMES.str * MIB);
    volumeBytes([], named(volumes, 'str'), 'str').read(bytes, 0);
    expect(Buffer.compare(bytes, readFileSync(scratch.path('str.plain')))).toBe(0);
  });

  test('a text whose checksum is wrong counts nowhere, be it the newest', () => {
    const all = disks.map((disk, number) => copyOf(disk, `crc${number}.img`));
    const disk = all[0] ?? '';
    const area = bytesAt(disk, AREA.at, AREA.bytes);
    const at =
      area.readUInt32LE(40) +
      area.subarray(area.readUInt32LE(40)).indexOf('extent_count = ') +
      'extent_count = '.length;
    putBytes(disk, AREA.at + at, Buffer.from('9'));
    const { volumes } = survey(all);
    expect(factOf(volumes[0], 'lvm-area-damaged')).toMatch(/^metadata text at \d+: found \d+, expected \d+$/);
    expect(factOf(volumes[0], 'lvm-seqno-differs')).toContain(`seqno ${before - 1}, another disk's of ${before}`);
    expect(named(volumes, 'lin').size).toBe(VOLUMES.lin * MIB);
  });
});

describe.skipIf(!canLayOut)('logical volumes of kinds that are not read', () => {
  const id = (number: number): string => `abcdef-ghij-klmn-opqr-stuv-wxyz-${String(number).padStart(6, '0')}`;
  let count = 0;
  const lv = (name: string, status: string, segment: string): string => `
${name} {
id = "${id(count++)}"
status = [${status}]
flags = []
segment_count = 1
segment1 {
start_extent = 0
extent_count = 2
${segment}
}
}`;
  const VISIBLE = '"READ", "WRITE", "VISIBLE"';
  const HIDDEN = '"READ", "WRITE"';
  const plain = (first: number): string => `type = "striped"\nstripe_count = 1\nstripes = ["pv2", ${first}]`;
  const TEXT = [
    lv(
      'raided',
      VISIBLE,
      'type = "raid1"\ndevice_count = 2\nregion_size = 4096\nraids = ["raided_rmeta_0", "raided_rimage_0", "raided_rmeta_1", "raided_rimage_1"]',
    ),
    ...['raided_rmeta_0', 'raided_rimage_0', 'raided_rmeta_1', 'raided_rimage_1'].map((name, at) =>
      lv(name, HIDDEN, plain(12 + 2 * at)),
    ),
    lv(
      'pool',
      VISIBLE,
      'type = "thin-pool"\nmetadata = "pool_tmeta"\npool = "pool_tdata"\ntransaction_id = 1\nchunk_size = 128\ndiscards = "passdown"\nzero_new_blocks = 1',
    ),
    lv('pool_tmeta', HIDDEN, plain(20)),
    lv('pool_tdata', HIDDEN, plain(22)),
    lv('thin', VISIBLE, 'type = "thin"\nthin_pool = "pool"\ntransaction_id = 0\ndevice_id = 1'),
    lv('kept', VISIBLE, plain(24)),
    lv('snapshot0', HIDDEN, 'type = "snapshot"\nchunk_size = 8\norigin = "home"\ncow_store = "kept"'),
    lv('zeros', VISIBLE, 'type = "zero"'),
  ].join('\n');

  test('are named, and so are snapshots; their origin is read', () => {
    const all = disks.map((disk, number) => copyOf(disk, `kinds${number}.img`));
    const text = scratch.path('kinds.txt');
    const types = withTools(all, tools => {
      tools.lvm('vgcfgbackup', '-f', text, GROUP);
      const whole = readFileSync(text, 'latin1');
      const end = whole.lastIndexOf('}', whole.lastIndexOf('}') - 1);
      writeFileSync(text, `${whole.slice(0, end)}${TEXT}\n${whole.slice(end)}`, 'latin1');
      tools.lvm('vgcfgrestore', '-f', text, '--force', GROUP);
      return tools.lvm('lvs', '--noheadings', '-o', 'lv_name,segtype', GROUP);
    });
    for (const kind of ['raid1', 'thin-pool', 'thin', 'zero']) expect(types.split(/\s+/)).toContain(kind);
    const { volumes } = survey(all);
    const logical = volumes.filter(({ disk }) => disk === null);
    expect(logical.map(({ trouble }) => trouble?.replace(`logical volume ${GROUP}/`, '') ?? 'read').sort()).toEqual([
      'kept: a snapshot of home',
      'pool: of type thin pool',
      'raided: of type raid1',
      'read',
      'read',
      'read',
      'thin: of type thin (its blocks lie in a thin pool)',
      'zeros: of type zero',
    ]);
    const bytes = new Uint8Array(VOLUMES.home * MIB);
    volumeBytes([], named(volumes, 'home'), 'home').read(bytes, 0);
    expect(Buffer.compare(bytes, readFileSync(scratch.path('home.plain')))).toBe(0);
  });
});
