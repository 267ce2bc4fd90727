// A task's result whose buffers move to the main thread: neither thread copies them, and the worker's memory is free at
// once rather than at its next collection.

import { move, transferableSymbol, valueSymbol } from 'piscina';

/** What a task returns in place of `result`. The buffers are unusable here afterwards; nothing else may share them. */
export function handOver<T extends object>(result: T, arrays: readonly Uint8Array<ArrayBuffer>[]): T {
  const buffers = arrays.map(array => array.buffer);
  return move({ [transferableSymbol]: buffers, [valueSymbol]: result }) as T;
}
