// `lostwrite inspect`: what a target is made of.

import { renderInspection } from '../report/inspection.ts';
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
  const text = request.json ? [JSON.stringify(inspection, bigintAsText, 2)] : renderInspection(target.name, inspection);
  await writeLines(world.stdout, text);
  return EXIT_CLEAN;
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}
