// Bytes for files of tests: every block another one, the same for the same name.

import { createHash } from 'node:crypto';

const BLOCK_BYTES = 4096;

/** So many blocks of 4 KiB, all different, decided by the name. */
export function blocksOf(name: string, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => blockOf(`${name} ${index}`)));
}

function blockOf(name: string): Buffer {
  const seed = createHash('sha256').update(name).digest();
  return Buffer.alloc(BLOCK_BYTES, seed);
}
