// Block maps that the store's tests keep, and ordinary changes of them.

import type { BlockMap } from '../../src/digest/block-map.ts';
import { BlockOwners, packOwners } from '../../src/digest/block-owners.ts';
import { PIECE_UNITS, type Piece, UnitHashes } from '../../src/digest/unit-hashes.ts';
import type { BlockRole, OwnedRun } from '../../src/model.ts';
import type { GenerationWriter } from '../../src/store/generation-writer.ts';
import type { Store } from '../../src/store/store.ts';
import { request, sha256 } from './sample-records.ts';

/** Numbers that look random, the same for the same seed: 0 <= next() < below. */
export function numbers(seed: number): (below: number) => number {
  let state = BigInt(seed) * 0x9e3779b97f4a7c15n + 1n;
  return below => {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    return Number((state >> 16n) % BigInt(below));
  };
}

/** A disk in the making: a hash for every unit, and files that own some of them. */
export class SampleDisk {
  readonly hashes: BigUint64Array<ArrayBuffer>;
  readonly #next: (below: number) => number;
  #files: OwnedRun[] = [];
  #inode = 11;
  #free = 100;

  constructor(units: number, seed = 1) {
    this.hashes = new BigUint64Array(units);
    this.#next = numbers(seed);
  }

  /** How many units differ from those of another disk. */
  changedSince(hashes: BigUint64Array): number {
    return this.hashes.reduce((count, hash, unit) => count + (hash === hashes[unit] ? 0 : 1), 0);
  }

  get files(): number {
    return this.#files.length;
  }

  /** A hash that no unit has. */
  hash(): bigint {
    return (BigInt(this.#next(2 ** 48)) << 16n) + BigInt(this.#next(2 ** 16)) + 2n;
  }

  write(unit: number, hash = this.hash()): void {
    this.hashes[unit] = hash;
  }

  /** A new file of one run. */
  create(length: number): void {
    const generation = this.#next(2 ** 32);
    const physical = this.#free;
    this.#free += length;
    for (let unit = physical; unit < this.#free; unit++) this.write(unit);
    this.#inode++;
    this.#files.push(run('data', { inode: this.#inode, generation, physical, length }));
  }

  /** Other bytes for some of a file. */
  rewrite(): void {
    const { physical, length } = this.#pick();
    const count = 1 + this.#next(length);
    const first = this.#next(length - count + 1);
    for (let unit = physical + first; unit < physical + first + count; unit++) this.write(unit);
  }

  /** Another inode with new blocks under its name. */
  replace(): void {
    const old = this.#pick();
    this.#files = this.#files.filter(file => file !== old);
    this.create(old.length);
  }

  append(): void {
    const { inode, generation, logical, length } = this.#pick();
    const physical = this.#free++;
    this.write(physical);
    this.#files.push(run('data', { inode, generation, logical: logical + length, physical }));
  }

  remove(): void {
    const old = this.#pick();
    this.#files = this.#files.filter(file => file !== old);
  }

  map(): BlockMap {
    const own = [0, 1, 2].map(group =>
      run('inode-table', { inode: 0, generation: 0, logical: group, physical: group * 8, length: 8 }),
    );
    return {
      hashes: new UnitHashes(4096, this.hashes.length, piecesOf(this.hashes)),
      owners: new BlockOwners(packOwners([...own, ...this.#files], 1)),
    };
  }

  #pick(): OwnedRun {
    const file = this.#files[this.#next(this.#files.length)];
    if (file === undefined) throw new Error('there is no file');
    return file;
  }
}

export function run(role: BlockRole, of: Partial<OwnedRun>): OwnedRun {
  return { role, inode: 1, generation: 0, logical: 0, physical: 0, length: 1, unwritten: false, ...of };
}

/** Pieces as a volume is hashed: null where all are zeros. */
export function piecesOf(hashes: BigUint64Array<ArrayBuffer>): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < hashes.length; at += PIECE_UNITS) {
    const piece = hashes.slice(at, at + PIECE_UNITS);
    pieces.push(piece.every(hash => hash === 0n) ? null : piece);
  }
  return pieces;
}

/** All that a map says, in a form to compare: digests of what is long. */
export function said({ hashes, owners }: BlockMap): object {
  const pieces = hashes.pieces.map(piece => (piece === null ? '' : digestOf(piece)));
  while (pieces.at(-1) === '') pieces.pop();
  const columns = Object.entries(owners.columns).map(
    ([name, column]) => `${name} ${column.length} ${digestOf(column)}`,
  );
  return { unitBytes: hashes.unitBytes, units: hashes.units, pieces, columns };
}

function digestOf({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}

export function keepMap(writer: GenerationWriter, volume: number, map: BlockMap): void {
  for (const _ of writer.keepBlockMap(volume, map));
}

/** A generation that has nothing but the map of volume 0; gives its id. */
export function captureMap(store: Store, atNs: bigint, map: BlockMap, baseline?: string): number {
  const writer = store.createGeneration(request(atNs, baseline));
  keepMap(writer, 0, map);
  writer.finish();
  return writer.id;
}
