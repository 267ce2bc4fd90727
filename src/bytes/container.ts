// What opening a container gives, whatever its format.

import type { ByteSource } from './byte-source.ts';
import type { Fact } from './fact.ts';
import type { Tell } from './tell.ts';

export interface OpenedContainer {
  /** The disk. Does not own the files. */
  readonly bytes: ByteSource;
  readonly facts: readonly Fact[];
  /** Reads every table, and says where they contradict each other. Throws ReadError. */
  readonly survey: () => Tell[];
}
