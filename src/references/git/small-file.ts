// Reads a small file whole, or an index up to its bound. What is refused is for whoever asks.

import { ReadError } from '../../errors.ts';
import type { Entry, Filesystem } from '../../filesystems/filesystem.ts';

/** Beyond it a file of attributes or settings is none that a person wrote. */
const LARGEST_TEXT_BYTES = 1024 * 1024;

export interface WholeFile {
  readonly bytes: Buffer;
  /** Of the inode that was read. */
  readonly mtimeNs: bigint;
}

/** Throws like Filesystem.open; ReadError EFBIG for a larger file. */
export function readWholeFile(filesystem: Filesystem, file: Entry, largestBytes: number): WholeFile {
  const opened = filesystem.open(file);
  try {
    const { size } = opened;
    if (size > largestBytes) throw new ReadError(file.path, 0, size, 'EFBIG');
    const bytes = Buffer.alloc(size);
    const count = opened.read(bytes, 0);
    return { bytes: bytes.subarray(0, count), mtimeNs: opened.stat().mtimeNs };
  } finally {
    opened.close();
  }
}

/** Latin1. Throws like readWholeFile. */
export function readText(filesystem: Filesystem, file: Entry): string {
  return readWholeFile(filesystem, file, LARGEST_TEXT_BYTES).bytes.toString('latin1');
}
