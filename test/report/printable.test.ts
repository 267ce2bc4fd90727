import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrintablePath, printablePath, printableText, shellWord } from '../../src/report/printable.ts';

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('names on a terminal', () => {
  test.each([
    ['plain names stay as they are', '/usr/bin/foo bar', '/usr/bin/foo bar'],
    ['UTF-8 is shown as what it says', bytesOf('/srv/café/日本/😀'), '/srv/café/日本/😀'],
    ['a newline, a tab, a carriage return', '/a\nb\tc\rd', '/a\\nb\\tc\\rd'],
    ['an escape sequence', '/\x1b[31m\x07', '/\\x1b[31m\\x07'],
    ['a backslash is doubled', '/a\\nb', '/a\\\\nb'],
    ['delete', '/\x7f', '/\\x7f'],
    ['bytes that are not UTF-8', '/caf\xe9\xff', '/caf\\xe9\\xff'],
    ['a truncated sequence', '/\xe2\x82', '/\\xe2\\x82'],
    ['an overlong sequence', '/\xc0\xaf', '/\\xc0\\xaf'],
    ['a surrogate in UTF-8', '/\xed\xa0\x80', '/\\xed\\xa0\\x80'],
    ['a C1 control in UTF-8', bytesOf('/\u009b31m'), '/\\xc2\\x9b31m'],
    ['a bidirectional override', bytesOf('/\u202egpj.exe'), '/\\xe2\\x80\\xaegpj.exe'],
    ['a zero-width space', bytesOf('/a\u200bb'), '/a\\xe2\\x80\\x8bb'],
    ['a line separator', bytesOf('/a\u2028b'), '/a\\xe2\\x80\\xa8b'],
    ['a true replacement character', bytesOf('/\ufffd'), '/\ufffd'],
  ])('%s', (_, path, shown) => {
    expect(printablePath(path)).toBe(shown);
  });

  test('text with a lone surrogate', () => {
    expect(printableText('a\ud800b')).toBe('a\\xef\\xbf\\xbdb');
  });

  test("bash reads every name back within $'...'", () => {
    const names = fc.sample(fc.uint8Array({ min: 1, minLength: 1, maxLength: 40 }), { numRuns: 500, seed: 7 });
    const paths = names.map(name => Buffer.from(name).toString('latin1'));
    // Between two escapes bash joins hex digits only up to two, so nothing of a name runs into an escape.
    const script = paths.map(path => `printf '%s\\0' $'${printablePath(path).replaceAll("'", "\\'")}'`).join('\n');
    const output = execFileSync('bash', [], { input: script, env: { LC_ALL: 'C' } }).toString('latin1');
    expect(output.split('\0').slice(0, -1)).toEqual(paths);
  });

  test('what is shown can be typed, and names the same bytes', () => {
    const path = fc.uint8Array({ min: 1, maxLength: 40 }).map(name => Buffer.from(name).toString('latin1'));
    fc.assert(
      fc.property(path, bytes => {
        expect(parsePrintablePath(printablePath(bytes))).toBe(bytes);
      }),
      { numRuns: 2000, seed: 11 },
    );
    expect(parsePrintablePath('/C:\\dir')).toBe('/C:\\dir');
  });

  test('a word for the shell is quoted only where it must be', () => {
    expect(shellWord('/mnt/vm042')).toBe('/mnt/vm042');
    expect(shellWord("/mnt/it's here")).toBe("$'/mnt/it\\'s here'");
  });
});
