// The tests of one rule: the cases in which it accuses, and one for each innocent explanation that its entry names.

export interface RuleTests {
  readonly rule: string;
  /** What is the case -> the test. */
  readonly accuses: Readonly<Record<string, () => void>>;
  /** The innocent explanation, in the words of the rule's entry -> the test. */
  readonly innocent: Readonly<Record<string, () => void>>;
}
