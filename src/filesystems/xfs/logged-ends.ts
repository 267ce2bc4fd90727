// Where regular files ended by what the log holds of their inodes: of those whose extents lie in the inode, which are most. The
// size is logged with each change, the extents with theirs.

import { unlessRefused } from '../../errors.ts';
import { u16le, u32le, u64le } from '../../struct/integers.ts';
import type { FormerEndCollector, MetEnd } from '../former-ends.ts';
import { decodeExtent } from './extent-map.ts';
import { linearBlock } from './geometry.ts';
import { EXTENT_BYTES, FORK_FORMATS, INODE_CORE_BYTES, INODE_FLAGS, INODE_FLAGS2, MODE_TYPE } from './layout.ts';
import type { InodeChange } from './log-inode.ts';
import { INODE_FIELDS } from './log-layout.ts';
import type { Superblock } from './superblock.ts';

const REGULAR_FILE = 0o100000;

export class LoggedEnds {
  readonly #superblock: Superblock;
  /** By inode: its extents as they were logged last, with the generation that had them. */
  readonly #extents = new Map<number, { readonly generation: number; readonly bytes: Uint8Array }>();

  readonly #ends: FormerEndCollector;

  constructor(superblock: Superblock, ends: FormerEndCollector) {
    this.#superblock = superblock;
    this.#ends = ends;
  }

  /** To be told of every change, in the order of the log. */
  look(change: InodeChange): void {
    const { number: inode, core } = change;
    if (sharesBlocks(core)) this.#ends.noteSharing({ inode, generation: u32le(core, 92) });
    const end = this.#endAfter(change);
    if (end !== null) this.#ends.note(end);
  }

  /** Null where the file ends with a block, or where is not known. */
  #endAfter({ number, fields, core, forks }: InodeChange): MetEnd | null {
    const isFile = (u16le(core, 2) & MODE_TYPE) === REGULAR_FILE && core[5] === FORK_FORMATS.extents;
    const isOnDataDevice = (u16le(core, 90) & INODE_FLAGS.realtime) === 0;
    if (!isFile || !isOnDataDevice) {
      this.#extents.delete(number);
      return null;
    }
    const generation = u32le(core, 92);
    const [data] = forks;
    if (fields & INODE_FIELDS.extents && data !== undefined) this.#extents.set(number, { generation, bytes: data });
    const known = this.#extents.get(number);
    const size = u64le(core, 56);
    const bytes = Number(size % BigInt(this.#superblock.blockSize));
    if (known?.generation !== generation || bytes === 0) return null;
    const block = this.#writtenBlock(known.bytes, Number(size / BigInt(this.#superblock.blockSize)));
    return block === null ? null : { inode: number, generation, block, bytes };
  }

  #writtenBlock(extents: Uint8Array, wanted: number): number | null {
    for (let at = 0; at + EXTENT_BYTES <= extents.length; at += EXTENT_BYTES) {
      const { logical, number, length, unwritten } = decodeExtent(extents, at);
      if (wanted < logical || wanted >= logical + length) continue;
      return unwritten ? null : unlessRefused(() => linearBlock(this.#superblock, number + wanted - logical));
    }
    return null;
  }
}

function sharesBlocks(core: Uint8Array): boolean {
  return core.length >= INODE_CORE_BYTES.v3 && (u64le(core, 120) & BigInt(INODE_FLAGS2.reflink)) !== 0n;
}
