// Puts the logged pieces of a buffer into it. Of a buffer of inodes only the list of unlinked ones is logged so.

import { DamageError } from '../../errors.ts';
import { u32be, u32le } from '../../struct/integers.ts';
import { INODE_CHECKSUM_AT, NEXT_UNLINKED_AT } from './layout.ts';
import { BUFFER_CHUNK_BYTES, BUFFER_FLAGS, BUFFER_MAP_AT, bufferItem } from './log-layout.ts';
import type { LogItem } from './log-transactions.ts';
import { checksumOf } from './self-description.ts';
import type { Superblock } from './superblock.ts';

/** A run of logged bytes. */
interface Piece {
  /** In the buffer. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Changes `home`, the buffer as it is. Throws DamageError when a piece does not fit. */
export function replayBuffer(item: LogItem, home: Uint8Array, superblock: Superblock): void {
  const [head = new Uint8Array(0)] = item.regions;
  const inodes = (bufferItem.at(head).flags & BUFFER_FLAGS.inodes) !== 0;
  for (const { at, bytes } of piecesOf(item, head)) {
    if (at + bytes.length > home.length) {
      throw new DamageError('xfs_buf_log_format', at, `${bytes.length} bytes`, `within ${home.length} bytes`);
    }
    if (inodes) replayUnlinked(home, at, bytes, superblock);
    else home.set(bytes, at);
  }
}

/** Each run of set bits is a piece; a run may be logged in several. */
function* piecesOf({ regions }: LogItem, head: Uint8Array): Iterable<Piece> {
  const { mapWords } = bufferItem.at(head);
  const words = Math.min(mapWords, Math.floor((head.length - BUFFER_MAP_AT) / 4));
  let next = 1;
  for (let bit = 0; bit < words * 32; ) {
    let run = 0;
    while (bit + run < words * 32 && bitAt(head, bit + run)) run++;
    if (run === 0) {
      bit++;
      continue;
    }
    const bytes = regions[next++];
    if (bytes === undefined || bytes.length < BUFFER_CHUNK_BYTES) {
      throw new DamageError('xfs_buf_log_format', 0, `${regions.length - 1} pieces`, 'more');
    }
    const chunks = Math.min(run, Math.floor(bytes.length / BUFFER_CHUNK_BYTES));
    yield { at: bit * BUFFER_CHUNK_BYTES, bytes: bytes.subarray(0, chunks * BUFFER_CHUNK_BYTES) };
    bit += chunks;
  }
}

function bitAt(head: Uint8Array, bit: number): boolean {
  return ((u32le(head, BUFFER_MAP_AT + 4 * Math.floor(bit / 32)) >>> (bit % 32)) & 1) === 1;
}

function replayUnlinked(home: Uint8Array, at: number, bytes: Uint8Array, superblock: Superblock): void {
  const { inodeSize, summed } = superblock;
  for (let inode = 0; inode + inodeSize <= home.length; inode += inodeSize) {
    const field = inode + NEXT_UNLINKED_AT;
    if (field < at || field + 4 > at + bytes.length) continue;
    if (u32be(bytes, field - at) === 0) throw new DamageError('di_next_unlinked', field, 0, 'an inode or none');
    home.set(bytes.subarray(field - at, field - at + 4), field);
    if (summed) stampInode(home, inode, inodeSize);
  }
}

/** Renews an inode's checksum. */
export function stampInode(bytes: Uint8Array, at: number, inodeSize: number): void {
  const checksum = checksumOf(bytes, INODE_CHECKSUM_AT, at, at + inodeSize);
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).setUint32(at + INODE_CHECKSUM_AT, checksum, true);
}
