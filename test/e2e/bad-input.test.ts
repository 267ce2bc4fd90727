// What a person may get wrong, and what a disk may do to store and report: one clear line, the right exit code.

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { IS_ROOT, Place, readReport, skipping } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

let place: Place;
let target = '';
beforeAll(() => {
  place = new Place();
  target = place.at('target');
  mkdirSync(`${target}/d`, { recursive: true });
  for (let number = 0; number < 50; number++) writeFileSync(`${target}/d/${number}`, `content ${number}`);
  expect(place.baseline(target, 'nightly').status).toBe(0);
}, 120_000);
afterAll(() => place.remove());

/** What the program says to a refused request: the one line, exit code 2, nothing on standard output. */
function refusal(args: readonly string[]): string {
  const { status, stdout, stderr } = place.run(args);
  expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 2, stdout: '', lines: 2 });
  return stderr.trimEnd().replaceAll(place.path, '~');
}

function scan(...args: string[]): string[] {
  return ['scan', 'target', '--store', 'store.db', '--force', ...args];
}

describe('refused in one line', () => {
  test.each([
    [['scan', 'none'], 'lostwrite: none: no such file or directory'],
    [['scan', 'target/d/1/x'], 'lostwrite: target/d/1/x: no such file or directory'],
    [['scan', '/dev/null'], 'lostwrite: /dev/null: neither a directory, a disk image nor a block device'],
    [scan('--jobs', '0'), 'lostwrite: --jobs: "0" is no whole number from 1 to 1024'],
    [scan('--jobs', '-1'), 'lostwrite: --jobs: "-1" is no whole number from 1 to 1024'],
    [scan('--window', 'yesterday'), /^lostwrite: --window: /],
    [scan('--window', '2014-06-07..2014-06-02'), 'lostwrite: --window: 2014-06-07..2014-06-02 ends before it begins'],
    [scan('--scanner', 'gti-objects'), /^lostwrite: --scanner: "gti-objects": no such scanner; there is /],
    [scan('--scanner', ''), 'lostwrite: --scanner: the value is empty'],
    [
      scan('--baseline', 'weekly'),
      /^lostwrite: store ~\/store\.db holds no baseline weekly; "lostwrite baseline list"/,
    ],
    [scan('--reference', 'dpkg:target'), /^lostwrite: --reference dpkg:\S*target: no dpkg database there/],
    [
      scan('--reference', 'dpkg:target/none'),
      /^lostwrite: --reference dpkg:\S*target\/none: no such file or directory \(ENOENT\)$/,
    ],
    [scan('--reference', 'dpkg:target/d/1'), /^lostwrite: --reference dpkg:\S*target\/d\/1: /],
    [scan('--reference', 'rpm:x'), /^lostwrite: --reference: "rpm": no such kind/],
    [scan('--resume', 'maybe'), 'lostwrite: --resume: "maybe": expected auto or never'],
    [scan('--json', 'target'), /^lostwrite: cannot write the report ~\/target: it is a directory$/],
    [scan('--json', 'none/r.json'), /^lostwrite: cannot write the report ~\/none\/r\.json: no such file or directory$/],
    [['scan', 'target', '--json', 'r.json'], /^lostwrite: the report ~\/r\.json would lie on the scanned file system/],
    [['scan', 'target', '--store', 's.db'], /^lostwrite: the store ~\/s\.db would lie on the scanned file system/],
    [['baseline', 'create', 'target', '--store', 's.db', '--force'], /^lostwrite: .*--name/],
  ] as [string[], string | RegExp][])('%j', (args, line) => {
    const said = refusal(args);
    if (typeof line === 'string') expect(said).toBe(line);
    else expect(said).toMatch(line);
  });

  test('a file that is no image', () => {
    writeFileSync(place.at('text'), 'no image\n'.repeat(1000));
    expect(refusal(['scan', 'text', '--store', place.store, '--force'])).toMatch(/^lostwrite: text: /);
  });

  test('a configuration file with an option that there is not', () => {
    mkdirSync(place.at('configured'));
    writeFileSync(place.at('configured', 'lostwrite.config.yaml'), 'windw: 2014-06-02..\n');
    const { status, stderr } = place.run([
      'scan',
      'target',
      '--config',
      place.at('configured', 'lostwrite.config.yaml'),
    ]);
    expect({ status, line: stderr.split('\n').length }).toEqual({ status: 2, line: 2 });
    expect(stderr).toContain('windw');
  });
});

