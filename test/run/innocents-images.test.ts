// Ordinary acts by the real kernel on an ext4 image, which is then scanned against images of itself from before them: no
// write was lost, so none may be said to be. Everything that says more than `possible` is a false alarm.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nowNs } from '../../src/run/now.ts';
import { accusations, type Look, worldObstacle } from './ext4-world.ts';
import { ImageWorld } from './image-world.ts';
import { INNOCENT_ACTS, type InnocentAct } from './innocent-acts.ts';
import { BLOCK_ACTS } from './innocent-block-acts.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: innocent acts on ext4 images: ${obstacle}\n`);

const PATIENCE_MS = 120_000;
const ACTS: readonly InnocentAct[] = [...INNOCENT_ACTS, ...BLOCK_ACTS];

describe.skipIf(obstacle !== null)('an innocent act on an image is no lost write', { timeout: PATIENCE_MS }, () => {
  let world: ImageWorld;
  const looks: Look[] = [];
  const directories = new Map(ACTS.map((act, index) => [act, `/${index}`]));

  beforeAll(async () => {
    world = new ImageWorld();
    const each = (body: (act: InnocentAct, directory: string) => void) =>
      world.mounted(root => {
        for (const act of ACTS) body(act, join(root, directories.get(act) ?? ''));
      });
    each((act, directory) => {
      mkdirSync(directory);
      act.before(directory);
    });
    world.keep('t0.img');
    const t0 = nowNs();
    each((act, directory) => act.between(directory));
    world.keep('t1.img');
    each((act, directory) => act.act(directory));
    const window = { fromNs: t0, toNs: nowNs() };
    const chosen = [
      ['an image of before', ['t0.img'], window],
      ['a later image of before', ['t1.img'], window],
      ['two images of before', ['t0.img', 't1.img'], window],
      ['no window', ['t0.img'], null],
      ['no image of before', [], null],
    ] as const;
    for (const [name, before, within] of chosen) looks.push({ name, findings: await world.scan(before, within) });
  }, PATIENCE_MS);

  afterAll(() => world?.close());

  it.each(ACTS)('$name', act => {
    const directory = directories.get(act) ?? '';
    const found = accusations(looks, ({ path }) => path === directory || path.startsWith(`${directory}/`));
    expect(found).toEqual([]);
  });

  it('nothing else is accused', () => {
    const known = new Set(directories.values());
    expect(accusations(looks, ({ path }) => !known.has(`/${path.split('/')[1]}`))).toEqual([]);
  });
});
