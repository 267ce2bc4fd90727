// Files that git itself wrote, then damaged; their digests as sha1sum and sha256sum reckon them are the oracle of what is.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GIT_CHECKSUMS } from '../../scanners/git-checksums.ts';
import { ReadError } from '../../src/errors.ts';
import {
  ALONE,
  ANY_FILE,
  FORMATS,
  type GitRepository,
  inspected,
  repositoryOfAllKinds,
  rulesOf,
} from './git-repository.ts';

if (FORMATS.length < 2) process.stderr.write(`git checksum tests skipped for formats other than: ${FORMATS}\n`);

const BLOCK = 4096;
const DIFFERS = 'against: checksum-differs';
/** Its name is made of a digest that it holds and that decides every byte of it. */
const MATCHES = 'for: checksum-matches';
const FOREIGN = 'against: git-start-differs';
const WHOLE = 'for: whole-of-some-day';

const KINDS = {
  '.git/index': WHOLE,
  '.git/modules/module/index': WHOLE,
  '.git/worktrees/other/index': WHOLE,
  '.git/worktrees/other/sharedindex.DIGEST': MATCHES,
  '.git/objects/pack/pack-DIGEST.pack': MATCHES,
  '.git/objects/pack/pack-DIGEST.idx': MATCHES,
  '.git/objects/pack/pack-DIGEST.rev': MATCHES,
  '.git/objects/pack/pack-DIGEST.mtimes': WHOLE,
  '.git/objects/pack/pack-DIGEST.bitmap': WHOLE,
  '.git/objects/pack/multi-pack-index': WHOLE,
  '.git/objects/pack/multi-pack-index-DIGEST.bitmap': WHOLE,
  '.git/objects/pack/multi-pack-index-DIGEST.rev': WHOLE,
  '.git/objects/info/commit-graphs/graph-DIGEST.graph': MATCHES,
  '.git/modules/module/objects/info/commit-graph': WHOLE,
} as const;
const NAMES = Object.keys(KINDS) as (keyof typeof KINDS)[];

const kindOf = (path: string) => path.replace(/[0-9a-f]{40,64}/, 'DIGEST');
const say = (path: string, content: Uint8Array) => rulesOf(GIT_CHECKSUMS, path, content);
const detail = (path: string, content: Uint8Array) => inspected(GIT_CHECKSUMS, path, content)[0]?.detail;

