// The program as it ships, run as a person runs it. test/set-up/compile.ts compiles it before any test.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { BINARY, ROOT } from '../set-up/compile.ts';

export { BINARY, ROOT };

export function lostwrite(
  args: readonly string[],
  cwd: string,
  more: Readonly<Record<string, string>> = {},
): SpawnSyncReturns<string> {
  const env = { ...environment(cwd), ...more };
  return spawnSync(process.execPath, [BINARY, ...args], { cwd, encoding: 'utf8', env });
}

/** Nothing of the person who runs the tests: no store, no colours. */
export function environment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home };
}
