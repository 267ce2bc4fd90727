// Objects that git itself wrote, then damaged; git fsck is the oracle of what is.

import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GIT_OBJECTS } from '../../scanners/git-objects.ts';
import type { Siblings } from '../../scanners/scanner.ts';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { ReadError } from '../../src/errors.ts';
import { statOfHost } from '../../src/filesystems/host/host-stat.ts';
import type { Observation } from '../../src/model.ts';

/** No scanner of objects asks for what lies beside them. */
const ALONE: Siblings = { first: () => null };

const FORMATS = ['sha1', 'sha256'].filter(canMake);
if (FORMATS.length < 2) process.stderr.write(`git object tests skipped for formats other than: ${FORMATS.join(' ')}\n`);

function canMake(format: string): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'lostwrite-git-'));
  try {
    return spawnSync('git', ['init', '-q', `--object-format=${format}`, directory]).status === 0;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

class Repository {
  readonly root = mkdtempSync(join(tmpdir(), 'lostwrite-git-'));

  constructor(format: string) {
    this.git('init', '-q', `--object-format=${format}`);
    this.write('notes', `${'a line of notes\n'.repeat(500)}`);
    this.git('add', '.');
    this.git('-c', 'user.name=N', '-c', 'user.email=n@example.org', 'commit', '-q', '-m', 'first');
    this.git('-c', 'user.name=N', '-c', 'user.email=n@example.org', 'tag', '-a', '-m', 'tagged', 'v1');
  }

  git(...options: string[]): string {
    return execFileSync('git', ['-C', this.root, ...options], { encoding: 'utf8', stdio: 'pipe' }).trim();
  }

  write(path: string, content: string): void {
    writeFileSync(join(this.root, path), content);
  }

  /** Names of all objects. */
  objects(): string[] {
    return this.git('cat-file', '--batch-all-objects', '--batch-check=%(objectname)').split('\n');
  }

  /** Where the object lies, writable. */
  file(name: string): string {
    const path = join(this.root, '.git/objects', name.slice(0, 2), name.slice(2));
    mkdirSync(dirname(path), { recursive: true });
    if (spawnSync('test', ['-e', path]).status === 0) chmodSync(path, 0o644);
    return path;
  }

  /** Whether git itself finds the object broken. */
  isBroken(name: string): boolean {
    const { stderr } = spawnSync('git', ['-C', this.root, 'fsck', '--full'], { encoding: 'utf8' });
    return stderr.includes(name) || stderr.includes(`${name.slice(0, 2)}/${name.slice(2)}`);
  }

  inspect(name: string): Observation[] {
    return inspectFile(this.file(name), `/srv/repo/.git/objects/${name.slice(0, 2)}/${name.slice(2)}`);
  }
}

function inspectFile(hostPath: string, path: string): Observation[] {
  const stat = statOfHost(lstatSync(hostPath, { bigint: true }));
  if (!GIT_OBJECTS.wants(path, stat)) return [];
  return [...GIT_OBJECTS.inspect(path, stat, memoryBytes(path, readFileSync(hostPath)), ALONE)];
}

const verdict = (observations: readonly Observation[]) =>
  observations.map(({ rule, supports }) => ({ rule, supports }));
const MATCHES = [{ rule: 'object-name-matches', supports: false }];
const DIFFERS = [{ rule: 'object-name-differs', supports: true }];

describe.each(FORMATS)('a loose git object named by %s', format => {
  let repository: Repository;
  let blob: string;
  let commit: string;

  beforeEach(() => {
    repository = new Repository(format);
    blob = repository.git('rev-parse', 'HEAD:notes');
    commit = repository.git('rev-parse', 'HEAD');
  });
  afterEach(() => rmSync(repository.root, { recursive: true }));

  test('vouches for itself: blob, tree, commit and tag', () => {
    const objects = repository.objects();
    expect(objects).toHaveLength(4);
    for (const name of objects) expect(verdict(repository.inspect(name))).toEqual(MATCHES);
  });

  test('with a byte changed differs from its name', () => {
    const path = repository.file(blob);
    const bytes = readFileSync(path);
    bytes.writeUInt8(bytes.readUInt8(20) ^ 0x10, 20);
    writeFileSync(path, bytes);
    expect(repository.isBroken(blob)).toBe(true);
    expect(verdict(repository.inspect(blob))).toEqual(DIFFERS);
  });

  test('cut short differs from its name', () => {
    truncateSync(repository.file(blob), 30);
    expect(repository.isBroken(blob)).toBe(true);
    expect(repository.inspect(blob)).toMatchObject([
      { ...DIFFERS[0], detail: "The object's compressed stream is broken: unexpected end of file." },
    ]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(4096)],
    ['text', Buffer.from('Jun  1 02:03:04 host daemon: started\n')],
  ])('that holds %s differs from its name', (_, content) => {
    writeFileSync(repository.file(blob), content);
    expect(repository.isBroken(blob)).toBe(true);
    expect(verdict(repository.inspect(blob))).toEqual(DIFFERS);
  });

  test('that holds another object whole differs from its name, and says which it is', () => {
    copyFileSync(repository.file(commit), repository.file(blob));
    expect(repository.isBroken(blob)).toBe(true);
    expect(repository.inspect(blob)).toMatchObject([
      { ...DIFFERS[0], detail: `The content is that of another object, ${commit}.` },
    ]);
  });

  test('with bytes after its end differs, and says where they are', () => {
    const path = repository.file(blob);
    const length = readFileSync(path).length;
    appendFileSync(path, Buffer.alloc(7, 0xee));
    expect(repository.isBroken(blob)).toBe(true);
    expect(repository.inspect(blob)).toMatchObject([{ ...DIFFERS[0], ranges: [{ offset: length, length: 7 }] }]);
  });

  test('whose header names another length differs from its name', () => {
    writeFileSync(repository.file(blob), deflateSync(Buffer.from('blob 5\0four')));
    expect(repository.inspect(blob)).toMatchObject([
      { ...DIFFERS[0], detail: expect.stringContaining('is 4 bytes long where its header says 5') },
    ]);
  });

  test('that was packed away has left nothing to speak of', () => {
    repository.git('gc', '-q');
    const [pack = ''] = execFileSync('find', [join(repository.root, '.git/objects/pack'), '-name', '*.pack'], {
      encoding: 'utf8',
    }).split('\n');
    expect(inspectFile(pack, pack.slice(repository.root.length))).toEqual([]);
  });

  test('that the medium refuses is left to what the reading of it says', () => {
    const path = `/.git/objects/${blob.slice(0, 2)}/${blob.slice(2)}`;
    const stat = statOfHost(lstatSync(repository.file(blob), { bigint: true }));
    const read = () => {
      throw new ReadError(path, 0, 4096);
    };
    expect([...GIT_OBJECTS.inspect(path, stat, { name: path, size: stat.sizeBytes, read }, ALONE)]).toEqual([]);
  });

  test('that inflates beyond 64 MiB is not judged', () => {
    const header = `blob ${65 * 1024 * 1024}\0`;
    writeFileSync(
      repository.file(blob),
      deflateSync(Buffer.concat([Buffer.from(header), Buffer.alloc(65 * 1024 * 1024)])),
    );
    expect(repository.inspect(blob)).toEqual([]);
  });
});

describe('a file that only looks like one', () => {
  const inspect = (path: string, content: Uint8Array) => {
    const stat = { ...statOfHost(lstatSync('/', { bigint: true })), type: 'file', sizeBytes: content.length } as const;
    return GIT_OBJECTS.wants(path, stat) ? [...GIT_OBJECTS.inspect(path, stat, memoryBytes(path, content), ALONE)] : [];
  };
  const text = Buffer.from('anything');

  test.each([
    `/srv/objects/ab/tmp_obj_${'a'.repeat(30)}`,
    `/srv/.git/objects/ab/${'c'.repeat(37)}`,
    `/srv/.git/objects/AB/${'c'.repeat(38)}`,
    `/srv/.git/lfs/objects/ab/cd/${'e'.repeat(64)}`,
    `/srv/myobjects/ab/${'c'.repeat(38)}`,
  ])('by the name %s is left alone', path => {
    expect(inspect(path, text)).toEqual([]);
  });

  test('in another store that shards SHA-256 names is left alone', () => {
    expect(inspect(`/srv/cache/objects/ab/${'c'.repeat(62)}`, text)).toEqual([]);
    expect(inspect(`/srv/cache/objects/ab/${'c'.repeat(62)}`, deflateSync(text))).toEqual([]);
  });

  test('in a bare repository of whatever name is judged once it starts as an object does', () => {
    const cut = deflateSync(Buffer.from(`blob 400\0${'0123456789'.repeat(40)}`)).subarray(0, 25);
    expect(verdict(inspect(`/srv/bare/objects/ab/${'c'.repeat(62)}`, cut))).toEqual(DIFFERS);
  });
});
