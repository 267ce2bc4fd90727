// The checks that the kernel makes of an inode before it hands it out (ext4_iget): what fails them, a mount does not show.

import { DamageError } from '../../errors.ts';
import { attributesInInode, hasAttributesInInode, inlineContinuation } from './attributes.ts';
import { checkExtentRoot, type MapContext } from './extent-tree.ts';
import { checkDirectPointers } from './indirect-blocks.ts';
import type { Inode } from './inode.ts';
import { COMPAT, INCOMPAT, INODE_BLOCK_BYTES, INODE_FLAGS, OLD_INODE_BYTES } from './layout.ts';
import type { Superblock } from './superblock.ts';

/** Linux; only its inodes carry a checksum. */
const LINUX = 0;

/** Throws DamageError: EBADMSG for a wrong checksum, EUCLEAN for anything else that makes the inode unusable. */
export function checkInode(inode: Inode, superblock: Superblock, context: MapContext): void {
  checkExtraSize(inode);
  checkChecksum(inode, superblock, context);
  if (inode.raw.links === 0) throw wrong(inode, 'i_links_count', 0x1a, 0, '1 or more');
  checkSizeAndFlags(inode, superblock);
  const attributes = inode.attributeBlock;
  if (attributes !== 0 && !context.zones.allows(attributes, 1, inode.number)) {
    throw wrong(inode, 'i_file_acl', 0x68, attributes, 'a data block of the volume');
  }
  if (hasAttributesInInode(inode)) attributesInInode(inode);
  checkContent(inode, context);
}

function wrong(
  inode: Inode,
  field: string,
  offset: number,
  found: number | string,
  expected: string | number,
): DamageError {
  return new DamageError(`ext4_inode ${inode.number} ${field}`, inode.location + offset, found, expected);
}

function checkExtraSize(inode: Inode): void {
  if (inode.slotBytes === OLD_INODE_BYTES) return;
  const { extraSize } = inode.raw;
  if (OLD_INODE_BYTES + extraSize > inode.slotBytes || extraSize % 4 !== 0) {
    throw wrong(inode, 'i_extra_isize', 0x80, extraSize, `at most ${inode.slotBytes - OLD_INODE_BYTES}`);
  }
}

function checkChecksum(inode: Inode, superblock: Superblock, context: MapContext): void {
  if (superblock.raw.creatorOs !== LINUX) return;
  const mismatch = context.checksums.inode(inode.number, inode.raw.bytes, inode.raw.at);
  if (mismatch === null) return;
  const { found, expected } = mismatch;
  throw new DamageError(`ext4_inode ${inode.number} checksum`, inode.location, found, expected, 'EBADMSG');
}

function checkSizeAndFlags(inode: Inode, superblock: Superblock): void {
  if (inode.type === null) throw wrong(inode, 'i_mode', 0, inode.raw.mode, 'a file type');
  if (inode.sizeBytes > Number.MAX_SAFE_INTEGER) throw wrong(inode, 'i_size', 4, inode.sizeBytes, 'at most 2^53 - 1');
  const needless = needlessFlag(inode, superblock);
  if (needless !== null) throw wrong(inode, 'i_flags', 0x20, inode.flags, `without ${needless}`);
}

/** A flag that the file system's features rule out. */
function needlessFlag(inode: Inode, { compat, incompat, checksums }: Superblock): string | null {
  const index = inode.has(INODE_FLAGS.index) && !(compat & COMPAT.dir_index);
  if (index && checksums === 'metadata') return 'index';
  if (inode.has(INODE_FLAGS.eaInode)) return 'ea_inode';
  if (inode.has(INODE_FLAGS.casefold) && !(incompat & INCOMPAT.casefold)) return 'casefold';
  return inode.has(INODE_FLAGS.inlineData) && inode.has(INODE_FLAGS.extents) ? 'inline_data and extents' : null;
}

function checkContent(inode: Inode, context: MapContext): void {
  const { type } = inode;
  if (inode.has(INODE_FLAGS.inlineData)) {
    if (inlineContinuation(inode) === null) throw wrong(inode, 'i_flags', 0x20, inode.flags, 'a system.data attribute');
    return;
  }
  if (inode.isFastSymlink) checkFastSymlink(inode);
  else if (type === 'file' || type === 'directory' || type === 'symlink') {
    if (inode.has(INODE_FLAGS.extents)) checkExtentRoot(inode, context);
    else checkDirectPointers(inode, context);
  }
}

/** As long as the inode says, no NUL within; an encrypted one may have any bytes. */
function checkFastSymlink(inode: Inode): void {
  if (inode.has(INODE_FLAGS.encrypt)) return;
  const size = inode.sizeBytes;
  const end = inode.raw.block.indexOf(0);
  if (size === 0 || size >= INODE_BLOCK_BYTES || end !== size) {
    throw wrong(inode, 'i_size', 4, size, `a link of ${end} bytes`);
  }
}
