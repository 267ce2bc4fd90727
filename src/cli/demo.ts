// `lostwrite demo`: makes a real incident in a temporary place, and scans it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_FAIL_ON, parseFailOn } from './fail-on.ts';
import { listenForInterrupts } from './interrupt.ts';
import { createProgressDisplay } from './progress.ts';
import type { RunFunctions } from './run-functions.ts';
import { readDelivery, scanAndDeliver } from './scan.ts';
import type { Settings } from './settings.ts';
import type { World } from './world.ts';

export async function demoCommand(settings: Settings, world: World): Promise<number> {
  const delivery = readDelivery(settings, world);
  const run = await world.loadRun();
  const display = createProgressDisplay(world, { quiet: delivery.quiet, verbose: settings.flag('verbose') });
  const directory = await mkdtemp(join(tmpdir(), 'lostwrite-demo-'));
  try {
    display.onNotice(`Making a disk, and losing some of its writes, in ${directory} ...`);
    const scene = await makeScene(run, directory, display, world);
    try {
      const options = {
        target: scene.target,
        window: scene.window,
        store: scene.store,
        baseline: scene.baseline,
        references: [],
        include: [],
        exclude: [],
        scanners: null,
        metadataOnly: false,
        crossMounts: false,
        jobs: Math.max(1, world.processors),
        resume: 'never' as const,
        failOn: parseFailOn(DEFAULT_FAIL_ON),
      };
      return await scanAndDeliver(run, options, delivery, display, world);
    } finally {
      await scene.close();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeScene(
  run: RunFunctions,
  directory: string,
  display: ReturnType<typeof createProgressDisplay>,
  world: World,
): ReturnType<RunFunctions['makeDemo']> {
  const interrupt = listenForInterrupts(world, display.onNotice);
  try {
    return await run.makeDemo(directory, { ...display, signal: interrupt.signal });
  } finally {
    interrupt.stop();
  }
}
