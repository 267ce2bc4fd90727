// Disks of a volume group, scanned and inspected by the program as it ships.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { canLayOut, copyOf, fillVolume, layOut, MIB, makePlain, scratch, withTools } from '../volumes/lvm2-fixtures.ts';
import { findingsText, Place } from './program.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const GROUP = 'lwre2e';
const VOLUMES = { lin: 18, str: 16, home: 9 } as const;
const NAMES = Object.keys(VOLUMES);

let place: Place;
let disks: string[] = [];
beforeAll(() => {
  place = new Place();
  if (!canLayOut) return;
  disks = layOut(GROUP);
  withTools(disks, tools => {
    for (const [name, extents] of Object.entries(VOLUMES)) {
      fillVolume(tools, disks, `${GROUP}/${name}`, makePlain(name, extents * MIB));
    }
  });
});
afterAll(() => {
  place.remove();
  scratch.remove();
});

const plain = (name: string): string => scratch.path(`${name}.plain`);

describe.skipIf(!canLayOut)('the disks of a volume group', () => {
  test('are scanned together, and hold what the plain images of its volumes hold', () => {
    const { report, status, stdout } = place.scan(disks[0] ?? '', disks.slice(1));
    const single = NAMES.map(name => place.scan(plain(name)).report.summary);
    const sum = (of: (summary: (typeof single)[number]) => number) =>
      single.reduce((total, each) => total + of(each), 0);
    expect(status).toBe(0);
    expect(report.summary.files).toBe(sum(({ files }) => files));
    expect(report.summary.directories).toBe(sum(({ directories }) => directories));
    expect(report.summary.bytesRead).toBe(sum(({ bytesRead }) => bytesRead));
    const { volumes } = JSON.parse(stdout).target;
    expect(
      volumes.map(({ filesystem, offset }: { filesystem: string; offset: number | null }) => [filesystem, offset]),
    ).toEqual([...disks.map(() => ['lvm2', 0]), ...NAMES.map(() => ['ext4', null])]);
  });

  test('agree with a baseline of theirs, read by several threads, whichever disk comes first', () => {
    const [first = '', second = '', third = ''] = disks;
    expect(place.baseline(first, 'group', ['--with', second, '--with', third]).status).toBe(0);
    const again = place.scan(first, [second, third, '--baseline', 'group', '--jobs', '3']);
    expect([again.status, findingsText(again.stdout)]).toEqual([0, '[]']);
  });

  test('tell their volumes to who inspects them', () => {
    const { stdout } = place.run(['inspect', ...disks.flatMap((disk, at) => (at === 0 ? [disk] : ['--with', disk]))]);
    const list = withTools(disks, tools =>
      tools.lvm('lvs', '--noheadings', '-o', 'vg_name,lv_name', '--separator', '/'),
    );
    for (const name of list.trim().split(/\s+/)) expect(stdout).toContain(`logical-volume: ${name}`);
    expect(stdout).toMatch(/lvm: group lwre2e, seqno \d+: 3 logical volumes, 3 of 3 physical volumes are here/);
  });

  test('of which one is missing: what needs it is not examined, and named; the rest is', () => {
    const [, second = ''] = disks;
    const { report, status } = place.scan(second);
    expect(status).toBe(3);
    expect(report.summary.files).toBe(place.scan(plain('home')).report.summary.files);
    expect(report.errors.map(({ code, message }) => [code, message.replace(/ physical volume .*/, '')])).toEqual([
      ['volume-not-examined', `volume 1: logical volume ${GROUP}/lin: needs`],
      ['volume-not-examined', `volume 2: logical volume ${GROUP}/str: needs`],
    ]);
    const [first = ''] = disks;
    expect(place.run(['scan', first]).status).toBe(2);
  });

  test('are not scanned together with a disk that has nothing to do with them', () => {
    const ended = place.run(['scan', ...disks, plain('home')]);
    expect(ended.status).toBe(2);
    expect(ended.stderr).toBe(
      `lostwrite: ${plain('home')}: shares no volume group with the other images: run it once for each\n`,
    );
  });

  test('are never written to', () => {
    const copies = disks.map((disk, at) => copyOf(disk, `kept${at}.img`));
    const state = () =>
      copies.map(disk => statSync(disk, { bigint: true })).map(({ mtimeNs, ctimeNs }) => [mtimeNs, ctimeNs]);
    const before = state();
    expect(place.scan(copies[0] ?? '', copies.slice(1)).status).toBe(0);
    expect(state()).toEqual(before);
    const onto = place.run(['scan', ...copies, '--store', join(copies[1] ?? '')]);
    expect([onto.status, onto.stderr]).toEqual([
      2,
      `lostwrite: ${copies[1]} is the target: nothing is ever written to it\n`,
    ]);
  });
});
