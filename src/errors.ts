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

/** The system's error code of a thrown value (`ENOENT`, ...), or null when it carries none. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
