// What a refusal means: the system's codes and our own errors as one of five different answers.

import { errorCode, ReadError, wordsOfCode } from '../errors.ts';
import type { Fault, FaultKind } from '../model.ts';

const KIND_OF_CODE = new Map<string, FaultKind>([
  ['EACCES', 'permission'],
  ['EPERM', 'permission'],
  ['ENOKEY', 'encrypted'],
  ['EKEYEXPIRED', 'encrypted'],
  ['EKEYREJECTED', 'encrypted'],
  ['EKEYREVOKED', 'encrypted'],
  ['ENOENT', 'absent'],
  ['ENOTDIR', 'absent'],
  ['ESTALE', 'absent'],
  ...['EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'ENXIO', 'ENODEV'].map(code => [code, 'unsupported'] as const),
  // What this process lacks says nothing of the target.
  ...['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EBUSY', 'ETXTBSY'].map(code => [code, 'unsupported'] as const),
]);

/**
 * The answer that an error stands for; what is none of ours and has no system code is a bug and is thrown on.
 * The message names no path: whoever shows it knows the path within the target, and node's own names the host's.
 */
export function faultOf(error: unknown): Fault {
  const code = errorCode(error);
  if (code === null || !(error instanceof Error)) throw error;
  return { kind: KIND_OF_CODE.get(code) ?? 'unreadable', code, message: messageOf(error, code) };
}

function messageOf(error: Error, code: string): string {
  const words = wordsOfCode(code);
  const refusal = words === code ? code : `${words} (${code})`;
  if (!(error instanceof ReadError) || error.length === 0) return refusal;
  return `${refusal} reading ${error.length} bytes at ${error.at}`;
}
