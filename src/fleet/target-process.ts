// The entry of a process that scans targets, one after the other, as it is told. A parser that hangs, or a medium that does
// not answer, hangs this process and no other: its parent kills it. It does not outlive its parent.

import { Worker } from 'node:worker_threads';
import type { Progress, RunHooks } from '../run/options.ts';
import type { FromProcess, ToProcess } from './messages.ts';
import { scanTarget, type TargetTask } from './scan-target.ts';

const PROGRESS_MS = 500;

/** A thread of its own sees the end of the parent even while this one hangs. */
new Worker(new URL('./parent-watch.js', import.meta.url)).unref();

/** Ctrl-C reaches every process of a terminal: what becomes of this one, its parent says. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

let interrupt = new AbortController();

process.on('message', (message: ToProcess) => {
  if (message.kind === 'cancel') interrupt.abort();
  else void work(message.task);
});

async function work(task: TargetTask): Promise<void> {
  interrupt = new AbortController();
  const answer = await scanTarget(task, hooksOf(interrupt.signal));
  send({ kind: 'answer', answer });
}

function hooksOf(signal: AbortSignal): RunHooks {
  let toldMs = 0;
  return {
    signal,
    onNotice: line => send({ kind: 'notice', line }),
    onProgress(progress: Progress) {
      if (Date.now() - toldMs < PROGRESS_MS) return;
      toldMs = Date.now();
      send({ kind: 'progress', progress });
    },
  };
}

function send(message: FromProcess): void {
  process.send?.(message);
}
