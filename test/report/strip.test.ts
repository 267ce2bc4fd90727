// A file drawn as a strip, line by line.

import { describe, expect, test } from 'vitest';
import type { BlockDay, BlockDays, DaySpan } from '../../src/model.ts';
import { stripLines } from '../../src/report/strip.ts';

const state = (id: string, atNs: bigint, isNewest: boolean) => ({ id, atNs, isNewest });
const NEWEST = state('baseline:nightly@2014-06-01T02:00:00Z', 1_401_588_000_000_000_000n, true);
const OLDER = state('baseline:nightly@2014-05-25T02:00:00Z', 1_400_983_200_000_000_000n, false);
const OLDEST = state('before:old.img', 1_398_902_400_000_000_000n, false);

type Part = readonly [count: number, day: BlockDay | DaySpan['generation']];

function drawn(parts: readonly Part[], unitBytes = 4096): BlockDays {
  let from = 0;
  const spans = parts.map(([count, what]): DaySpan => {
    const [day, generation] = typeof what === 'string' ? [what, null] : (['state', what] as const);
    from += count;
    return { from: from - count, count, day, generation };
  });
  return { unitBytes, spans };
}

describe('a file of few blocks', () => {
  test('has a sign for each, rows that fit 80 columns, and a legend with the worst first', () => {
    const parts: Part[] = [
      [40, NEWEST],
      [8, 'lost'],
      [16, OLDER],
      [2, OLDEST],
      [1, 'zeros'],
      [1, 'hole'],
      [1, 'written'],
      [1, 'unknown'],
      [1, 'unreadable'],
    ];
    expect(stripLines(drawn(parts), 80)).toEqual([
      '71 blocks of 4 KiB, and the day that each is of:',
      '         0  ################ ################ ########!!!!!!!! aaaaaaaaaaaaaaaa',
      '   256 KiB  bb0.+?X',
      '',
      '  X   1 block   cannot be read (4 KiB)',
      '  !   8 blocks  never landed, or went back: what the disk held there before (32',
      '                KiB)',
      '  0   1 block   zeros, as in no state that is known (4 KiB)',
      '  b   2 blocks  as in before:old.img of 2014-05-01 00:00:00 UTC (8 KiB)',
      '  a  16 blocks  as in baseline nightly of 2014-05-25 02:00:00 UTC (64 KiB)',
      '  ?   1 block   as in no state that is known (4 KiB)',
      '  +   1 block   written since, and nothing knows what it should be (4 KiB)',
      '  #  40 blocks  as in baseline nightly of 2014-06-01 02:00:00 UTC, the newest',
      '                state known (160 KiB)',
      '  .   1 block   a hole: nothing was ever written there (4 KiB)',
    ]);
  });

  test('is drawn narrower in a narrow terminal', () => {
    const lines = stripLines(drawn([[40, 'lost']], 1024), 50);
    expect(lines.slice(0, 4)).toEqual([
      '40 blocks of 1 KiB, and the day that each is of:',
      '         0  !!!!!!!!!!!!!!!! !!!!!!!!!!!!!!!!',
      '    32 KiB  !!!!!!!!',
      '',
    ]);
  });
});

describe('a large file', () => {
  /** 1 GiB: 64 signs a row and 16 rows make 256 blocks a sign. */
  const large = drawn([
    [100_000, NEWEST],
    [1, 'lost'],
    [100_000, NEWEST],
    [62_143, 'hole'],
  ]);

  test('has a sign for many blocks, the worst of them, and says where its runs are', () => {
    const lines = stripLines(large, 80);
    expect(lines.slice(0, 2)).toEqual([
      '262,144 blocks of 4 KiB, and the day that each is of. A sign stands for 256',
      'blocks, and shows the worst of them:',
    ]);
    const rows = lines.slice(2, 18);
    expect(rows[6]).toBe('   384 MiB  ######!######### ################ ################ ################');
    expect(rows.filter(row => row.includes('!'))).toEqual([rows[6]]);
    expect(lines.slice(18)).toEqual([
      '',
      '  !        1 block   never landed, or went back: what the disk held there before',
      '                     (4 KiB)',
      '  #  200,000 blocks  as in baseline nightly of 2014-06-01 02:00:00 UTC, the',
      '                     newest state known (781 MiB)',
      '  .   62,143 blocks  a hole: nothing was ever written there (243 MiB)',
      '',
      'Where, by their first byte:',
      '     409,600,000  !  4 KiB',
    ]);
  });

  test('of many runs lists the worst twelve, in the order of the file', () => {
    const parts = Array.from(
      { length: 3000 },
      (_, index): Part => [index % 2 === 0 ? 7 : 1, index % 2 === 0 ? NEWEST : index < 2000 ? OLDER : 'lost'],
    );
    const lines = stripLines(drawn(parts), 80);
    const from = lines.indexOf('The worst 12 of 1,500 runs, by their first byte:');
    expect(lines.slice(from + 1)).toEqual(
      Array.from({ length: 12 }, (_, index) => {
        const offset = String((8 * (1000 + index) + 7) * 4096).replace(/\B(?=(\d{3})+$)/g, ',');
        return `${offset.padStart(16)}  !  4 KiB`;
      }),
    );
  });

  test('never takes more lines than a screen or two, nor more columns than there are', () => {
    for (const columns of [40, 80, 100]) {
      const lines = stripLines(large, columns);
      expect(lines.length).toBeLessThan(50);
      expect(lines.filter(line => line.length > columns)).toEqual([]);
    }
  });
});
