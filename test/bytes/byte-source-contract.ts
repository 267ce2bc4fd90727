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

    /** Reads into a marked buffer: what is not filled must stay as it was. */
    function expectRead(at: number, length: number): void {
      const into = new Uint8Array(length + 8).fill(0xaa);
      const count = source.read(into.subarray(4, 4 + length), at);
      const wanted = Buffer.alloc(length + 8, 0xaa);
      wanted.set(expected.subarray(Math.min(at, expected.length), at + length), 4);
      const same = Buffer.compare(into, wanted) === 0;
      expect({ at, length, count, same }).toEqual({
        at,
        length,
        count: Math.max(0, Math.min(length, expected.length - at)),
        same: true,
      });
    }

    it('says its size and has a name', () => {
      expect(source.size).toBe(expected.length);
      expect(source.name).not.toBe('');
    });

    it('gives all its bytes in one read, and nothing beyond them', () => {
      expectRead(0, expected.length);
      expectRead(0, expected.length + 1000);
    });

    it('reads at every small alignment around every border', () => {
      for (const border of borders) {
        for (const distance of [-513, -17, -8, -3, -2, -1, 0, 1, 2, 3, 7, 511]) {
          if (border + distance < 0) continue;
          for (const length of [1, 2, 5, 16, 513, 4096]) expectRead(border + distance, length);
        }
      }
    });

    it('reads across borders, in any order', () => {
      let state = 12345;
      const random = (below: number) => {
        state = (state * 1103515245 + 12345) % 2147483648;
        return Math.floor((state / 2147483648) * below);
      };
      for (let i = 0; i < 200; i++) expectRead(random(expected.length + 10), random(i % 10 === 0 ? 300_000 : 9000));
    });

    it('fills nothing at its end, beyond it, or when nothing is asked for', () => {
      for (const at of [expected.length, expected.length + 1, expected.length + 2 ** 33]) expectRead(at, 100);
      for (const at of [0, 1, expected.length, expected.length + 1]) expectRead(at, 0);
    });

    it('never steps over data', () => {
      if (source.nextData === undefined) return;
      for (let at = 0; at < expected.length; ) {
        const next = source.nextData(at);
        expect(next).toBeGreaterThanOrEqual(at);
        expect(next).toBeLessThanOrEqual(expected.length);
        expect({ at, next, zeros: isZero(expected.subarray(at, next)) }).toEqual({ at, next, zeros: true });
        at = Math.max(next, at) + 1 + (at % 4099);
      }
      expect(source.nextData(expected.length)).toBe(expected.length);
    });
  });
}

function isZero(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, Buffer.alloc(bytes.length)) === 0;
}
