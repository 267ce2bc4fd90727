// XXH64 (seed 0) of every 4 KiB, the last block zero-padded, so that a file's hashes equal those of its blocks on the disk.

import xxhash from 'xxhash-wasm';
import { BLOCK_BYTES, type BlockHashes } from '../model.ts';

const { h64Raw } = await xxhash();
const padded = new Uint8Array(BLOCK_BYTES);

/** Hashes consecutive chunks of one file. Every chunk but the last is a multiple of 4 KiB. */
export class BlockHasher {
  #hashes = new BigUint64Array(16);
  #count = 0;

  add(chunk: Uint8Array): void {
    const end = chunk.length;
    for (let at = 0; at < end; at += BLOCK_BYTES)
      this.#push(hashBlock(chunk.subarray(at, Math.min(at + BLOCK_BYTES, end))));
  }

  /** Stands for blocks that could not be read: no hash has this value but by chance. */
  addUnread(blocks: number): void {
    for (let index = 0; index < blocks; index++) this.#push(0n);
  }

  finish(): BlockHashes {
    return new Uint8Array(this.#hashes.buffer.slice(0, this.#count * 8));
  }

  #push(hash: bigint): void {
    if (this.#count === this.#hashes.length) this.#grow();
    this.#hashes[this.#count++] = hash;
  }

  #grow(): void {
    const grown = new BigUint64Array(this.#hashes.length * 2);
    grown.set(this.#hashes);
    this.#hashes = grown;
  }
}

/** XXH64 of up to 4 KiB, padded with zeros to 4 KiB. */
function hashBlock(bytes: Uint8Array): bigint {
  if (bytes.length === BLOCK_BYTES) return h64Raw(bytes, 0n);
  padded.fill(0);
  padded.set(bytes);
  return h64Raw(padded, 0n);
}
