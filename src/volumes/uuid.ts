// Identifiers as people write them.

/** 16 bytes in order: file systems' UUIDs. Null when all are zero. */
export function formatUuid(bytes: Uint8Array): string | null {
  const hex = Buffer.from(bytes).toString('hex');
  if (/^0*$/.test(hex)) return null;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** 16 bytes, the first three groups little-endian: GPT's GUIDs. */
export function formatGuid(bytes: Uint8Array): string | null {
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
  return formatUuid(Uint8Array.from(order, index => bytes[index] ?? 0));
}
