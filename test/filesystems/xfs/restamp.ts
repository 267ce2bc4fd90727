// Makes a changed structure's checksum right again, so that a reader gets past that.

import { checksumOf, describeBlock } from '../../../src/filesystems/xfs/self-description.ts';

/** What states none is left as it is. */
export function restamp(bytes: Buffer, at: number, length: number): void {
  const part = bytes.subarray(at, at + length);
  const checksumAt = part.readUInt16BE(0) === 0x494e ? 100 : describeBlock(part)?.checksumAt;
  if (checksumAt !== undefined) part.writeUInt32LE(checksumOf(part, checksumAt), checksumAt);
}
