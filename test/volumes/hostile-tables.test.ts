import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import type { ByteSource } from '../../src/bytes/byte-source.ts';
import { openFileBytes } from '../../src/bytes/file-bytes.ts';
import { DamageError, ReadError, UnsupportedError } from '../../src/errors.ts';
import { surveyDisk } from '../../src/volumes/find-volumes.ts';
import { gptEntry, gptHeader } from '../../src/volumes/layout.ts';
import {
  blank,
  factNames,
  firstBytes,
  gptDisk,
  hasTools,
  MIB,
  poke,
  rewrite,
  SECTOR,
  scratch,
  survey,
} from './partition-fixtures.ts';

// Many runs of tools; other work may slow them down.
vi.setConfig({ testTimeout: 60_000 });

afterAll(() => scratch.remove());

/** How surveying ended; an error that is not typed propagates. */
function examine(disk: ByteSource): string {
  try {
    return surveyDisk(disk).scheme ?? 'none';
  } catch (error) {
    if (error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError)
      return error.name;
    throw error;
  }
}

describe.skipIf(!hasTools)('hostile tables', () => {
  const values = [0n, 1n, 2n, 127n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
  const put = (bytes: Buffer, at: number, length: number, value: bigint) => {
    for (let index = 0; index < length; index++) bytes[at + index] = Number((value >> BigInt(8 * index)) & 0xffn);
  };

  it('of a GPT give volumes or typed errors with any value in any field, its checksums right', () => {
    const path = gptDisk('hostile');
    const original = firstBytes(path, 34 * SECTOR);
    const seen = new Set<string>();
    const attempt = (changeEntries: (entries: Buffer) => void, changeHeader: (header: Buffer) => void) => {
      poke(path, 0, original);
      rewrite(path, changeEntries, changeHeader);
      const file = openFileBytes(path);
      seen.add(examine(file));
      file.close();
    };
    const nothing = () => undefined;
    for (const value of values) {
      for (const { offset, length } of Object.values(gptHeader.fields))
        attempt(nothing, header => put(header, offset, length, value));
      for (const { offset, length } of Object.values(gptEntry.fields))
        attempt(entries => put(entries, offset, length, value), nothing);
    }
    expect(seen).toEqual(new Set(['gpt']));
  });

  it('of thousands of partitions at one place stay bounded', () => {
    const path = gptDisk('thousands');
    const entry = firstBytes(path, 3 * SECTOR).subarray(2 * SECTOR, 2 * SECTOR + 128);
    const entries = Buffer.concat(Array.from({ length: 8192 }, () => entry));
    poke(path, 8 * MIB, entries);
    rewrite(
      path,
      () => undefined,
      header => {
        header.writeBigUInt64LE(BigInt((8 * MIB) / SECTOR), 72);
        header.writeUInt32LE(8192, 80);
        header.writeUInt32LE(crc32(entries), 88);
      },
    );
    expect(survey(path).volumes.length).toBe(8192);
    rewrite(
      path,
      () => undefined,
      header => header.writeUInt32LE(2 ** 32 - 1, 80),
    );
    expect(factNames(path)).toEqual(['gpt-backup-used']);
  });

  it('give volumes or typed errors wherever a disk is cut', () => {
    const path = gptDisk('cuts');
    const fd = openSync(path, 'r+');
    const cuts = [
      50 * MIB,
      10 * MIB,
      MIB,
      34 * SECTOR,
      33 * SECTOR,
      3 * SECTOR,
      2 * SECTOR,
      1000,
      SECTOR,
      511,
      100,
      1,
      0,
    ];
    const seen = cuts.map(cut => {
      ftruncateSync(fd, cut);
      const file = openFileBytes(path);
      const outcome = examine(file);
      file.close();
      return outcome;
    });
    closeSync(fd);
    expect(seen).toEqual([
      ...['gpt', 'gpt', 'gpt', 'gpt', 'gpt', 'gpt', 'gpt'],
      ...['DamageError', 'DamageError', 'none', 'none', 'none', 'none'],
    ]);
  });

  it('in any random first sector give volumes or typed errors', () => {
    const path = blank('random', MIB);
    let state = 1;
    const random = () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return state;
    };
    const seen = new Set<string>();
    for (let round = 0; round < 300; round++) {
      const sector = Buffer.from(Array.from({ length: SECTOR }, () => random() >> 8));
      for (let entry = 446; entry < 510; entry += 16) {
        sector[entry] = random() & 0x80;
        if (round % 3 === 0) sector[entry + 4] = 5;
        if (round % 2 === 0) sector.writeUInt32LE(random() % 2048, entry + 8);
      }
      sector.writeUInt16LE(0xaa55, 510);
      poke(path, 0, sector);
      const file = openFileBytes(path);
      seen.add(examine(file));
      file.close();
    }
    // A random type of 0xee announces a GPT that is not there.
    expect(seen).toEqual(new Set(['mbr', 'none', 'DamageError']));
  });

  it('on a medium that refuses parts of it are told', () => {
    const path = gptDisk('eio');
    const file = openFileBytes(path);
    const refusing = (from: number, to: number): ByteSource => ({
      name: 'disk',
      size: file.size,
      read(into, at) {
        if (at < to && at + into.length > from) throw new ReadError('disk', at, into.length);
        return file.read(into, at);
      },
    });
    expect(surveyDisk(refusing(SECTOR, 2 * SECTOR)).facts.map(({ name }) => name)).toEqual(['gpt-backup-used']);
    const [, second] = surveyDisk(refusing(10 * MIB, 11 * MIB)).volumes;
    expect(second?.kind).toBe('unknown');
    expect(second?.facts.map(({ name }) => name)).toContain('unreadable-signature');
    file.close();
  });
});
