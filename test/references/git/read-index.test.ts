// Indexes that git wrote, against what `git ls-files --debug --stage` says of them; then cut at every byte, and with every byte changed.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DamageError, UnsupportedError } from '../../../src/errors.ts';
import { ENTRY, ID_BYTES } from '../../../src/references/git/index-layout.ts';
import { type ObjectFormat, readIndex } from '../../../src/references/git/read-index.ts';
import { GitWorld } from './git-world.ts';

let world: GitWorld;
beforeAll(() => {
  world = new GitWorld();
});
afterAll(() => world.close());

/** Names that order differently as bytes and as a tree, of every length that padding knows, some not UTF-8. */
function fill(repository: string): void {
  for (const name of ['a/x', 'a-b', 'a.b', 'ab', 'a/y/z', `long/${'n'.repeat(200)}`])
    world.write(`${repository}/${name}`, name);
  for (let length = 1; length <= 24; length++) world.write(`${repository}/${'p'.repeat(length)}`, String(length));
  symlinkSync('a/x', world.at(`${repository}/link`));
  world.git(repository, 'add', '-A');
}

/** The fields of each entry in the order of `git ls-files --debug --stage -z`. */
function oracle(repository: string): string[] {
  return world
    .git(repository, 'ls-files', '--debug', '--stage', '-z')
    .split('\0')
    .flatMap((text, index, all) => {
      const [mode, id, rest] = (/([0-7]{6}) ([0-9a-f]+) ([0-3]\t.*)$/s.exec(text) ?? []).slice(1);
      const debug = all[index + 1] ?? '';
      if (mode === undefined || rest === undefined) return [];
      const numbers = ['ctime', 'mtime', 'ino', 'size'].map(name => new RegExp(`${name}: ([0-9:]+)`).exec(debug)?.[1]);
      return [[rest.slice(2), mode, id, ...numbers].join(' ')];
    });
}

function ours(repository: string, format: ObjectFormat): string[] {
  const bytes = readFileSync(world.at(`${repository}/.git/index`));
  return readIndex(bytes, format).records.map(({ name, at }) => {
    const number = (offset: number) => bytes.readUInt32BE(at + offset);
    const time = (offset: number) => `${number(offset)}:${number(offset + 4)}`;
    const id = bytes.toString('hex', at + ENTRY.id, at + ENTRY.id + ID_BYTES[format]);
    const times = [time(ENTRY.ctimeSeconds), time(ENTRY.mtimeSeconds)];
    return [
      name,
      number(ENTRY.mode).toString(8).padStart(6, '0'),
      id,
      ...times,
      number(ENTRY.inode),
      number(ENTRY.size),
    ].join(' ');
  });
}

describe('an index of git', () => {
  it.each([
    [2, 'sha1'],
    [4, 'sha1'],
    [2, 'sha256'],
    [4, 'sha256'],
  ] as const)('of version %i with %s has the entries that git lists', (version, format) => {
    const repository = `v${version}-${format}`;
    world.init(repository, `--object-format=${format}`);
    world.git(repository, 'config', 'index.version', String(version));
    fill(repository);
    expect(readFileSync(world.at(`${repository}/.git/index`)).readUInt32BE(4)).toBe(version);
    const listed = oracle(repository);
    expect(listed.length).toBe(31);
    expect(ours(repository, format)).toEqual(listed);
  });

  it('of version 3, with extended flags, has the entries that git lists', () => {
    world.init('v3');
    fill('v3');
    world.write('v3/later', 'later');
    world.git('v3', 'add', '-N', 'later');
    expect(readFileSync(world.at('v3/.git/index')).readUInt32BE(4)).toBe(3);
    expect(ours('v3', 'sha1')).toEqual(oracle('v3'));
  });

  it('that threads wrote in blocks, and with a cache of untracked names, has them as well', () => {
    world.init('threads');
    world.git('threads', 'config', 'index.threads', '2');
    world.git('threads', 'config', 'index.version', '4');
    mkdirSync(world.at('threads/many'));
    for (let index = 0; index < 21_000; index++) world.write(`threads/many/${index}`, '');
    world.git('threads', 'add', '-A');
    world.git('threads', 'update-index', '--force-untracked-cache');
    world.git('threads', 'status');
    expect(readFileSync(world.at('threads/.git/index')).includes('IEOT')).toBe(true);
    expect(ours('threads', 'sha1')).toEqual(oracle('threads'));
  }, 60_000);

  it('that is split is not read', () => {
    world.init('split');
    fill('split');
    world.git('split', 'update-index', '--split-index');
    expect(() => ours('split', 'sha1')).toThrow(UnsupportedError);
  });
});

function summed(bytes: Buffer): Buffer {
  createHash('sha1')
    .update(bytes.subarray(0, -20))
    .digest()
    .copy(bytes, bytes.length - 20);
  return bytes;
}

/** What reading gives: names, or the kind of the error. */
function outcome(bytes: Buffer): string {
  try {
    return readIndex(bytes, 'sha1')
      .records.map(({ name }) => name)
      .join();
  } catch (error) {
    if (error instanceof DamageError || error instanceof UnsupportedError) return error.name;
    throw error;
  }
}

describe.each([2, 4])('a damaged index of version %i', version => {
  let bytes: Buffer;
  beforeAll(() => {
    world.init(`hostile${version}`);
    world.git(`hostile${version}`, 'config', 'index.version', String(version));
    for (const name of ['a', 'a/b'.replace('a/', 'c/'), 'dd', 'dde']) world.write(`hostile${version}/${name}`, name);
    world.git(`hostile${version}`, 'add', '-A');
    bytes = readFileSync(world.at(`hostile${version}/.git/index`));
  });

  it('is read while it is whole', () => expect(outcome(bytes)).toBe('a,c/b,dd,dde'));

  it('is refused cut at any byte', () => {
    for (let length = 0; length < bytes.length; length++)
      expect(outcome(Buffer.from(bytes.subarray(0, length)))).toBe('DamageError');
  });

  it('is refused with any byte changed', () => {
    for (let at = 4; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x41;
      expect(outcome(changed)).toBe('DamageError');
    }
  });

  it('gives names or a typed error with any byte changed under a checksum that fits', () => {
    for (let at = 0; at < bytes.length - 20; at++) {
      for (const flip of [0x01, 0x2e, 0x80, 0xff]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(typeof outcome(summed(changed))).toBe('string');
      }
    }
  });

  it('is read with a checksum of zeros, and said to have none', () => {
    const changed = Buffer.concat([bytes.subarray(0, -20), Buffer.alloc(20)]);
    expect(readIndex(changed, 'sha1').isChecked).toBe(false);
    expect(readIndex(bytes, 'sha1').isChecked).toBe(true);
  });

  it('with a count beyond its size is refused', () => {
    const changed = Buffer.from(bytes);
    changed.writeUInt32BE(0xffffffff, 8);
    expect(outcome(summed(changed))).toBe('DamageError');
  });
});
