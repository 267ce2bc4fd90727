// The oracle is the kernel: openat2(2) with RESOLVE_IN_ROOT walks a path as if the directory were the root.

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHostFilesystem } from '../../src/filesystems/host/host-filesystem.ts';
import { bytesOfText } from '../../src/path.ts';
import { PathResolver } from '../../src/tree/resolve-path.ts';

const SCRIPT = `
import ctypes, json, os, struct, sys
root = os.open(sys.argv[1], os.O_PATH | os.O_DIRECTORY)
base = os.readlink('/proc/self/fd/%d' % root)
libc = ctypes.CDLL(None, use_errno=True)
SYS_openat2, RESOLVE_IN_ROOT = 437, 0x10
def resolve(path, flags):
    how = struct.pack('QQQ', os.O_PATH | flags, 0, RESOLVE_IN_ROOT)
    fd = libc.syscall(SYS_openat2, root, os.fsencode(path), how, len(how))
    if fd < 0:
        return None
    real = os.readlink('/proc/self/fd/%d' % fd)
    os.close(fd)
    return real[len(base):] or '/'
paths = json.load(sys.stdin)
if libc.syscall(SYS_openat2, root, b'.', struct.pack('QQQ', os.O_PATH, 0, RESOLVE_IN_ROOT), 24) < 0:
    sys.exit(1)
print(json.dumps([[resolve(p, os.O_DIRECTORY), resolve(p, os.O_NOFOLLOW), resolve(p, 0)] for p in paths]))
`;

interface Resolved {
  readonly directory: string | null;
  readonly entry: string | null;
  readonly target: string | null;
}

function byKernel(root: string, paths: readonly string[]): Resolved[] | null {
  const run = spawnSync('python3', ['-c', SCRIPT, root], { input: JSON.stringify(paths), encoding: 'utf8' });
  if (run.status !== 0) return null;
  const rows: [string | null, string | null, string | null][] = JSON.parse(run.stdout);
  return rows.map(([directory, entry, target]) => ({ directory, entry, target }));
}

const NO_ORACLE = byKernel(tmpdir(), []) === null;
if (NO_ORACLE) process.stderr.write('path resolution tests skipped: no python3, or a kernel without openat2\n');

const LINKS: Readonly<Record<string, string>> = {
  bin: 'usr/bin',
  'usr/lib64': '/usr/lib',
  'var/run': '/run',
  'var/log': '../data/log',
  out: '../../../../../etc',
  self: '.',
  loop: 'pool',
  pool: 'loop',
  nowhere: '/not/there',
  'to-file': 'usr/bin/tool',
  'usr/bin/alias': './tool',
  'usr/bin/up': '../..',
  chain0: 'usr',
  'empty/slash': '/usr//bin/',
  'usr/bin/dots': '..',
};
const PATHS = [
  '/',
  '/bin',
  '/bin/tool',
  '/bin/alias',
  '/bin/up/bin/tool',
  '/bin/up',
  '/bin/../lib/x.so',
  '/bin/dots/lib/x.so',
  '/usr/lib64/x.so',
  '/var/run/pid',
  '/var/log/messages',
  '/out/passwd',
  '/out',
  '/../../etc/passwd',
  '/self/self/self/usr//./bin/tool',
  '/loop',
  '/loop/x',
  '/nowhere',
  '/nowhere/x',
  '/to-file',
  '/to-file/x',
  '/usr/bin/tool/x',
  '/absent/x',
  '/empty/slash/tool',
  '/chain39/bin/tool',
  '/chain40/bin/tool',
  '/chain45/bin/tool',
  '/usr/bin/to\u00f6l',
];

describe.skipIf(NO_ORACLE)('a path with symlinks on its way', () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'lostwrite-resolve-'));
    for (const directory of ['usr/bin', 'usr/lib', 'run', 'var', 'data/log', 'etc', 'empty']) {
      mkdirSync(join(root, directory), { recursive: true });
    }
    for (const file of [
      'usr/bin/tool',
      'usr/bin/to\u00f6l',
      'usr/lib/x.so',
      'run/pid',
      'data/log/messages',
      'etc/passwd',
    ]) {
      writeFileSync(join(root, file), '');
    }
    for (const [path, target] of Object.entries(LINKS)) symlinkSync(target, join(root, path));
    for (let link = 1; link <= 45; link++) symlinkSync(`chain${link - 1}`, join(root, `chain${link}`));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test.each(['in order', 'in reverse'])('leads where the kernel says, asked for %s', order => {
    const paths = order === 'in order' ? PATHS : [...PATHS].reverse();
    const resolver = new PathResolver(openHostFilesystem(bytesOfText(root)));
    const ours = paths.map(path => ({
      directory: resolver.directory(bytesOfText(path))?.path ?? null,
      entry: resolver.entry(bytesOfText(path))?.path ?? null,
      target: resolver.target(bytesOfText(path))?.path ?? null,
    }));
    const theirs = byKernel(root, paths)?.map(row => ({
      directory: row.directory === null ? null : bytesOfText(row.directory),
      entry: row.entry === null ? null : bytesOfText(row.entry),
      target: row.target === null ? null : bytesOfText(row.target),
    }));
    expect(named(paths, ours)).toEqual(named(paths, theirs ?? []));
  });

  test('has a place even where nothing is', () => {
    const resolver = new PathResolver(openHostFilesystem(bytesOfText(root)));
    expect(resolver.place('/bin/new')).toBe('/usr/bin/new');
    expect(resolver.place('/bin/new/x/y')).toBe('/usr/bin/new/x/y');
    expect(resolver.place('/nowhere/x')).toBe('/nowhere/x');
    expect(resolver.place('/var/log/loop/x')).toBe('/data/log/loop/x');
    expect(resolver.place('/')).toBe('/');
    expect(resolver.place('/bin')).toBe('/bin');
  });
});

function named(paths: readonly string[], resolved: readonly Resolved[]): Record<string, Resolved | undefined> {
  return Object.fromEntries(paths.map((path, index) => [path, resolved[index]]));
}
