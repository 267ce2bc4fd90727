// Where a package's path stands in the target: diversions, merged /usr, paths that were not to be unpacked.

import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DebianSystem, HAS_DEBSUMS, NO_DPKG, type PackageSpec } from './debian-system.ts';
import { expectationsByPath, openReference, verdictsOf } from './verdicts.ts';

const HELLO: PackageSpec = {
  name: 'hello',
  files: {
    '/bin/hello': 'program\n',
    '/lib/hello/plugin': 'plugin\n',
    '/usr/share/doc/hello/copyright': 'free\n',
    '/usr/share/doc/hello/changelog': 'news\n',
    '/usr/share/man/man1/hello.1': 'manual\n',
  },
};

describe.skipIf(NO_DPKG !== null)('a path of a package', () => {
  let system: DebianSystem;
  const reference = () => openReference(system.root);
  const verdicts = () => verdictsOf(system.root, reference().expectations());
  const md5 = (path: string) =>
    createHash('md5')
      .update(readFileSync(system.path(path)))
      .digest('hex');
  const expectedDigest = (path: string) => expectationsByPath(reference()).get(path)?.digests.md5;

  beforeEach(() => {
    system = new DebianSystem();
  });
  afterEach(() => system.remove());

  test('is expected behind the symlink of a merged /usr', () => {
    system.mergeUsr();
    system.install(HELLO);
    expect(lstatSync(system.path('/bin')).isSymbolicLink()).toBe(true);
    expect(expectedDigest('/usr/bin/hello')).toBe(md5('/bin/hello'));
    expect(expectedDigest('/usr/lib/hello/plugin')).toBe(md5('/lib/hello/plugin'));
    const paths = [...expectationsByPath(reference()).keys()];
    expect(paths.filter(path => /^\/(bin|lib)(\/|$)/.test(path))).toEqual(['/bin', '/lib']);
    expect(expectationsByPath(reference()).get('/bin')?.type).toBeNull();
    system.write('/bin/hello', 'damaged\n');
    expect(system.verify()).toEqual(['changed /bin/hello']);
    expect(verdicts()).toEqual(['changed /usr/bin/hello']);
  });

  test('is one with its other name behind a symlink, and the later package has it', async () => {
    system.mergeUsr();
    system.install(HELLO);
    await new Promise(resolve => setTimeout(resolve, 20));
    system.install({ name: 'aaa', files: { '/usr/bin/hello': 'by aaa\n' } });
    expect(expectedDigest('/usr/bin/hello')).toBe(md5('/bin/hello'));
    expect(readFileSync(system.path('/bin/hello'), 'utf8')).toBe('by aaa\n');
    expect(expectationsByPath(reference()).get('/usr/bin/hello')?.owner?.name).toBe('aaa');
  });

  test('stays where it was when its directory is a symlink to nowhere', () => {
    system.install(HELLO);
    rmSync(system.path('/lib'), { recursive: true });
    system.link('/lib', '/nowhere/lib');
    expect(verdicts()).toEqual(['missing /lib/hello', 'missing /lib/hello/plugin']);
    expect(expectationsByPath(reference()).get('/lib/hello')?.type).toBe('directory');
  });

  test('is not expected outside the target, wherever a symlink points', () => {
    system.install(HELLO);
    rmSync(system.path('/lib'), { recursive: true });
    mkdirSync(system.path('/usr/lib'));
    system.link('/lib', '../../../../../../usr/lib');
    expect(verdicts()).toEqual(['missing /usr/lib/hello', 'missing /usr/lib/hello/plugin']);
  });

  test('is not expected where only running programs make files', () => {
    system.install({
      name: 'daemon',
      files: { '/var/run/daemon/pid': '1', '/run/daemon/x': '1', '/usr/sbin/daemon': 'd' },
    });
    rmSync(system.path('/var/run'), { recursive: true });
    rmSync(system.path('/run'), { recursive: true });
    expect(verdicts()).toEqual(['missing /run', 'missing /var/run']);
  });

  describe('that is diverted', () => {
    test('is expected where dpkg-divert put it, and the diverting package has the place', () => {
      system.install(HELLO);
      system.divert('--package', 'better', '--divert', '/bin/hello.orig', '--rename', '--add', '/bin/hello');
      system.install({ name: 'better', files: { '/bin/hello': 'better\n' } });
      expect(expectedDigest('/bin/hello')).toBe(md5('/bin/hello'));
      expect(expectedDigest('/bin/hello.orig')).toBe(md5('/bin/hello.orig'));
      const byPath = expectationsByPath(reference());
      expect(byPath.get('/bin/hello')?.owner?.name).toBe('better');
      expect(byPath.get('/bin/hello.orig')?.owner?.name).toBe('hello');
      expect(verdicts()).toEqual([]);
    });

    test('by an administrator, is expected nowhere else', () => {
      system.install(HELLO);
      system.divert('--local', '--divert', '/bin/hello.orig', '--rename', '--add', '/bin/hello');
      expect(existsSync(system.path('/bin/hello'))).toBe(false);
      expect(expectedDigest('/bin/hello')).toBeUndefined();
      expect(expectedDigest('/bin/hello.orig')).toBe(md5('/bin/hello.orig'));
      expect(verdicts()).toEqual([]);
    });

    test('is found changed, which dpkg --verify and debsums overlook', () => {
      system.install(HELLO);
      system.divert('--local', '--divert', '/bin/hello.orig', '--rename', '--add', '/bin/hello');
      system.write('/bin/hello.orig', 'damaged\n');
      expect(verdicts()).toEqual(['changed /bin/hello.orig']);
      expect(system.verify()).toEqual([]);
    });

    test.skipIf(!HAS_DEBSUMS)('is missed as debsums misses it', () => {
      system.install(HELLO);
      system.divert('--local', '--divert', '/lib/p', '--rename', '--add', '/lib/hello/plugin');
      rmSync(system.path('/lib/p'));
      expect(system.debsums()).toEqual(['missing /lib/p']);
      expect(verdicts()).toEqual(['missing /lib/p']);
    });
  });

  describe('that was not to be unpacked', () => {
    const RULES = ['exclude=/usr/share/doc/*', 'include=/usr/share/doc/*/copyright', 'exclude=/usr/share/man/*'];
    const installWithout = () => {
      system.write('/etc/dpkg/dpkg.cfg.d/10-slim', `# rules\npath-${RULES[0]}\npath-${RULES[1]}\n`);
      system.write('/etc/dpkg/dpkg.cfg.d/ignored.name', 'path-exclude=/*\n');
      system.write('/etc/dpkg/dpkg.cfg', `path-exclude "/usr/share/man/*"\n`);
      system.install(HELLO, ...RULES.map(rule => `--path-${rule}`));
    };

    test('is not expected', () => {
      installWithout();
      expect(system.verify()).toEqual([
        'missing /usr/share/doc/hello/changelog',
        'missing /usr/share/man/man1',
        'missing /usr/share/man/man1/hello.1',
      ]);
      expect(verdicts()).toEqual([]);
    });

    test('is expected where a later rule includes it', () => {
      installWithout();
      rmSync(system.path('/usr/share/doc/hello/copyright'));
      expect(verdicts()).toEqual(['missing /usr/share/doc/hello/copyright']);
    });

    test('is not expected in a language that was purged', () => {
      const languages = ['de', 'fr'].flatMap(code => [
        `/usr/share/locale/${code}/LC_MESSAGES/x.mo`,
        `/usr/share/man/${code}/man1/x.1`,
      ]);
      const files = Object.fromEntries([...languages, '/usr/share/man/man1/x.1'].map(path => [path, 'x']));
      system.install({ name: 'many-tongues', files });
      system.write('/etc/locale.nopurge', '# kept\nMANDELETE\nDONTBOTHERNEWLOCALE\nde\n');
      for (const path of Object.keys(files)) rmSync(system.path(path));
      expect(verdicts()).toEqual([
        'missing /usr/share/locale/de/LC_MESSAGES/x.mo',
        'missing /usr/share/man/de/man1/x.1',
        'missing /usr/share/man/man1/x.1',
      ]);
    });

    test('is expected to be right if it is there all the same', () => {
      system.install(HELLO);
      system.write('/etc/dpkg/dpkg.cfg', `path-${RULES[0]}\n`);
      rmSync(system.path('/usr/share/doc/hello/copyright'));
      system.write('/usr/share/doc/hello/changelog', 'older news\n');
      expect(verdicts()).toEqual(['changed /usr/share/doc/hello/changelog']);
    });
  });
});
