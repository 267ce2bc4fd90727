// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78). ext4 and jbd2 chain the raw form, without inversions, from a seed of
// their own; XFS, PostgreSQL and most others mean the standard form. Eight bytes a step ("slicing by eight", Kounavis and Berry).

const TABLES = slicingTables(0x82f63b78);
const [T0, T1, T2, T3, T4, T5, T6, T7] = TABLES;

/**
 * The raw form: `seed` in, no inversion before or after; chains (the result is the next seed). Result: unsigned 32 bits.
 * `start` and `end` are bytes of `bytes`, as in subarray.
 */
export function rawCrc32c(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed | 0;
  let at = start;
  for (const last = end - 8; at <= last; at += 8) crc = eightBytes(crc, bytes, at);
  for (; at < end; at++) crc = (T0[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return crc >>> 0;
}

/** The standard form (iSCSI): inverted before and after. "123456789" gives 0xE3069283. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return ~rawCrc32c(-1, bytes, start, end) >>> 0;
}

function eightBytes(crc: number, b: Uint8Array, at: number): number {
  return (
    (T7[((b[at] as number) ^ crc) & 0xff] as number) ^
    (T6[((b[at + 1] as number) ^ (crc >>> 8)) & 0xff] as number) ^
    (T5[((b[at + 2] as number) ^ (crc >>> 16)) & 0xff] as number) ^
    (T4[(b[at + 3] as number) ^ (crc >>> 24)] as number) ^
    (T3[b[at + 4] as number] as number) ^
    (T2[b[at + 5] as number] as number) ^
    (T1[b[at + 6] as number] as number) ^
    (T0[b[at + 7] as number] as number)
  );
}

type Tables = readonly [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];

/** Table k: the effect of a byte that k more bytes follow. */
function slicingTables(polynomial: number): Tables {
  const first = Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    return crc;
  });
  const next = (table: Int32Array) => table.map(crc => (first[crc & 0xff] as number) ^ (crc >>> 8));
  const second = next(first);
  const third = next(second);
  const fourth = next(third);
  const fifth = next(fourth);
  const sixth = next(fifth);
  const seventh = next(sixth);
  return [first, second, third, fourth, fifth, sixth, seventh, next(seventh)];
}
