// Reads a file once through a reused buffer and digests it on the way; reads again when it changed meanwhile; steps over
// what the medium refuses, block by block. One file after the other: the seam at which digests of many files at once fit.

import { createHash, type Hash, hash } from 'node:crypto';
import type { ByteSource } from '../bytes/byte-source.ts';
import { DamageError, ReadError } from '../errors.ts';
import { BLOCK_BYTES, type ByteRange, type ContentSeen, type DigestAlgorithm, type Digests } from '../model.ts';
import { BlockHasher } from './block-hash.ts';
import { BlobHash, blobDigests, isBlobAlgorithm } from './git-blob.ts';

export interface Wanted {
  readonly algorithms: readonly DigestAlgorithm[];
  readonly blocks: boolean;
  /** Digests (hex) that are expected. */
  readonly known?: readonly string[];
}

export interface ReadHooks {
  /** After every chunk: bytes read. Returning true stops the reading: the result is then `changing` with no digest. */
  readonly onBytes: (count: number) => boolean;
}

/** What one pass over the bytes gave, before anything is said about the file's changing meanwhile. */
export type Pass = Pick<ContentSeen, 'sizeBytes' | 'digests' | 'blocks' | 'unreadable'> & { readonly stopped: boolean };

/** After so many refused blocks the rest of the file counts as refused: a dead medium answers slowly. */
const REFUSED_BLOCKS_AT_MOST = 1024;

/**
 * @param buffer reused; its length is a multiple of 4 KiB.
 * Throws ReadError only for codes that are not of the medium (EACCES, ESTALE ...); EIO and the like become `unreadable` ranges.
 */
export function readContent(file: ByteSource, wanted: Wanted, buffer: Uint8Array, hooks: ReadHooks): Pass {
  if (file.size <= buffer.length) {
    const whole = readWhole(file, wanted, buffer, hooks);
    if (whole !== null) return whole;
  }
  return new Reading(file, wanted, buffer, hooks).run();
}

/** The common case in one call per digest; null when the medium refuses a byte, or the file has grown past the buffer. */
function readWhole(file: ByteSource, wanted: Wanted, buffer: Uint8Array, hooks: ReadHooks): Pass | null {
  let count: number;
  try {
    count = file.read(file.size < buffer.length ? buffer.subarray(0, file.size + 1) : buffer, 0);
  } catch (error) {
    if (isOfMedium(error)) return null;
    throw error;
  }
  if (count > file.size) return null;
  const bytes = buffer.subarray(0, count);
  const stopped = hooks.onBytes(count);
  const digests: Digests = {};
  for (const algorithm of wanted.algorithms) Object.assign(digests, digestsOf(algorithm, bytes, wanted));
  return { sizeBytes: count, digests, blocks: wanted.blocks ? blocksOf(bytes) : null, unreadable: [], stopped };
}

function digestsOf(algorithm: DigestAlgorithm, bytes: Uint8Array, { known = [] }: Wanted): Digests {
  if (isBlobAlgorithm(algorithm)) return blobDigests(algorithm, bytes, known);
  return { [algorithm]: hash(algorithm, bytes, 'hex') };
}

function blocksOf(bytes: Uint8Array): Uint8Array {
  const hasher = new BlockHasher();
  hasher.add(bytes);
  return hasher.finish();
}

class Reading {
  readonly #file: ByteSource;
  readonly #buffer: Uint8Array;
  readonly #hooks: ReadHooks;
  readonly #known: readonly string[];
  readonly #hashes: readonly [DigestAlgorithm, Hash | BlobHash][];
  readonly #blocks: BlockHasher | null;
  readonly #unreadable: ByteRange[] = [];
  #at = 0;
  #refused = 0;

  constructor(file: ByteSource, wanted: Wanted, buffer: Uint8Array, hooks: ReadHooks) {
    this.#file = file;
    this.#buffer = buffer;
    this.#hooks = hooks;
    this.#known = wanted.known ?? [];
    this.#hashes = wanted.algorithms.map(algorithm => [
      algorithm,
      isBlobAlgorithm(algorithm) ? new BlobHash(algorithm, file) : createHash(algorithm),
    ]);
    this.#blocks = wanted.blocks ? new BlockHasher() : null;
  }

  run(): Pass {
    let stopped = false;
    while (!stopped && this.#refused < REFUSED_BLOCKS_AT_MOST) {
      const count = this.#chunk(this.#buffer);
      if (count === 0) break;
      stopped = this.#hooks.onBytes(count);
    }
    if (this.#refused >= REFUSED_BLOCKS_AT_MOST) this.#refuse(this.#file.size - this.#at);
    return { sizeBytes: this.#at, ...this.#results(stopped), unreadable: this.#unreadable, stopped };
  }

  #results(stopped: boolean): Pick<Pass, 'digests' | 'blocks'> {
    const whole = !stopped && this.#unreadable.length === 0;
    const digests: Digests = {};
    if (whole) for (const hashing of this.#hashes) Object.assign(digests, this.#digestsOf(hashing));
    return { digests, blocks: stopped ? null : (this.#blocks?.finish() ?? null) };
  }

  #digestsOf([algorithm, hashing]: readonly [DigestAlgorithm, Hash | BlobHash]): Digests {
    if (!(hashing instanceof BlobHash)) return { [algorithm]: hashing.digest('hex') };
    try {
      return hashing.finish(this.#buffer, this.#known);
    } catch (error) {
      if (isOfMedium(error)) return {};
      throw error;
    }
  }

  /** Reads and digests up to a buffer; block by block where the medium refuses it. 0 at the end. */
  #chunk(into: Uint8Array): number {
    try {
      const count = this.#file.read(into, this.#at);
      this.#take(into.subarray(0, count));
      return count;
    } catch (error) {
      if (!isOfMedium(error)) throw error;
    }
    if (into.length > BLOCK_BYTES) return this.#chunk(into.subarray(0, BLOCK_BYTES));
    return this.#refuse(Math.min(BLOCK_BYTES, Math.max(0, this.#file.size - this.#at)));
  }

  #take(bytes: Uint8Array): void {
    for (const [, hashing] of this.#hashes) hashing.update(bytes);
    this.#blocks?.add(bytes);
    this.#at += bytes.length;
  }

  #refuse(length: number): number {
    if (length <= 0) return 0;
    const last = this.#unreadable.at(-1);
    if (last !== undefined && last.offset + last.length === this.#at) {
      this.#unreadable[this.#unreadable.length - 1] = { offset: last.offset, length: last.length + length };
    } else this.#unreadable.push({ offset: this.#at, length });
    this.#blocks?.addUnread(Math.ceil(length / BLOCK_BYTES));
    this.#at += length;
    this.#refused++;
    return length;
  }
}

const CODES_OF_MEDIUM = new Set([
  'EIO',
  'EUCLEAN',
  'EBADMSG',
  'EREMOTEIO',
  'ENODATA',
  'EILSEQ',
  'ENOMEDIUM',
  'ETIMEDOUT',
]);

/** Whether the medium or its metadata refuses the bytes, rather than a permission or a race. */
export function isOfMedium(error: unknown): boolean {
  return error instanceof DamageError || (error instanceof ReadError && CODES_OF_MEDIUM.has(error.code));
}
