// Between a path's bytes as the program holds them (latin1, one character a byte) and what Node or a person wants.

import type { BytePath } from '../model.ts';

const ASCII = /^[\x00-\x7f]*$/;

/** What node:fs takes: the string itself when it is ASCII (fast), else the exact bytes. */
export function hostPath(path: BytePath): string | Buffer {
  return ASCII.test(path) ? path : Buffer.from(path, 'latin1');
}

/** A host string (argv, configuration: UTF-8) as path bytes. */
export function bytesOfText(text: string): BytePath {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
