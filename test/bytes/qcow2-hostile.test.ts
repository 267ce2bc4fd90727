// Broken and hostile images: every cut and every changed field gives bytes or a typed error, in bounded memory.

import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openImage } from '../../src/bytes/open-image.ts';
import {
  qcow2Header,
  qcow2HeaderCompression,
  qcow2HeaderV3,
  snapshotExtra,
  snapshotHeader,
} from '../../src/bytes/qcow2/layout.ts';
import { DamageError, ReadError, UnsupportedError, UsageError } from '../../src/errors.ts';
import { diskContent, hasTool, run, scratchFolder } from './disk-fixtures.ts';

const hasQemu = hasTool('qemu-img') && hasTool('qemu-io');
const scratch = scratchFolder();
afterAll(() => scratch.remove());

const TYPED = [ReadError, DamageError, UnsupportedError, UsageError];
const DISK_BYTES = 2 ** 20;
const WINDOW_BYTES = 80_000;

// Thousands of images are opened; other work may slow that down.
vi.setConfig({ testTimeout: 60_000 });

interface Victim {
  readonly bytes: Buffer;
  readonly l1: number;
  readonly l2: number;
  readonly snapshots: number;
  readonly snapshotL1: number;
}

function makeVictim(name: string, options: string): Victim {
  const raw = scratch.path('victim.raw');
  const image = scratch.path(`${name}.qcow2`);
  writeFileSync(raw, diskContent('victim', DISK_BYTES));
  run('qemu-img', 'convert', '-c', '-O', 'qcow2', '-o', options, raw, image);
  run('qemu-img', 'snapshot', '-c', 'before', image);
  run('qemu-io', '-c', 'write -P 1 0 200k', '-c', 'write -z 300k 100k', image);
  const bytes = readFileSync(image);
  const header = qcow2Header.at(bytes);
  const firstL2 = Number(bytes.readBigUInt64BE(header.l1Offset) & 0x00fffffffffffe00n);
  const snapshotL1 = snapshotHeader.at(bytes, header.snapshotsOffset).l1Offset;
  return { bytes, l1: header.l1Offset, l2: firstL2, snapshots: header.snapshotsOffset, snapshotL1 };
}

/** Opens and reads what it can: how it ended. An error of any other type propagates, and fails the test. */
function examine(path: string, snapshot: string | null): string {
  try {
    const { bytes } = openImage(path, { snapshot });
    try {
      const into = new Uint8Array(WINDOW_BYTES);
      for (const at of [0, DISK_BYTES / 2, bytes.size - WINDOW_BYTES]) if (at >= 0) bytes.read(into, at);
      let at = 0;
      for (let step = 0; step < 300 && at < bytes.size; step++) at = (bytes.nextData?.(at) ?? at) + 4096;
      return 'bytes';
    } finally {
      bytes.close?.();
    }
  } catch (error) {
    if (error instanceof Error && TYPED.some(type => error instanceof type)) return error.name;
    throw error;
  }
}

const VALUES = [
  0n,
  1n,
  0xffn,
  0x200n,
  0x10000n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  2n ** 53n,
  2n ** 62n,
  2n ** 63n,
  2n ** 64n - 1n,
];

/** The value, cut to `length` bytes, at `at`. */
function put(bytes: Buffer, at: number, length: number, value: bigint): void {
  for (let index = 0; index < length; index++)
    bytes[at + index] = Number((value >> BigInt(8 * (length - 1 - index))) & 0xffn);
}

