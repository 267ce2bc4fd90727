// All bytes of a file that a scanner has bounded before.

import type { ByteSource } from '../src/bytes/byte-source.ts';
import { unlessRefused } from '../src/errors.ts';

/** Null when the medium refuses: the reading of the file tells that already, with its ranges. */
export function readWhole(bytes: ByteSource): Buffer | null {
  const content = Buffer.alloc(bytes.size);
  return unlessRefused(() => content.subarray(0, bytes.read(content, 0)));
}
