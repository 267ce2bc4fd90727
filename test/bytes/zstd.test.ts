import { execFileSync } from 'node:child_process';
import { openSync, readSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeZstd } from '../../src/bytes/zstd/decode-zstd.ts';
import { DamageError } from '../../src/errors.ts';
import { hasTool, noise } from './disk-fixtures.ts';

const hasZstd = hasTool('zstd');

/** Text with many words in common: matches near and far, and literals worth a Huffman tree. */
function prose(length: number): Buffer {
  const random = noise('prose', length);
  const words = ['inode', 'extent', 'superblock', 'journal', 'the', 'of', 'a', 'lost', 'write', '\n'];
  let text = '';
  for (let i = 0; text.length < length; i++)
    text += `${words[(random[i] ?? 0) % 10]}${(random[i] ?? 0) > 200 ? i : ''} `;
  return Buffer.from(text.slice(0, length), 'latin1');
}

/** Machine code: node itself. */
function programBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(openSync(process.execPath, 'r'), bytes, 0, length, 2 ** 20);
  return bytes;
}

const samples: Record<string, Buffer> = {
  zeros: Buffer.alloc(65536),
  'one byte repeated but for a few': Buffer.alloc(65536, 7).fill('tail', 65000),
  noise: noise('noise', 65536),
  prose: prose(65536),
  'prose of two megabytes': prose(2 * 1024 * 1024),
  'few symbols': noise('few', 65536).map(byte => byte & 3) as Buffer,
  'skewed symbols': noise('skewed', 200_000).map(byte => Math.clz32(byte)) as Buffer,
  'all literals of text': noise('literals', 131072).map(byte => 32 + (byte % 96)) as Buffer,
  'numbers, little-endian': Buffer.from(Uint32Array.from({ length: 16384 }, (_, i) => i * 17).buffer),
  'a program': programBytes(2 * 1024 * 1024),
  'few bytes': Buffer.from('abc'),
  'one byte': Buffer.from('x'),
};

const compress = (plain: Uint8Array, ...options: string[]) =>
  execFileSync('zstd', ['-c', '-q', ...options], { input: plain, maxBuffer: 2 ** 28 });

describe.skipIf(!hasZstd)('decoding zstd', () => {
  for (const [name, plain] of Object.entries(samples)) {
    for (const level of ['--fast=3', '-1', '-3', '-9', '-19']) {
      it(`gives back ${name}, packed by zstd ${level}`, () => {
        const into = new Uint8Array(plain.length);
        decodeZstd(compress(plain, level), into);
        expect(Buffer.compare(into, plain)).toBe(0);
      });
    }
  }

  it('takes frames with and without checksum, size and neighbours, one after the other', () => {
    const frames = [
      compress(Buffer.from('first '), '--no-check'),
      Buffer.from('502a4d1803000000616263', 'hex'),
      compress(Buffer.from('second '), '--check', '--no-content-size'),
      compress(prose(1000)),
      noise('what follows', 100),
    ];
    const into = new Uint8Array(1013);
    decodeZstd(Buffer.concat(frames), into);
    expect(Buffer.from(into).toString()).toBe(`first second ${prose(1000)}`);
  });

  it('refuses frames that hold more or less than the buffer takes', () => {
    const packed = compress(prose(5000));
    expect(() => decodeZstd(packed, new Uint8Array(4999))).toThrow(DamageError);
    expect(() => decodeZstd(packed, new Uint8Array(5001))).toThrow(DamageError);
  });

  it('answers every cut and every changed byte with bytes or DamageError', () => {
    for (const plain of [prose(3000), samples['few symbols'] ?? Buffer.alloc(0)]) {
      const packed = compress(plain, '-9', '--no-check');
      for (let length = 0; length < packed.length; length += 1 + Math.floor(packed.length / 400)) {
        expect(() => decodeZstd(packed.subarray(0, length), new Uint8Array(plain.length))).toThrow(DamageError);
      }
      let refused = 0;
      for (let at = 0; at < packed.length; at += 1 + Math.floor(packed.length / 400)) {
        for (const change of [1, 0x80, 0xff]) {
          const changed = Buffer.from(packed);
          changed[at] = (changed[at] ?? 0) ^ change;
          refused += refuses(changed, plain.length);
        }
      }
      expect(refused).toBeGreaterThan(0);
    }
  });

  it('refuses a block that asks for 98 thousand copies of 64 KiB at once', () => {
    const body = [0x09, 0x41, 0xff, 0xff, 0xff, 0x54, 0x00, 0x02, 0x34, 0x80];
    const header = (body.length << 3) | (2 << 1) | 1;
    const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x60, 0x00, 0xff, header & 255, header >> 8, 0, ...body];
    expect(() => decodeZstd(Uint8Array.from(frame), new Uint8Array(65536))).toThrow(DamageError);
  });
});

/** 1: refused with DamageError, 0: gave some bytes. Anything else propagates. */
function refuses(packed: Uint8Array, length: number): number {
  try {
    decodeZstd(packed, new Uint8Array(length));
    return 0;
  } catch (error) {
    if (error instanceof DamageError) return 1;
    throw error;
  }
}
