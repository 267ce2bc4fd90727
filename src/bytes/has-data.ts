// Whether a stretch of a file holds anything but zeros.

import { ReadError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

/** What cannot be read holds no data that could be told. */
export function hasData(file: ByteSource, at: number, length: number): boolean {
  const end = Math.min(file.size, at + length);
  const piece = Buffer.alloc(Math.min(64 * 1024, length));
  for (let from = at; from < end; from += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, end - from));
    try {
      file.read(part, from);
    } catch (error) {
      if (error instanceof ReadError) return false;
      throw error;
    }
    if (part.some(byte => byte !== 0)) return true;
  }
  return false;
}
