// The shares of threads, the names of reports, and the spans of time that a sweep deals in.

import { describe, expect, test } from 'vitest';
import { reportFileOf } from '../../src/fleet/report-files.ts';
import { TargetQueue } from '../../src/fleet/target-queue.ts';
import { parseTimeLimit, spanText } from '../../src/fleet/time-limit.ts';

/** Takes targets from the queue until all its lanes are busy; gives each one's threads. */
function fill(queue: TargetQueue<number>): number[] {
  return Array.from({ length: queue.lanes }, () => queue.next()?.jobs ?? 0);
}

describe('the threads of a sweep', () => {
  test.each([
    [1, 10, [1, 1]],
    [2, 10, [1, 1]],
    [4, 10, [2, 2]],
    [8, 10, [3, 3, 2]],
    [16, 10, [4, 4, 4, 4]],
    [64, 100, [8, 8, 8, 8, 8, 8, 8, 8]],
    [16, 2, [8, 8]],
    [7, 1, [7]],
  ])('%i threads, %i targets: %j', (jobs, targets, shares) => {
    const queue = new TargetQueue(
      Array.from({ length: targets }, (_, index) => index),
      jobs,
    );
    expect(fill(queue)).toEqual(shares);
  });

  test('go to the last target when the others are done', () => {
    const queue = new TargetQueue([1, 2, 3], 4);
    expect(fill(queue)).toEqual([2, 2]);
    queue.done();
    queue.done();
    expect(queue.next()).toEqual({ item: 3, jobs: 4 });
    expect(queue.next()).toBeNull();
  });

  test('come to a target that failed after all others', () => {
    const queue = new TargetQueue([1, 2, 3], 1);
    const order: number[] = [];
    for (let next = queue.next(); next !== null; next = queue.next()) {
      order.push(next.item);
      if (next.item === 1 && order.length === 1) queue.tryAgain(1);
      queue.done();
    }
    expect(order).toEqual([1, 2, 3, 1]);
  });
});

describe('the file of a report', () => {
  const KEY = '0123456789abcdef0123456789abcdef';

  test.each([
    ['vm42.qcow2', 'vm42.qcow2.json'],
    ['web team/vm 42', 'web%20team%2Fvm%2042.json'],
    ['_sweep', '%5Fsweep.json'],
    ['../../etc/passwd', '%2E.%2F..%2Fetc%2Fpasswd.json'],
    ['.hidden', '%2Ehidden.json'],
    ['größe\n', 'gr%C3%B6%C3%9Fe%0A.json'],
    ['50%25', '50%2525.json'],
  ])('%j is %s', (name, file) => {
    expect(reportFileOf(name, KEY)).toBe(file);
  });

  test('of a name too long for a file ends in what tells it from others', () => {
    expect(reportFileOf('x'.repeat(300), KEY)).toBe(`${'x'.repeat(200)}%0123456789abcdef.json`);
  });
});

describe('a time limit', () => {
  test.each([
    ['30s', 30_000, '30 s'],
    ['1.5s', 1500, '1.5 s'],
    ['90m', 5_400_000, '90 m'],
    ['120m', 7_200_000, '2 h'],
    ['24d', 2_073_600_000, '24 d'],
    [null, 86_400_000, '1 d'],
  ])('%j is %i ms, and reads %s', (text, milliseconds, words) => {
    expect(parseTimeLimit(text)).toBe(milliseconds);
    expect(spanText(milliseconds)).toBe(words);
  });

  test.each(['', '5', '0s', '-1s', '1w', '25d', '1 h', 'forever'])('%j is none', text => {
    expect(() => parseTimeLimit(text)).toThrow(`"${text}" is no time limit`);
  });
});
