// CRC-32 (reflected polynomial 0xEDB88320) by zlib. The standard form is `crc32` of node:zlib itself: GPT, zip, gzip, Lucene.

import { crc32 } from 'node:zlib';

/** The raw form, without inversions, chained from `seed`: LVM2 starts at 0xF597A6CF. Result: unsigned 32 bits. */
export function rawCrc32(seed: number, bytes: Uint8Array): number {
  return ~crc32(bytes, ~seed >>> 0) >>> 0;
}
