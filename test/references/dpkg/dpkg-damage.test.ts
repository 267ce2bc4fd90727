// Databases that are damaged themselves: every broken part is told with its file and line, and the rest still counts.

import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ReadError } from '../../../src/errors.ts';
import type { Entry, Filesystem, OpenFile } from '../../../src/filesystems/filesystem.ts';
import { openHostFilesystem } from '../../../src/filesystems/host/host-filesystem.ts';
import { comparePaths } from '../../../src/path.ts';
import { openDpkgReference } from '../../../src/references/dpkg/dpkg-reference.ts';
import { DebianSystem, NO_DPKG, type PackageSpec } from './debian-system.ts';
import { expectationsByPath, openReference, verdictsOf } from './verdicts.ts';

const FILES = Object.fromEntries(
  ['a', 'b', 'c', 'd'].map(name => [`/usr/share/first/${name}`, `content of ${name}\n`]),
);
const FIRST: PackageSpec = { name: 'first', files: FILES };
const SECOND: PackageSpec = {
  name: 'second',
  files: { '/usr/bin/second': 'second\n', '/etc/second.conf': 'x=1\n' },
  conffiles: ['/etc/second.conf'],
};

describe.skipIf(NO_DPKG !== null)('a damaged database', () => {
  let undamaged: DebianSystem;
  let system: DebianSystem;
  let sums: string;
  let list: string;
  const reference = () => openReference(system.root);
  const verdicts = () => verdictsOf(system.root, reference().expectations());
  const errors = () => reference().errors.map(({ path, code, message }) => `${path} ${code} ${message}`);
  const digestAt = (path: string) => expectationsByPath(reference()).get(path)?.digests.md5;

  beforeAll(() => {
    undamaged = new DebianSystem();
    undamaged.install(FIRST);
    undamaged.install(SECOND);
  });
  afterAll(() => undamaged.remove());
  beforeEach(() => {
    system = new DebianSystem(undamaged);
    sums = system.admin('info/first.md5sums');
    list = system.admin('info/first.list');
  });
  afterEach(() => system.remove());

  /** Replaces a line, counted from 1. */
  const edit = (file: string, number: number, change: (line: string) => string) => {
    const lines = readFileSync(file, 'latin1').split('\n');
    lines[number - 1] = change(lines[number - 1] ?? '');
    writeFileSync(file, lines.join('\n'), 'latin1');
  };
  const TOLD = '/var/lib/dpkg/info/first.md5sums dpkg-md5sums line 2';

  test('is one that dpkg itself gives up on', () => {
    edit(sums, 2, line => line.replace('  ', ' '));
    expect(() => system.dpkg('--verify', 'first')).toThrow(/missing value separator/);
  });

  test('with one space between digest and path still gives that digest', () => {
    edit(sums, 2, line => line.replace('  ', ' '));
    expect(errors()).toEqual([expect.stringContaining(`${TOLD} lacks the two spaces`)]);
    expect(digestAt('/usr/share/first/b')).toMatch(/^[0-9a-f]{32}$/);
    expect(verdicts()).toEqual([]);
  });

  test('with digits that are none gives no digest for that file', () => {
    edit(sums, 2, line => `zz${line.slice(2)}`);
    expect(errors()).toEqual([expect.stringContaining(`${TOLD} does not start with an MD5 digest`)]);
    expect(digestAt('/usr/share/first/b')).toBeUndefined();
    expect(digestAt('/usr/share/first/c')).toMatch(/^[0-9a-f]{32}$/);
    expect(verdicts()).toEqual([]);
  });

  test('with NUL bytes in a line gives nothing for it', () => {
    edit(sums, 2, line => line.slice(0, 20) + '\0'.repeat(line.length - 20));
    expect(errors()).toEqual([`${TOLD} holds NUL bytes`]);
    expect(verdicts()).toEqual([]);
  });

  test('without its last newline still gives the last digest', () => {
    truncateSync(sums, readFileSync(sums).length - 1);
    expect(errors()).toEqual([
      expect.stringMatching(
        /^\/var\/lib\/dpkg\/info\/first.md5sums dpkg-md5sums line 4 has no newline, and may have been/,
      ),
    ]);
    expect(digestAt('/usr/share/first/d')).toMatch(/^[0-9a-f]{32}$/);
  });

  test('cut within a path gives that digest to nobody', () => {
    edit(sums, 4, line => `${line}/and/more`);
    truncateSync(sums, readFileSync(sums).length - 6);
    expect(errors()).toHaveLength(1);
    expect(digestAt('/usr/share/first/d')).toBeUndefined();
    expect(verdicts()).toEqual([]);
  });

  test('with an absolute path still gives that digest', () => {
    edit(sums, 2, line => line.replace('  ', '  /'));
    expect(errors()).toEqual([expect.stringContaining(`${TOLD} names an absolute path`)]);
    expect(digestAt('/usr/share/first/b')).toMatch(/^[0-9a-f]{32}$/);
  });

  test('with carriage returns still gives the digests, and tells of five lines and the count of the rest', () => {
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`/opt/m/${index}`, `${index}`]));
    system.install({ name: 'many', files });
    const many = system.admin('info/many.md5sums');
    writeFileSync(many, readFileSync(many, 'latin1').replaceAll('\n', '\r\n'), 'latin1');
    system.write('/opt/m/17', 'damaged');
    const told = errors();
    expect(told).toHaveLength(6);
    expect(told[0]).toMatch(/many.md5sums dpkg-md5sums line 1 ends with a carriage return/);
    expect(told[5]).toMatch(/line 6 ends with a carriage return: .* \(and 24 more like this\)$/);
    expect(verdicts()).toEqual(['changed /opt/m/17']);
  });

  test('with SHA-256 in place of MD5 takes the digests as what they are', () => {
    const sha256 = 'ab'.repeat(32);
    edit(sums, 2, line => sha256 + line.slice(32));
    expect(errors()).toEqual([expect.stringContaining(`${TOLD} holds a digest of 64 digits where MD5 has 32`)]);
    expect(expectationsByPath(reference()).get('/usr/share/first/b')?.digests).toEqual({ sha256 });
  });

  test('with digests of files that the list does not name takes no notice of them', () => {
    appendFileSync(sums, `${'0'.repeat(32)}  DEBIAN/postinst\n${'0'.repeat(32)}  usr/bin/second\n`);
    expect(errors()).toEqual([]);
    expect(verdicts()).toEqual([]);
  });

  test('with paths that cannot be takes no notice of them', () => {
    appendFileSync(list, '/usr/../etc/passwd\nrelative\n//x\n/usr/./y\n');
    expect(errors()).toHaveLength(4);
    expect(errors()[0]).toMatch(/first.list dpkg-list line \d+ names an impossible path: "\/usr\/..\/etc\/passwd"/);
    expect(verdicts()).toEqual([]);
  });

  test('with an empty line and an overlong path in a list expects the other paths', () => {
    const before = verdictCount(system);
    appendFileSync(list, `\n/${'x'.repeat(5000)}\n/${'y'.repeat(300)}\n`);
    expect(errors()).toHaveLength(2);
    expect(verdictCount(system)).toBe(before);
  });

  test('without md5sums of a package still expects that its files are there', () => {
    rmSync(sums);
    rmSync(system.path('/usr/share/first/a'));
    expect(errors()).toEqual([
      '/var/lib/dpkg/info/first.md5sums ENOENT the digests of the installed package first are not there: they vouch for none of its files',
    ]);
    expect(digestAt('/usr/share/first/b')).toBeUndefined();
    expect(verdicts()).toEqual(['missing /usr/share/first/a']);
  });

  test('as an old dpkg kept it, without the digests of most packages, is no trouble', () => {
    for (const name of readdirSync(system.admin('info'))) {
      if (name.endsWith('.md5sums')) rmSync(system.admin(`info/${name}`));
    }
    expect(errors()).toEqual([]);
    expect(verdicts()).toEqual([]);
  });

  test('without the list of a package goes by its digests', () => {
    rmSync(list);
    rmSync(system.path('/usr/share/first/a'));
    system.write('/usr/share/first/b', 'damaged');
    expect(errors()).toEqual([
      '/var/lib/dpkg/info/first.list ENOENT the list of the installed package first is not there',
    ]);
    expect(verdicts()).toEqual(['changed /usr/share/first/b', 'missing /usr/share/first/a']);
  });

  test('with a list cut short goes by the digests for the rest, but not for what is another package\u2019s', () => {
    const text = readFileSync(list, 'latin1');
    truncateSync(list, text.indexOf('/usr/share/first/b') + 16);
    appendFileSync(sums, `${'0'.repeat(32)}  usr/bin/second\n`);
    system.write('/usr/share/first/d', 'damaged');
    expect(errors()).toEqual([
      expect.stringMatching(/first.list dpkg-list line \d+ has no newline, and may have been cut/),
    ]);
    expect(verdicts()).toEqual(['changed /usr/share/first/d']);
  });

  test("with another package's old list in place of one believes what is there", () => {
    writeFileSync(list, '/.\n/usr\n/usr/lib\n/usr/lib/removed\n/usr/lib/removed/a\n/usr/bin/second\n');
    system.write('/usr/share/first/b', 'damaged');
    rmSync(system.path('/usr/share/first/c'));
    system.write('/usr/bin/second', 'damaged');
    expect(errors()).toEqual([
      "/var/lib/dpkg/info/first.list dpkg-list does not name 3 files of the package's md5sums that are there",
    ]);
    expect(verdicts()).toEqual(['changed /usr/bin/second', 'changed /usr/share/first/b']);
    expect(expectationsByPath(reference()).get('/usr/bin/second')?.owner?.name).toBe('second');
  });

  test("with another package's digests in place of a package's own expects none of its content", () => {
    writeFileSync(sums, readFileSync(system.admin('info/second.md5sums')));
    appendFileSync(sums, `${'0'.repeat(32)}  usr/lib/removed/a\n`);
    expect(errors()).toEqual([]);
    expect(verdicts()).toEqual([]);
    expect(expectationsByPath(reference()).get('/usr/share/first/b')).toMatchObject({ digests: {} });
  });

  test('with the start of another package’s list in place of its own leaves that package its files', () => {
    const foreign = readFileSync(list, 'latin1');
    writeFileSync(system.admin('info/second.list'), foreign.slice(0, foreign.lastIndexOf('/d\n') + 1), 'latin1');
    system.write('/usr/share/first/b', 'damaged');
    system.write('/usr/bin/second', 'damaged');
    expect(errors()).toEqual([
      expect.stringMatching(/second.list dpkg-list line \d+ has no newline, and may have been cut/),
      expect.stringMatching(/second.list dpkg-list does not name 1 files of the package's md5sums that are there/),
    ]);
    expect(verdicts()).toEqual(['changed /usr/bin/second', 'changed /usr/share/first/b']);
    expect(expectationsByPath(reference()).get('/usr/share/first/b')?.owner?.name).toBe('first');
  });

  test('with digests of an older day than its list has is of that day', () => {
    const earlier = readFileSync(list);
    rmSync(list);
    writeFileSync(list, earlier);
    const writtenNs = statSync(sums, { bigint: true }).ctimeNs;
    expect(statSync(list, { bigint: true }).ctimeNs).toBeGreaterThan(writtenNs);
    expect(expectationsByPath(reference()).get('/usr/share/first/b')?.installedAtNs).toBe(writtenNs);
  });

  test('with noise in place of a list that no package has goes by its digests', () => {
    const status = readFileSync(system.admin('status'), 'latin1');
    writeFileSync(system.admin('status'), status.slice(status.indexOf('Package: second')), 'latin1');
    rmSync(system.admin('status-old'));
    writeFileSync(list, 'a log line\nanother\0\0');
    system.write('/usr/share/first/b', 'damaged');
    expect(verdicts()).toEqual(['changed /usr/share/first/b']);
    expect(errors()).toContain(
      '/var/lib/dpkg/info/first.list dpkg-list is the list of a package that the status file does not name; ' +
        'its paths are there, and expected',
    );
  });

  test('with a list that no package has expects its files if they are there', () => {
    const status = readFileSync(system.admin('status'), 'latin1');
    const stanzas = status.split('\n\n');
    writeFileSync(system.admin('status'), stanzas.filter(stanza => !stanza.includes('Package: first')).join('\n\n'));
    rmSync(system.admin('status-old'));
    system.write('/usr/share/first/b', 'damaged');
    expect(errors()).toEqual([
      '/var/lib/dpkg/info/first.list dpkg-list is the list of a package that the status file does not name; ' +
        'its paths are there, and expected',
    ]);
    expect(verdicts()).toEqual(['changed /usr/share/first/b']);
    expect(expectationsByPath(reference()).get('/usr/share/first/b')?.owner?.version).toBeNull();
    expect(expectationsByPath(reference()).get('/usr/share/first/b')?.remedy?.command).toBe(
      'apt-get install --reinstall first',
    );
  });

  test('with a list that no package has expects nothing of it if its files are not there', () => {
    cpSync(list, system.admin('info/purged.list'));
    writeFileSync(system.admin('info/purged.list'), '/.\n/usr\n/usr/lib\n/usr/lib/purged\n/usr/lib/purged/x\n');
    expect(errors()).toEqual([expect.stringMatching(/purged.list .* its paths are not there: not expected$/)]);
    expect(verdicts()).toEqual([]);
  });

  test('cut in the middle of its status takes the packages that are lost from the status before', () => {
    const status = readFileSync(system.admin('status'), 'latin1');
    cpSync(system.admin('status'), system.admin('status-old'));
    truncateSync(system.admin('status'), status.indexOf('Package: second') + 'Package: second\nStatus: inst'.length);
    system.write('/usr/bin/second', 'damaged');
    expect(errors()).toEqual([
      expect.stringMatching(/^\/var\/lib\/dpkg\/status dpkg-status line \d+ has no newline, and may have been cut/),
      expect.stringMatching(/^\/var\/lib\/dpkg\/status dpkg-status line \d+ starts a stanza of second with an unknown/),
      expect.stringMatching(/second.list dpkg-list is the list of a package that the status file does not name/),
    ]);
    const second = expectationsByPath(reference()).get('/usr/bin/second');
    expect(second?.owner).toEqual({ kind: 'package', name: 'second', version: '1.0-1' });
    expect(expectationsByPath(reference()).get('/etc/second.conf')?.editable).toBe(true);
    expect(verdicts()).toEqual(['changed /usr/bin/second']);
  });

  test('with zeros in its status keeps the packages around them', () => {
    const status = readFileSync(system.admin('status'));
    status.fill(0, status.indexOf('Maintainer'), status.indexOf('Package: second') - 40);
    writeFileSync(system.admin('status'), status);
    expect(errors()[0]).toMatch(/^\/var\/lib\/dpkg\/status dpkg-status line \d+ holds NUL bytes$/);
    expect(digestAt('/usr/bin/second')).toMatch(/^[0-9a-f]{32}$/);
    expect(digestAt('/usr/share/first/b')).toMatch(/^[0-9a-f]{32}$/);
  });

  test('of which two stanzas ran into one keeps both packages', () => {
    const status = readFileSync(system.admin('status'), 'latin1');
    writeFileSync(system.admin('status'), status.replace('\n\nPackage: second', '\nPackage: second'));
    expect(errors()).toEqual([
      expect.stringMatching(/status dpkg-status line \d+ repeats the field package of the stanza/),
    ]);
    expect(digestAt('/usr/bin/second')).toMatch(/^[0-9a-f]{32}$/);
    expect(digestAt('/usr/share/first/b')).toMatch(/^[0-9a-f]{32}$/);
  });

  test('without its status goes by the status before', () => {
    renameSync(system.admin('status'), system.admin('status-old'));
    system.write('/usr/bin/second', 'damaged');
    expect(errors()).toEqual(['/var/lib/dpkg/status ENOENT the file is not there']);
    expect(verdicts()).toEqual(['changed /usr/bin/second']);
  });

  test('takes what an interrupted dpkg left in updates', () => {
    const stanza = readFileSync(system.admin('status'), 'latin1').split('\n\n')[0] ?? '';
    expect(stanza).toMatch(/^Package: first\n/);
    writeFileSync(
      system.admin('updates/0000'),
      `${stanza.replace('install ok installed', 'install ok half-installed')}\n`,
    );
    system.write('/usr/share/first/a', 'half of it');
    expect(errors()).toEqual(['/var/lib/dpkg/status dpkg-half-installed first is half installed: not checked']);
    expect(verdicts()).toEqual([]);
  });

  test('with broken conffile lines keeps the file as one to be edited', () => {
    const status = readFileSync(system.admin('status'), 'latin1');
    writeFileSync(system.admin('status'), status.replace(/^( \/etc\/second.conf ).*$/m, '$1nonsense'));
    system.write('/etc/second.conf', 'x=2\n');
    expect(errors()).toEqual([
      expect.stringMatching(/status dpkg-status line \d+ starts a stanza with a conffile line that cannot be read/),
    ]);
    expect(expectationsByPath(reference()).get('/etc/second.conf')?.editable).toBe(true);
  });

  test('with broken diversions keeps the others', () => {
    const broken = 'relative\n/usr/bin/x\n:\n/usr/share/first/a\n/usr/share/first/a.real\n:\n/usr/share/first/b\n';
    writeFileSync(system.admin('diversions'), broken);
    expect(errors()).toEqual([
      '/var/lib/dpkg/diversions dpkg-diversions line 1 starts no diversion: one of its lines does not name an absolute path: "relative"',
      '/var/lib/dpkg/diversions dpkg-diversions line 2 starts no diversion: one of its lines does not name an absolute path: ":"',
      '/var/lib/dpkg/diversions dpkg-diversions line 3 starts no diversion: one of its lines does not name an absolute path: ":"',
      '/var/lib/dpkg/diversions dpkg-diversions line 7 is not followed by the rest of a diversion',
    ]);
    expect(verdicts()).toEqual(['missing /usr/share/first/a.real']);
  });

  test('never lets a name into a command that a shell would take apart', () => {
    const status = readFileSync(system.admin('status'), 'latin1');
    const evil = status.replace('Version: 1.0-1', 'Version: 1.0; rm -rf /');
    writeFileSync(system.admin('status'), `${evil}\nPackage: $(reboot)\nStatus: install ok installed\nVersion: 1\n`);
    expect(errors()).toEqual([
      expect.stringMatching(/stanza of first with an impossible Version: "1.0; rm -rf \/"$/),
      expect.stringMatching(/of an impossible package name: "\$\(reboot\)"$/),
    ]);
    const commands = [...reference().expectations()].map(expectation => expectation.remedy?.command ?? '');
    expect(commands.filter(command => !/^apt-get [A-Za-z0-9 .:=+~_-]+$/.test(command))).toEqual([]);
  });

  test('of which a block cannot be read keeps the lines around it', () => {
    const files = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`/opt/m/${index}`, `${index}`]));
    system.install({ name: 'many', files });
    system.write('/opt/m/399', 'damaged');
    const broken = new Refusing(openHostFilesystem(system.root), '/var/lib/dpkg/info/many.md5sums', 4096, 8192);
    const read = openDpkgReference(broken);
    expect(read?.errors).toEqual([
      {
        path: '/var/lib/dpkg/info/many.md5sums',
        code: 'EIO',
        message: expect.stringContaining('the first of 1 blocks of 4096 bytes that cannot be read'),
      },
      { path: '/var/lib/dpkg/info/many.md5sums', code: 'dpkg-md5sums', message: expect.stringMatching(/NUL bytes$/) },
    ]);
    expect(verdictsOf(system.root, read?.expectations() ?? [])).toEqual(['changed /opt/m/399']);
  });

  test('of which a file cannot be opened keeps the others', () => {
    const broken = new Refusing(openHostFilesystem(system.root), '/var/lib/dpkg/info/first.md5sums', 0, 0);
    const read = openDpkgReference(broken);
    expect(read?.errors).toEqual([
      expect.objectContaining({ path: '/var/lib/dpkg/info/first.md5sums', code: 'EACCES' }),
    ]);
    system.write('/usr/bin/second', 'damaged');
    system.write('/usr/share/first/a', 'damaged, and nobody can tell');
    expect(verdictsOf(system.root, read?.expectations() ?? [])).toEqual(['changed /usr/bin/second']);
  });
});

