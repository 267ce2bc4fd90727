// The shape of a rule. The table itself (rule-table.ts) is data: what a rule says, what else could explain it, and the test.

import type { BytePath, Confidence, Expectation, FindingRange, Verdict } from '../model.ts';
import type { PathCase } from './path-case.ts';

/** What a rule holds against a path. */
export interface Accusation {
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  /** One sentence that a support engineer understands. */
  readonly detail: string;
  readonly metadataOnly?: boolean;
  readonly ranges?: readonly FindingRange[];
  /** What should be there. */
  readonly expected?: Expectation | null;
  readonly foundAt?: BytePath | null;
  /** The directory above explains it: the finding names it as its cause. */
  readonly causedByDirectory?: boolean;
}

export interface Rule {
  readonly name: string;
  /** Which witness speaks: the report's `evidence[].scanner`. */
  readonly scanner:
    | 'tree'
    | 'journal'
    | 'baseline'
    | 'packages'
    | 'git'
    | 'git-objects'
    | 'git-checksums'
    | 'git-reflogs'
    | 'sqlite'
    | 'blocks'
    | 'slack'
    | 'extents';
  readonly says: string;
  /** Innocent acts that look alike, and why they are ruled out or what they lower. Each has a test. */
  readonly innocent: readonly string[];
  /** Its only innocent explanation is an ordinary act: `possible` becomes `likely` where losses are beyond doubt. */
  readonly raisedByLosses?: boolean;
  /** Where names and inodes alone went back, it is innocent: raised by losses of content only. */
  readonly needsLossesOfContent?: boolean;
  /** It tells of blocks of content that did not arrive, or went back. */
  readonly isLossOfContent?: boolean;
  /** Its innocent explanations are rare accidents: several findings of it on one volume are losses beyond doubt. */
  readonly severalAreLosses?: boolean;
  /** The same where it is beyond doubt that this directory's names went back. */
  readonly raisedByDirectory?: boolean;
  /** A hint that is worth nothing by itself: no finding unless something raises it. */
  readonly droppedUnlessRaised?: boolean;
  /** It tells of names and of the inodes they lead to, which the file system's own log may vouch for. */
  readonly isOfName?: boolean;
  accuse(known: PathCase): Accusation | null;
}

/** An accusation, and by which rule. */
export interface Charge extends Accusation {
  readonly rule: Rule;
}
