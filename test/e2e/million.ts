// Runs the memory benchmark, which checks its own limit.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../cli/built-binary.ts';

/** What it prints; throws when it fails. */
export function measureMemory(files: number): string {
  const program = join(ROOT, 'dist/bench/memory/million.js');
  return execFileSync(process.execPath, [program, '--files', String(files)], { encoding: 'utf8' });
}
