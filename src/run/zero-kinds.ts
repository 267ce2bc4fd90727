// In which kinds of files blocks of zeros are common, learned from the files of an older day. A kind is what the name ends with; what
// says nothing (a number, as rotated files have it) is left off.

import type { BytePath } from '../model.ts';
import { baseName } from '../path.ts';

/** Fewer files of a kind tell nothing of the next one. */
const FILES_AT_LEAST = 10;
/** Where more of a kind hold such blocks, one more is nothing special. */
const SHARE_AT_MOST = 0.2;

const ENDING = /\.([a-z][a-z0-9_]{0,7})(?:\.[0-9]+)?$/i;

export class ZeroKinds {
  readonly #files = new Map<string, { all: number; withZeros: number }>();

  /** @param hasZeros whether a written block of the file is all zeros. */
  add(path: BytePath, hasZeros: boolean): void {
    const kind = kindOf(path);
    const files = this.#files.get(kind) ?? { all: 0, withZeros: 0 };
    this.#files.set(kind, { all: files.all + 1, withZeros: files.withZeros + (hasZeros ? 1 : 0) });
  }

  /** False: many files of the kind are known, and few of them have such a block. */
  mayHoldZeros(path: BytePath): boolean {
    const { all, withZeros } = this.#files.get(kindOf(path)) ?? { all: 0, withZeros: 0 };
    return all < FILES_AT_LEAST || withZeros > all * SHARE_AT_MOST;
  }
}

/** Names without an ending are one kind. */
function kindOf(path: BytePath): string {
  return ENDING.exec(baseName(path))?.[1]?.toLowerCase() ?? '';
}
