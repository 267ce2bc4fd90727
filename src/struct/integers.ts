// Unsigned integers at a position in bytes, both byte orders: for tables and lists, where a declared structure would be too much.
// No bounds check (a position beyond the end reads as zeros or NaN): the caller has checked the table against its container.

export function u16le(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

export function u16be(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function u32le(bytes: Uint8Array, at: number): number {
  return (u16le(bytes, at) | ((bytes[at + 2] as number) << 16)) + (bytes[at + 3] as number) * 0x1000000;
}

export function u32be(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) * 0x1000000 + (((bytes[at + 1] as number) << 16) | u16be(bytes, at + 2));
}

export function u64le(bytes: Uint8Array, at: number): bigint {
  return (BigInt(u32le(bytes, at + 4)) << 32n) | BigInt(u32le(bytes, at));
}

export function u64be(bytes: Uint8Array, at: number): bigint {
  return (BigInt(u32be(bytes, at)) << 32n) | BigInt(u32be(bytes, at + 4));
}

/** As a number, without bigint's cost; values above 2^53 - 1 come out rounded, so compare with Number.MAX_SAFE_INTEGER. */
export function n64le(bytes: Uint8Array, at: number): number {
  return u32le(bytes, at + 4) * 0x100000000 + u32le(bytes, at);
}

/** As a number, without bigint's cost; values above 2^53 - 1 come out rounded, so compare with Number.MAX_SAFE_INTEGER. */
export function n64be(bytes: Uint8Array, at: number): number {
  return u32be(bytes, at) * 0x100000000 + u32be(bytes, at + 4);
}
