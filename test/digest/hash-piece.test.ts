// Hashes of the units of a volume. Oracles: xxhsum, and the published values of XXH64.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasProgram, run } from '../../fixtures/incident/processes.ts';
import type { ByteSource } from '../../src/bytes/byte-source.ts';
import { memoryBytes } from '../../src/bytes/memory-bytes.ts';
import { BlockHasher } from '../../src/digest/block-hash.ts';
import { hashPiece } from '../../src/digest/hash-piece.ts';
import { PIECE_UNITS, UNREAD_UNIT, ZERO_UNIT } from '../../src/digest/unit-hashes.ts';
import { DamageError, ReadError } from '../../src/errors.ts';
import { blocksOf } from '../run/content.ts';

const goOn = () => false;

/** The hashes of the first piece. */
function hashed(volume: ByteSource, unitBytes: number): bigint[] {
  const piece = hashPiece(volume, unitBytes, 0, goOn);
  if (piece == null) throw new Error('there is more than zeros');
  return [...piece];
}

const withNextData = (volume: ByteSource, nextData: (at: number) => number): ByteSource => ({
  name: volume.name,
  size: volume.size,
  read: (into, at) => volume.read(into, at),
  nextData,
});

const obstacle = hasProgram('xxhsum') ? null : 'needs xxhsum';
if (obstacle !== null) process.stdout.write(`skipped: hashes of units beside xxhsum: ${obstacle}\n`);

describe.skipIf(obstacle !== null)('as xxhsum has them', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'lostwrite-units-'));
  afterAll(() => rmSync(scratch, { recursive: true }));

  /** XXH64 of each unit by another program. */
  function oracle(bytes: Uint8Array, unitBytes: number): bigint[] {
    writeFileSync(join(scratch, 'volume'), bytes);
    const count = Math.ceil(bytes.length / unitBytes);
    const split = ['-d', '-a', '4', '-b', String(unitBytes), 'volume', 'unit.'];
    run('split', split, { cwd: scratch });
    const names = Array.from({ length: count }, (_, index) => `unit.${String(index).padStart(4, '0')}`);
    const { output } = run('xxhsum', ['-H64', ...names], { cwd: scratch });
    run('rm', names, { cwd: scratch });
    return output
      .trim()
      .split('\n')
      .map(line => BigInt(`0x${line.split(' ')[0]}`));
  }

  it.each([1024, 2048, 4096])('units of %i bytes', unitBytes => {
    const bytes = new Uint8Array(blocksOf('units', 40));
    for (let at = 0; at < bytes.length; at += 1024) bytes[at] = at / 1024;
    expect(hashed(memoryBytes('volume', bytes), unitBytes)).toEqual(oracle(bytes, unitBytes));
  });

  it('a last unit that is short is padded with zeros', () => {
    const bytes = new Uint8Array(blocksOf('short', 2)).subarray(0, 5000);
    const padded = new Uint8Array(8192);
    padded.set(bytes);
    expect(hashed(memoryBytes('volume', bytes), 4096)).toEqual(oracle(padded, 4096));
  });
});

describe('the hashes of a volume', () => {
  it('are those of a file’s blocks', () => {
    const bytes = new Uint8Array(blocksOf('file', 9));
    const hasher = new BlockHasher();
    hasher.add(bytes);
    const ofFile = new BigUint64Array(hasher.finish().slice().buffer);
    expect(hashed(memoryBytes('volume', bytes), 4096)).toEqual([...ofFile]);
  });

  it('are the published ones', () => {
    const word = (text: string) => memoryBytes(text, new TextEncoder().encode(text));
    expect(hashed(word('abc'), 3)).toEqual([0x44bc2cf5ad770999n]);
    expect(hashed(word('a'), 1)).toEqual([0xd24ec4f1a98c6e5bn]);
  });

  it('tell zeros without hashing them', () => {
    const bytes = new Uint8Array(3 * 4096);
    bytes[4096] = 1;
    const [first, second, third] = hashed(memoryBytes('volume', bytes), 4096);
    expect([first, third]).toEqual([ZERO_UNIT, ZERO_UNIT]);
    expect(second).not.toBe(ZERO_UNIT);
  });

  it('take no room for a piece of zeros', () => {
    expect(hashPiece(memoryBytes('volume', new Uint8Array(100_000)), 4096, 0, goOn)).toBeNull();
  });

  it('are of the same bytes whether holes are known or not', () => {
    const bytes = new Uint8Array(700 * 4096);
    bytes.fill(7, 300 * 4096 + 100, 302 * 4096);
    bytes.fill(9, 650 * 4096 + 4000, 650 * 4096 + 4010);
    const volume = memoryBytes('volume', bytes);
    const starts = [300 * 4096 + 100, 650 * 4096 + 4000];
    const ends = [302 * 4096, 650 * 4096 + 4010];
    const knowing = withNextData(volume, at => {
      const index = ends.findIndex(end => at < end);
      return index < 0 ? bytes.length : Math.max(at, starts[index] ?? 0);
    });
    expect(hashed(knowing, 4096)).toEqual(hashed(volume, 4096));
  });

  it('of the second piece begin where the first ends', () => {
    const bytes = new Uint8Array((PIECE_UNITS + 2) * 1024);
    bytes.set(blocksOf('end', 1).subarray(0, 1024), PIECE_UNITS * 1024);
    const volume = memoryBytes('volume', bytes);
    const piece = hashPiece(volume, 1024, 1, goOn);
    expect(piece?.length).toBe(2);
    expect(piece?.[0]).toBe(hashed(memoryBytes('end', bytes.subarray(PIECE_UNITS * 1024)), 1024)[0]);
    expect(hashPiece(volume, 1024, 0, goOn)).toBeNull();
  });

  it('end when they are told to', () => {
    expect(hashPiece(memoryBytes('volume', new Uint8Array(blocksOf('x', 3))), 4096, 0, () => true)).toBeUndefined();
  });
});

describe('units that the medium refuses', () => {
  const bytes = new Uint8Array(blocksOf('medium', 8));
  const sound = memoryBytes('volume', bytes);
  /** Refuses what touches one byte. */
  const refusing = (bad: number): ByteSource => ({
    name: 'medium',
    size: bytes.length,
    read(into, at) {
      if (at <= bad && bad < at + into.length) throw new ReadError('medium', at, into.length);
      return sound.read(into, at);
    },
  });

  it('are equal to none, and their neighbours are hashed', () => {
    const expected = hashed(sound, 4096);
    expected[3] = UNREAD_UNIT;
    expect(hashed(refusing(3 * 4096 + 17), 4096)).toEqual(expected);
  });

  it('in 1 KiB units: one of four', () => {
    const expected = hashed(sound, 1024);
    expected[13] = UNREAD_UNIT;
    expect(hashed(refusing(3 * 4096 + 1024 + 17), 1024)).toEqual(expected);
  });

  it('beyond the end of a cut medium too', () => {
    const there = memoryBytes('there', bytes.subarray(0, 2 * 4096));
    const cut: ByteSource = { name: 'cut', size: bytes.length, read: (into, at) => there.read(into, at) };
    expect(hashed(cut, 4096)).toEqual([...hashed(sound, 4096).slice(0, 2), ...Array(6).fill(UNREAD_UNIT)]);
  });

  it('damage of a container is no refusal of the medium', () => {
    const broken: ByteSource = {
      name: 'broken',
      size: 4096,
      read: () => {
        throw new DamageError('cluster', 0, 'x', 'y');
      },
    };
    expect(() => hashPiece(broken, 4096, 0, goOn)).toThrow(DamageError);
  });
});
