// Files and directories small enough to lie in their inode: 60 bytes beside the block pointers' place, the rest in an attribute.

import { DamageError } from '../../errors.ts';
import { inlineContinuation } from './attributes.ts';
import type { Inode } from './inode.ts';
import { INODE_BLOCK_BYTES } from './layout.ts';

/**
 * The file's bytes. Throws DamageError when the inode states more than is there, or when its attributes are broken.
 */
export function inlineContent(inode: Inode): Uint8Array {
  const start = inode.raw.block;
  const rest = inlineContinuation(inode);
  const size = inode.sizeBytes;
  const there = INODE_BLOCK_BYTES + (rest?.length ?? 0);
  if (rest === null || size > there) {
    const found = rest === null ? 'no system.data attribute' : `${there} bytes`;
    throw new DamageError(`inline data of inode ${inode.number}`, inode.location, found, `${size} bytes`);
  }
  const content = new Uint8Array(size);
  content.set(start.subarray(0, Math.min(size, INODE_BLOCK_BYTES)));
  if (size > INODE_BLOCK_BYTES) content.set(rest.subarray(0, size - INODE_BLOCK_BYTES), INODE_BLOCK_BYTES);
  return content;
}
