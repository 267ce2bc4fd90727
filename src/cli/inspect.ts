// `lostwrite inspect`: what a target is made of.

import { inspectionJson, renderInspection } from '../report/inspection.ts';
import { EXIT_CLEAN } from './exit-code.ts';
import type { Settings } from './settings.ts';
import { identified, imageSettings, locateTarget } from './target.ts';
import { writeLines } from './terminal.ts';
import type { World } from './world.ts';

export async function inspectCommand(
  request: { readonly target: string; readonly json: boolean },
  settings: Settings,
  world: World,
): Promise<number> {
  const name = settings.text('host');
  const located = locateTarget({ text: request.target, cwd: world.cwd, name, hostName: world.hostName });
  const run = await world.loadRun();
  const target = identified({ ...located, ...imageSettings(located.kind, settings, world.cwd) }, run.identityOf);
  const inspection = await run.inspect(target);
  const text = request.json ? [inspectionJson(target.name, inspection)] : renderInspection(target.name, inspection);
  await writeLines(world.stdout, text);
  return EXIT_CLEAN;
}
