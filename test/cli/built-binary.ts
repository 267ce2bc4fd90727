// The program as it ships: compiled once per run of tests when a source is newer than what was compiled.

import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BINARY = join(ROOT, 'dist/src/cli.js');

export function compile(): void {
  const built = statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newest = ['src', 'scanners', 'fixtures'].flatMap(sources).map(file => statSync(file).mtimeMs);
  if (Math.max(...newest) < built) return;
  execFileSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: ROOT,
  });
}

function sources(directory: string): string[] {
  const names = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  return names.filter(name => name.endsWith('.ts')).map(name => join(ROOT, directory, name));
}

export function lostwrite(args: readonly string[], cwd: string): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [BINARY, ...args], { cwd, encoding: 'utf8', env: environment(cwd) });
}

/** Nothing of the person who runs the tests: no store, no colours. */
export function environment(home: string): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: home };
}
