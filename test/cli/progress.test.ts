import { describe, expect, test } from 'vitest';
import { createEstimator } from '../../src/cli/estimate.ts';
import { createProgressDisplay } from '../../src/cli/progress.ts';
import type { Progress } from '../../src/run/options.ts';
import { captureOutput, type TestWorld, testWorld } from './test-world.ts';

const MIB = 1_048_576;

describe('an estimate', () => {
  test('of a steady pace is what is left at that pace', () => {
    const estimator = createEstimator();
    const total = { filesTotal: 10_000, bytesTotal: 10_000 * MIB };
    let estimate = estimator.observe(0, { ...total, filesDone: 0, bytesDone: 0 });
    for (let second = 1; second <= 20; second += 1) {
      estimate = estimator.observe(second * 1000, { ...total, filesDone: second * 100, bytesDone: second * 100 * MIB });
    }
    expect(estimate.fraction).toBeCloseTo(0.2, 10);
    expect(estimate.filesPerSecond).toBeCloseTo(100, 6);
    expect(estimate.bytesPerSecond).toBeCloseTo(100 * MIB, 0);
    expect(estimate.remainingMs).toBeCloseTo(80_000, 3);
  });

  test('weighs files and bytes: many small files left take longer than their bytes say', () => {
    const estimator = createEstimator();
    const total = { filesTotal: 10_001, bytesTotal: 1000 * MIB + 10_000 };
    estimator.observe(0, { ...total, filesDone: 0, bytesDone: 0 });
    const { fraction, remainingMs } = estimator.observe(10_000, { ...total, filesDone: 1, bytesDone: 1000 * MIB });
    expect(fraction).toBeCloseTo(0.615, 3);
    expect(remainingMs).toBeGreaterThan(6000);
  });

  test('follows a change of pace, not at once', () => {
    const estimator = createEstimator();
    const total = { filesTotal: 100_000, bytesTotal: 0 };
    let filesDone = 0;
    let atMs = 0;
    const run = (seconds: number, pace: number) => {
      let rate = 0;
      for (let second = 0; second < seconds; second += 1) {
        filesDone += pace;
        atMs += 1000;
        rate = estimator.observe(atMs, { ...total, filesDone, bytesDone: 0 }).filesPerSecond;
      }
      return rate;
    };
    run(60, 1000);
    expect(run(2, 100)).toBeGreaterThan(700);
    expect(run(60, 100)).toBeLessThan(110);
  });

  test('is not given before it can be: at the start, without totals, while nothing moves', () => {
    const total = { filesTotal: 1000, bytesTotal: 0, bytesDone: 0 };
    const young = createEstimator();
    young.observe(0, { ...total, filesDone: 0 });
    expect(young.observe(2999, { ...total, filesDone: 500 }).remainingMs).toBeNull();
    expect(young.observe(3000, { ...total, filesDone: 500 }).remainingMs).not.toBeNull();

    const endless = createEstimator();
    endless.observe(0, { ...total, filesTotal: 0, filesDone: 0 });
    expect(endless.observe(60_000, { ...total, filesTotal: 0, filesDone: 10 })).toMatchObject({
      fraction: null,
      remainingMs: null,
    });

    const stuck = createEstimator();
    stuck.observe(0, { ...total, filesDone: 0 });
    expect(stuck.observe(60_000, { ...total, filesDone: 0 })).toMatchObject({ fraction: 0, remainingMs: null });
  });

  test('stays within bounds when files grew while being read', () => {
    const estimator = createEstimator();
    const total = { filesTotal: 10, bytesTotal: 10 };
    estimator.observe(0, { ...total, filesDone: 0, bytesDone: 0 });
    expect(estimator.observe(5000, { ...total, filesDone: 10, bytesDone: 99 })).toMatchObject({
      fraction: 1,
      remainingMs: 0,
    });
  });
});

const progress = (overrides: Partial<Progress>): Progress => ({
  phase: 'reading',
  entries: 0,
  filesDone: 0,
  filesTotal: 0,
  bytesDone: 0,
  bytesTotal: 0,
  ...overrides,
});

const half = (step: number): Progress =>
  progress({ filesDone: step * 100, filesTotal: 10_000, bytesDone: step * 100 * MIB, bytesTotal: 10_000 * MIB });

/** What a person sees last on the line. */
const lastLine = (world: TestWorld): string => world.stderr.text().split('\r\x1b[K').at(-1) ?? '';

