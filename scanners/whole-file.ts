// All bytes of a file that a scanner has bounded before.

import type { ByteSource } from '../src/bytes/byte-source.ts';
import { ReadError } from '../src/errors.ts';

/** Null when the medium refuses: the reading of the file tells that already, with its ranges. */
export function readWhole(bytes: ByteSource): Buffer | null {
  const content = Buffer.alloc(bytes.size);
  try {
    return content.subarray(0, bytes.read(content, 0));
  } catch (error) {
    if (error instanceof ReadError) return null;
    throw error;
  }
}
