// Before any test: the compiled program is that of these sources. Workers run from dist/, so what is tested is what ships.

import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
export const BINARY = join(ROOT, 'dist/src/cli.js');

/** Compiles when a source is newer than what was compiled. */
export default function compile(): void {
  const built = statSync(BINARY, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const newest = ['src', 'scanners', 'fixtures', 'bench'].flatMap(sources).map(file => statSync(file).mtimeMs);
  if (Math.max(...newest) < built) return;
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
}

function sources(directory: string): string[] {
  const names = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' });
  return names.filter(name => name.endsWith('.ts')).map(name => join(ROOT, directory, name));
}
