// `lostwrite demo`: makes a real incident in a temporary place, and scans it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countOf, figure } from '../figures.ts';
import type { Report } from '../report/report.ts';
import { isReported } from '../report/words.ts';
import type { DemoScene, ScanOptions } from '../run/options.ts';
import { EXIT_CLEAN, EXIT_PARTIAL } from './exit-code.ts';
import { listenForInterrupts } from './interrupt.ts';
import { createProgressDisplay } from './progress.ts';
import { readDelivery, scanAndDeliver } from './scan.ts';
import { DEFAULT_SCAN } from './scan-options.ts';
import type { Settings } from './settings.ts';
import type { World } from './world.ts';

/** Damage is what a demo is meant to find: 0 when it went to its end, whatever the scan's own code. */
export async function demoCommand(settings: Settings, world: World): Promise<number> {
  const delivery = { ...readDelivery(settings, world), targetPasses: true };
  const verbose = settings.flag('verbose');
  const display = createProgressDisplay(world, { quiet: delivery.quiet, verbose });
  const run = await world.loadRun();
  const directory = await mkdtemp(join(tmpdir(), 'lostwrite-demo-'));
  const interrupt = listenForInterrupts(world, display.onNotice);
  try {
    const hooks = { ...display, signal: interrupt.signal };
    return await run.withDemo(directory, hooks, async scene => {
      display.end();
      const again = createProgressDisplay(world, { quiet: delivery.quiet, verbose });
      const closing = (report: Report): string[] => [
        ...truthLines(report, scene),
        ...(delivery.json === null ? ['Every finding: lostwrite demo --json FILE'] : []),
      ];
      interrupt.stop();
      if (interrupt.signal.aborted) return EXIT_PARTIAL;
      const scan = demoScan(scene, world);
      const { interrupted } = await scanAndDeliver(run, scan, delivery, again, world, closing);
      return interrupted ? EXIT_PARTIAL : EXIT_CLEAN;
    });
  } finally {
    display.end();
    interrupt.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** How well the scan did, by what was really lost. */
function truthLines(report: Report, { damaged, target }: DemoScene): string[] {
  let [found, wrong, hinted] = [0, 0, 0];
  for (const finding of report.findings()) {
    const isTrue = damaged.has(finding.path);
    if (!isReported(finding)) hinted += isTrue && finding.verdict !== 'suspect' ? 1 : 0;
    else if (isTrue) found += 1;
    else wrong += 1;
  }
  const truth = `What really happened: ${countOf(damaged.size, 'path was', 'paths were')} damaged.`;
  const score = `The scan reported ${figure(found)} of them, and ${countOf(wrong, 'other')}.`;
  const hints = hinted === 0 ? [] : [`It calls ${figure(hinted)} more of them worth a look.`];
  return ['', truth, score, ...hints, ...(target.kind === 'directory' ? IN_A_DIRECTORY : [])];
}

/** What somebody without root should make of it. */
const IN_A_DIRECTORY = [
  'Without root this demo can only overwrite files, as any program does, and the',
  'times of the files tell so: a scan cannot be sure then. As root the demo loses',
  'writes of a real disk, which leave no such trace, and the scan is sure of most.',
];

function demoScan(scene: DemoScene, world: World): ScanOptions {
  const { target, window, store, baseline } = scene;
  return { ...DEFAULT_SCAN, target, window, store, baseline, jobs: Math.max(1, world.processors), resume: 'never' };
}
