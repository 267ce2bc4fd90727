// What a partition table says of one partition, whichever kind of table it is.

import type { Fact } from '../bytes/fact.ts';
import { TYPE_NAMES } from './layout.ts';

export interface Partition {
  readonly scheme: 'gpt' | 'mbr';
  /** As Linux numbers it, from 1; logical ones from 5. */
  readonly number: number;
  /** Bytes of the disk, not yet checked against its size. */
  readonly offset: number;
  readonly size: number;
  /** GUID in lower case, or `0x` and two digits. */
  readonly type: string;
  readonly typeName: string | null;
  /** GPT only: the partition's own. */
  readonly guid: string | null;
  readonly name: string;
}

export interface PartitionTable {
  readonly scheme: 'gpt' | 'mbr';
  readonly partitions: readonly Partition[];
  readonly facts: readonly Fact[];
}

export function typeNameOf(type: string): string | null {
  return TYPE_NAMES.get(type) ?? null;
}
