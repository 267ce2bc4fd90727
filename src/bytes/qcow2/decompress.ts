// One compressed cluster to plain bytes: raw deflate (which qcow2 calls zlib) or zstd. What follows the stream is ignored: the
// length of the compressed bytes is known to a sector only.

import { inflateRawSync } from 'node:zlib';
import { DamageError, errorCode } from '../../errors.ts';
import { decodeZstd } from '../zstd/decode-zstd.ts';
import type { Qcow2Header } from './header.ts';

/** The plain cluster, `clusterBytes` long, or a phrase for what was found instead of its compressed form. */
export function decompressCluster(
  compression: Qcow2Header['compression'],
  compressed: Uint8Array,
  clusterBytes: number,
): Uint8Array | string {
  return compression === 'zlib' ? inflate(compressed, clusterBytes) : decompressZstd(compressed, clusterBytes);
}

function inflate(compressed: Uint8Array, clusterBytes: number): Uint8Array | string {
  try {
    const plain = inflateRawSync(compressed, { chunkSize: clusterBytes, maxOutputLength: clusterBytes });
    return plain.length === clusterBytes ? plain : `a deflate stream of ${plain.length} bytes`;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'a deflate stream of more than a cluster';
    if (code?.startsWith('Z_')) return `a broken deflate stream (${code})`;
    throw error;
  }
}

function decompressZstd(compressed: Uint8Array, clusterBytes: number): Uint8Array | string {
  const plain = new Uint8Array(clusterBytes);
  try {
    decodeZstd(compressed, plain);
    return plain;
  } catch (error) {
    if (error instanceof DamageError) return `broken zstd data (${error.message})`;
    throw error;
  }
}
