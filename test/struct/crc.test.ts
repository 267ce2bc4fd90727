import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { rawCrc16 } from '../../src/struct/crc16.ts';
import { rawCrc32 } from '../../src/struct/crc32.ts';
import { crc32c, rawCrc32c } from '../../src/struct/crc32c.ts';

const digits = Buffer.from('123456789');

/** The definition, a bit at a time. */
function bitwise(polynomial: number, seed: number, bytes: Uint8Array): number {
  let crc = seed;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return crc >>> 0;
}

describe('crc32c', () => {
  it('gives the check value and the examples of RFC 3720 B.4', () => {
    expect(crc32c(digits)).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('follows the definition at every length and alignment, and chains', () => {
    const noise = randomBytes(80);
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= 80; end += 3) {
        const expected = bitwise(0x82f63b78, 0x12345678, noise.subarray(start, end));
        expect(rawCrc32c(0x12345678, noise, start, end)).toBe(expected);
        const middle = (start + end) >> 1;
        expect(rawCrc32c(rawCrc32c(0x12345678, noise, start, middle), noise, middle, end)).toBe(expected);
      }
    }
  });
});

describe('crc32', () => {
  it('in its raw form is zlib without the inversions', () => {
    expect(crc32(digits)).toBe(0xcbf43926);
    expect(rawCrc32(0xf597a6cf, digits)).toBe(bitwise(0xedb88320, 0xf597a6cf, digits));
    expect(rawCrc32(0, digits)).toBe(bitwise(0xedb88320, 0, digits));
  });
});

describe('crc16', () => {
  it('gives the check values of ARC and, seeded with ones, of MODBUS', () => {
    expect(rawCrc16(0, digits)).toBe(0xbb3d);
    expect(rawCrc16(0xffff, digits)).toBe(0x4b37);
  });
});
