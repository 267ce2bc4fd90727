// Whose blocks are these? One pass over a generation, for a few hashes.

import type { BytePath } from '../model.ts';
import { blockRuns, HASH_BYTES } from './block-list.ts';
import type { GenerationReader } from './generation-reader.ts';

export interface BlockOwner {
  readonly volume: number;
  readonly path: BytePath;
}

/** More owners say no more: a block that so many files have belongs to none of them. */
const MOST_OWNERS = 3;

/**
 * The files of a generation that have a block of one of these hashes, at most three for each, in the order of the
 * generation. Hashes without an owner are not in the map. UsageError when there is no such generation, or for damage.
 */
export function ownersOfBlocks(
  reader: GenerationReader,
  generationId: number,
  hashes: Iterable<bigint>,
): Map<bigint, BlockOwner[]> {
  const wanted = new WantedHashes(hashes);
  const owners = new Map<bigint, BlockOwner[]>();
  for (const segment of reader.allSegments(generationId)) {
    for (const entry of segment.entries) {
      if (wanted.isEmpty) return owners;
      const { path, coded } = reader.pathAndBlocks(entry);
      for (const hash of wanted.in(coded)) {
        const known = owners.get(hash) ?? [];
        known.push({ volume: segment.volume, path });
        owners.set(hash, known);
        if (known.length === MOST_OWNERS) wanted.remove(hash);
      }
    }
  }
  return owners;
}

/** A set of hashes; a table over their first two bytes keeps bigints out of the common case. */
class WantedHashes {
  readonly #hashes: Set<bigint>;
  readonly #prefixes = new Uint8Array(65536);

  constructor(hashes: Iterable<bigint>) {
    this.#hashes = new Set(hashes);
    for (const hash of this.#hashes) this.#prefixes[Number(hash & 0xffffn)] = 1;
  }

  get isEmpty(): boolean {
    return this.#hashes.size === 0;
  }

  remove(hash: bigint): void {
    this.#hashes.delete(hash);
  }

  /** Those that a coded block list has. */
  in(coded: Buffer | null): Set<bigint> {
    const found = new Set<bigint>();
    if (coded === null) return found;
    for (const { hashes } of blockRuns(coded)) {
      for (let at = 0; at < hashes.length; at += HASH_BYTES) {
        if (this.#prefixes[hashes.readUInt16LE(at)] !== 1) continue;
        const hash = hashes.readBigUInt64LE(at);
        if (this.#hashes.has(hash)) found.add(hash);
      }
    }
    return found;
  }
}
