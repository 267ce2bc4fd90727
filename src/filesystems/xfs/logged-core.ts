// What a logged inode's core says beside the inode in its place. Logged cores have the byte order of the machine (little here),
// those in place are big-endian.

import type { Nanoseconds } from '../../model.ts';
import { u16be, u16le, u32be, u32le, u64be, u64le } from '../../struct/integers.ts';
import { BIGTIME_EPOCH_SECONDS, FORK_FORMATS, INODE_CORE_BYTES, INODE_FLAGS2, INODE_MAGIC } from './layout.ts';
import type { InodeChange } from './log-inode.ts';
import { CORE_TIMES, INODE_FIELDS } from './log-layout.ts';

const DATA_FORK = INODE_FIELDS.data | INODE_FIELDS.extents | INODE_FIELDS.root | INODE_FIELDS.device;

const SECOND_NS = 1_000_000_000n;
const [, , CHANGE_TIME_AT] = CORE_TIMES;

/** `di_ctime`: as the inode's flags have it, nanoseconds since the earliest time or seconds and nanoseconds. */
export function loggedChangeNs(core: Uint8Array): Nanoseconds {
  const isBig = core.length >= INODE_CORE_BYTES.v3 && (u64le(core, 120) & BigInt(INODE_FLAGS2.bigtime)) !== 0n;
  if (isBig) return u64le(core, CHANGE_TIME_AT) + BigInt(BIGTIME_EPOCH_SECONDS) * SECOND_NS;
  return BigInt(u32le(core, CHANGE_TIME_AT) | 0) * SECOND_NS + BigInt(u32le(core, CHANGE_TIME_AT + 4));
}

/** Mode, size, blocks and extents are those that were logged. */
export function isLike(core: Uint8Array, slot: Uint8Array): boolean {
  return (
    u16le(core, 2) === u16be(slot, 2) &&
    [56, 64].every(at => u64le(core, at) === u64be(slot, at)) &&
    u32le(core, 76) === u32be(slot, 76)
  );
}

/** What the log does not hold of it is as at home. */
export function isLoggedWhole({ fields, core }: InodeChange, slot: Uint8Array): boolean {
  if ((fields & DATA_FORK) !== 0 || u16le(core, 2) === 0 || isEmpty(core)) return true;
  const sameExtents = u32le(core, 76) === u32be(slot, 76) && u64le(core, 64) === u64be(slot, 64);
  return sameExtents && core[5] === slot[5] && core[82] === slot[82];
}

/** Its content has no extents, and is not within the inode. */
function isEmpty(core: Uint8Array): boolean {
  const many = core.length >= INODE_CORE_BYTES.v3 && (u64le(core, 120) & BigInt(INODE_FLAGS2.manyExtents)) !== 0n;
  return core[5] === FORK_FORMATS.extents && (many ? u64le(core, 24) === 0n : u32le(core, 76) === 0);
}

export function isSlotOf(slot: Uint8Array, number: number): boolean {
  return u16be(slot, 0) === INODE_MAGIC && u64be(slot, 152) === BigInt(number);
}
