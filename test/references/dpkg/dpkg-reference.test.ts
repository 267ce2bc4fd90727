// Whole databases, made by the real dpkg; what is damaged in them is what dpkg --verify and debsums say is.

import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Expectation } from '../../../src/model.ts';
import { comparePaths } from '../../../src/path.ts';
import { DebianSystem, HAS_DEBSUMS, NO_DPKG, type PackageSpec } from './debian-system.ts';
import { expectationsByPath, openReference, verdictsOf } from './verdicts.ts';

const HELLO: PackageSpec = {
  name: 'hello',
  version: '1:2.10-3+b1',
  files: {
    '/usr/bin/hello': 'program\n',
    '/usr/share/hello/data/words': 'words\n',
    '/usr/share/hello/data/wörter und mehr': 'Wörter\n',
    '/usr/share/doc/hello/copyright': 'free\n',
    '/etc/hello.conf': 'greeting=hello\n',
  },
  links: { '/usr/bin/hi': 'hello' },
  conffiles: ['/etc/hello.conf'],
};
// As md5sum(1) has them.
const MD5_PROGRAM = '014ad490257f1757f32f4c106284b1e1';
const MD5_CONFFILE = '801ef2bfa1ce9046be4eb650dabcc017';

describe.skipIf(NO_DPKG !== null)('a system that dpkg installed', () => {
  let system: DebianSystem;
  const verdicts = () => verdictsOf(system.root, openReference(system.root).expectations());
  const expectationAt = (path: string) => expectationsByPath(openReference(system.root)).get(path);

  beforeEach(() => {
    system = new DebianSystem();
  });
  afterEach(() => system.remove());

  test('is as expected, and its database gives no trouble', () => {
    system.install(HELLO);
    expect(system.verify()).toEqual([]);
    expect(verdicts()).toEqual([]);
    expect(openReference(system.root).errors).toEqual([]);
  });

  test('is expected path by path, each once, in tree order', () => {
    system.install(HELLO);
    system.install({ name: 'other', files: { '/usr/bin/a': 'a', '/usr/bin-b': 'b', '/usr/share/doc/other/x': 'x' } });
    const paths = [...openReference(system.root).expectations()].map(expectation => expectation.path);
    expect(paths).toEqual([...new Set(paths)].sort(comparePaths));
    const listed = system.dpkg('-L', 'hello', 'other').split('\n');
    const named = listed.filter(path => path !== '' && path !== '/.');
    expect([...paths].sort()).toEqual([...new Set(named)].sort());
  });

  test('holds two readings of the same expectations', () => {
    system.install(HELLO);
    const reference = openReference(system.root);
    expect([...reference.expectations()]).toEqual([...reference.expectations()]);
  });

  test('has a file with its digest, its package, and the way to get it again', () => {
    system.install(HELLO);
    expect(expectationAt('/usr/bin/hello')).toEqual({
      reference: 'dpkg',
      path: '/usr/bin/hello',
      type: 'file',
      sizeBytes: null,
      digests: { md5: MD5_PROGRAM },
      blocks: null,
      linkTarget: null,
      stat: null,
      owner: { kind: 'package', name: 'hello', version: '1:2.10-3+b1' },
      editable: false,
      installedAtNs: statSync(system.admin('info/hello.list'), { bigint: true }).ctimeNs,
      remedy: {
        action: 'reinstall',
        detail: 'Reinstall the package hello 1:2.10-3+b1, which brings the file.',
        command: 'apt-get install --reinstall hello=1:2.10-3+b1',
      },
    } satisfies Expectation);
  });

  test('says of a configuration file that it may be edited', () => {
    system.install(HELLO);
    const { editable, type, digests, remedy } = expectationAt('/etc/hello.conf') ?? {};
    expect({ editable, type, digests }).toEqual({ editable: true, type: 'file', digests: { md5: MD5_CONFFILE } });
    expect(remedy?.command).toBe('apt-get install --reinstall -o Dpkg::Options::=--force-confmiss hello=1:2.10-3+b1');
  });

  test('knows directories by what lies below them, and nothing of the type of a symlink', () => {
    system.install(HELLO);
    expect(expectationAt('/usr/share/hello/data')).toMatchObject({ type: 'directory', digests: {} });
    expect(expectationAt('/usr/bin/hi')).toMatchObject({ type: null, digests: {} });
  });

  test('leaves a directory that several packages bring without an owner', () => {
    system.install(HELLO);
    system.install({ name: 'other', files: { '/usr/share/other': 'x' } });
    expect(expectationAt('/usr/share')).toMatchObject({ owner: null, installedAtNs: null, type: 'directory' });
    expect(expectationAt('/usr/share/hello')?.owner?.name).toBe('hello');
  });

  test('shows what was changed, cut, replaced, edited and lost, as dpkg --verify shows it', () => {
    system.install(HELLO);
    system.install({ name: 'other', files: { '/opt/x/one': '1', '/opt/x/two': '2', '/opt/x/three': '3' } });
    system.write('/usr/bin/hello', 'progrom\n');
    system.write('/usr/share/hello/data/words', '');
    system.write('/etc/hello.conf', 'greeting=goodbye\n');
    rmSync(system.path('/usr/share/hello/data/wörter und mehr'));
    rmSync(system.path('/usr/bin/hi'));
    rmSync(system.path('/opt/x'), { recursive: true });
    const said = system.verify();
    expect(said).toHaveLength(9);
    expect(verdicts().map(utf8)).toEqual(said.map(utf8));
  });

  test.skipIf(!HAS_DEBSUMS)('shows changed and lost files as debsums shows them', () => {
    system.install(HELLO);
    system.write('/usr/bin/hello', 'progrom\n');
    system.write('/etc/hello.conf', 'greeting=goodbye\n');
    rmSync(system.path('/usr/share/doc/hello/copyright'));
    expect(verdicts()).toEqual(system.debsums());
  });

  test('ignores a digest whose file another package has taken over', () => {
    system.install(HELLO);
    const words = { '/usr/share/hello/data/words': 'better words\n' };
    system.install({ name: 'hello-data', control: ['Replaces: hello (<< 2:1)'], files: words });
    expect(system.verify()).toEqual([]);
    expect(verdicts()).toEqual([]);
    expect(expectationAt('/usr/share/hello/data/words')?.owner?.name).toBe('hello-data');
  });

  test('follows the package that was unpacked last where dpkg was forced to overwrite', async () => {
    system.install({ name: 'zzz', files: { '/usr/bin/hello': 'by zzz\n' } });
    await nextTick();
    system.install(HELLO, '--force-overwrite');
    expect(verdicts()).toEqual([]);
    await nextTick();
    system.install({ name: 'zzz', version: '2', files: { '/usr/bin/hello': 'by zzz\n' } }, '--force-overwrite');
    expect(verdicts()).toEqual([]);
    expect(expectationAt('/usr/bin/hello')?.owner?.name).toBe('zzz');
  });

  test('keeps the files of one package for two architectures apart', () => {
    system.dpkg('--add-architecture', 'i386');
    const control = ['Multi-Arch: same'];
    const shared = { '/usr/share/doc/libx/copyright': 'free\n' };
    const native = system.dpkg('--print-architecture').trim();
    const lib = (architecture: string) => ({
      name: 'libx',
      architecture,
      control,
      files: { ...shared, [`/usr/lib/${architecture}/libx.so.1`]: `code for ${architecture}\n` },
    });
    system.install({ name: 'dpkg', architecture: native, files: { '/usr/bin/dpkg': 'dpkg\n' } });
    system.install(lib(native));
    system.install(lib('i386'));
    expect(existsSync(system.admin('info/libx:i386.md5sums'))).toBe(true);
    system.write('/usr/lib/i386/libx.so.1', 'code');
    expect(verdicts()).toEqual(['changed /usr/lib/i386/libx.so.1']);
    expect(system.verify()).toEqual(['changed /usr/lib/i386/libx.so.1']);
    const commands = ['i386', native].map(arch => expectationAt(`/usr/lib/${arch}/libx.so.1`)?.remedy?.command);
    expect(commands).toEqual(['apt-get install --reinstall libx:i386=1.0-1', 'apt-get install --reinstall libx=1.0-1']);
    expect(expectationAt('/usr/share/doc/libx/copyright')?.owner?.name).toBe('libx');
  });

  test('reads a database from elsewhere, as a root and as the directory itself', () => {
    system.install(HELLO);
    const damaged = new DebianSystem();
    try {
      damaged.install({ ...HELLO, files: { ...HELLO.files, '/usr/bin/hello': 'garbage\n' } });
      rmSync(damaged.admin('info'), { recursive: true });
      for (const place of [system.root, system.admin('')]) {
        const reference = openReference(damaged.root, place);
        expect(verdictsOf(damaged.root, reference.expectations())).toEqual(['changed /usr/bin/hello']);
      }
    } finally {
      damaged.remove();
    }
  });
});

