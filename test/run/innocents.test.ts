// Ordinary acts on a real ext4, each in a directory of its own, looked at with generations before and after the window:
// none may be taken for a loss. Everything that says more than `possible` is a false alarm.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nowNs } from '../../src/run/now.ts';
import { accusations, Ext4World, type Look, worldObstacle } from './ext4-world.ts';
import { INNOCENT_ACTS, type InnocentAct } from './innocent-acts.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: innocent acts on ext4: ${obstacle}\n`);

const PATIENCE_MS = 120_000;

describe.skipIf(obstacle !== null)('an innocent act on ext4 is no loss', { timeout: PATIENCE_MS }, () => {
  let world: Ext4World;
  const looks: Look[] = [];
  const directories = new Map(INNOCENT_ACTS.map((act, index) => [act, `/${index}`]));
  const hostDirectory = (act: InnocentAct) => join(world.root, directories.get(act) ?? '');

  beforeAll(async () => {
    world = new Ext4World();
    for (const act of INNOCENT_ACTS) {
      mkdirSync(hostDirectory(act));
      act.before(hostDirectory(act));
    }
    const t0 = await world.capture('before', 'both');
    for (const act of INNOCENT_ACTS) act.between(hostDirectory(act));
    const t1 = await world.capture('after', 'both');
    for (const act of INNOCENT_ACTS) act.act(hostDirectory(act));
    const inTheWindow = { fromNs: t0, toNs: nowNs() };
    const beforeT1 = { fromNs: t0, toNs: t1 };
    const chosen = [
      ['a generation before the window', 'before', inTheWindow],
      ['two generations, both before the window’s end', 'both', inTheWindow],
      ['a generation before the window and one after it', 'both', beforeT1],
      ['a generation after the window', 'after', beforeT1],
      ['two generations and no window', 'both', null],
      ['no generation', null, beforeT1],
    ] as const;
    for (const [name, baseline, window] of chosen) {
      looks.push({ name, findings: await world.scan(baseline, window) });
    }
  }, PATIENCE_MS);

  afterAll(() => world?.close());

  it.each(INNOCENT_ACTS)('$name', act => {
    const directory = directories.get(act) ?? '';
    const found = accusations(looks, ({ path }) => path === directory || path.startsWith(`${directory}/`));
    expect(found).toEqual([]);
  });

  it('nothing else is accused', () => {
    const known = new Set(directories.values());
    expect(accusations(looks, ({ path }) => !known.has(`/${path.split('/')[1]}`))).toEqual([]);
  });

  it('every scan has looked', () => {
    expect(looks.map(({ findings }) => findings.length > 50)).toEqual([true, true, true, true, true, true]);
  });
});
