// The seam of everything that says what a target should be.

import type { BytePath, Expectation, ReferenceInfo, ScanError } from '../model.ts';

export interface Reference {
  readonly info: ReferenceInfo;
  /** Ascending by path key (path.ts); each path once. May be called again. */
  expectations(): Iterable<Expectation>;
  /** Trouble met while reading the reference itself; complete once `expectations` has been drained. */
  readonly errors: readonly ScanError[];
}

/** An expectation that says no more than that the path is there. */
export function existing(reference: string, path: BytePath): Expectation {
  return {
    reference,
    path,
    type: null,
    sizeBytes: null,
    digests: {},
    blocks: null,
    linkTarget: null,
    stat: null,
    owner: null,
    editable: false,
    installedAtNs: null,
    remedy: null,
  };
}
