// The hashes of a volume, looked up by unit and by hash.

import { describe, expect, it } from 'vitest';
import { PIECE_UNITS, UNREAD_UNIT, UnitHashes, unitBytesOf, ZERO_UNIT } from '../../src/digest/unit-hashes.ts';

describe('looking hashes up', () => {
  const first = BigUint64Array.from({ length: PIECE_UNITS }, (_, index) => BigInt(index % 100));
  const last = BigUint64Array.from([5n, 0n, 7n]);
  const hashes = new UnitHashes(4096, 2 * PIECE_UNITS + 3, [first, null, last]);

  it('by unit: in a piece, in one of zeros, in the last, beyond the end', () => {
    const units = [5, PIECE_UNITS + 5, 2 * PIECE_UNITS + 2, 2 * PIECE_UNITS + 3, 9 * PIECE_UNITS];
    expect(units.map(unit => hashes.at(unit))).toEqual([5n, ZERO_UNIT, 7n, UNREAD_UNIT, UNREAD_UNIT]);
  });

  it('by hash: every unit that has it', () => {
    const units = [...hashes.unitsOf(new Set([7n]))].map(([, unit]) => unit);
    expect(units.length).toBe(Math.ceil((PIECE_UNITS - 7) / 100) + 1);
    expect([units[0], units[1], units.at(-1)]).toEqual([7, 107, 2 * PIECE_UNITS + 2]);
  });

  it('zeros are nowhere', () => {
    expect([...hashes.unitsOf(new Set([ZERO_UNIT]))]).toEqual([]);
  });
});

describe('the unit', () => {
  it('is 4 KiB, or the block where that is smaller', () => {
    expect([1024, 2048, 4096, 16_384, 65_536].map(unitBytesOf)).toEqual([1024, 2048, 4096, 4096, 4096]);
  });
});
