// Counts contradictions of one kind and keeps the first: a hostile table has billions of them.

export class Contradictions<T> {
  count = 0;
  first: T | null = null;
  last: T | null = null;

  add(found: T): void {
    this.count++;
    this.first ??= found;
    this.last = found;
  }

  /** ", and 3 more such pairs", or nothing. */
  andMore(what: string): string {
    return this.count > 1 ? `, and ${this.count - 1} more such ${what}` : '';
  }
}
