#!/usr/bin/env node
// The program. Everything it may touch of its process is handed to cli/ as a world.

import { availableParallelism, homedir, hostname } from 'node:os';
import { runCommandLine } from './cli/command-line.ts';
import { EXIT_USAGE } from './cli/exit-code.ts';
import { loadRunFunctions } from './cli/run-functions.ts';
import { troubleLines } from './cli/trouble.ts';
import type { World } from './cli/world.ts';
import { VERSION } from './version.ts';

const argv = process.argv.slice(2);

const world: World = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  homeDirectory: homedir(),
  hostName: hostname(),
  processors: availableParallelism(),
  version: VERSION,
  clockMs: () => performance.now(),
  loadRun: loadRunFunctions,
  onInterrupt,
  exitAtOnce: code => process.exit(code),
};

function onInterrupt(listener: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** What no handler caught is a bug; it must not look like Node's. */
function onBug(error: unknown): void {
  process.stderr.write(`${troubleLines(error, argv.includes('--verbose')).join('\n')}\n`);
  process.exit(EXIT_USAGE);
}

function onStreamError(): void {
  // Each write's own callback answers for it (cli/terminal.ts); without a listener the process would die of a closed pipe.
}

process.on('uncaughtException', onBug);
process.on('unhandledRejection', onBug);
process.stdout.on('error', onStreamError);
process.stderr.on('error', onStreamError);
process.exitCode = await runCommandLine(argv, world);
