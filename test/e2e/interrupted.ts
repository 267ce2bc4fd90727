// Stops the program where a test wants it: slows it down, and looks into its store meanwhile.

import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { type Started, skipping, succeeds } from './program.ts';

export const HAS_STRACE = succeeds('strace', ['true']) || skipping('needs strace, to count and to kill') !== null;

/** Every read takes 10 ms at least; strace steps aside, so that the program keeps its process id. */
export const SLOWLY = 'strace -D -f -o /dev/null -e trace=pread64 -e inject=pread64:delay_enter=10000'.split(' ');

/** Waits until the condition holds, or the program has ended. */
export async function until(started: Started, holds: () => boolean): Promise<void> {
  while (!holds() && started.child.exitCode === null && started.child.signalCode === null) await sleep(10);
}

/** How many blobs of a kind the runs in a store have, as another program sees them. */
export function blobs(store: string, kind: string): number {
  if (!existsSync(store)) return 0;
  const database = new Database(store, { readonly: true });
  try {
    const row = database.prepare('SELECT count(*) AS blobs FROM run_blob WHERE kind LIKE ?').get(kind);
    return (row as { blobs: number }).blobs;
  } catch (error) {
    if (error instanceof Error && /locked|no such table/.test(error.message)) return 0;
    throw error;
  } finally {
    database.close();
  }
}

export function scanArgs(target: string, store: string, ...more: string[]): string[] {
  return ['scan', target, '--store', store, '--force', '--json', '-', '--jobs', '1', ...more];
}
