import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assertReportCanBeWritten, writeReport } from '../../src/cli/write-report.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot)
  process.stderr.write('write-report: the tests with a full disk are skipped: mounting a tmpfs needs root\n');

let here = '';
beforeEach(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-write-'));
});
afterEach(() => rmSync(here, { recursive: true }));

describe('a report', () => {
  test('stands in the file when it is whole, and nothing else is left there', async () => {
    const path = join(here, 'r.json');
    await writeReport(path, ['{"a":', '"é"}\n']);
    expect(readFileSync(path, 'utf8')).toBe('{"a":"é"}\n');
    expect(readdirSync(here)).toEqual(['r.json']);
  });

  test('replaces an earlier one at once: until then that one can be read', async () => {
    const path = join(here, 'r.json');
    writeFileSync(path, 'earlier');
    chmodSync(path, 0o600);
    const seen: string[] = [];
    function* chunks() {
      yield 'ne';
      seen.push(readFileSync(path, 'utf8'));
      yield 'w';
    }
    await writeReport(path, chunks());
    expect(seen).toEqual(['earlier']);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('goes through a link to the file that it names', async () => {
    mkdirSync(join(here, 'elsewhere'));
    writeFileSync(join(here, 'elsewhere/r.json'), 'earlier');
    symlinkSync('elsewhere/r.json', join(here, 'link.json'));
    await writeReport(join(here, 'link.json'), ['new']);
    expect(lstatSync(join(here, 'link.json')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(here, 'elsewhere/r.json'), 'utf8')).toBe('new');
  });

  test('written to a device does not replace it', async () => {
    await writeReport('/dev/null', ['text']);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    await expect(writeReport('/dev/full', ['text'])).rejects.toThrow(
      'cannot write the report /dev/full: no space left on the device',
    );
    expect(statSync('/dev/full').isCharacterDevice()).toBe(true);
  });

  test('that fails while it is made leaves the earlier one, and no part', async () => {
    const path = join(here, 'r.json');
    writeFileSync(path, 'earlier');
    function* failing(): Generator<string> {
      yield 'part';
      throw new TypeError('a bug');
    }
    await expect(writeReport(path, failing())).rejects.toThrow(TypeError);
    expect(readdirSync(here)).toEqual(['r.json']);
    expect(readFileSync(path, 'utf8')).toBe('earlier');
  });
});

describe('before the scan it is known that a report cannot be written', () => {
  test.each([
    ['a directory', '.', /: it is a directory$/],
    ['no directory to put it in', 'none/r.json', /: no such file or directory$/],
    ['a file where a directory should be', 'file/r.json', /: a part of the path is no directory$/],
  ])('%s', (_, name, message) => {
    writeFileSync(join(here, 'file'), '');
    expect(() => assertReportCanBeWritten(join(here, name))).toThrow(message);
  });

  test('and that it can', () => {
    assertReportCanBeWritten(join(here, 'r.json'));
    assertReportCanBeWritten('/dev/null');
    expect(existsSync(join(here, 'r.json'))).toBe(false);
  });
});

describe.skipIf(!isRoot)('on a full disk', () => {
  let disk = '';
  beforeEach(() => {
    disk = join(here, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
  });
  afterEach(() => {
    execFileSync('umount', [disk]);
  });

  test('an earlier report survives, nothing partial stays, one line says why', async () => {
    const path = join(disk, 'r.json');
    writeFileSync(path, 'earlier');
    const chunks = Array.from({ length: 16 }, () => 'x'.repeat(65_536));
    await expect(writeReport(path, chunks)).rejects.toThrow(
      new RegExp(`^cannot write the report ${path}: no space left on the device$`),
    );
    expect(readFileSync(path, 'utf8')).toBe('earlier');
    expect(readdirSync(disk)).toEqual(['r.json']);
  });

  test('that is mounted read-only the scan does not even begin', () => {
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    expect(() => assertReportCanBeWritten(join(disk, 'r.json'))).toThrow(/: the file system is read-only$/);
  });
});
