import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { parseSpan, parseWindow } from '../../src/cli/instant.ts';
import { UsageError } from '../../src/errors.ts';
import { rfc3339 } from '../../src/report/time.ts';

const ends = (text: string): [string | null, string | null] => {
  const { fromNs, toNs } = parseWindow(text);
  return [fromNs === null ? null : rfc3339(fromNs), toNs === null ? null : rfc3339(toNs)];
};

describe('--window', () => {
  test.each<[string, string | null, string | null]>([
    ['2014-06-02..2014-06-07', '2014-06-02T00:00:00Z', '2014-06-07T23:59:59.999999999Z'],
    ['2014-06-02..', '2014-06-02T00:00:00Z', null],
    ['..2014-06-07', null, '2014-06-07T23:59:59.999999999Z'],
    ['2014-06-02', '2014-06-02T00:00:00Z', '2014-06-02T23:59:59.999999999Z'],
    ['2014-06-02..2014-06-02', '2014-06-02T00:00:00Z', '2014-06-02T23:59:59.999999999Z'],
    ['2014-06-02T18:00+02:00..2014-06-02T18:00Z', '2014-06-02T16:00:00Z', '2014-06-02T18:00:00Z'],
    ['2014-06-02 18:00:01.5..', '2014-06-02T18:00:01.5Z', null],
    ['2014-06-02T18:00:01,123456789-0330..', '2014-06-02T21:30:01.123456789Z', null],
    ['2014-06-02T01:00+02..', '2014-06-01T23:00:00Z', null],
    ['2012-02-29..2012-03-01', '2012-02-29T00:00:00Z', '2012-03-01T23:59:59.999999999Z'],
    ['0001-01-01..', '0001-01-01T00:00:00Z', null],
    ['2014-06-02T10:00Z..2014-06-02T10:00Z', '2014-06-02T10:00:00Z', '2014-06-02T10:00:00Z'],
  ])('%s', (text, from, to) => {
    expect(ends(text)).toEqual([from, to]);
  });

  test.each([
    ['..', '--window: both ends are open; name at least one'],
    ['2014-06-07..2014-06-02', '--window: 2014-06-07..2014-06-02 ends before it begins'],
    ['2014-06-02..2014-06-03..2014-06-04', '--window: "2014-06-02..2014-06-03..2014-06-04" has more than two ends'],
    ['2014-06-02T10:00Z', '--window: "2014-06-02T10:00Z" is one instant: give FROM..TO, either end may be open'],
    [
      '2014-06-02...',
      '--window: "." is no time: expected a date such as 2014-06-02 or a time such as 2014-06-02T03:04:05+02:00',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseWindow(text)).toThrow(new UsageError(message));
  });

  test.each([
    '2014-02-30',
    '2013-02-29',
    '2014-13-01',
    '2014-00-10',
    '2014-6-2',
    '14-06-02',
    'yesterday',
    '2014-06-02T24:00',
    '2014-06-02T10:60',
    '2014-06-02T10:00:60',
    '2014-06-02T10',
    '2014-06-02T10:00+24:00',
    '2014-06-02T10:00:00.1234567890Z',
    '2014-06-02\n',
    ' 2014-06-02',
  ])('%j is no time', text => {
    expect(() => parseWindow(`${text}..`)).toThrow(/^--window: ".*" is no time: expected a date/s);
  });

  test('date(1) reads the same instants', () => {
    const texts = [
      '2014-06-02T18:00:00+02:00',
      '2014-03-30 01:30:00.25Z',
      '1999-12-31T23:59:59-11:30',
      '2038-01-19T03:14:08Z',
    ];
    const input = texts.join('\n');
    const oracle = execFileSync('date', ['-u', '-f', '-', '+%s%N'], { input, encoding: 'utf8' }).trim().split('\n');
    expect(texts.map(text => String(parseSpan(text, '--at').fromNs))).toEqual(oracle);
  });
});