describe.skipIf(NO_DPKG !== null)('configuration files in all their states', () => {
  let system: DebianSystem;
  const byPath = () => expectationsByPath(openReference(system.root));

  beforeEach(() => {
    system = new DebianSystem();
  });
  afterEach(() => system.remove());

  test('stay expected, to be edited, after their package was removed', () => {
    system.install(HELLO);
    system.dpkg('--remove', 'hello');
    const left = [...byPath().values()];
    expect(left.map(({ path, editable, digests }) => ({ path, editable, digests }))).toEqual([
      { path: '/etc/hello.conf', editable: true, digests: { md5: MD5_CONFFILE } },
    ]);
    expect(verdictsOf(system.root, left)).toEqual([]);
  });

  test('belong to the package that took them over', () => {
    system.install(HELLO);
    system.install({ ...HELLO, version: '3', files: { '/usr/bin/hello': 'program\n' }, conffiles: [] });
    expect(byPath().get('/etc/hello.conf')?.owner?.name).toBe('hello');
    const conffile = { '/etc/hello.conf': 'greeting=hello\n' };
    system.install({
      name: 'a-config',
      control: ['Replaces: hello'],
      files: conffile,
      conffiles: ['/etc/hello.conf'],
    });
    system.install({
      name: 'zz-config',
      control: ['Replaces: hello, a-config'],
      files: conffile,
      conffiles: ['/etc/hello.conf'],
    });
    expect(byPath().get('/etc/hello.conf')?.owner?.name).toBe('zz-config');
  });

  test('are not expected while their package is unpacked for the first time', () => {
    system.dpkg('--unpack', system.build(HELLO));
    expect(existsSync(system.path('/etc/hello.conf'))).toBe(false);
    expect(byPath().get('/etc/hello.conf')).toBeUndefined();
    expect(byPath().get('/usr/bin/hello')?.digests).toEqual({ md5: MD5_PROGRAM });
  });

  test('are not expected once they are to be removed', () => {
    system.install({
      name: 'gone',
      files: { '/usr/share/gone': 'x' },
      conffiles: ['remove-on-upgrade /etc/gone.conf'],
    });
    expect(byPath().get('/etc/gone.conf')).toBeUndefined();
    expect(verdictsOf(system.root, byPath().values())).toEqual([]);
  });

  test('are expected where a symlink in their place leads', () => {
    system.install(HELLO);
    system.write('/etc/site/hello.conf', 'greeting=hello\n');
    rmSync(system.path('/etc/hello.conf'));
    system.link('/etc/hello.conf', '/etc/site/hello.conf');
    expect(byPath().get('/etc/hello.conf')).toMatchObject({ type: null, digests: {} });
    expect(byPath().get('/etc/site/hello.conf')).toMatchObject({ editable: true, digests: { md5: MD5_CONFFILE } });
    expect(verdictsOf(system.root, byPath().values())).toEqual([]);
  });
});

describe.skipIf(NO_DPKG !== null || !existsSync('/var/lib/dpkg/info/dpkg.list'))("this machine's own packages", () => {
  test('are changed and missing where dpkg --verify finds them so', () => {
    const names = ['base-files', 'bash', 'coreutils', 'dpkg', 'grep', 'libc-bin', 'sed', 'tar'];
    const said = spawnSync('dpkg', ['--verify', ...names], { encoding: 'latin1' }).stdout.split('\n');
    const theirs = said.filter(line => line !== '').map(line => line.replace(/^.* (\/.*)$/, '$1'));
    const expected = [...openReference('/').expectations()].filter(each => names.includes(each.owner?.name ?? ''));
    expect(expected.length).toBeGreaterThan(500);
    const ours = verdictsOf('/', expected).map(verdict => verdict.replace(/^\S+ /, ''));
    expect(ours).toEqual(theirs.map(path => join(realpathSync(dirname(path)), basename(path))).sort());
  });
});

/** The kernel's clock for inodes moves by ticks: a later installation needs a later one. */
function nextTick(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 20));
}

/** Paths are bytes; some are UTF-8. */
function utf8(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}
