// A directory that was renamed since the backup: what the backup has of its files under the old path counts for the new one.
// On a real ext4, where a block of such a file was overwritten behind the file system’s back.

import { closeSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../fixtures/incident/processes.ts';
import { nowNs } from '../../src/run/now.ts';
import { blocksOf } from './content.ts';
import { worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stderr.write(`skipped: moved directories of ext4 images: ${obstacle}\n`);

const BLOCK_BYTES = 4096;

describe.skipIf(obstacle !== null)(
  'a file of a directory that was renamed since the backup',
  { timeout: 120_000 },
  () => {
    let world: ImageWorld;
    let t0 = 0n;
    beforeAll(() => {
      world = new ImageWorld();
      world.mounted(root => {
        mkdirSync(join(root, 'old/inner'), { recursive: true });
        for (const name of ['changed', 'kept']) writeFileSync(join(root, 'old/inner', name), blocksOf(name, 3));
      });
      world.keep('t0.img');
      t0 = nowNs();
      world.mounted(root => renameSync(join(root, 'old'), join(root, 'new')));
      const { output } = run('debugfs', ['-R', 'blocks /new/inner/changed', world.disk]);
      const disk = openSync(world.disk, 'r+');
      writeSync(disk, blocksOf('another', 1), 0, BLOCK_BYTES, Number(output.trim().split(' ')[1]) * BLOCK_BYTES);
      closeSync(disk);
    });
    afterAll(() => world.close());

    it('is accused where its bytes are others under the inode of then, and left alone where they are not', async () => {
      const findings = await world.scan(['t0.img'], { fromNs: t0, toNs: nowNs() });
      const told = findings.filter(({ path }) => path.startsWith('/new/inner/'));
      const ranges = told.map(finding => finding.ranges.map(({ offset, length }) => [offset, length]));
      expect(told.map(({ path, evidence }) => [path, evidence[0]?.rule])).toEqual([
        ['/new/inner/changed', 'changed-under-unchanged-inode'],
      ]);
      expect(ranges).toEqual([[[BLOCK_BYTES, BLOCK_BYTES]]]);
    });
  },
);
