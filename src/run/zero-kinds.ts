// Which kinds of files hold blocks of zeros, learned from the files of an older day. A kind is what the name ends with; what
// says nothing (a number, as rotated files have it) is left off.

import { baseName } from '../path.ts';

/** Fewer files of a kind tell nothing of the next one. */
const FILES_AT_LEAST = 10;

const ENDING = /\.([a-z][a-z0-9_]{0,7})(?:\.[0-9]+)?$/i;

export class ZeroKinds {
  readonly #files = new Map<string, number>();
  readonly #withZeros = new Set<string>();

  /** @param hasZeros whether a written block of the file is all zeros. */
  add(path: string, hasZeros: boolean): void {
    const kind = kindOf(path);
    if (kind === null) return;
    this.#files.set(kind, (this.#files.get(kind) ?? 0) + 1);
    if (hasZeros) this.#withZeros.add(kind);
  }

  /** False: many files of the kind are known, and none of them has such a block. */
  mayHoldZeros(path: string): boolean {
    const kind = kindOf(path);
    return kind === null || this.#withZeros.has(kind) || (this.#files.get(kind) ?? 0) < FILES_AT_LEAST;
  }
}

function kindOf(path: string): string | null {
  return ENDING.exec(baseName(path))?.[1]?.toLowerCase() ?? null;
}
