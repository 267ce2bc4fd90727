// Whatever Linux allows as a name or a type: listed, read, reported exactly; and an untouched tree has no finding.

import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { IS_ROOT, Place, pathBytes, skipping, succeeds } from './program.ts';

// The whole program runs in each test, on machines that do other things as well.
vi.setConfig({ testTimeout: 120_000 });

let place: Place;
beforeAll(() => {
  place = new Place();
}, 120_000);
afterAll(() => {
  // A path beyond PATH_MAX is too long for Node to remove.
  execFileSync('rm', ['-rf', place.path]);
});

const HAS_STRACE = succeeds('strace', ['-V']) || skipping('needs strace, to see what is opened') !== null;

const ODD_NAMES = [
  Buffer.from([0xff, 0xfe, 0x80]),
  Buffer.from('line\nfeed'),
  Buffer.from('carriage\rreturn'),
  Buffer.from('  leading and trailing  '),
  Buffer.from('-rf'),
  Buffer.from('\u202egnp.exe'),
  Buffer.from('x'.repeat(255)),
  Buffer.alloc(255, 0xe9),
  Buffer.from('back\\slash'),
  Buffer.from('star*[a-z]?{b,c}!(d)'),
  Buffer.from('\x01\x1b[31m'),
  Buffer.from('...'),
  Buffer.from('~'),
  Buffer.from('\u00e9'),
  Buffer.from('e\u0301'),
];

function inside(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}

/** `find -print0` of a kind, as byte strings within the tree. */
function found(root: string, ...tests: string[]): string[] {
  const output = execFileSync('find', [root, '-mindepth', '1', ...tests, '-printf', '/%P\\0'], {
    maxBuffer: 1 << 28,
  });
  return output.toString('latin1').split('\0').slice(0, -1).sort();
}

function reported(findings: readonly { path: string; pathBase64?: string }[]): string[] {
  return findings.map(finding => pathBytes(finding).toString('latin1')).sort();
}

describe('odd names', () => {
  let root = '';
  beforeAll(() => {
    root = place.at('names');
    mkdirSync(root);
    for (const name of ODD_NAMES) {
      writeFileSync(inside(root, Buffer.concat([name.subarray(0, 250), Buffer.from('.txt')])), name);
      mkdirSync(inside(root, name));
      writeFileSync(inside(root, Buffer.concat([name, Buffer.from('/'), name])), Buffer.concat([name, name]));
    }
  });

  test('a tree against its own baseline: every path counted, no finding, exit code 0', () => {
    expect(place.baseline(root, 'names')).toMatchObject({ status: 0, stderr: '' });
    const { report, status } = place.scan(root, ['--baseline', 'names']);
    expect(status).toBe(0);
    expect(report.findings).toEqual([]);
    expect(report.summary.files).toBe(found(root, '-type', 'f').length);
    expect(report.summary.directories).toBe(found(root, '-type', 'd').length + 1);
    const bytes = execFileSync('bash', ['-c', 'find "$1" -type f -exec cat {} + | wc -c', '-', root], {
      encoding: 'utf8',
    });
    expect(report.summary.bytesRead).toBe(Number(bytes));
  });

  test('every changed file is reported by its exact bytes, with the digest that sha256sum gives', () => {
    const copy = place.at('names-copy');
    execFileSync('cp', ['-a', root, copy]);
    expect(place.baseline(copy, 'copy').status).toBe(0);
    for (const path of found(copy, '-type', 'f')) {
      const file = Buffer.concat([Buffer.from(copy), Buffer.from(path, 'latin1')]);
      const { atimeNs, mtimeNs } = statSync(file, { bigint: true });
      const bytes = readFileSync(file);
      bytes.writeUInt8(bytes.readUInt8(0) ^ 0xff, 0);
      writeFileSync(file, bytes);
      utimesSync(file, Number(atimeNs / 1_000_000_000n), Number(mtimeNs / 1_000_000_000n));
    }
    const { report, status } = place.scan(copy, ['--baseline', 'copy', '--fail-on', 'altered:possible']);
    expect(status).toBe(1);
    expect(reported(report.findings)).toEqual(found(copy, '-type', 'f'));
    const digests = new Map(
      report.findings.map(finding => [
        pathBytes(finding).toString('latin1'),
        (finding as unknown as { observed: { digest: string } }).observed.digest,
      ]),
    );
    const sums = execFileSync('bash', ['-c', 'cd "$1" && find . -type f -exec sha256sum -z {} +', '-', copy]);
    const expected = sums.toString('latin1').split('\0').slice(0, -1);
    const lines = expected.map(line => [line.slice(67), `sha256:${line.slice(0, 64)}`] as const);
    expect(new Map([...digests].sort())).toEqual(new Map(lines.sort().map(([path, sum]) => [`${path}`, sum])));
  });

  test('globs exclude and include such names', () => {
    const excluded = place.scan(root, [
      '--exclude',
      'line?feed',
      '--exclude',
      '*\u202e*',
      '--exclude',
      '/back\\\\slash',
    ]);
    expect(excluded.status).toBe(0);
    const all = found(root, '-type', 'f').length;
    expect(excluded.report.summary.files).toBe(all - 4);
    const included = place.scan(root, ['--include', '/carriage*']);
    expect(included.report.summary.files).toBe(2);
  });
});

