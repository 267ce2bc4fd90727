// An image file, or bytes in memory, as a source.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ByteSource } from '../../../src/bytes/byte-source.ts';

export function imageSource(path: string): ByteSource {
  const fd = openSync(path, 'r');
  return {
    name: path,
    size: fstatSync(fd).size,
    read: (into, at) => readSync(fd, into, 0, into.length, at),
    close: () => closeSync(fd),
  };
}

export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  return {
    name,
    size: bytes.length,
    read(into, at) {
      const piece = bytes.subarray(at, at + into.length);
      into.set(piece);
      return piece.length;
    },
  };
}
