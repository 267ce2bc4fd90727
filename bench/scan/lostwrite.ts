// How the benches call the program that they measure.

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Contestant } from '../timed.ts';

const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));
/** Findings are no failure, nor is a file that changed or may not be read. */
const EXIT_CODES = [0, 1, 3];

export function lostwrite(name: string, args: readonly string[], prepare?: () => void): Contestant {
  const common = {
    name: `lostwrite ${name}`,
    command: [process.execPath, CLI, ...args] as const,
    exitCodes: EXIT_CODES,
  };
  return prepare === undefined ? common : { ...common, prepare };
}

/** A store as if it had never been. */
export function removeStore(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-lock']) rmSync(path + suffix, { force: true });
}
