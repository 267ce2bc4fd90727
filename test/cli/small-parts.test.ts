import { describe, expect, test } from 'vitest';
import { scanExitCode } from '../../src/cli/exit-code.ts';
import { DEFAULT_FAIL_ON, parseFailOn } from '../../src/cli/fail-on.ts';
import { troubleLines } from '../../src/cli/trouble.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../../src/errors.ts';
import { tableLines } from '../../src/report/table.ts';

describe('the exit code of a scan', () => {
  test.each([
    { complete: true, hasFindings: false, allowPartial: false, code: 0 },
    { complete: true, hasFindings: true, allowPartial: false, code: 1 },
    { complete: false, hasFindings: false, allowPartial: false, code: 3 },
    { complete: false, hasFindings: true, allowPartial: false, code: 3 },
    { complete: true, hasFindings: false, allowPartial: true, code: 0 },
    { complete: true, hasFindings: true, allowPartial: true, code: 1 },
    { complete: false, hasFindings: false, allowPartial: true, code: 0 },
    { complete: false, hasFindings: true, allowPartial: true, code: 1 },
  ])('complete $complete, findings $hasFindings, --allow-partial $allowPartial: $code', ({ code, ...scan }) => {
    expect(scanExitCode(scan)).toBe(code);
  });
});

describe('--fail-on', () => {
  test('by default anything unreadable, and likely damage', () => {
    expect(parseFailOn(DEFAULT_FAIL_ON)).toEqual([
      { verdict: 'unreadable', confidence: 'possible' },
      { verdict: 'garbage', confidence: 'likely' },
      { verdict: 'stale', confidence: 'likely' },
      { verdict: 'missing', confidence: 'likely' },
      { verdict: 'resurrected', confidence: 'likely' },
      { verdict: 'altered', confidence: 'likely' },
    ]);
  });

  test('a verdict alone means any confidence, spaces do not matter, none is nothing', () => {
    expect(parseFailOn('suspect, stale:proven')).toEqual([
      { verdict: 'suspect', confidence: 'possible' },
      { verdict: 'stale', confidence: 'proven' },
    ]);
    expect(parseFailOn('none')).toEqual([]);
  });

  test.each([
    [
      'damaged',
      '--fail-on: "damaged": no such verdict; there are unreadable, garbage, stale, missing, resurrected, altered, suspect',
    ],
    ['stale:sure', '--fail-on: "stale:sure": a confidence is proven, likely, possible'],
    ['stale:likely:x', '--fail-on: "stale:likely:x": a confidence is proven, likely, possible'],
    [
      'stale,',
      '--fail-on: "": no such verdict; there are unreadable, garbage, stale, missing, resurrected, altered, suspect',
    ],
    [
      'constructor',
      '--fail-on: "constructor": no such verdict; there are unreadable, garbage, stale, missing, resurrected, altered, suspect',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseFailOn(text)).toThrow(new UsageError(message));
  });
});

describe('trouble', () => {
  test.each([
    [new UsageError('no such file'), 'lostwrite: no such file'],
    [new UnsupportedError('encrypted'), 'lostwrite: encrypted'],
    [new ReadError('disk.img', 4096, 512), 'lostwrite: disk.img: EIO reading 512 bytes at 4096'],
    [new DamageError('superblock', 56, 1, 61267), 'lostwrite: superblock at 56: found 1, expected 61267'],
    [new UsageError('two\nlines \x1b[2J \\ \u202e'), 'lostwrite: two\\nlines \\x1b[2J \\ \\xe2\\x80\\xae'],
  ])('that is an answer is one line, whatever it quotes', (error, line) => {
    expect(troubleLines(error, true)).toEqual([line]);
  });

  test('that is a bug says so, and shows its stack only with --verbose', () => {
    const bug = new TypeError('x is not a function');
    const lines = [
      'lostwrite: x is not a function',
      'lostwrite: this is a bug in lostwrite; please report it with the command and what --verbose prints',
    ];
    expect(troubleLines(bug, false)).toEqual(lines);
    expect(troubleLines(bug, true).slice(0, 3)).toEqual([...lines, 'TypeError: x is not a function']);
    expect(troubleLines('thrown text', true)[0]).toBe('lostwrite: thrown text');
  });
});

test('a table aligns its columns and ends no line with spaces', () => {
  expect(
    tableLines(
      ['NAME', 'N'],
      [
        ['a', '10'],
        ['longer', '2'],
      ],
      [1],
    ),
  ).toEqual(['NAME     N', 'a       10', 'longer   2']);
});