describe.each(FORMATS)('of a repository of %s', format => {
  const digestBytes = format === 'sha1' ? 20 : 32;
  let repository: GitRepository;
  let files: readonly string[];

  beforeAll(() => {
    repository = repositoryOfAllKinds(format);
    files = repository.files();
  });
  afterAll(() => repository.remove());

  /** The first file of the kind. */
  function fileOf(kind: string): { path: string; content: Buffer } {
    const path = files.find(file => kindOf(file) === kind) ?? '';
    return { path, content: repository.read(path) };
  }

  /** What the system's own program says of all bytes but the last. */
  function sum(content: Buffer): string {
    const input = content.subarray(0, content.length - digestBytes);
    return execFileSync(`${format}sum`, { input, encoding: 'utf8' }).slice(0, 2 * digestBytes);
  }

  function isWhole(content: Buffer): boolean {
    return content.length > digestBytes && sum(content) === content.toString('hex', content.length - digestBytes);
  }

  test('every file that ends with a digest is known, and nothing else', () => {
    const known = files.filter(file => say(file, repository.read(file)) !== '');
    expect([...new Set(known.map(kindOf).filter(kind => kind in KINDS))].sort()).toEqual(NAMES.toSorted());
    for (const file of known) expect(isWhole(repository.read(file))).toBe(true);
    for (const file of files.filter(path => !known.includes(path))) expect(isWhole(repository.read(file))).toBe(false);
  });

  describe.each(NAMES)('%s', kind => {
    test('is whole as git wrote it', () => {
      const { path, content } = fileOf(kind);
      expect(say(`/srv/${path}`, content)).toBe(KINDS[kind]);
    });

    test.each([
      ['zeros', () => Buffer.alloc(BLOCK)],
      ['text', () => Buffer.from('Jun  1 02:03:04 host daemon: started\n'.repeat(200))],
      ['noise', () => randomBytes(BLOCK)],
    ])('with %s in a block of it is not, the first aside', (_, made) => {
      const { path, content } = fileOf(kind);
      for (let at = 0; at < content.length; at += BLOCK) {
        const damaged = Buffer.from(content);
        made().copy(damaged, Math.max(at, 16 + digestBytes), 0, BLOCK);
        expect(isWhole(damaged)).toBe(false);
        expect(say(path, damaged)).toBe(DIFFERS);
      }
    });

    test('with a bit flipped anywhere behind its magic and version is not', () => {
      const { path, content } = fileOf(kind);
      const step = Math.max(1, Math.floor(content.length / 200));
      for (let at = 8; at < content.length; at += at < 64 || at > content.length - 64 ? 1 : step) {
        const damaged = Buffer.from(content);
        damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
        expect(say(path, damaged)).toBe(DIFFERS);
      }
    });

    test('cut short at any length is not, as long as it is known for what it is', () => {
      const { path, content } = fileOf(kind);
      for (let length = 8; length < content.length; length += length < 100 ? 1 : 97) {
        expect(say(path, content.subarray(0, length))).toBe(DIFFERS);
      }
    });

    test('with bytes behind its end is not', () => {
      const { path, content } = fileOf(kind);
      expect(say(path, Buffer.concat([content, Buffer.alloc(1)]))).toBe(DIFFERS);
      expect(say(path, Buffer.concat([content, randomBytes(BLOCK)]))).toBe(DIFFERS);
    });

    test('of zeros alone, or empty, is not', () => {
      const { path, content } = fileOf(kind);
      expect(say(`/srv/${path}`, Buffer.alloc(0))).toBe(DIFFERS);
      const zeros = Buffer.alloc(Math.max(512, content.length));
      expect(say(`/srv/${path}`, zeros)).toBe(DIFFERS);
      expect(detail(`/srv/${path}`, zeros)).toMatch(/^It does not begin as an? .* does\.$/);
    });

    test('that begins with noise or another program’s bytes is told as that', () => {
      const { path, content } = fileOf(kind);
      for (const length of [1, 8, 11, 12, 31, 32, 44, 64, 512, BLOCK, 3 * BLOCK]) {
        expect(say(path, randomBytes(length))).toBe(FOREIGN);
        expect(say(path, Buffer.alloc(length, 'an index of pages\n'))).toBe(FOREIGN);
      }
      const damaged = Buffer.from(content).fill('an index of pages\n', 0, Math.min(BLOCK, content.length - 100));
      expect([DIFFERS, FOREIGN]).toContain(say(path, damaged));
    });

    test('that the medium refuses is left to what the reading of it says', () => {
      const { path, content } = fileOf(kind);
      const stat = { ...ANY_FILE, sizeBytes: content.length };
      const read = (into: Uint8Array, at: number) => {
        if (at + into.length > content.length - 40) throw new ReadError(path, at, into.length);
        return content.copy(into, 0, at, at + into.length);
      };
      expect([...GIT_CHECKSUMS.inspect(path, stat, { name: path, size: content.length, read }, ALONE)]).toEqual([]);
    });
  });

  test('with a block of its own older state is not', () => {
    const older = new Map(files.map(file => [kindOf(file), repository.read(file)]));
    repository.commitFiles('another');
    repository.git('multi-pack-index', 'write');
    repository.git('-C', 'module', 'commit', '-q', '--allow-empty', '-m', 'later');
    repository.git('-C', 'module', 'commit-graph', 'write', '--reachable');
    repository.git('repack', '-q', '-d');
    repository.git('multi-pack-index', 'write');
    const rewritten = [
      '.git/index',
      '.git/objects/pack/multi-pack-index',
      '.git/modules/module/objects/info/commit-graph',
    ];
    for (const file of rewritten) {
      const content = repository.read(file);
      const old = older.get(file) ?? Buffer.alloc(0);
      expect(say(file, content)).toBe(WHOLE);
      for (let at = 0; at < Math.min(old.length, content.length); at += BLOCK) {
        const damaged = Buffer.from(content);
        old.copy(damaged, at, at, at + BLOCK);
        if (damaged.equals(content)) continue;
        expect(isWhole(damaged)).toBe(false);
        expect(say(file, damaged)).toBe(DIFFERS);
      }
      expect(say(file, old)).toBe(WHOLE);
    }
  });

  test('with more bytes than are read at once is judged by all of them', () => {
    repository.write('large', randomBytes(2_500_000));
    repository.git('add', '.');
    repository.git('commit', '-q', '-m', 'large');
    repository.git('repack', '-q', '-a', '-d');
    const pack =
      repository.files().find(file => file.endsWith('.pack') && repository.read(file).length > 2_500_000) ?? '';
    const content = repository.read(pack);
    expect(say(pack, content)).toBe(MATCHES);
    for (const at of [20, 1_048_575, 1_048_576, 2_097_152, content.length - digestBytes - 1]) {
      const damaged = Buffer.from(content);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
      expect(say(pack, damaged)).toBe(DIFFERS);
    }
    const zeroed = Buffer.from(content).fill(1, 999_999).fill(0, 1_000_000);
    expect(detail(pack, zeroed)).toBe('From byte 1000000 to its end, where its digest should stand, it holds zeros.');
  });
});