describe('a store that is none', () => {
  const withStore = (name: string): string =>
    refusal(['scan', 'target', '--baseline', 'nightly', '--force', '--store', place.at(name)]);

  test('not there: it does not come into being', () => {
    expect(withStore('mistyped.db')).toBe(
      'lostwrite: store ~/mistyped.db does not exist, and so holds no baseline nightly',
    );
    expect(readdirSync(place.path)).not.toContain('mistyped.db');
  });

  test('damaged at its beginning', () => {
    copyFileSync(place.store, place.at('damaged.db'));
    const bytes = readFileSync(place.at('damaged.db'));
    writeFileSync(place.at('damaged.db'), bytes.fill(0xff, 100, 8192));
    expect(withStore('damaged.db')).toMatch(/^lostwrite: store ~\/damaged\.db is damaged/);
    expect(readFileSync(place.at('damaged.db')).equals(bytes)).toBe(true);
  });

  test('cut short', () => {
    copyFileSync(place.store, place.at('short.db'));
    truncateSync(place.at('short.db'), statSync(place.store).size - 8192);
    expect(withStore('short.db')).toMatch(/^lostwrite: store ~\/short\.db (is damaged|cannot be read)/);
  });

  test('of a version to come', () => {
    copyFileSync(place.store, place.at('newer.db'));
    const database = new Database(place.at('newer.db'));
    database.pragma('user_version = 999');
    database.close();
    expect(withStore('newer.db')).toMatch(/^lostwrite: store ~\/newer\.db .*999/);
  });

  test("another program's database", () => {
    const database = new Database(place.at('other.db'));
    database.exec('CREATE TABLE mine (x)');
    database.close();
    expect(withStore('other.db')).toMatch(/^lostwrite: ~?\S*other\.db|^lostwrite: store ~\/other\.db/);
    const again = new Database(place.at('other.db'), { readonly: true });
    expect(again.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'mine' }]);
    again.close();
  });

  test('a text file', () => {
    writeFileSync(place.at('text.db'), 'text '.repeat(5000));
    expect(withStore('text.db')).toMatch(/^lostwrite: store ~\/text\.db /);
    expect(readFileSync(place.at('text.db'), 'utf8')).toBe('text '.repeat(5000));
  });
});

describe.skipIf(!IS_ROOT && skipping('mounting needs root') === null)('a disk that is full', () => {
  const mountSmall = (name: string, size: string): string => {
    mkdirSync(place.at(name));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', place.at(name)]);
    return place.at(name);
  };
  const fill = (directory: string): void => {
    const full = `head -c 100M /dev/zero > "$1/filler" 2> /dev/null; true`;
    execFileSync('bash', ['-c', full, '-', directory]);
  };

  test('while the report is written: the earlier one survives, the summary is printed', () => {
    const disk = mountSmall('full-report', '1m');
    try {
      const report = `${disk}/report.json`;
      expect(place.run(['scan', target, '--store', place.store, '--force', '--json', report]).status).toBe(0);
      const before = readFileSync(report);
      fill(disk);
      const { status, stdout, stderr } = place.run([
        'scan',
        target,
        '--store',
        place.store,
        '--force',
        '--json',
        report,
      ]);
      expect({ status, stderr }).toEqual({
        status: 2,
        stderr: `lostwrite: cannot write the report ${report}: no space left on the device\n`,
      });
      expect(stdout).toContain('Scanned 50 files');
      expect(readFileSync(report).equals(before)).toBe(true);
      expect(readReport(report).summary.files).toBe(50);
      expect(readdirSync(disk).sort()).toEqual(['filler', 'report.json']);
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('while the store is written: one line, and the generations that it has are still there', () => {
    const disk = mountSmall('full-store', '2m');
    try {
      const store = `${disk}/store.db`;
      const args = ['--store', store, '--force'];
      expect(place.run(['baseline', 'create', target, '--name', 'first', ...args]).status).toBe(0);
      const large = place.at('large');
      mkdirSync(large);
      for (let number = 0; number < 12; number++) {
        closeSync(openSync(`${large}/${number}`, 'w'));
        execFileSync('dd', ['if=/dev/urandom', `of=${large}/${number}`, 'bs=1M', 'count=10', 'status=none']);
      }
      fill(disk);
      const { status, stdout, stderr } = place.run(['baseline', 'create', large, '--name', 'second', ...args]);
      expect({ status, stdout, lines: stderr.split('\n').length }).toEqual({ status: 2, stdout: '', lines: 2 });
      expect(stderr).toMatch(/^lostwrite: store \S+ (cannot grow: no space left|cannot be read or written)/);
      execFileSync('rm', [`${disk}/filler`]);
      const list = place.run(['baseline', 'list', '--store', store]);
      expect(list.stdout).toContain('first');
      expect(list.stdout).not.toContain('second');
      expect(place.run(['scan', target, '--baseline', 'first', ...args]).status).toBe(0);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('the same findings, whatever the number of workers', () => {
  test('--jobs 1, 2 and 3 give the same bytes', () => {
    const tree = place.at('tree');
    const make = `
import os, sys
for a in range(30):
    for b in range(20):
        d = f"{sys.argv[1]}/{a}/{b}"; os.makedirs(d)
        for c in range(3):
            with open(f"{d}/{c}", "w") as f: f.write(f"{a} {b} {c} " * 50)
`;
    execFileSync('python3', ['-c', make, tree]);
    expect(place.baseline(tree, 'tree').status).toBe(0);
    const damage = `
import os, sys
for a in range(0, 30, 3):
    for b in range(0, 20, 2):
        f = f"{sys.argv[1]}/{a}/{b}/1"; s = os.stat(f)
        with open(f, "r+") as o: o.write("x")
        os.utime(f, ns=(s.st_atime_ns, s.st_mtime_ns))
`;
    execFileSync('python3', ['-c', damage, tree]);
    const texts = ['1', '2', '3'].map(jobs => {
      const { stdout } = place.run(place.scanArgs(tree, ['--baseline', 'tree', '--jobs', jobs]));
      return JSON.stringify(JSON.parse(stdout).findings);
    });
    expect(JSON.parse(texts[0] ?? '')).toHaveLength(100);
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).toBe(texts[0]);
  });
});

describe('a baseline of something else', () => {
  test('is compared, and that is said', () => {
    const other = place.at('other');
    mkdirSync(other);
    const { status, stderr } = place.run(['scan', other, '--store', place.store, '--force', '--baseline', 'nightly']);
    expect(stderr).toBe(`baseline nightly was made of ${target}: it is compared with ${other} all the same\n`);
    expect(status).not.toBe(2);
  });
});
