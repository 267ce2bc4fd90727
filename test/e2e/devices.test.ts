// Block devices as targets, and disks with several volumes: read like an image of one, every finding with its volume.

import { closeSync, copyFileSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  blank,
  canMount,
  copy,
  digestsOf,
  hasTools,
  MIB,
  makeImages,
  mounted,
  putAt,
  recordsOf,
  tool,
} from './image-fixtures.ts';
import { blobs, HAS_STRACE, SLOWLY, scanArgs, until } from './interrupted.ts';
import { Place } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOUNTS = canMount();
const TABLES = MOUNTS && hasTools('sgdisk');
const VICTIM = '/usr/share/oddities/two';

let place: Place;
let filled = '';
let files = 0;
const devices: string[] = [];
beforeAll(() => {
  place = new Place();
  if (!MOUNTS) return;
  ({ filled } = makeImages(place));
  files = mounted(filled, 'ro,noload', point => digestsOf(point).size);
});
afterAll(() => {
  for (const device of devices) tool('losetup', '--detach', device);
  place.remove();
});

/** A block device that shows a file, by a node of its own: whatever looks through /dev leaves its times alone. */
function deviceOf(image: string): string {
  const device = tool('losetup', '--find', '--show', image).trim();
  devices.push(device);
  const [major = '', minor = ''] = tool('stat', '--format=%Hr %Lr', device).trim().split(' ');
  const node = `${image}.device`;
  tool('mknod', node, 'b', major, minor);
  return node;
}

/** Overwrites the first 4 KiB of a file, from below its file system. */
function strike(disk: string, image: string, offset: number): void {
  const [block] = tool('debugfs', '-R', `blocks ${VICTIM}`, image).trim().split(' ');
  const file = openSync(disk, 'r+');
  writeSync(file, new Uint8Array(4096), 0, 4096, offset + Number(block) * 4096);
  closeSync(file);
}

