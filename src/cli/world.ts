// What the commands may touch of the process they run in. Tests bring a world of their own.

import type { RunFunctions } from './run-functions.ts';

/** A standard stream: `isTTY` and `columns` are set only on a terminal. */
export interface Output {
  write(text: string, written: (error?: Error | null) => void): boolean;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface World {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly homeDirectory: string;
  readonly hostName: string;
  readonly processors: number;
  readonly version: string;
  /** A clock that never goes back. */
  readonly clockMs: () => number;
  readonly loadRun: () => Promise<RunFunctions>;
  /** Calls back for each SIGINT and SIGTERM; gives what ends that. */
  readonly onInterrupt: (listener: () => void) => () => void;
  readonly exitAtOnce: (code: number) => void;
}
