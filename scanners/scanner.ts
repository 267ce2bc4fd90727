// What a scanner is: it looks at one entry's bytes and says what it noticed, never a verdict.

import type { ByteSource } from '../src/bytes/byte-source.ts';
import type { BytePath, Observation, Stat } from '../src/model.ts';

/** Files in the same directory, named by what follows the inspected one's own name. */
export interface Siblings {
  /** At most `count` bytes, none of an empty file; null where there is no such file. Throws nothing. */
  first(suffix: string, count: number): Uint8Array | null | 'unreadable';
}

/** Bounded random access to one regular file's bytes (the same bytes that were digested, already in memory when small). */
export interface StructureScanner {
  readonly name: string;
  /** Cheap, from the name and inode alone: is `inspect` worth a call? */
  wants(path: BytePath, stat: Stat): boolean;
  /** Unreadable bytes are an observation, not an exception, unless the medium's ReadError says it better. */
  inspect(path: BytePath, stat: Stat, bytes: ByteSource, siblings: Siblings): Iterable<Observation>;
}
