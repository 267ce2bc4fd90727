// Block maps of a few units, written as words: what each place of a small disk holds, and whose it is.

import { createHash } from 'node:crypto';
import type { BlockMap } from '../../src/digest/block-map.ts';
import { BlockOwners, packOwners } from '../../src/digest/block-owners.ts';
import { UNREAD_UNIT, UnitHashes, ZERO_UNIT } from '../../src/digest/unit-hashes.ts';
import { BLOCK_BYTES, type OwnedRun } from '../../src/model.ts';

const CONSTANTS = new Map([
  ['zero', ZERO_UNIT],
  ['unread', UNREAD_UNIT],
]);

/** @param words what each unit holds, from the first on; `zero` and `unread` are those. */
export function handMadeMap(words: string, runs: readonly OwnedRun[], unitBytes = BLOCK_BYTES): BlockMap {
  const hashes = words.split(' ').map(word => CONSTANTS.get(word) ?? hashOf(word));
  return {
    hashes: new UnitHashes(unitBytes, hashes.length, [BigUint64Array.from(hashes)]),
    owners: new BlockOwners(packOwners(runs, 1)),
  };
}

function hashOf(word: string): bigint {
  return createHash('sha256').update(word).digest().readBigUInt64LE();
}

/** Consecutive units of a file, unless `parts` say otherwise. */
export function run(
  inode: number,
  logical: number,
  physical: number,
  length: number,
  parts: Partial<OwnedRun> = {},
): OwnedRun {
  return { role: 'data', inode, generation: 1, logical, physical, length, unwritten: false, ...parts };
}
