// CRC-32 most significant bit first (polynomial 0x04C11DB7), raw and chained: jbd2's first kind of transaction checksum.

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});

/** The result is the next seed. Unsigned 32 bits. */
export function rawCrc32Be(seed: number, bytes: Uint8Array): number {
  let crc = seed | 0;
  for (const byte of bytes) crc = (TABLE[((crc >>> 24) ^ byte) & 0xff] as number) ^ (crc << 8);
  return crc >>> 0;
}
