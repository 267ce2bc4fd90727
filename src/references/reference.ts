// The seam of everything that says what a target should be.

import type { Expectation, ReferenceInfo, ScanError } from '../model.ts';

export interface Reference {
  readonly info: ReferenceInfo;
  /** Ascending by path key (path.ts); each path once. May be called again. */
  expectations(): Iterable<Expectation>;
  /** Trouble met while reading the reference itself; complete once `expectations` has been drained. */
  readonly errors: readonly ScanError[];
}