describe.skipIf(NO_DPKG !== null)('a database damaged at random', () => {
  test('is read to its end, in order, whatever is in it', () => {
    const undamaged = new DebianSystem();
    undamaged.install(FIRST);
    undamaged.install(SECOND);
    undamaged.divert('--local', '--divert', '/usr/bin/second.orig', '--rename', '--add', '/usr/bin/second');
    const files = ['status', 'diversions', 'info/first.list', 'info/first.md5sums', 'info/second.conffiles'];
    const originals = files.map(file => [undamaged.admin(file), readFileSync(undamaged.admin(file))] as const);
    const change = fc.record({
      file: fc.constantFrom(...files),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      bytes: fc.oneof(
        fc.constant(Buffer.alloc(40)),
        fc.constantFrom('\n', '\n\n', ' ', '/', '//', '..', ':', 'Package: ').map(Buffer.from),
      ),
      cut: fc.boolean(),
    });
    try {
      fc.assert(
        fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), changes => {
          for (const [path, content] of originals) writeFileSync(path, content);
          for (const each of changes) apply(undamaged.admin(each.file), each);
          const paths = [...openReference(undamaged.root).expectations()].map(expectation => expectation.path);
          expect(paths).toEqual([...new Set(paths)].sort(comparePaths));
          expect(paths.filter(path => !/^\/[^\0]+$/s.test(path))).toEqual([]);
        }),
        { numRuns: 150 },
      );
    } finally {
      undamaged.remove();
    }
  });
});

