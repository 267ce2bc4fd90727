// What goes wrong with a store, told in one line that names its file. Knows SQLite's result codes; opens nothing.

import { errorCode, UsageError } from '../errors.ts';

/** The store's bytes contradict themselves. */
export function damagedStore(path: string, detail: string): UsageError {
  return new UsageError(`store ${path} is damaged: ${detail}`);
}

const CAUSES: readonly (readonly [prefix: string, cause: string])[] = [
  ['SQLITE_CORRUPT', 'is damaged'],
  ['SQLITE_NOTADB', 'is not an SQLite file'],
  ['SQLITE_BUSY', 'is locked by another program'],
  ['SQLITE_LOCKED', 'is locked by another program'],
  ['SQLITE_FULL', 'cannot grow: no space left'],
  ['SQLITE_READONLY', 'cannot be written'],
  ['SQLITE_PERM', 'may not be opened'],
  ['SQLITE_AUTH', 'may not be opened'],
  ['SQLITE_CANTOPEN', 'cannot be opened'],
  ['SQLITE_IOERR', 'cannot be read or written'],
  ['SQLITE_TOOBIG', 'cannot hold a value of this size'],
  ['SQLITE_SCHEMA', 'was changed by another program'],
  ['EISDIR', 'is a directory'],
  ['ENOTDIR', 'lies below something that is not a directory'],
  ['ENOENT', 'does not exist'],
  ['EACCES', 'may not be opened: permission denied'],
  ['EPERM', 'may not be opened: permission denied'],
  ['EROFS', 'lies on a read-only file system'],
  ['ENOSPC', 'cannot grow: no space left'],
  ['EDQUOT', 'cannot grow: quota exceeded'],
  ['ELOOP', 'is a loop of symbolic links'],
  ['ENAMETOOLONG', 'has too long a name'],
  ['EIO', 'cannot be read or written'],
];

/** A UsageError for what SQLite or the system answered; anything else (a bug) comes back as it was. */
export function storeFailure(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === null || !(error instanceof Error) || error instanceof UsageError) return error;
  const known = CAUSES.find(([prefix]) => code === prefix || code.startsWith(`${prefix}_`));
  if (known === undefined) return error;
  const said = code.startsWith('SQLITE') ? `: ${error.message.replaceAll(/\s+/g, ' ')}` : '';
  return new UsageError(`store ${path} ${known[1]}${said} (${code})`, { cause: error });
}

/** Runs `action`; what SQLite or the system refuses becomes a UsageError. */
export function guarded<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw storeFailure(path, error);
  }
}