describe('on a terminal', () => {
  const onTerminal = (columns: number, env = {}): TestWorld =>
    testWorld({}, { stderr: captureOutput({ isTTY: true, columns }), env });

  test('a bar tells phase, share, time left, and how fast', () => {
    const world = onTerminal(120);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    for (let step = 0; step <= 50; step += 1) {
      world.nowMs = step * 1000;
      display.onProgress(half(step));
    }
    expect(lastLine(world)).toBe(
      'Reading  [##########----------]  50 %  about 50 s left  100 files/s  100 MiB/s  5,000 of 10,000 files',
    );
  });

  test('it says that it is estimating until it can', () => {
    const world = onTerminal(120);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    display.onProgress(half(0));
    expect(lastLine(world)).toBe(
      'Reading  [--------------------]  0 %  estimating  0 files/s  0 bytes/s  0 of 10,000 files',
    );
  });

  test.each([80, 0])('%i columns hold the bar, the time left and both speeds; no width is taken for 80', columns => {
    const world = onTerminal(columns);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    for (let step = 0; step <= 50; step += 1) {
      world.nowMs = step * 1000;
      display.onProgress(half(step));
    }
    expect(lastLine(world)).toBe('Reading  [#####-----]  50 %  about 50 s left  100 files/s  100 MiB/s');
  });

  test('while judging nothing is left to read', () => {
    const world = onTerminal(80);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    display.onProgress(progress({ phase: 'judging', filesDone: 5327, filesTotal: 5327 }));
    expect(lastLine(world)).toBe('Judging  5,327 files');
  });

  test('while listing nobody knows the end', () => {
    const world = onTerminal(120);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    display.onProgress(progress({ phase: 'listing', entries: 0 }));
    world.nowMs = 2000;
    display.onProgress(progress({ phase: 'listing', entries: 24_000 }));
    expect(lastLine(world)).toBe('Listing  24,000 entries  12,000/s');
  });

  test('a narrow terminal gets the first parts, never a second line', () => {
    for (const columns of [1, 10, 40, 60]) {
      const world = onTerminal(columns);
      createProgressDisplay(world, { quiet: false, verbose: false }).onProgress(half(1));
      expect(lastLine(world).length).toBeLessThan(columns);
    }
  });

  test('it is drawn at most ten times a second, and taken away at the end', () => {
    const world = onTerminal(80);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    for (let ms = 0; ms < 1000; ms += 5) {
      world.nowMs = ms;
      display.onProgress(half(1));
    }
    expect(world.stderr.text().match(/Reading/g)).toHaveLength(10);
    display.end();
    expect(world.stderr.text().endsWith('\r\x1b[K')).toBe(true);
    const before = world.stderr.text();
    world.nowMs = 5000;
    display.onProgress(half(2));
    display.end();
    expect(world.stderr.text()).toBe(before);
  });

  test('a notice stands above it, made printable', () => {
    const world = onTerminal(40);
    const display = createProgressDisplay(world, { quiet: false, verbose: false });
    display.onNotice('first');
    display.onProgress(half(1));
    display.onNotice('se\x1b[2Jcond');
    const drawn = 'Reading  [----------]  1 %  estimating';
    expect(world.stderr.text()).toBe(`first\n\r\x1b[K${drawn}\r\x1b[Kse\\x1b[2Jcond\n${drawn}`);
  });

  test('a dumb terminal gets no bar', () => {
    const world = onTerminal(80, { TERM: 'dumb' });
    createProgressDisplay(world, { quiet: false, verbose: false }).onProgress(half(1));
    expect(world.stderr.text()).toBe('');
  });
});

describe('without a terminal', () => {
  const everySecond = (world: TestWorld, verbose: boolean, seconds: number): void => {
    const display = createProgressDisplay(world, { quiet: false, verbose });
    for (let second = 0; second <= seconds; second += 1) {
      world.nowMs = second * 1000;
      display.onProgress(half(second));
    }
    display.onNotice('a notice');
    display.end();
  };

  test('only notices are printed', () => {
    const world = testWorld();
    everySecond(world, false, 95);
    expect(world.stderr.text()).toBe('a notice\n');
  });

  test('--verbose prints a line every half minute', () => {
    const world = testWorld();
    everySecond(world, true, 95);
    expect(world.stderr.text().split('\n')).toEqual([
      'Reading  30 %  about 1 min 10 s left  100 files/s  100 MiB/s  3,000 of 10,000 files',
      'Reading  60 %  about 40 s left  100 files/s  100 MiB/s  6,000 of 10,000 files',
      'Reading  90 %  about 10 s left  100 files/s  100 MiB/s  9,000 of 10,000 files',
      'a notice',
      '',
    ]);
  });

  test('--quiet prints nothing', () => {
    const world = testWorld();
    const display = createProgressDisplay(world, { quiet: true, verbose: false });
    display.onProgress(half(1));
    display.onNotice('a notice');
    display.end();
    expect(world.stderr.text()).toBe('');
  });
});
