import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { rfc3339, timeForPeople } from '../../src/report/time.ts';

const NS_PER_SECOND = 1_000_000_000n;

describe('nanoseconds as RFC 3339', () => {
  test.each([
    [0n, '1970-01-01T00:00:00Z'],
    [1n, '1970-01-01T00:00:00.000000001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [1_401_588_000_500_000_000n, '2014-06-01T02:00:00.5Z'],
    [1_401_588_000_123_456_789n, '2014-06-01T02:00:00.123456789Z'],
    [-62_167_219_200n * NS_PER_SECOND, '0000-01-01T00:00:00Z'],
    [253_402_300_799n * NS_PER_SECOND + 999_999_999n, '9999-12-31T23:59:59.999999999Z'],
  ])('%d ns is %s', (timeNs, text) => {
    expect(rfc3339(timeNs)).toBe(text);
  });

  test('a year that RFC 3339 cannot write has no text', () => {
    expect(rfc3339(253_402_300_800n * NS_PER_SECOND)).toBeNull();
    expect(rfc3339(-62_167_219_200n * NS_PER_SECOND - 1n)).toBeNull();
  });

  test('date(1) writes the same', () => {
    const seconds = [-2_208_988_800n, -1n, 951_782_400n, 1_402_185_599n, 2_147_483_648n, 15_032_385_535n];
    const input = seconds.map(second => `@${second}.000000042`).join('\n');
    const oracle = execFileSync('date', ['-u', '-f', '-', '+%Y-%m-%dT%H:%M:%S.%NZ'], { input, encoding: 'utf8' });
    expect(seconds.map(second => rfc3339(second * NS_PER_SECOND + (second < 0n ? -42n : 42n)))).toEqual(
      oracle.trim().split('\n'),
    );
  });

  test('people read it without the T', () => {
    expect(timeForPeople(1_401_588_000_500_000_000n)).toBe('2014-06-01 02:00:00.5 UTC');
  });
});
