// Which blocks went A, B, A, on small maps: each letter is the bytes of a unit, a dot zeros, a question mark unreadable.

import { describe, expect, test } from 'vitest';
import type { BlockMap } from '../../src/digest/block-map.ts';
import { BlockOwners, packOwners } from '../../src/digest/block-owners.ts';
import { UNREAD_UNIT, UnitHashes, ZERO_UNIT } from '../../src/digest/unit-hashes.ts';
import type { OwnedRun } from '../../src/model.ts';
import { blocksGoneBack } from '../../src/run/block-history.ts';

function mapOf(letters: string, runs: readonly OwnedRun[]): BlockMap {
  const hashes = BigUint64Array.from(letters, letter => {
    if (letter === '.') return ZERO_UNIT;
    return letter === '?' ? UNREAD_UNIT : BigInt(letter.charCodeAt(0)) * 1_000_003n;
  });
  return { hashes: new UnitHashes(4096, hashes.length, [hashes]), owners: new BlockOwners(packOwners(runs, 1)) };
}

function run(physical: number, length: number, of: Partial<OwnedRun> = {}): OwnedRun {
  return { role: 'data', inode: 12, generation: 7, logical: 0, physical, length, unwritten: false, ...of };
}

/** `days` oldest first, the last one is now; all with the same owners. */
function goneBack(days: readonly string[], runs: readonly OwnedRun[]): string[] {
  return between(days.map(letters => mapOf(letters, runs)));
}

function between(days: readonly BlockMap[], isAllocated?: (unit: number) => boolean | null): string[] {
  const now = days.at(-1);
  if (now === undefined) throw new Error('there is no day');
  const maps = days.slice(0, -1).map((map, index) => ({ id: `day${index}`, load: () => map }));
  return blocksGoneBack(now, maps, isAllocated).map(
    ({ role, inode, logical, physical, length, backTo, confidence }) =>
      `${physical}+${length} ${role} ${inode} at ${logical}: ${backTo}, ${confidence}`,
  );
}

