// Which byte ranges a range meets: the index against looking at every one.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RangeIndex } from '../../src/run/range-index.ts';

const range = fc.record({ offset: fc.nat(200), length: fc.integer({ min: 1, max: 60 }) });

describe('RangeIndex', () => {
  it('finds what overlaps by a byte, and not what adjoins', () => {
    const [first, second] = [
      { offset: 0, length: 10 },
      { offset: 10, length: 5 },
    ];
    const index = new RangeIndex([second, first]);
    expect(index.overlapping({ offset: 9, length: 1 })).toEqual([first]);
    expect(index.overlapping({ offset: 9, length: 2 })).toEqual([first, second]);
    expect(index.overlapping({ offset: 15, length: 100 })).toEqual([]);
  });

  it('finds all that a look at every one finds', () => {
    fc.assert(
      fc.property(fc.array(range), range, (ranges, asked) => {
        const end = asked.offset + asked.length;
        const met = ranges.filter(({ offset, length }) => offset < end && offset + length > asked.offset);
        expect(new Set(new RangeIndex(ranges).overlapping(asked))).toEqual(new Set(met));
      }),
    );
  });
});
