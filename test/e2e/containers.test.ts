// A disk in every container: the same files are read from it, and what the container's own tables lost stands in the report.

import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { canMount, hasTools, makeImages, stateBefore, stateOf, tool } from './image-fixtures.ts';
import { Place } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const READY = canMount() && hasTools('qemu-img', 'qemu-io');

let place: Place;
let filled = '';
let files = 0;

beforeAll(() => {
  place = new Place();
  if (!READY) return;
  ({ filled } = makeImages(place));
  expect(place.baseline(filled, 'filled')).toMatchObject({ status: 0, stderr: '' });
  files = place.scan(filled, ['--baseline', 'filled']).report.summary.files;
});
afterAll(() => place.remove());

/** The filled disk in a container. */
function contained(name: string, format: string, options: string): string {
  const chosen = options === '' ? [] : ['-o', options];
  tool('qemu-img', 'convert', '-q', '-f', 'raw', '-O', format, ...chosen, filled, place.at(name));
  return place.at(name);
}

describe.skipIf(!READY)('a disk', () => {
  test.each([
    ['vmdk', 'sparse.vmdk', 'vmdk', ''],
    ['vmdk', 'stream.vmdk', 'vmdk', 'subformat=streamOptimized'],
    ['vmdk', 'flat.vmdk', 'vmdk', 'subformat=twoGbMaxExtentFlat'],
    ['vhd', 'dynamic.vhd', 'vpc', 'force_size=on'],
    ['vhd', 'fixed.vhd', 'vpc', 'subformat=fixed,force_size=on'],
    ['vhdx', 'dynamic.vhdx', 'vhdx', ''],
    ['vdi', 'dynamic.vdi', 'vdi', ''],
  ])('in %s (%s): nothing is found, and nothing is touched', (container, name, format, options) => {
    const image = contained(name, format, options);
    const before = stateBefore(image);
    const { status, stderr, report } = place.scan(image, ['--baseline', 'filled']);
    expect({ status, stderr, findings: report.findings, blocks: report.blocks }).toEqual({
      status: 0,
      stderr: '',
      findings: [],
      blocks: [],
    });
    expect(report.target.container).toBe(container);
    expect(report.target.volumes[0]?.gates).toEqual([]);
    expect(report.summary.files).toBe(files);
    expect(stateOf(image)).toEqual(before);
  });

  test('in pieces', () => {
    tool('split', '--numeric-suffixes=1', '-a', '3', '-b', '10M', filled, place.at('pieces.'));
    const { status, report } = place.scan(place.at('pieces.001'), ['--baseline', 'filled']);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
    expect(report.target.container).toBe('split raw');
    expect(report.summary.files).toBe(files);
  });

  test('whose qcow2 lost an update of its L1 table: the report and inspect name the table and the part of the disk', () => {
    const image = contained('lost.qcow2', 'qcow2', 'cluster_size=4096');
    tool('qemu-img', 'resize', '-q', image, '64M');
    const before = readFileSync(image);
    tool('qemu-io', '-f', 'qcow2', '-c', 'write -q -P 7 60M 64k', image);
    const inspected = place.run(['inspect', image]);
    expect(inspected.stdout).not.toContain('proven');
    // Its offset stands at byte 40 of the header; 32 entries of 8 bytes map 64 MiB.
    const at = Number(before.readBigUInt64BE(40));
    const fd = openSync(image, 'r+');
    writeSync(fd, before, at, 256, at);
    closeSync(fd);

    const { status, report } = place.scan(image, ['--baseline', 'filled']);
    expect({ status, findings: report.findings }).toEqual({ status: 0, findings: [] });
    expect(report.blocks).toMatchObject([
      { volume: 0, role: 'qcow2-l1-table', rule: 'qcow2-mapping-table-unnamed', confidence: 'proven', entries: 16 },
    ]);
    const [gate] = report.target.volumes[0]?.gates ?? [];
    expect(gate).toMatch(/^qcow2-mapping-table-unnamed: proven: cluster \d+ of the file is a mapping table/);
    expect(place.run(['inspect', image]).stdout).toContain('qcow2-mapping-table-unnamed: proven: cluster');
    const { stdout } = place.run(['scan', image, '--baseline', 'filled', '--store', place.store]);
    expect(stdout).toContain('What the tables of the qcow2 image give away\n  proven: cluster');
    writeFileSync(image, before);
    expect(place.scan(image, ['--baseline', 'filled']).report.blocks).toEqual([]);
  });
});
