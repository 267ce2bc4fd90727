// CRC-16 (ARC, reflected polynomial 0xA001) without inversions: ext4's group descriptors under gdt_csum chain it from 0xFFFF.

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** Chains: the result is the next seed. Unsigned 16 bits. */
export function rawCrc16(seed: number, bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = seed & 0xffff;
  for (let at = start; at < end; at++) crc = (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return crc;
}
