// Mounts that come and go over a tree, also of the same file system: names and inodes that nobody lost or brought back.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeImage } from '../../fixtures/incident/ext4-image.ts';
import { run } from '../../fixtures/incident/processes.ts';
import { nowNs } from '../../src/run/now.ts';
import { blocksOf } from './content.ts';
import { accusations, Ext4World, type Look, worldObstacle } from './ext4-world.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: mounts over a tree on ext4: ${obstacle}\n`);

const PATIENCE_MS = 60_000;

describe.skipIf(obstacle !== null)('a mount over a directory', { timeout: PATIENCE_MS }, () => {
  let world: Ext4World;
  let mounted: string[] = [];
  beforeEach(() => {
    world = new Ext4World();
    for (const directory of ['data', 'srv/a', 'srv/b']) mkdirSync(join(world.root, directory), { recursive: true });
    for (const name of ['data/f', 'srv/a/f', 'srv/a/g', 'srv/b/h', 'data/h']) {
      writeFileSync(join(world.root, name), blocksOf(name, 2));
    }
  });
  afterEach(() => {
    for (const directory of mounted.toReversed()) run('umount', [directory]);
    mounted = [];
    world.close();
  });

  function mount(directory: string, ...how: string[]): void {
    run('mount', [...how, join(world.root, directory)]);
    mounted.push(join(world.root, directory));
  }

  function unmount(): void {
    for (const directory of mounted.splice(0).toReversed()) run('umount', [directory]);
  }

  function mountOldDisk(directory: string): void {
    const image = join(world.scratch, 'other.img');
    makeImage(image, { seed: 9, sizeMib: 32, blockSizeBytes: 4096, journalMib: 4 });
    mount(directory, '-t', 'ext4', '-o', 'loop', image);
  }

  /** Captures before and after `between`, then acts and looks. */
  async function falseAlarms(between: () => void, act: () => void): Promise<string[]> {
    const t0 = await world.capture('before', 'both');
    between();
    const t1 = await world.capture('after', 'both');
    act();
    const looks: Look[] = [];
    for (const [name, series, window] of [
      ['before', 'before', { fromNs: t0, toNs: nowNs() }],
      ['both', 'both', { fromNs: t0, toNs: t1 }],
      ['after', 'after', { fromNs: t0, toNs: t1 }],
      ['both, no window', 'both', null],
    ] as const) {
      looks.push({ name, findings: await world.scan(series, window) });
    }
    return accusations(looks, () => true);
  }

  const nothing = (): void => undefined;

  it('of another file system, made since, hides and proves nothing', async () => {
    expect(await falseAlarms(nothing, () => mount('data', '-t', 'tmpfs', 'none'))).toEqual([]);
  });

  it('of an old disk, made since, hides and proves nothing', async () => {
    expect(await falseAlarms(nothing, () => mountOldDisk('data'))).toEqual([]);
  });

  it('that was there at the newest generation only hid what is back now', async () => {
    expect(await falseAlarms(() => mountOldDisk('data'), unmount)).toEqual([]);
  });

  it('that is there at every time proves nothing', async () => {
    mountOldDisk('data');
    expect(await falseAlarms(nothing, nothing)).toEqual([]);
  });

  it('of the same file system gives a file two names, and no false one', async () => {
    expect(await falseAlarms(nothing, () => mount('srv/b', '--bind', join(world.root, 'srv/a')))).toEqual([]);
  });

  it('of the same file system that is gone again brings back what it hid', async () => {
    expect(await falseAlarms(() => mount('srv/b', '--bind', join(world.root, 'srv/a')), unmount)).toEqual([]);
  });

  it('of the same file system at every time proves nothing', async () => {
    mount('srv/b', '--bind', join(world.root, 'srv/a'));
    expect(await falseAlarms(nothing, nothing)).toEqual([]);
  });

  it('of a parent directory inside itself proves nothing', async () => {
    expect(await falseAlarms(nothing, () => mount('srv/b', '--bind', join(world.root, 'data')))).toEqual([]);
  });
});
