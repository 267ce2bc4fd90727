// Whether git may store other bytes than a working tree has: filters (LFS, git-crypt), ident and working-tree-encoding, which only
// attributes ask for (gitattributes(5)). Line ends are no matter: both forms of a text are told apart by their ids (digest/git-blob.ts).
// Reads of git's configuration only what names further attributes, and the object format; not the files that it includes.

import type { ObjectFormat } from './read-index.ts';

const CONVERTING = /(?:^|\s)(?:(?:filter|working-tree-encoding)=\S|ident(?:\s|$))/;

/** Whether some line of a file of attributes has content converted. @param text latin1. */
export function convertsContent(text: string): boolean {
  return text.split('\n').some(line => !line.trimStart().startsWith('#') && CONVERTING.test(line));
}

export interface GitSettings {
  readonly format: ObjectFormat;
  /** A further file of attributes, as written; null: none is named. */
  readonly attributesFile: string | null;
  /** Other files of configuration may say more. */
  readonly includes: boolean;
}

const ATTRIBUTES_FILE = /^\s*(?:\[[^\]\n]*\])?\s*attributesfile\s*=\s*"?([^"\n]*)/im;
const OBJECT_FORMAT = /^\s*(?:\[[^\]\n]*\])?\s*objectformat\s*=\s*"?(\w+)/im;
const INCLUDE = /^\s*\[\s*include(?:if)?[\s\].]/im;

/** @param text latin1. Null where the object format is none that is known. */
export function parseSettings(text: string): GitSettings | null {
  const format = OBJECT_FORMAT.exec(text)?.[1]?.toLowerCase() ?? 'sha1';
  if (format !== 'sha1' && format !== 'sha256') return null;
  const attributesFile = ATTRIBUTES_FILE.exec(text)?.[1]?.trim() ?? null;
  return { format, attributesFile, includes: INCLUDE.test(text) };
}
