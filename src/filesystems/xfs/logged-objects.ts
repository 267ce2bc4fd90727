// Every object of version 5 that carries the log's sequence number (LSN) of its last change: headers of groups, blocks of trees,
// inodes, blocks of directories, attributes and symlinks. For comparing neighbours that were changed together.

import { DamageError } from '../../errors.ts';
import type { BlockRun } from '../block-map.ts';
import { treeBlocks } from './group-tree.ts';
import { groupTrees } from './group-trees.ts';
import type { Inode } from './inode.ts';
import { inodesInUse } from './inode-scan.ts';
import { checkDescription, describeBlock, lsnOfBlock } from './self-description.ts';
import type { XfsVolume } from './volume.ts';

export interface LoggedObject {
  readonly kind:
    | 'superblock'
    | 'group-header'
    | 'group-tree'
    | 'inode'
    | 'extent-tree'
    | 'directory'
    | 'attributes'
    | 'symlink';
  /** Byte offset in the volume. */
  readonly at: number;
  readonly group: number | null;
  readonly inode: number | null;
  readonly lsn: bigint;
}

const NO_LSN = 2n ** 64n - 1n;

/** Those of version 4 carry none. What cannot be read is in the volume's damage; what was never logged (0, -1) is left out. */
export function* loggedObjects(volume: XfsVolume): Iterable<LoggedObject> {
  if (!volume.superblock.summed) return;
  for (const found of allObjects(volume)) if (found.lsn !== 0n && found.lsn !== NO_LSN) yield found;
}

function* allObjects(volume: XfsVolume): Iterable<LoggedObject> {
  yield { kind: 'superblock', at: volume.superblock.raw.origin, group: 0, inode: null, lsn: volume.superblock.raw.lsn };
  for (let group = 0; group < volume.groups.count; group++) {
    yield* headersOf(volume, group);
    for (const root of groupTrees(volume, group)) {
      for (const { block, bytes } of treeBlocks(volume, root)) {
        yield { kind: 'group-tree', at: block * volume.blockSize, group, inode: null, lsn: lsnOfBlock(bytes) ?? 0n };
      }
    }
  }
  for (const inode of inodesInUse(volume)) yield* objectsOf(volume, inode);
}

function* headersOf({ groups, damage }: XfsVolume, group: number): Iterable<LoggedObject> {
  const header = (at: number, lsn: bigint): LoggedObject => ({ kind: 'group-header', at, group, inode: null, lsn });
  try {
    yield header(groups.headerPlace(group, 'agf'), groups.freeSpace(group).lsn);
    yield header(groups.headerPlace(group, 'agi'), groups.inodes(group).lsn);
  } catch (error) {
    damage.keep(error);
  }
}

function* objectsOf(volume: XfsVolume, inode: Inode): Iterable<LoggedObject> {
  const { number } = inode;
  yield { kind: 'inode', at: inode.location, group: null, inode: number, lsn: inode.lsn ?? 0n };
  try {
    const data = volume.blockMap(inode);
    const attributes = volume.attributeMap(inode);
    for (const block of [...data.nodes, ...attributes.nodes]) yield* objectAt(volume, 'extent-tree', number, block);
    if (inode.type === 'directory') yield* blocksIn(volume, 'directory', number, data.runs);
    if (inode.type === 'symlink') yield* blocksIn(volume, 'symlink', number, data.runs);
    yield* blocksIn(volume, 'attributes', number, attributes.runs);
  } catch (error) {
    volume.damage.keep(error);
  }
}

/** A block of a directory may be several of the file system's: the first of them says what it is. */
function* blocksIn(volume: XfsVolume, kind: LoggedObject['kind'], inode: number, runs: readonly BlockRun[]) {
  const step = kind === 'directory' ? volume.superblock.directoryBlockSize / volume.blockSize : 1;
  for (const { logical, physical, length } of runs) {
    for (let index = (step - (logical % step)) % step; index < length; index += step) {
      yield* objectAt(volume, kind, inode, physical + index);
    }
  }
}

function* objectAt(
  volume: XfsVolume,
  kind: LoggedObject['kind'],
  inode: number,
  block: number,
): Iterable<LoggedObject> {
  const at = block * volume.blockSize;
  const bytes = volume.readBlock(block);
  const description = describeBlock(bytes);
  if (description === null) return;
  if (kind === 'extent-tree' || kind === 'attributes') {
    const { metaUuid } = volume.superblock;
    try {
      checkDescription(bytes, description, { what: `inode ${inode}`, at, owner: inode, uuid: metaUuid });
    } catch (error) {
      if (error instanceof DamageError) volume.damage.add(error);
      else throw error;
    }
  }
  yield { kind, at, group: null, inode, lsn: lsnOfBlock(bytes) ?? 0n };
}
