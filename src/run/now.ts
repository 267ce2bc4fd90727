// The clock of a run, in the unit of the model.

import type { Nanoseconds } from '../model.ts';

export function nowNs(): Nanoseconds {
  return BigInt(Date.now()) * 1_000_000n;
}
