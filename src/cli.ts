#!/usr/bin/env node
// The program. Everything it may touch of its process is handed to cli/ as a world.

import { readFileSync } from 'node:fs';
import { availableParallelism, homedir, hostname } from 'node:os';
import { runCommandLine } from './cli/command-line.ts';
import { EXIT_USAGE } from './cli/exit-code.ts';
import { loadRunFunctions } from './cli/run-functions.ts';
import { troubleLines } from './cli/trouble.ts';
import type { World } from './cli/world.ts';

const argv = process.argv.slice(2);

const world: World = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  homeDirectory: homedir(),
  hostName: hostname(),
  processors: availableParallelism(),
  version: packageVersion(),
  clockMs: () => performance.now(),
  loadRun: loadRunFunctions,
  onInterrupt,
  exitAtOnce: code => process.exit(code),
};

/** From dist/src/cli.js the package lies two directories up. */
function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

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