/** Writes `bytes` over the file at a fraction of its length, and cuts it there if asked to. */
function apply(file: string, change: { at: number; bytes: Buffer; cut: boolean }): void {
  const content = readFileSync(file);
  const at = Math.floor(change.at * content.length);
  const rest = change.cut ? Buffer.alloc(0) : content.subarray(at + change.bytes.length);
  writeFileSync(file, Buffer.concat([content.subarray(0, at), change.bytes, rest]));
}

test('a tree without a database has no reference', () => {
  expect(openDpkgReference(openHostFilesystem('/proc/self/fdinfo'))).toBeNull();
});

function verdictCount(system: DebianSystem): number {
  return [...openReference(system.root).expectations()].length;
}

/** A mounted tree on a medium that refuses a range of one file; to open it at all when the range is empty. */
class Refusing implements Filesystem {
  readonly kind = 'host';
  readonly root: Entry;
  readonly list: Filesystem['list'];
  readonly readLink: Filesystem['readLink'];
  readonly #behind: Filesystem;
  readonly #path: string;
  readonly #from: number;
  readonly #to: number;

  constructor(behind: Filesystem, path: string, from: number, to: number) {
    this.#behind = behind;
    this.root = behind.root;
    this.list = directory => behind.list(directory);
    this.readLink = symlink => behind.readLink(symlink);
    this.#path = path;
    this.#from = from;
    this.#to = to;
  }

  open(file: Entry): OpenFile {
    if (file.path !== this.#path) return this.#behind.open(file);
    if (this.#from === this.#to) throw new ReadError(file.path, 0, 0, 'EACCES');
    const opened = this.#behind.open(file);
    const read: OpenFile['read'] = (into, at) => {
      if (at < this.#to && at + into.length > this.#from) throw new ReadError(file.path, at, into.length);
      return opened.read(into, at);
    };
    return { size: opened.size, name: opened.name, read, stat: () => opened.stat(), close: () => opened.close() };
  }

  close(): void {
    this.#behind.close();
  }
}
