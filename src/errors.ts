// The four kinds of trouble that are answers rather than bugs. Anything else that is thrown is a bug and propagates.

/** A wrong command line, configuration, or a target, store or reference that cannot be opened: exit code 2, one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/**
 * Well formed, but something that lostwrite does not read (an encrypted image, a feature flag it does not know).
 * `code` is what a mount would say: ENOKEY for encrypted content, else EOPNOTSUPP.
 */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
  readonly code: 'EOPNOTSUPP' | 'ENOKEY';

  constructor(message: string, code: 'EOPNOTSUPP' | 'ENOKEY' = 'EOPNOTSUPP') {
    super(message);
    this.code = code;
  }
}

/** The source refused bytes. `at` and `length` are in bytes of `source`; `code` is the system's (EIO, EACCES, ...). */
export class ReadError extends Error {
  override readonly name = 'ReadError';
  readonly source: string;
  readonly at: number;
  readonly length: number;
  readonly code: string;

  constructor(source: string, at: number, length: number, code = 'EIO') {
    super(`${source}: ${code} reading ${length} bytes at ${at}`);
    this.source = source;
    this.at = at;
    this.length = length;
    this.code = code;
  }
}

/**
 * An on-disk structure contradicts itself or its container. `at` is a byte offset within the thing named first in `structure`.
 * `code` is what a mount would say: EBADMSG for a wrong checksum, ELOOP for a structure met twice, else EUCLEAN.
 */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  readonly structure: string;
  readonly at: number;
  readonly found: string;
  readonly expected: string;
  readonly code: 'EUCLEAN' | 'EBADMSG' | 'ELOOP';

  constructor(
    structure: string,
    at: number,
    found: string | number | bigint,
    expected: string | number | bigint,
    code: 'EUCLEAN' | 'EBADMSG' | 'ELOOP' = 'EUCLEAN',
  ) {
    super(`${structure} at ${at}: found ${found}, expected ${expected}`);
    this.structure = structure;
    this.at = at;
    this.found = String(found);
    this.expected = String(expected);
    this.code = code;
  }
}

/** Linux's numbers that libuv has no names for: node's own code is then "Unknown system error -117". */
const UNNAMED_BY_NODE: Readonly<Record<number, string>> = {
  61: 'ENODATA',
  74: 'EBADMSG',
  116: 'ESTALE',
  117: 'EUCLEAN',
  121: 'EREMOTEIO',
  122: 'EDQUOT',
  123: 'ENOMEDIUM',
  124: 'EMEDIUMTYPE',
  126: 'ENOKEY',
  127: 'EKEYEXPIRED',
  128: 'EKEYREVOKED',
  129: 'EKEYREJECTED',
  133: 'EHWPOISON',
};

/** The system's error code of a thrown value (`ENOENT`, ...), or null when it carries none. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  if (!error.code.startsWith('Unknown system error')) return error.code;
  const number = Math.abs(Number(error.code.slice('Unknown system error'.length)));
  return UNNAMED_BY_NODE[number] ?? `errno ${number}`;
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EBADMSG: 'a checksum of the file system does not match',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be too large',
  EHWPOISON: 'the memory page that holds it is defective',
  EIO: 'input/output error',
  EISDIR: 'it is a directory',
  EKEYEXPIRED: 'the encryption key has expired',
  EKEYREJECTED: 'the encryption key was rejected',
  EKEYREVOKED: 'the encryption key was revoked',
  ELOOP: 'it leads in a circle, or to what another name has',
  EMEDIUMTYPE: 'wrong type of medium',
  ENAMETOOLONG: 'the name is too long',
  ENODATA: 'the medium has no data there',
  ENOENT: 'no such file or directory',
  ENOKEY: 'the encryption key is not there',
  ENOMEDIUM: 'no medium',
  ENOSPC: 'no space left on the device',
  ENOTDIR: 'a part of the path is no directory',
  EPERM: 'not permitted',
  EREMOTEIO: 'input/output error of the remote side',
  EROFS: 'the file system is read-only',
  ESTALE: 'it has become another file',
  ETIMEDOUT: 'the medium did not answer in time',
  EUCLEAN: 'the file system found its own structures damaged',
};

/** A system error code in words; the code itself when there are none. */
export function wordsOfCode(code: string): string {
  return WORDS[code] ?? code;
}

/** What `read` gives; null where it meets damage, a refused read, or what is not supported. */
export function unlessRefused<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError) return null;
    throw error;
  }
}