describe('types of entries', () => {
  let root = '';
  beforeAll(() => {
    root = place.at('types');
    mkdirSync(`${root}/loop`, { recursive: true });
    writeFileSync(`${root}/file`, 'x'.repeat(100_000));
    for (let name = 0; name < 20; name++) linkSync(`${root}/file`, `${root}/link-${name}`);
    symlinkSync('.', `${root}/loop/self`);
    symlinkSync('../loop', `${root}/loop/back`);
    symlinkSync('two', `${root}/one`);
    symlinkSync('one', `${root}/two`);
    symlinkSync('/nowhere', `${root}/dangling`);
    execFileSync('mkfifo', [`${root}/fifo`]);
    execFileSync('python3', [
      '-c',
      `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(`${root}/socket`)})`,
    ]);
    if (IS_ROOT) execFileSync('mknod', [`${root}/null`, 'c', '1', '3']);
    if (IS_ROOT) execFileSync('mknod', [`${root}/disk`, 'b', '7', '250']);
  });

  test.skipIf(!HAS_STRACE)(
    'FIFOs, sockets and devices are skipped, never opened; a file of 21 names is opened once',
    () => {
      const trace = place.at('trace');
      const strace = ['strace', '-f', '-o', trace, '-e', 'trace=open,openat'];
      const { report, status } = place.scan(root, [], strace);
      expect(status).toBe(0);
      const special = [...(IS_ROOT ? ['/disk', '/null'] : []), '/fifo', '/socket'].sort();
      expect(report.coverage.skipped.map(({ path, reason }) => `${path} ${reason}`)).toEqual(
        special.map(path => `${path} special`),
      );
      const opened = readFileSync(trace, 'utf8').match(/(?<=")[^"]*(?=")/g) ?? [];
      const within = opened.filter(path => path.startsWith(`${root}/`)).map(path => path.slice(root.length));
      expect(within.sort()).toEqual(['/file', '/loop']);
      expect(report.summary).toMatchObject({ files: 21, directories: 2, bytesRead: 100_000 });
    },
  );

  test('times of access stay as they are', () => {
    const file = `${root}/file`;
    utimesSync(file, 1_000_000_000, 1_100_000_000);
    expect(place.scan(root).status).toBe(0);
    expect(statSync(file).atimeMs).toBe(1_000_000_000_000);
  });
});

describe('sizes of trees', () => {
  test('an empty directory', () => {
    mkdirSync(place.at('empty'));
    const { report, status } = place.scan(place.at('empty'));
    expect(status).toBe(0);
    expect(report.summary).toMatchObject({ files: 0, directories: 1, bytesRead: 0 });
  });

  test('a directory of 100,000 entries', () => {
    const script = 'mkdir "$1" && cd "$1" && seq 1 100000 | xargs touch';
    execFileSync('bash', ['-c', script, '-', place.at('many')]);
    const { report, status } = place.scan(place.at('many'));
    expect(status).toBe(0);
    expect(report.summary).toMatchObject({ files: 100_000, directories: 1 });
  });

  /** Makes LEVELS directories of 200 bytes each, and a file in each. */
  const DEEP = `
import os, sys
os.mkdir(sys.argv[1]); os.chdir(sys.argv[1])
for level in range(int(sys.argv[2])):
    name = "%04d" % level + "d" * 196
    os.mkdir(name); os.chdir(name)
    with open("f", "w") as f: f.write(str(level))
`;
  const LEVELS = 250;

  test('a path of 50,000 bytes, beyond PATH_MAX: listed, read, kept and compared', () => {
    const root = place.at('deep');
    execFileSync('python3', ['-c', DEEP, root, String(LEVELS)]);
    expect(place.baseline(root, 'deep')).toMatchObject({ status: 0, stderr: '' });
    const same = place.scan(root, ['--baseline', 'deep']);
    expect(same.report.summary).toMatchObject({ files: LEVELS, directories: LEVELS + 1 });
    expect(same.report.findings).toEqual([]);
    expect(same.status).toBe(0);
    const change = `
import os, sys
os.chdir(sys.argv[1])
for level in range(${LEVELS}): os.chdir("%04d" % level + "d" * 196)
with open("f", "w") as f: f.write("other")
`;
    execFileSync('python3', ['-c', change, root]);
    const changed = place.scan(root, ['--baseline', 'deep', '--fail-on', 'altered:possible']);
    expect(changed.report.findings.map(finding => finding.path.length)).toEqual([LEVELS * 201 + 2]);
    expect(changed.report.findings[0]?.path.endsWith(`${LEVELS - 1}${'d'.repeat(196)}/f`)).toBe(true);
  });
});