describe('blocks of files', () => {
  test('that are back among newer ones are told, each run with the day it is of', () => {
    expect(goneBack(['abcdefgh', 'aBCDEFgh', 'aQRDSTgh', 'abcDEFgX'], [run(0, 8)])).toEqual([
      '1+2 data 12 at 1: day0, likely',
      '4+2 data 12 at 4: day1, likely',
    ]);
  });

  test('are those of the newest of several equal days', () => {
    expect(goneBack(['abc', 'abc', 'aBc', 'abC'], [run(0, 3)])).toEqual(['1+1 data 12 at 1: day1, likely']);
  });

  test('that never changed, changed to something new, or changed before the newest map, are not told', () => {
    expect(goneBack(['abc', 'aBc', 'abc', 'abD'], [run(0, 3)])).toEqual([]);
  });

  test('need a day between: one map says nothing', () => {
    expect(goneBack(['abc', 'aBc'], [run(0, 3)])).toEqual([]);
  });

  test('of zeros, and unreadable ones, do not vote; those that were zeros meanwhile are possible', () => {
    expect(goneBack(['.b?d', 'ABCD', '.b?D'], [run(0, 4, { logical: 5 })])).toEqual(['1+1 data 12 at 6: day0, likely']);
    expect(goneBack(['abc', '.?c', 'abC'], [run(0, 3, { logical: 5 })])).toEqual(['0+1 data 12 at 5: day0, possible']);
  });

  test('that are reserved and were never written hold whatever was there', () => {
    const then = mapOf('ab', [run(0, 2, { inode: 20 })]);
    const reserved = [run(0, 2, { unwritten: true })];
    expect(between([then, mapOf('..', []), mapOf('ab', reserved)])).toEqual([]);
    expect(between([then, mapOf('AB', reserved), mapOf('ab', [])])).toEqual([]);
  });

  test('whose bytes lie elsewhere too, at any time, do not vote, but copies in the journal are none', () => {
    const owners = [run(0, 4), run(4, 2, { inode: 13 })];
    expect(goneBack(['abcdxy', 'aBCdxy', 'abcDbc'], owners)).toEqual([]);
    expect(goneBack(['abcdby', 'aBCdxc', 'abcDxw'], owners)).toEqual([]);
    const journal = [run(0, 4), run(4, 2, { inode: 8, role: 'journal' })];
    expect(goneBack(['abcdxy', 'aBCdxy', 'abcDbc'], journal)).toEqual(['1+2 data 12 at 1: day0, likely']);
    expect(goneBack(['abbd', 'aBCd', 'abbD'], [run(0, 4)])).toEqual([]);
  });

  test('are possible only where the whole file is as it was, and at the beginning of one', () => {
    expect(goneBack(['abc', 'aBC', 'abc'], [run(0, 3)])).toEqual(['1+2 data 12 at 1: day0, possible']);
    expect(goneBack(['abc', 'ABc', 'abC'], [run(0, 3)])).toEqual([
      '0+1 data 12 at 0: day0, possible',
      '1+1 data 12 at 1: day0, likely',
    ]);
  });

  test('that hold the bytes of a former owner are likely, but for the same bytes at the same place of a file', () => {
    const then = mapOf('abcd', [run(0, 2, { inode: 20 }), run(2, 1, { inode: 21, role: 'directory' })]);
    const newest = mapOf('ABCD', [run(0, 4)]);
    const now = mapOf('abcd', [run(0, 4)]);
    expect(between([then, newest, now])).toEqual([
      '0+2 data 12 at 0: day0, possible',
      '2+2 data 12 at 2: day0, likely',
    ]);
    const moved = mapOf('abcd', [run(0, 4, { inode: 20, logical: 9 })]);
    expect(between([moved, newest, now])).toEqual(['0+4 data 12 at 0: day0, likely']);
  });

  test('belong to the owner in the newest map when nobody owns them now; what nobody owns is not told', () => {
    const then = mapOf('ab', [run(0, 1)]);
    expect(between([then, mapOf('AB', [run(0, 1)]), mapOf('ab', [])])).toEqual(['0+1 data 12 at 0: day0, possible']);
  });

  test('that are in use and nobody’s, or of which nobody knows whether they are in use, are told without an owner', () => {
    const days = [mapOf('abcd', []), mapOf('ABCD', []), mapOf('abcd', [])];
    const isAllocated = (unit: number): boolean | null => (unit === 1 ? null : unit === 0);
    expect(between(days, isAllocated)).toEqual(['0+2 data 0 at 0: day0, possible']);
  });

  test('know whether somebody has them now, and whether they were the same block of the same file', () => {
    const [then, newest] = [mapOf('abc', [run(0, 1), run(1, 1, { inode: 20 })]), mapOf('ABC', [run(0, 3)])];
    const now = mapOf('abc', [run(0, 2)]);
    const maps = [then, newest].map((map, index) => ({ id: `day${index}`, load: () => map }));
    const found = blocksGoneBack(now, maps).map(({ physical, isOwned, isOwn }) => [physical, isOwned, isOwn]);
    expect(found).toEqual([
      [0, true, true],
      [1, true, false],
      [2, false, false],
    ]);
  });
});

test('a volume that was restored from an older day, and lived on, is not accused', () => {
  const letters = (from: number) => String.fromCharCode(...Array.from({ length: 40 }, (_, index) => from + index));
  const [old, newer] = [letters(0x400), letters(0x500)];
  const lived = `${old.slice(0, 36)}${letters(0x600).slice(0, 4)}`;
  expect(goneBack([old, newer, lived], [run(0, 40)])).toEqual([]);
  const struck = `${old.slice(0, 36)}${newer.slice(36)}`;
  expect(goneBack([old, newer, struck], [run(0, 40)])).toEqual([
    '0+1 data 12 at 0: day0, possible',
    '1+35 data 12 at 1: day0, likely',
  ]);
});

describe('structures of the file system', () => {
  test.each([
    ['inode-table', 'proven'],
    ['superblock', 'likely'],
    ['group-descriptors', 'possible'],
    ['block-bitmap', 'possible'],
    ['inode-bitmap', 'possible'],
  ] as const)('that went back: %s is %s', (role, confidence) => {
    const table = run(1, 2, { role, inode: 0, generation: 0, logical: 3 });
    expect(goneBack(['xabx', 'xABx', 'xaby'], [table])).toEqual([`1+2 ${role} 0 at 3: day0, ${confidence}`]);
  });

  test.each(['directory', 'block-map', 'attributes', 'journal', 'quota', 'orphan-file'] as const)(
    'that belong to an inode come back by ordinary work: %s is possible',
    role => {
      expect(goneBack(['ab', 'Ab', 'aB'], [run(0, 2, { role, inode: 2 })])).toEqual([
        `0+1 ${role} 2 at 0: day0, possible`,
      ]);
    },
  );
});
