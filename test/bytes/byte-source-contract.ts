// What every ByteSource owes its readers. Each implementation runs it against a flat copy of its bytes from elsewhere.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/bytes/byte-source.ts';

export interface ContractCase {
  readonly source: ByteSource;
  /** The same bytes, had in another way. */
  readonly expected: Uint8Array;
  /** Offsets around which the implementation changes its ways: page, cluster, segment borders. */
  readonly borders?: readonly number[];
}

/** Registers the suite. `open` is called once, before the tests; the source is closed after them. */
export function byteSourceContract(name: string, open: () => ContractCase): void {
  describe(`${name} as a ByteSource`, () => {
    let source: ByteSource;
    let expected: Uint8Array;
    let borders: readonly number[];

    beforeAll(() => {
      const opened = open();
      ({ source, expected } = opened);
      borders = [0, 512, 4096, 65536, ...(opened.borders ?? []), expected.length].filter(at => at <= expected.length);
    });
    afterAll(() => source.close?.());

    /** Reads into a marked buffer: what is not filled must stay as it was. Returns what went wrong, if anything. */
    function misread(at: number, length: number): string[] {
      const into = new Uint8Array(length + 8).fill(0xaa);
      const count = source.read(into.subarray(4, 4 + length), at);
      const wanted = Buffer.alloc(length + 8, 0xaa);
      const part = expected.subarray(Math.min(at, expected.length), at + length);
      wanted.set(part, 4);
      if (count !== part.length) return [`${length} bytes at ${at}: ${count} read, not ${part.length}`];
      return Buffer.compare(into, wanted) === 0 ? [] : [`${length} bytes at ${at}: other bytes`];
    }

    it('says its size and has a name', () => {
      expect(source.size).toBe(expected.length);
      expect(source.name).not.toBe('');
    });

    it('gives all its bytes in one read, and nothing beyond them', () => {
      expect(misread(0, expected.length)).toEqual([]);
      expect(misread(0, expected.length + 1000)).toEqual([]);
    });

    it('reads at every small alignment around every border', () => {
      const distances = [-513, -17, -8, -3, -2, -1, 0, 1, 2, 3, 7, 511];
      const starts = borders.flatMap(border => distances.map(distance => border + distance)).filter(at => at >= 0);
      const lengths = [1, 2, 5, 16, 513, 4096];
      expect(starts.flatMap(at => lengths.flatMap(length => misread(at, length)))).toEqual([]);
    });

    it('reads across borders, in any order', () => {
      let state = 12345;
      const random = (below: number) => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return Math.floor((state / 2147483648) * below);
      };
      const rounds = Array.from({ length: 200 }, (_, index) => index);
      const wrong = rounds.flatMap(index =>
        misread(random(expected.length + 10), random(index % 10 === 0 ? 300_000 : 9000)),
      );
      expect(wrong).toEqual([]);
    });

    it('fills nothing at its end, beyond it, or when nothing is asked for', () => {
      const beyond = [0, 1, 2 ** 33].flatMap(distance => misread(expected.length + distance, 100));
      const nothing = [0, 1, expected.length, expected.length + 1].flatMap(at => misread(at, 0));
      expect([...beyond, ...nothing]).toEqual([]);
    });

    it('never steps over data', () => {
      if (source.nextData === undefined) return;
      const wrong: string[] = [];
      for (let at = 0; at < expected.length; ) {
        const next = source.nextData(at);
        const sane = next >= at && next <= expected.length && isZero(expected.subarray(at, next));
        if (!sane) wrong.push(`from ${at} to ${next}`);
        at = Math.max(next, at) + 1 + (at % 4099);
      }
      expect(wrong).toEqual([]);
      expect(source.nextData(expected.length)).toBe(expected.length);
    });
  });
}

const ZEROS = Buffer.alloc(2 ** 20);

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(part, ZEROS.subarray(0, part.length)) !== 0) return false;
  }
  return true;
}
