// Whether a stretch of a file holds anything but zeros.

import { ReadError } from '../errors.ts';
import type { ByteSource } from './byte-source.ts';

const PIECE = Buffer.alloc(64 * 1024);
const ZEROS = Buffer.alloc(PIECE.length);

/** What cannot be read holds no data that could be told. */
export function hasData(file: ByteSource, at: number, length: number): boolean {
  const end = Math.min(file.size, at + length);
  for (let from = at; from < end; from += PIECE.length) {
    const part = PIECE.subarray(0, Math.min(PIECE.length, end - from));
    try {
      file.read(part, from);
    } catch (error) {
      if (error instanceof ReadError) return false;
      throw error;
    }
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return true;
  }
  return false;
}
