// `lostwrite explain`: everything known of one path.

import { existsSync } from 'node:fs';
import { UsageError } from '../errors.ts';
import type { BytePath } from '../model.ts';
import { renderExplanations } from '../report/explanation.ts';
import { parsePrintablePath, printableText, shellWord } from '../report/printable.ts';
import type { ScanOptions } from '../run/options.ts';
import { EXIT_CLEAN, EXIT_PARTIAL } from './exit-code.ts';
import { listenForInterrupts } from './interrupt.ts';
import { createProgressDisplay } from './progress.ts';
import type { RunFunctions } from './run-functions.ts';
import { locateScan, withIdentity } from './scan.ts';
import type { Settings } from './settings.ts';
import { columnsOf, writeLines } from './terminal.ts';
import type { World } from './world.ts';

export async function explainCommand(target: string, typed: string, settings: Settings, world: World): Promise<number> {
  const path = pathWithin(typed);
  const display = createProgressDisplay(world, { quiet: settings.flag('quiet'), verbose: settings.flag('verbose') });
  const located = locateScan(target, settings, world, { report: null, say: display.onNotice });
  const run = await world.loadRun();
  const options = withIdentity(located, run);
  await mentionBaselines(options, run, display.onNotice);
  const interrupt = listenForInterrupts(world, display.onNotice);
  try {
    const explained = await run.explain(options, path, { ...display, signal: interrupt.signal });
    display.end();
    if (explained.explanations.length === 0)
      throw new UsageError(`${typed}: neither the target nor any reference knows this path${byteHint(typed)}`);
    await writeLines(world.stdout, renderExplanations(path, options.target.name, explained, columnsOf(world.stdout)));
    return interrupt.signal.aborted ? EXIT_PARTIAL : EXIT_CLEAN;
  } finally {
    display.end();
    interrupt.stop();
  }
}

/** Arguments come as text: what is not UTF-8 has become U+FFFD on the way. */
function byteHint(typed: string): string {
  return typed.includes('\ufffd') ? '; write a byte that is not UTF-8 as \\xff, as the summary does' : '';
}

/** Without --baseline half of what a scan knew is missing: says so when the store could tell more of this target. */
async function mentionBaselines(
  { store, baseline, target }: ScanOptions,
  run: RunFunctions,
  say: (line: string) => void,
): Promise<void> {
  if (baseline !== null || store.path === null || !existsSync(store.path)) return;
  const names: string[] = [];
  for (const { name } of await run.listBaselines(store)) {
    const generations = await run.showBaseline(store, name);
    if (generations.some(generation => generation.target === target.name)) names.push(name);
  }
  const [first] = names;
  if (first === undefined) return;
  const known = names.map(printableText).join(', ');
  say(`Baselines of this target were not compared (${known}): add --baseline ${shellWord(first)}`);
}

/** Absolute within the target, as the summary shows it: `\xff` is a byte. UsageError for a path that leaves the target. */
function pathWithin(typed: string): BytePath {
  const names = parsePrintablePath(typed)
    .split('/')
    .filter(name => name !== '' && name !== '.');
  if (names.includes('..')) throw new UsageError(`${typed}: a path within the target has no ".."`);
  return `/${names.join('/')}`;
}
