// Which files beside it a VMDK descriptor makes its disk of. The disk itself is not opened.

import { lstatSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DamageError, errorCode, ReadError, UnsupportedError, UsageError } from '../../errors.ts';
import { latin1 } from '../../struct/struct.ts';
import { type FileBytes, openFileBytes } from '../file-bytes.ts';
import { readExactly } from '../read-exactly.ts';
import { parseDescriptor } from './descriptor.ts';
import { DESCRIPTOR_MAGIC, MAX_DESCRIPTOR_BYTES } from './layout.ts';

/** Host paths; none of a file that is no descriptor, or of one that cannot be read: whoever scans it says why. */
export function extentFiles(path: string): string[] {
  try {
    return isSmallFile(path) ? withFile(path, file => namesIn(file, path)) : [];
  } catch (error) {
    if (isTold(error)) return [];
    throw error;
  }
}

/** No descriptor is larger, and nothing but a file is opened: pipes wait, devices may hang. */
function isSmallFile(path: string): boolean {
  const stats = lstatSync(path);
  return stats.isFile() && stats.size <= MAX_DESCRIPTOR_BYTES;
}

function withFile<T>(path: string, use: (file: FileBytes) => T): T {
  const file = openFileBytes(path);
  try {
    return use(file);
  } finally {
    file.close();
  }
}

function namesIn(file: FileBytes, path: string): string[] {
  const bytes = readExactly(file, 0, file.size, 'VMDK descriptor');
  if (latin1(bytes, 0, DESCRIPTOR_MAGIC.length) !== DESCRIPTOR_MAGIC) return [];
  return parseDescriptor(file, bytes, 0).extents.flatMap(extent =>
    extent.file === null ? [] : [resolve(dirname(path), extent.file)],
  );
}

function isTold(error: unknown): boolean {
  const isTyped = [DamageError, ReadError, UnsupportedError, UsageError].some(kind => error instanceof kind);
  return isTyped || errorCode(error) !== null;
}
