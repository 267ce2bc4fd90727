import { describe, expect, it } from 'vitest';
import { DamageError } from '../../src/errors.ts';
import {
  bytes,
  defineStruct,
  i32,
  littleEndian,
  n64,
  type StructOf,
  text,
  u8,
  u16,
  u32,
  u64,
} from '../../src/struct/struct.ts';

const fields = {
  first: u8(0),
  second: u16(1),
  third: u32(3),
  signed: i32(7),
  wide: u64(11),
  size: n64(19),
  raw: bytes(27, 3),
  label: text(30, 6),
};
const little = defineStruct('little', 'le', fields);
const big = defineStruct('big', 'be', { ...fields, sum: littleEndian(u32(3)) });

/** node's own readers are the oracle for integers. */
function sample(): Buffer {
  const buffer = Buffer.alloc(40);
  buffer.writeUInt8(0xfe, 2);
  buffer.writeUInt16LE(0x8001, 3);
  buffer.writeUInt32LE(0xfedcba98, 5);
  buffer.writeInt32LE(-2, 9);
  buffer.writeBigUInt64LE(0xfedcba9876543210n, 13);
  buffer.writeBigUInt64LE(BigInt(Number.MAX_SAFE_INTEGER), 21);
  buffer.set([1, 2, 3], 29);
  buffer.write('ab\xff\0cd', 32, 'latin1');
  return buffer;
}

describe('a declared structure', () => {
  it('is as long as the end of its last field, unless a size is given', () => {
    expect(little.size).toBe(36);
    expect(defineStruct('padded', 'le', { one: u8(0) }, 512).size).toBe(512);
  });

  it('reads each kind of field little-endian at any position', () => {
    const view = little.at(sample(), 2);
    expect({ ...pick(view) }).toEqual({
      first: 0xfe,
      second: 0x8001,
      third: 0xfedcba98,
      signed: -2,
      wide: 0xfedcba9876543210n,
      size: Number.MAX_SAFE_INTEGER,
      label: 'ab\xff',
    });
    expect([...view.raw]).toEqual([1, 2, 3]);
  });

  it('reads big-endian, and single fields little-endian where the format says so', () => {
    const buffer = sample().subarray(2);
    const view = big.at(buffer);
    expect(view.second).toBe(buffer.readUInt16BE(1));
    expect(view.third).toBe(buffer.readUInt32BE(3));
    expect(view.signed).toBe(buffer.readInt32BE(7));
    expect(view.wide).toBe(buffer.readBigUInt64BE(11));
    expect(view.sum).toBe(0xfedcba98);
  });

  it('refuses a short buffer, naming the structure and its offset in the source', () => {
    const attempt = () => little.at(new Uint8Array(40), 5, 1000);
    expect(attempt).toThrow(DamageError);
    expect(attempt).toThrow('little at 1005: found 35 bytes, expected 36 bytes');
    expect(() => little.at(new Uint8Array(40), 4)).not.toThrow();
    expect(() => little.at(new Uint8Array(40), -1)).toThrow(DamageError);
    expect(() => little.at(new Uint8Array(40), Number.NaN)).toThrow(DamageError);
  });

  it('refuses a 64-bit size that no number holds, naming the field', () => {
    const buffer = new Uint8Array(64);
    buffer[1 + 19 + 6] = 0x20;
    const view = little.at(buffer, 1, 512);
    expect(() => view.size).toThrow(DamageError);
    expect(() => view.size).toThrow('little.size at 532: found 9007199254740992');
    expect(view.first).toBe(0);
  });

  it('reads unterminated text to its full length', () => {
    expect(defineStruct('name', 'be', { name: text(0, 3) }).at(Buffer.from('abcd')).name).toBe('abc');
  });
});

function pick({ first, second, third, signed, wide, size, label }: StructOf<typeof little>) {
  return { first, second, third, signed, wide, size, label };
}
