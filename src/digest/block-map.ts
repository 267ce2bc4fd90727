// The block map of a volume: what every place on the disk held, and whose it was.

import type { BlockOwners } from './block-owners.ts';
import type { UnitHashes } from './unit-hashes.ts';

export interface BlockMap {
  readonly hashes: UnitHashes;
  /** In units of the hashes. */
  readonly owners: BlockOwners;
}
