// Where regular files ended by copies of blocks of the inode table: of those whose map lies in the inode, which are most.

import { ReadError, unlessRefused } from '../../errors.ts';
import { type BlockMap, writtenBlock } from '../block-map.ts';
import { DamageLog } from '../damage-log.ts';
import type { MetEnd } from '../former-ends.ts';
import { type MapContext, readExtentTree } from './extent-tree.ts';
import { readIndirectBlocks } from './indirect-blocks.ts';
import { Inode } from './inode.ts';
import { INODE_FLAGS } from './layout.ts';
import type { Ext4Volume } from './volume.ts';

/** @param table a sound copy. @param firstInode the number of its first inode. */
export function* endsInTable(volume: Ext4Volume, table: Uint8Array, firstInode: number): Iterable<MetEnd> {
  const { superblock, blockSize } = volume;
  const context = withoutBlocks(volume);
  for (let at = 0; at + superblock.inodeSize <= table.length; at += superblock.inodeSize) {
    const inode = new Inode(superblock, firstInode + at / superblock.inodeSize, table, at, at);
    const bytes = isWithBlocks(inode) ? inode.sizeBytes % blockSize : 0;
    const map = bytes === 0 ? null : unlessRefused(() => mapOf(inode, context));
    const block = map === null ? null : writtenBlock(map, Math.floor(inode.sizeBytes / blockSize));
    if (block !== null) yield { inode: inode.number, generation: inode.raw.generation, block, bytes };
  }
}

function isWithBlocks(inode: Inode): boolean {
  return inode.type === 'file' && inode.inUse && !inode.has(INODE_FLAGS.inlineData);
}

/** What blocks beyond the inode map is left out: they may be another file's by now. */
function withoutBlocks({ checksums, zones, blockSize, source }: Ext4Volume): MapContext {
  const readBlock = (block: number): never => {
    throw new ReadError(source.name, block * blockSize, blockSize);
  };
  return { checksums, zones, blockSize, damage: new DamageLog(), readBlock };
}

function mapOf(inode: Inode, context: MapContext): BlockMap {
  if (inode.has(INODE_FLAGS.extents)) return readExtentTree(inode, context);
  return readIndirectBlocks(inode, context, Math.ceil(inode.sizeBytes / context.blockSize));
}
