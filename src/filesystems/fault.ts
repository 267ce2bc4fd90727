// What a refusal means: the system's codes and our own errors as one of five different answers.

import { errorCode } from '../errors.ts';
import type { Fault, FaultKind } from '../model.ts';

const KIND_OF_CODE = new Map<string, FaultKind>([
  ['EACCES', 'permission'],
  ['EPERM', 'permission'],
  ['ENOKEY', 'encrypted'],
  ['ENOENT', 'absent'],
  ['ENOTDIR', 'absent'],
  ['EOPNOTSUPP', 'unsupported'],
]);

/** The answer that an error stands for; what is none of ours and has no system code is a bug and is thrown on. */
export function faultOf(error: unknown): Fault {
  const code = errorCode(error);
  if (code === null || !(error instanceof Error)) throw error;
  return { kind: KIND_OF_CODE.get(code) ?? 'unreadable', code, message: error.message };
}
