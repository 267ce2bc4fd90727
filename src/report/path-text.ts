// A byte path as display text, and whether that text says everything. For the terminal see printable.ts.

import { isUtf8 } from 'node:buffer';
import type { BytePath } from '../model.ts';

const ASCII = /^[\x00-\x7f]*$/;

export interface PathText {
  /** UTF-8 decoded; U+FFFD stands for bytes that are not UTF-8. */
  readonly text: string;
  /** The true bytes; null where the text says them all. */
  readonly base64: string | null;
}

/** Decodes a path for the report. */
export function pathText(path: BytePath): PathText {
  if (ASCII.test(path)) return { text: path, base64: null };
  const bytes = Buffer.from(path, 'latin1');
  return { text: bytes.toString('utf8'), base64: isUtf8(bytes) ? null : bytes.toString('base64') };
}
