// Images whose file system is damaged in its own structures: what is lost is found, and each broken structure is told of once.

import { closeSync, openSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { canMount, copy, inodeAt, makeImages, tool } from './image-fixtures.ts';
import { Place } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const MOUNTS = canMount();
const BLOCK = 4096;

let place: Place;
let filled = '';
beforeAll(() => {
  place = new Place();
  if (MOUNTS) ({ filled } = makeImages(place));
});
afterAll(() => place.remove());

function put(image: string, at: number, byte: number): void {
  const file = openSync(image, 'r+');
  writeSync(file, Uint8Array.of(byte), 0, 1, at);
  closeSync(file);
}

/** Where the second block of a directory lies. */
function directoryBlockAt(image: string, path: string): number {
  return Number(tool('debugfs', '-R', `bmap ${path} 1`, image).trim()) * BLOCK;
}

/** Where the first extent block of a file lies, as the list of its blocks has it. */
function extentBlockAt(image: string, path: string): number {
  const [, block = ''] = /\(ETB0\):(\d+)/.exec(tool('debugfs', '-R', `stat ${path}`, image)) ?? [];
  return Number(block) * BLOCK;
}

describe.skipIf(!MOUNTS)('an image with damaged structures', () => {
  let damaged = '';
  let structures: number[] = [];
  beforeAll(() => {
    damaged = copy(filled, place.at('damaged.img'));
    const descriptor = BLOCK;
    const inode = inodeAt(filled, '/many-3/file-3');
    const [names, extents] = [directoryBlockAt(filled, '/odder'), extentBlockAt(filled, '/fragmented')];
    for (const at of [descriptor + 0x1e, inode + 0x7c, names + 20, extents + 8]) put(damaged, at, 0xaa);
    structures = [descriptor, inode, names, extents].sort((left, right) => left - right);
  });

  test.each(['1', '4'])('tells of each once, and of what was lost by it, with %s workers', jobs => {
    const { status, report } = place.scan(damaged, ['--jobs', jobs]);
    expect(
      report.errors.map(({ path, code, message }) => [path, code, /^volume 0: .* at (\d+): /.exec(message)?.[1]]),
    ).toEqual(structures.map(at => ['/', 'EBADMSG', String(at)]));
    const findings = report.findings.filter(({ cause }) => cause === null);
    expect(findings.map(({ path, verdict, confidence }) => `${path} ${verdict} ${confidence}`)).toEqual([
      '/fragmented unreadable proven',
      '/many-3/file-3 unreadable proven',
      '/odder unreadable proven',
    ]);
    // The log still knows what the unreadable directory held.
    const below = report.findings.filter(({ cause }) => cause === findings[2]?.id);
    expect(below.length).toBeGreaterThan(0);
    expect(below.every(({ path, verdict }) => path.startsWith('/odder/') && verdict === 'missing')).toBe(true);
    expect(findings.length + below.length).toBe(report.findings.length);
    expect({ status, complete: report.run.complete }).toEqual({ status: 3, complete: false });
  });

  test('a broken structure that hides nothing is told of all the same; the scan is whole', () => {
    const cosmetic = copy(filled, place.at('cosmetic.img'));
    put(cosmetic, BLOCK + 0x1e, 0xaa);
    const { status, report } = place.scan(cosmetic);
    expect(report.errors.map(({ code }) => code)).toEqual(['EBADMSG']);
    expect({ status, complete: report.run.complete, findings: report.findings }).toEqual({
      status: 0,
      complete: true,
      findings: [],
    });
  });
});
