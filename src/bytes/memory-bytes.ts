// Bytes that are in memory already, behind the common seam.

import type { ByteSource } from './byte-source.ts';

/** Reads from `bytes` itself: the caller keeps them unchanged while the source is in use. */
export function memoryBytes(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read(into, at) {
      const part = bytes.subarray(Math.min(at, bytes.length), Math.min(at + into.length, bytes.length));
      into.set(part);
      return part.length;
    },
  };
}