function timesOf(path: string): readonly bigint[] {
  const { atimeNs, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  return [atimeNs, mtimeNs, ctimeNs];
}

describe.skipIf(!MOUNTS)('a block device', () => {
  test('gives the baseline that its image gives, is scanned against it, and stays as it is', () => {
    const device = deviceOf(copy(filled, place.at('device.img')));
    const before = [...timesOf(device), tool('sha256sum', place.at('device.img'))];
    expect(place.baseline(device, 'device')).toMatchObject({ status: 0, stderr: '' });
    expect(place.baseline(filled, 'image')).toMatchObject({ status: 0, stderr: '' });
    expect(recordsOf(place, 'device')).toEqual(recordsOf(place, 'image'));
    for (const baseline of ['device', 'image']) {
      const { status, report } = place.scan(device, ['--baseline', baseline]);
      expect({ status, findings: report.findings, errors: report.errors }).toEqual({
        status: 0,
        findings: [],
        errors: [],
      });
      expect(report.summary.files).toBe(files);
    }
    expect([...timesOf(device), tool('sha256sum', place.at('device.img'))]).toEqual(before);
  });

  test('that was written to below its file system: what was hit is found', () => {
    const device = deviceOf(copy(filled, place.at('struck.img')));
    expect(place.baseline(device, 'whole').status).toBe(0);
    strike(device, filled, 0);
    const { status, report } = place.scan(device, ['--baseline', 'whole']);
    expect(report.findings.map(({ path, verdict }) => `${path} ${verdict}`)).toEqual([`${VICTIM} garbage`]);
    expect(status).toBe(1);
  });

  test.skipIf(!HAS_STRACE)('whose scan was killed is scanned anew when it was written to since', async () => {
    const device = deviceOf(copy(filled, place.at('killed.img')));
    const store = place.at('killed.db');
    const first = place.start(scanArgs(device, store), SLOWLY);
    await until(first, () => blobs(store, '%') > 0);
    first.child.kill('SIGKILL');
    expect((await first.ended).signal).toBe('SIGKILL');
    const same = place.at('same.db');
    for (const part of ['', '-wal']) copyFileSync(store + part, same + part);
    const unchanged = place.run(scanArgs(device, same));
    expect(unchanged.stderr).toContain('resuming a run that did not finish\n');

    // File systems stamp their superblock in whole seconds.
    tool('sleep', '1.1');
    const point = place.at('point');
    mkdirSync(point);
    tool('mount', device, point);
    writeFileSync(`${point}/new`, 'new');
    tool('umount', point);
    const { status, stdout, stderr } = place.run(scanArgs(device, store));
    expect({ status, resumes: stderr.includes('resuming') }).toEqual({ status: 0, resumes: false });
    expect(JSON.parse(stdout).summary.files).toBe(files + 1);
  });

  test('is inspected', () => {
    const device = deviceOf(copy(filled, place.at('inspected.img')));
    const { status, stdout } = place.run(['inspect', device]);
    expect(status).toBe(0);
    expect(stdout).toContain(`${device}: a raw image\nVolume 0: ext4, 48 MiB at byte 0\n`);
  });
});

describe.skipIf(!TABLES)('a disk with several volumes', () => {
  let disk = '';
  let small = '';
  beforeAll(() => {
    disk = blank(place.at('disk.img'), 128 * MIB);
    small = blank(place.at('small.img'), 24 * MIB);
    tool('mkfs.ext4', '-q', '-F', '-b', '4096', '-L', 'second', small);
    mounted(small, 'rw', point => {
      tool('mkdir', '-p', `${point}/usr/share/oddities`);
      tool('sh', '-c', `seq 10000 > ${point}${VICTIM}; seq 7 > ${point}/only-here`);
    });
    tool('sgdisk', '-n', '1:1M:+48M', '-n', '2:64M:+24M', disk);
    putAt(disk, MIB, filled);
    putAt(disk, 64 * MIB, small);
    expect(place.baseline(disk, 'disk')).toMatchObject({ status: 0, stderr: '' });
  });

  test('each volume has its own part of the baseline', () => {
    expect([...recordsOf(place, 'disk', 1).keys()].sort()).toEqual([
      '/',
      '/lost+found',
      '/only-here',
      '/usr',
      '/usr/share',
      '/usr/share/oddities',
      VICTIM,
    ]);
    const { status, report } = place.scan(disk, ['--baseline', 'disk']);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
    expect(report.summary.files).toBe(files + 2);
  });

  test('a path of the same name that is hit on each is a finding on each', () => {
    const struck = copy(disk, place.at('struck-disk.img'));
    strike(struck, filled, MIB);
    strike(struck, small, 64 * MIB);
    const scanned = place.scan(struck, ['--baseline', 'disk']);
    const { findings } = scanned.report;
    expect(findings.map(({ volume, path }) => `${volume} ${path}`)).toEqual([`0 ${VICTIM}`, `1 ${VICTIM}`]);
    expect(new Set(findings.map(({ id }) => id)).size).toBe(2);
    const told = place.run(['scan', struck, '--baseline', 'disk', '--store', place.store, '--force']).stdout;
    expect(told).toContain(`. ${VICTIM} (volume 0)\n`);
    expect(told).toContain(`. ${VICTIM} (volume 1, "second")\n`);
    const options = ['--baseline', 'disk', '--store', place.store, '--force'];
    const { stdout } = place.run(['explain', struck, VICTIM, ...options]);
    const heads = stdout.split('\n').filter(line => line.startsWith(`${VICTIM} in `));
    expect(heads).toEqual([`${VICTIM} in ${struck} (volume 0)`, `${VICTIM} in ${struck} (volume 1, "second")`]);
  });

  test('a hit on the second only is that volume’s', () => {
    const struck = copy(disk, place.at('second-struck.img'));
    strike(struck, small, 64 * MIB);
    const { report } = place.scan(struck, ['--baseline', 'disk']);
    expect(report.findings.map(({ volume, path }) => `${volume} ${path}`)).toEqual([`1 ${VICTIM}`]);
  });
});
