// Ctrl-C: the first ends the run with what it has, the second ends the process.

import { EXIT_PARTIAL } from './exit-code.ts';
import type { World } from './world.ts';

export interface Interrupt {
  readonly signal: AbortSignal;
  /** From here on Ctrl-C does what it always does. */
  stop(): void;
}

/** `say` gets the line that tells a person what the next Ctrl-C will do. */
export function listenForInterrupts(world: World, say: (line: string) => void): Interrupt {
  const controller = new AbortController();
  const stop = world.onInterrupt(() => {
    if (controller.signal.aborted) return world.exitAtOnce(EXIT_PARTIAL);
    controller.abort();
    say('Stopping: what was found so far is being reported. Press Ctrl-C again to leave at once.');
  });
  return { signal: controller.signal, stop };
}
