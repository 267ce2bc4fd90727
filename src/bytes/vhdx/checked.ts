// VHDX's checksum: CRC-32C of a structure with the field of the checksum taken as zero.

import { crc32c } from '../../struct/crc32c.ts';
import { u32le } from '../../struct/integers.ts';
import { CHECKSUM_AT } from './layout.ts';

/** `bytes` is the whole structure. */
export function hasValidChecksum(bytes: Uint8Array): boolean {
  const copy = Uint8Array.from(bytes);
  copy.fill(0, CHECKSUM_AT, CHECKSUM_AT + 4);
  return crc32c(copy) === u32le(bytes, CHECKSUM_AT);
}
