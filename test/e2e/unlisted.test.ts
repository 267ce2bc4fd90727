// A mounted directory of which one block is broken: listing it fails, and most of its names can still be looked up.

import { closeSync, existsSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { blank, canMount, MIB, mounted, tool } from './image-fixtures.ts';
import { Place } from './program.ts';

vi.setConfig({ testTimeout: 60_000 });

const NAMES = Array.from({ length: 400 }, (_, number) => `a-name-that-takes-some-room-${number}`);
const BLOCK = 4096;

describe.skipIf(!canMount())('a directory that cannot be listed whole', () => {
  const place = new Place();
  afterAll(() => place.remove());

  test('lacks no names that the kernel finds when asked for them', () => {
    const image = blank(place.at('image'), 32 * MIB);
    tool('mkfs.ext4', '-q', '-F', '-b', String(BLOCK), image);
    mounted(image, 'rw', point => {
      tool('mkdir', `${point}/d`);
      for (const name of NAMES) writeFileSync(`${point}/d/${name}`, name);
      tool('sync');
      expect(place.baseline(point, 'before').status).toBe(0);
      for (const name of NAMES.slice(0, 200)) writeFileSync(`${point}/d/${name}`, `${name} and more`);
    });
    const leaf = Number(tool('debugfs', '-R', 'bmap /d 2', image).trim());
    const file = openSync(image, 'r+');
    writeSync(file, Uint8Array.of(0xaa, 0xaa), 0, 2, leaf * BLOCK + 2000);
    closeSync(file);

    const { report, found } = mounted(image, 'ro,noload', point => ({
      found: new Set(NAMES.filter(name => existsSync(`${point}/d/${name}`))),
      report: place.scan(point, ['--baseline', 'before']).report,
    }));
    expect(found.size).toBeGreaterThan(100);
    expect(found.size).toBeLessThan(NAMES.length);
    const saysOf = new Map(report.findings.map(({ path, verdict, confidence }) => [path, `${verdict} ${confidence}`]));
    expect(saysOf.get('/d')).toBe('unreadable proven');
    for (const name of NAMES) {
      const there = NAMES.indexOf(name) < 200 ? 'altered possible' : undefined;
      expect(saysOf.get(`/d/${name}`)).toBe(found.has(name) ? there : 'missing proven');
    }
  });
});
