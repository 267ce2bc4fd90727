// Disks on which something else than a kernel wrote since the log's end, or that were copied while in use: no write was lost,
// and the file system's own log may not say so. By the real tools, on a real ext4, scanned whole.

import { closeSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyImage } from '../../fixtures/incident/disk-image.ts';
import { run } from '../../fixtures/incident/processes.ts';
import { nowNs } from '../../src/run/now.ts';
import { blocksOf } from './content.ts';
import { accusations, type Look, worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: logs of ext4 images: ${obstacle}\n`);

const PATIENCE_MS = 120_000;
/** Exit codes of e2fsck that tell of corrected errors. */
const CORRECTED = [1, 2, 3];

describe.skipIf(obstacle !== null)('a log beside a disk that lost nothing', { timeout: PATIENCE_MS }, () => {
  let world: ImageWorld;
  let t0 = 0n;
  beforeEach(() => {
    world = new ImageWorld();
    world.mounted(root => live(root, 'old'));
    world.keep('t0.img');
    t0 = nowNs();
  });
  afterEach(() => world.close());

  /** Directories that grow and shrink, files that are written, replaced, renamed and removed. */
  function live(root: string, day: string): void {
    for (const name of ['a', 'b', 'c']) mkdirSync(join(root, name), { recursive: true });
    for (let index = 0; index < 60; index++)
      writeFileSync(join(root, index % 2 ? 'a' : 'b', `f${index}`), blocksOf(`${day} ${index}`, 1 + (index % 3)));
    const moves = 'mkdir -p c/d-$1; mv a/f1 c/d-$1/g; rm b/f2; mv b/f4 b/f6; ln -f b/f8 c/h-$1; ln -sfn $1 c/s';
    run('bash', ['-ec', `cd "$0"; ${moves}`, root, day]);
  }

  async function accused(): Promise<string[]> {
    const window = { fromNs: t0, toNs: nowNs() };
    const looks: Look[] = [
      { name: 'an image of before', findings: await world.scan(['t0.img'], window) },
      { name: 'no image of before', findings: await world.scan([], window) },
      { name: 'no window', findings: await world.scan([]) },
    ];
    return accusations(looks, () => true);
  }

  it('that was used and unmounted', async () => {
    world.mounted(root => live(root, 'new'));
    expect(await accused()).toEqual([]);
  });

  it.each([
    ['checked', ['e2fsck', '-fy']],
    ['checked, and its directories optimised', ['e2fsck', '-fyD']],
    ['labelled', ['tune2fs', '-L', 'other']],
    ['given another UUID', ['tune2fs', '-U', 'random']],
    ['made smaller', ['resize2fs', '56M']],
  ] as const)('that was %s', async (name, [tool, ...options]) => {
    world.mounted(root => live(root, 'new'));
    if (tool !== 'e2fsck') run('e2fsck', ['-fy', world.disk], { accept: CORRECTED });
    if (tool === 'resize2fs') run(tool, [world.disk, ...options]);
    else run(tool, [...options, world.disk], { accept: CORRECTED });
    const ofAnotherDisk = name === 'given another UUID' || name === 'made smaller';
    const looks: Look[] = [{ name: 'no image of before', findings: await world.scan([], null) }];
    expect(ofAnotherDisk ? accusations(looks, () => true) : await accused()).toEqual([]);
  });

  it('that was copied while in use, and that copy repaired', async () => {
    world.mounted(root => {
      live(root, 'new');
      const [removed, cut] = ['removed', 'cut'].map(name => {
        writeFileSync(join(root, name), blocksOf(name, 9));
        return openSync(join(root, name), 'r+');
      });
      run('sync', ['-f', root]);
      unlinkSync(join(root, 'removed'));
      ftruncateSync(cut ?? 0, 5000);
      run('sync', ['-f', root]);
      world.keep('crashed.img');
      closeSync(removed ?? 0);
      closeSync(cut ?? 0);
    });
    copyImage(world.at('crashed.img'), world.disk);
    expect(await accused()).toEqual([]);
    run('e2fsck', ['-fy', world.disk], { accept: CORRECTED });
    expect(await accused()).toEqual([]);
  });

  it('that journaled its data, and then did not', async () => {
    world.mounted(root => live(root, 'journaled'), ['data=journal']);
    world.mounted(root => run('bash', ['-ec', 'rm -r "$0"/a "$0"/b', root]));
    world.mounted(root => live(root, 'ordered'));
    expect(await accused()).toEqual([]);
  });
});
