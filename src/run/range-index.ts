// Which of many byte ranges, overlapping or not, a given one meets.

import type { ByteRange } from '../model.ts';

export class RangeIndex<Range extends ByteRange> {
  readonly #ranges: readonly Range[];
  /** The greatest end of all ranges up to each: how far back one may start that still reaches a byte. */
  readonly #reach: readonly number[];

  constructor(ranges: readonly Range[]) {
    this.#ranges = ranges.toSorted((left, right) => left.offset - right.offset || left.length - right.length);
    let furthest = 0;
    this.#reach = this.#ranges.map(({ offset, length }) => {
      furthest = Math.max(furthest, offset + length);
      return furthest;
    });
  }

  /** Ascending by offset. */
  overlapping({ offset, length }: ByteRange): Range[] {
    const found: Range[] = [];
    for (let at = this.#lastBefore(offset + length); at >= 0 && (this.#reach[at] ?? 0) > offset; at--) {
      const range = this.#ranges[at];
      if (range !== undefined && range.offset + range.length > offset) found.push(range);
    }
    return found.reverse();
  }

  /** The last range that starts before `end`; -1 when none does. */
  #lastBefore(end: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#ranges[middle]?.offset ?? 0) < end) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
