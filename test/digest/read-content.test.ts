// Reading past what a medium refuses: exact ranges, the other blocks digested. Digests are those of sha256sum and md5sum.

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import xxhash from 'xxhash-wasm';
import type { ByteSource } from '../../src/bytes/byte-source.ts';
import { readContent } from '../../src/digest/read-content.ts';
import { ReadError } from '../../src/errors.ts';

const { h64Raw } = await xxhash();
const BLOCK = 4096;
const BUFFER_BYTES = 64 * 1024;
const EVERYTHING = { algorithms: ['md5', 'sha256'], blocks: true } as const;

/** A file whose given blocks the medium refuses. */
class Failing implements ByteSource {
  readonly name = 'file';
  readonly size: number;
  reads = 0;
  readonly #bytes: Buffer;
  readonly #bad: ReadonlySet<number>;
  readonly #code: string;

  constructor(bytes: Buffer, bad: readonly number[] = [], code = 'EIO') {
    this.size = bytes.length;
    this.#bytes = bytes;
    this.#bad = new Set(bad);
    this.#code = code;
  }

  read(into: Uint8Array, at: number): number {
    this.reads++;
    const end = Math.min(at + into.length, this.#bytes.length);
    for (let block = Math.floor(at / BLOCK); block * BLOCK < end; block++) {
      if (this.#bad.has(block)) throw new ReadError(this.name, at, into.length, this.#code);
    }
    return this.#bytes.copy(into, 0, at, end);
  }
}

function sample(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at++) bytes[at] = (at * 31 + Math.floor(at / BLOCK) * 7) % 251;
  return bytes;
}

function sum(program: string, bytes: Buffer): string {
  return execFileSync(program, { input: bytes, encoding: 'utf8' }).split(' ')[0] ?? '';
}

function read(file: ByteSource) {
  return readContent(file, EVERYTHING, new Uint8Array(BUFFER_BYTES), { onBytes: () => false });
}

/** A block's hash as the store keeps it: XXH64 of its bytes, with zeros up to 4 KiB. */
function hashOf(bytes: Uint8Array): bigint {
  const padded = Buffer.alloc(BLOCK);
  padded.set(bytes);
  return h64Raw(padded, 0n);
}

function hashes(blocks: Uint8Array | null): bigint[] {
  return blocks === null ? [] : [...new BigUint64Array(Uint8Array.from(blocks).buffer)];
}

describe('a readable file', () => {
  test.each([0, 1, BLOCK, BLOCK + 1, BUFFER_BYTES, BUFFER_BYTES + 1, 5 * BUFFER_BYTES - 7])(
    'of %i bytes',
    sizeBytes => {
      const bytes = sample(sizeBytes);
      const pass = read(new Failing(bytes));
      expect(pass.digests).toEqual({ md5: sum('md5sum', bytes), sha256: sum('sha256sum', bytes) });
      expect(pass).toMatchObject({ sizeBytes, unreadable: [], stopped: false });
      expect(hashes(pass.blocks)).toHaveLength(Math.ceil(sizeBytes / BLOCK));
    },
  );
});

describe('a file with refused blocks', () => {
  test.each([
    ['the first', 40, [0], [[0, 1]]],
    ['the last, which is short', 40, [39], [[39, 1]]],
    [
      'some apart',
      40,
      [3, 7, 8, 20],
      [
        [3, 1],
        [7, 2],
        [20, 1],
      ],
    ],
    ['all', 20, Array.from({ length: 20 }, (_, block) => block), [[0, 20]]],
    ['one of a file that fits the buffer', 4, [2], [[2, 1]]],
  ] as const)('%s: the ranges are exact, the others are hashed', (_, blocks, bad, ranges) => {
    const sizeBytes = blocks * BLOCK - 100;
    const bytes = sample(sizeBytes);
    const pass = read(new Failing(bytes, bad));
    expect(pass.unreadable).toEqual(
      ranges.map(([first, count]) => ({
        offset: first * BLOCK,
        length: Math.min(count * BLOCK, sizeBytes - first * BLOCK),
      })),
    );
    expect(pass.sizeBytes).toBe(sizeBytes);
    expect(pass.digests).toEqual({});
    const refused = new Set<number>(bad);
    const expected = Array.from({ length: blocks }, (_, block) =>
      refused.has(block) ? 0n : hashOf(bytes.subarray(block * BLOCK, (block + 1) * BLOCK)),
    );
    expect(hashes(pass.blocks)).toEqual(expected);
  });

  test('a dead medium is not asked for every block', () => {
    const dead = new Failing(
      Buffer.alloc(5000 * BLOCK),
      Array.from({ length: 5000 }, (_, block) => block),
    );
    const pass = read(dead);
    expect(pass.unreadable).toEqual([{ offset: 0, length: 5000 * BLOCK }]);
    expect(dead.reads).toBeLessThan(2200);
  });

  test.each(['EUCLEAN', 'EBADMSG', 'EREMOTEIO', 'ENODATA', 'ETIMEDOUT'])('%s is the medium as well', code => {
    expect(read(new Failing(sample(3 * BLOCK), [1], code)).unreadable).toEqual([{ offset: BLOCK, length: BLOCK }]);
  });

  test('a permission is not', () => {
    expect(() => read(new Failing(sample(3 * BLOCK), [1], 'EACCES'))).toThrow(ReadError);
  });
});

describe('a file that changes its size while it is read', () => {
  test('one that has become shorter ends where it ends', () => {
    const bytes = sample(3 * BLOCK);
    const shrunk: ByteSource = { name: 'file', size: 10 * BLOCK, read: (into, at) => bytes.copy(into, 0, at) };
    const pass = read(shrunk);
    expect(pass.sizeBytes).toBe(3 * BLOCK);
    expect(pass.digests.sha256).toBe(sum('sha256sum', bytes));
  });

  test('one that has grown is read to its new end', () => {
    const bytes = sample(2 * BUFFER_BYTES);
    const grown: ByteSource = { name: 'file', size: 10, read: (into, at) => bytes.copy(into, 0, at) };
    expect(read(grown).digests.sha256).toBe(sum('sha256sum', bytes));
  });
});

describe('ids of blobs', () => {
  const CRLF = Buffer.from('one\r\ntwo\r\r\nthree\rfour\n\r\n', 'latin1');
  const KIB = 1024;

  function ids(bytes: Buffer, known: readonly string[] = [], bufferBytes = BUFFER_BYTES): Record<string, string> {
    const wanted = { algorithms: ['git-sha1'], blocks: false, known } as const;
    return readContent(new Failing(bytes), wanted, new Uint8Array(bufferBytes), { onBytes: () => false }).digests;
  }

  function gitsId(bytes: Buffer, ...config: readonly string[]): string {
    return execFileSync('git', ['-C', '/', ...config, 'hash-object', '--stdin', '--path=f.txt'], {
      input: bytes,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, GIT_CONFIG_NOSYSTEM: '1', HOME: '/nonexistent' },
    }).trim();
  }

  test.each([
    ['empty', Buffer.alloc(0)],
    ['of one block', sample(BLOCK)],
    ['larger than the buffer', sample(BUFFER_BYTES * 3 + 5)],
  ])('are those of git hash-object: %s', (_, bytes) => {
    expect(ids(bytes)['git-sha1']).toBe(gitsId(bytes));
  });

  test('of a text with CRLF are told in both forms', () => {
    const lf = Buffer.from('one\ntwo\r\nthree\rfour\n\n', 'latin1');
    expect(ids(CRLF)).toEqual({ 'git-sha1': gitsId(CRLF), 'git-sha1-lf': gitsId(lf) });
  });

  test('with LF are what git makes of a text that it converts, also in chunks that part CR and LF', () => {
    const text = Buffer.from('a line of text\r\n'.repeat(KIB * 20), 'latin1');
    const converted = gitsId(text, '-c', 'core.autocrlf=true');
    const shifted = Buffer.concat([Buffer.from('x'), text]);
    expect(ids(text)['git-sha1-lf']).toBe(converted);
    expect(ids(shifted)['git-sha1-lf']).toBe(gitsId(shifted, '-c', 'core.autocrlf=true'));
    expect(ids(text, [], text.length + BLOCK)['git-sha1-lf']).toBe(converted);
  });

  test('are told in one form where that is expected, or there is no CRLF', () => {
    expect(ids(CRLF, [gitsId(CRLF)])).toEqual({ 'git-sha1': gitsId(CRLF) });
    expect(Object.keys(ids(sample(BUFFER_BYTES * 2)))).toEqual(['git-sha1']);
  });

  test('are not told where the medium refuses a block', () => {
    const wanted = { algorithms: ['git-sha1'], blocks: false } as const;
    const file = new Failing(sample(BUFFER_BYTES), [3]);
    const pass = readContent(file, wanted, new Uint8Array(BUFFER_BYTES), { onBytes: () => false });
    expect([pass.digests, pass.unreadable]).toEqual([{}, [{ offset: 3 * BLOCK, length: BLOCK }]]);
  });
});