describe.skipIf(!hasQemu).each([
  ['zlib', 'cluster_size=4096'],
  ['zstd', 'cluster_size=4096,compression_type=zstd'],
  ['extended L2', 'cluster_size=16384,extended_l2=on'],
])('a hostile image (%s)', (name, options) => {
  let victim: Victim;
  const target = scratch.path(`hostile ${name}`);
  beforeAll(() => {
    victim = makeVictim(name, options);
    writeFileSync(target, victim.bytes);
  });

  /** Outcomes of the active disk and of the snapshot after one change, which is then undone. */
  function outcomes(at: number, length: number, value: bigint): string[] {
    const change = Buffer.alloc(length);
    put(change, 0, length, value);
    const fd = openSync(target, 'r+');
    writeSync(fd, change, 0, length, at);
    const seen = [examine(target, null), examine(target, 'before')];
    writeSync(fd, victim.bytes, at, length, at);
    closeSync(fd);
    return seen;
  }

  it('is read when nothing is changed', () => {
    expect(outcomes(0, 0, 0n)).toEqual(['bytes', 'bytes']);
  });

  it('is bytes or a typed error with any value in any header field', () => {
    const structures = [qcow2Header, qcow2HeaderV3, qcow2HeaderCompression];
    const fields = structures.flatMap(struct => Object.values(struct.fields));
    const seen = fields.flatMap(field => VALUES.flatMap(value => outcomes(field.offset, field.length, value)));
    expect(new Set(seen)).toContain('DamageError');
    expect(seen.length).toBe(fields.length * VALUES.length * 2);
  });

  it('is bytes or a typed error with any value in the snapshot table', () => {
    const inHeader = Object.values(snapshotHeader.fields);
    const inExtra = Object.values(snapshotExtra.fields).map(field => ({
      ...field,
      offset: field.offset + snapshotHeader.size,
    }));
    const seen = [...inHeader, ...inExtra].map(field =>
      VALUES.map(value => outcomes(victim.snapshots + field.offset, field.length, value)),
    );
    for (const pairs of seen) for (const [active] of pairs) expect(active).toBe('bytes');
    expect(new Set(seen.flat(2))).toContain('DamageError');
  });

  it('is bytes or a typed error with any value in any table entry, also one that points to a table', () => {
    const { l1, l2, snapshots, snapshotL1 } = victim;
    const places = [0, l1, l2, snapshots, snapshotL1, l2 + 64, victim.bytes.length - 512, victim.bytes.length].map(
      BigInt,
    );
    const flags = [0n, 1n, 2n ** 62n, 2n ** 63n];
    const values = [...VALUES, ...places.flatMap(place => flags.map(flag => place | flag))];
    const entries = [l1, snapshotL1, l2, l2 + 8, l2 + 16, l2 + 24, l2 + 64];
    const seen = entries.flatMap(at => values.flatMap(value => outcomes(at, 8, value)));
    expect(new Set(seen)).toContain('DamageError');
    expect(new Set(seen)).toContain('bytes');
  });

  it('is bytes or a typed error wherever it is cut', () => {
    const cut = scratch.path('cut');
    writeFileSync(cut, victim.bytes);
    const fd = openSync(cut, 'r+');
    const { l1, l2, snapshots, snapshotL1 } = victim;
    const structures = [0, 72, 104, 112, l1, l2, snapshots, snapshotL1].flatMap(at => [
      at - 1,
      at,
      at + 1,
      at + 8,
      at + 40,
    ]);
    const steps = Array.from({ length: 40 }, (_, step) => Math.floor((victim.bytes.length * step) / 40));
    const cuts = [...structures, ...steps].filter(length => length >= 0).sort((left, right) => right - left);
    const seen = cuts.flatMap(length => {
      ftruncateSync(fd, length);
      return [examine(cut, null), examine(cut, 'before')];
    });
    closeSync(fd);
    expect(seen.length).toBe(cuts.length * 2);
    expect(seen.slice(-2)).toEqual(['bytes', 'UsageError']);
    expect(new Set(seen)).toContain('DamageError');
  });

  it('asks for no memory on the word of an L1 size', () => {
    const before = process.memoryUsage().arrayBuffers;
    expect(outcomes(qcow2Header.fields.l1Size.offset, 4, 2n ** 31n)).toEqual(['DamageError', 'DamageError']);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * DISK_BYTES);
  });
});

describe.skipIf(!hasQemu)('damage', () => {
  it('is told with its place in the image file', () => {
    const { bytes, l1, l2 } = makeVictim('told', 'cluster_size=4096');
    const path = scratch.path('told.qcow2');
    const message = (change: (bytes: Buffer) => void) => {
      const changed = Buffer.from(bytes);
      change(changed);
      writeFileSync(path, changed);
      const image = openImage(path);
      try {
        image.bytes.read(new Uint8Array(4096), 0);
        return 'no error';
      } catch (error) {
        return error instanceof DamageError ? error.message : String(error);
      } finally {
        image.bytes.close?.();
      }
    };
    const beyond = BigInt(bytes.length + 4096 - (bytes.length % 4096));
    expect(message(changed => changed.writeBigUInt64BE(4096n * 7n + 512n, l2))).toBe(
      `${path}: qcow2 L2 entry at ${l2}: found 29184, expected a multiple of 4096`,
    );
    expect(message(changed => changed.writeBigUInt64BE(beyond, l2))).toMatch(
      `${path}: qcow2 L2 entry at ${l2}: found ${beyond}, expected less than`,
    );
    expect(message(changed => changed.writeBigUInt64BE(BigInt(l1), l2))).toBe(
      `${path}: qcow2 L2 entry at ${l2}: found ${l1}, expected an offset outside the L1 table`,
    );
    expect(message(changed => changed.writeBigUInt64BE(beyond, l1))).toMatch(
      `${path}: qcow2 L1 entry at ${l1}: found ${beyond}, expected less than`,
    );
  });

  it('in one cluster leaves the others readable', () => {
    const { bytes, l2 } = makeVictim('partly', 'cluster_size=4096');
    const path = scratch.path('partly.qcow2');
    bytes.writeBigUInt64BE(2n ** 50n, l2);
    writeFileSync(path, bytes);
    const image = openImage(path);
    expect(() => image.bytes.read(new Uint8Array(10), 100)).toThrow(DamageError);
    const into = new Uint8Array(100);
    expect(image.bytes.read(into, 4096)).toBe(100);
    expect(into).toEqual(new Uint8Array(100).fill(1));
    image.bytes.close?.();
  });

  it('in the medium is a ReadError of the file', () => {
    const { bytes } = makeVictim('shrinking', 'cluster_size=4096');
    const path = scratch.path('shrinking.qcow2');
    const image = openImage(path);
    writeSync(openSync(path, 'r+'), bytes.subarray(0, 10), 0, 10, 0);
    ftruncateSync(openSync(path, 'r+'), 0);
    expect(() => image.bytes.read(new Uint8Array(10), 0)).toThrow(ReadError);
    image.bytes.close?.();
  });
});
