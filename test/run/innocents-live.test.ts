// A tree that programs work in while it is captured and while it is scanned: nobody stops the world.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nowNs } from '../../src/run/now.ts';
import { accusations, Ext4World, type Look, worldObstacle } from './ext4-world.ts';

const obstacle = worldObstacle();
if (obstacle !== null) process.stdout.write(`skipped: a live tree on ext4: ${obstacle}\n`);

const PATIENCE_MS = 60_000;
const DIRECTORIES = 60;
const FILES = 40;

/** Deletes, makes, renames, appends and rewrites at random, also whole directories, until it is ended. */
const WORK = `
import os, random, sys
random.seed(5)
root, made = sys.argv[1], 0
while True:
    directory = os.path.join(root, str(random.randrange(${DIRECTORIES})))
    try:
        names = os.listdir(directory)
        for name in random.sample(names, min(3, len(names))): os.unlink(os.path.join(directory, name))
        made += 1
        new = os.path.join(directory, 'made%d' % made)
        with open(new + '.tmp', 'w') as file: file.write('made %d\\n' % made)
        os.rename(new + '.tmp', new)
        if names: open(os.path.join(directory, random.choice(names)), 'a').write('more\\n')
        if made % 9 == 0: os.rename(directory, directory + '.old'); os.rename(directory + '.old', directory)
        if made % 11 == 0: os.mkdir(new + '.d')
        if made == 20: print('at work', flush=True)
    except OSError: pass
`;

describe.skipIf(obstacle !== null)('a tree that is worked in', { timeout: PATIENCE_MS }, () => {
  let world: Ext4World;
  let worker: ChildProcess | null = null;

  beforeEach(() => {
    world = new Ext4World();
    for (let index = 0; index < DIRECTORIES; index++) fill(join(world.root, String(index)));
  });
  afterEach(async () => {
    await rest();
    world.close();
  });

  function fill(directory: string): void {
    mkdirSync(directory);
    for (let index = 0; index < FILES; index++) writeFileSync(join(directory, `f${index}`), `file ${index}\n`);
  }

  async function work(): Promise<void> {
    const child = spawn('python3', ['-c', WORK, world.root], { stdio: ['ignore', 'pipe', 'inherit'] });
    worker = child;
    await new Promise(resolve => child.stdout.once('data', resolve));
  }

  async function rest(): Promise<void> {
    const child = worker;
    worker = null;
    if (child === null) return;
    const ended = new Promise(resolve => child.on('exit', resolve));
    child.kill();
    await ended;
  }

  it('while it is scanned has lost nothing', async () => {
    const t1 = await world.capture('live');
    await work();
    const looks: Look[] = [];
    for (const name of ['first', 'second', 'third']) {
      looks.push({ name, findings: await world.scan('live', { fromNs: null, toNs: t1 }) });
    }
    expect(accusations(looks, () => true)).toEqual([]);
    expect(looks.every(({ findings }) => findings.length > 20)).toBe(true);
  });

  it('while it is captured has lost nothing afterwards', async () => {
    await work();
    const t0 = await world.capture('live');
    const t1 = await world.capture('live');
    await rest();
    const looks: Look[] = [
      { name: 'generations before the window', findings: await world.scan('live', { fromNs: t0, toNs: nowNs() }) },
      { name: 'a generation after the window', findings: await world.scan('live', { fromNs: t0, toNs: t1 }) },
      { name: 'no window', findings: await world.scan('live', null) },
    ];
    expect(accusations(looks, () => true)).toEqual([]);
  });
});
