// Is this file a store, of which version? Told from the first hundred bytes, so that a file that is refused is not
// touched: no log, no shared memory beside it. https://www.sqlite.org/fileformat2.html, section 1.3.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { errorCode, UsageError } from '../errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';
import { guarded } from './store-failure.ts';

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
const USER_VERSION_AT = 60;
const APPLICATION_ID_AT = 68;

/** What a path holds as far as its header tells. */
export type HeaderState = 'absent' | 'empty' | 'store';

/** UsageError when the file is no store, or one of a newer version. */
export function checkHeader(path: string): HeaderState {
  const header = guarded(path, () => readHeader(path));
  if (header === null) return 'absent';
  if (header.length === 0) return 'empty';
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    throw new UsageError(`store ${path} is not an SQLite file`);
  }
  checkIdentity(path, header.readUInt32BE(APPLICATION_ID_AT), header.readUInt32BE(USER_VERSION_AT));
  return 'store';
}

/** UsageError when application id and version are not those of a store that this version reads. */
export function checkIdentity(path: string, applicationId: number, version: number): void {
  if (applicationId !== APPLICATION_ID) throw new UsageError(`store ${path} is another program's SQLite file`);
  if (version > MIGRATIONS.length) {
    const known = `this lostwrite knows version ${MIGRATIONS.length}`;
    throw new UsageError(`store ${path} has version ${version}, ${known}: a newer lostwrite wrote it`);
  }
  if (version < 1) throw new UsageError(`store ${path} is damaged: it has version ${version}`);
}

/** Null when there is no such file. */
function readHeader(path: string): Buffer | null {
  let file: number;
  try {
    // Without O_NONBLOCK a named pipe would wait for its other end.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    if (!fstatSync(file).isFile()) throw new UsageError(`store ${path} is not a file`);
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0));
  } finally {
    closeSync(file);
  }
}
