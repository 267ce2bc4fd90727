// A world for commands under test: what they print is kept, the clock stands still until it is told otherwise.

import type { RunFunctions } from '../../src/cli/run-functions.ts';
import type { Output, World } from '../../src/cli/world.ts';

export interface CapturedOutput extends Output {
  readonly text: () => string;
}

export function captureOutput(terminal: { isTTY?: boolean; columns?: number } = {}): CapturedOutput {
  const parts: string[] = [];
  return {
    ...terminal,
    text: () => parts.join(''),
    write(text, written) {
      parts.push(text);
      queueMicrotask(written);
      return true;
    },
  };
}

export interface TestWorld extends World {
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  /** As a signal would. */
  readonly interrupt: () => void;
  /** Codes that exitAtOnce was called with. */
  readonly exits: number[];
  nowMs: number;
}

/** `run` brings the engine's functions that the test needs; calling another is a failure. */
export function testWorld(run: Partial<RunFunctions> = {}, overrides: Partial<World> = {}): TestWorld {
  const listeners = new Set<() => void>();
  const exits: number[] = [];
  const absent = (name: string) => () => {
    throw new Error(`the test gave no ${name}`);
  };
  const functions: RunFunctions = {
    scan: absent('scan'),
    createBaseline: absent('createBaseline'),
    explain: absent('explain'),
    inspect: absent('inspect'),
    listBaselines: absent('listBaselines'),
    showBaseline: absent('showBaseline'),
    dropBaseline: absent('dropBaseline'),
    withDemo: absent('makeDemo'),
    readTargets: absent('readTargets'),
    parseTimeLimit: absent('parseTimeLimit'),
    sweep: absent('sweep'),
    identityOf: path => ({ device: '1', inode: path, sizeBytes: 0, mtimeNs: '0' }),
    ...run,
  };
  const world: TestWorld = {
    stdout: captureOutput(),
    stderr: captureOutput(),
    env: {},
    cwd: '/',
    homeDirectory: '/nowhere/home',
    hostName: 'db7',
    processors: 4,
    version: '9.9.9',
    clockMs: () => world.nowMs,
    loadRun: () => Promise.resolve(functions),
    onInterrupt: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exitAtOnce: code => exits.push(code),
    interrupt: () => {
      for (const listener of listeners) listener();
    },
    exits,
    nowMs: 0,
    ...(overrides as Partial<TestWorld>),
  };
  return world;
}
