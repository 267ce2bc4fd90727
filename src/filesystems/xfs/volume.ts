// An opened XFS volume: superblock, groups, inodes, block maps. Nothing of paths: those are xfs-filesystem.ts's.
// What is broken on the way is kept in `damage`; what cannot be read at all is thrown.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { DamageError, ReadError, UnsupportedError } from '../../errors.ts';
import { type BlockMap, EMPTY_MAP, writtenBlock } from '../block-map.ts';
import { ChunkCache } from '../chunk-cache.ts';
import { DamageLog } from '../damage-log.ts';
import type { DirectoryContent } from '../directory-record.ts';
import { MappedBytes } from '../file-bytes.ts';
import type { InodeVolume } from '../inode-volume.ts';
import { type Attribute, readAttributes } from './attributes.ts';
import { type DirectoryContext, readDirectory, readStatedParent } from './directory.ts';
import { readExtentMap } from './extent-map.ts';
import { inodePlace } from './geometry.ts';
import { GroupHeaders } from './group-headers.ts';
import { Inode } from './inode.ts';
import { checkInode } from './inode-check.ts';
import { InodeClusters } from './inode-cluster.ts';
import { inodesInUse } from './inode-scan.ts';
import { FORK_FORMATS, INODE_FLAGS2 } from './layout.ts';
import { readSuperblock, type Superblock } from './superblock.ts';
import { readLinkTarget } from './symlink.ts';

/** Inodes are read in pieces of this size: many inodes a read, few of them in vain. */
const TABLE_CHUNK = 65536;
const DEFAULT_CACHE = 16 * 2 ** 20;

export interface VolumeOptions {
  readonly damage?: DamageLog;
  /** Bound of what is kept of metadata. */
  readonly cacheBytes?: number;
}

export class XfsVolume implements DirectoryContext, InodeVolume<Inode> {
  readonly source: ByteSource;
  readonly damage: DamageLog;
  readonly superblock: Superblock;
  readonly groups: GroupHeaders;
  readonly #blocks: ChunkCache;
  readonly #tables: ChunkCache;
  readonly #clusters: InodeClusters;

  /** Throws DamageError when no sound superblock is found, UnsupportedError, ReadError. */
  constructor(source: ByteSource, options: VolumeOptions = {}) {
    const { damage = new DamageLog(), cacheBytes = DEFAULT_CACHE } = options;
    this.source = source;
    this.damage = damage;
    this.superblock = readSuperblock(source, damage);
    this.#blocks = new ChunkCache(source, this.superblock.blockSize, cacheBytes / 2);
    this.#tables = new ChunkCache(source, TABLE_CHUNK, cacheBytes / 2);
    this.#clusters = new InodeClusters(this.superblock, number => this.rawInode(number));
    this.groups = new GroupHeaders(source, this.superblock, damage);
  }

  get blockSize(): number {
    return this.superblock.blockSize;
  }

  get rootInode(): number {
    return this.superblock.rootInode;
  }

  /** A metadata block by its place from the volume's start, cached: not to be written to. Throws DamageError, ReadError. */
  readBlock(block: number): Uint8Array {
    const { blockSize, blocksCount } = this.superblock;
    if (!(block >= 0 && block < blocksCount)) throw new DamageError('block number', 0, block, `below ${blocksCount}`);
    const bytes = this.#blocks.chunk(block);
    if (bytes.length < blockSize) throw new ReadError(this.source.name, block * blockSize, blockSize);
    return bytes;
  }

  /** The inode as it lies there, unchecked. Throws DamageError for a number that is none, ReadError. */
  rawInode(number: number): Inode {
    const location = inodePlace(this.superblock, number);
    const start = location % TABLE_CHUNK;
    const chunk = this.#tableChunk((location - start) / TABLE_CHUNK);
    if (chunk !== null) {
      if (start + this.superblock.inodeSize <= chunk.length) {
        return new Inode(this.superblock, number, chunk, start, location);
      }
      throw new ReadError(this.source.name, location, this.superblock.inodeSize);
    }
    const inBlock = location % this.blockSize;
    const block = this.readBlock((location - inBlock) / this.blockSize);
    return new Inode(this.superblock, number, block, inBlock, location);
  }

  /** Null when the medium refuses a part of it: then smaller pieces are tried. */
  #tableChunk(index: number): Uint8Array | null {
    try {
      return this.#tables.chunk(index);
    } catch (error) {
      if (error instanceof ReadError) return null;
      throw error;
    }
  }

  /** An inode that a name may lead to. Throws DamageError where a mount would refuse it; ReadError. */
  inode(number: number): Inode {
    const inode = this.rawInode(number);
    checkInode(inode, this.superblock);
    this.#clusters.check(number);
    return inode;
  }

  inodesInUse(): Iterable<Inode> {
    return inodesInUse(this);
  }

  /**
   * Where the blocks of a file, a directory or a symlink lie; empty for what has none. Those of a realtime file count from the
   * start of the realtime device. Throws DamageError when the map's root is broken.
   */
  blockMap(inode: Inode): BlockMap {
    return readExtentMap(inode, inode.dataFork, this);
  }

  /** Where the blocks of an inode's attributes lie. Throws like blockMap. */
  attributeMap(inode: Inode): BlockMap {
    const fork = inode.attributeFork;
    return fork === null ? EMPTY_MAP : readExtentMap(inode, fork, this);
  }

  /** Whether the inode ever had blocks in common with another one; false for what cannot be read. */
  mayShareBlocks(number: number): boolean {
    try {
      return (this.rawInode(number).flags2 & INODE_FLAGS2.reflink) !== 0;
    } catch (error) {
      this.damage.keep(error);
      return false;
    }
  }

  /** The bytes of a file. Throws DamageError when its map is broken, UnsupportedError for one on a realtime device. */
  content(inode: Inode, name: string): ByteSource {
    if (inode.isRealtime) throw new UnsupportedError(`${name}: its content is on a realtime device`);
    return new MappedBytes(this.source, this.blockMap(inode), this.blockSize, inode.sizeBytes, name);
  }

  /**
   * What follows a file's end in its last block: zeros on a sound volume. Null where the file ends with its block, and where
   * that block is none of its own (a hole, unwritten, realtime). Throws like blockMap, ReadError.
   */
  bytesAfterEnd(inode: Inode): Uint8Array | null {
    const used = inode.sizeBytes % this.blockSize;
    if (used === 0 || inode.isRealtime) return null;
    const last = Math.floor(inode.sizeBytes / this.blockSize);
    const block = writtenBlock(this.blockMap(inode), last);
    if (block === null) return null;
    const rest = new Uint8Array(this.blockSize - used);
    const at = block * this.blockSize + used;
    if (this.source.read(rest, at) < rest.length) throw new ReadError(this.source.name, at, rest.length);
    return rest;
  }

  /** Throws DamageError when the directory's map is broken. */
  directory(inode: Inode): DirectoryContent {
    return readDirectory(inode, this);
  }

  /** The inode that a directory's ".." names; null when that cannot be had. Throws like directory. */
  statedParent(inode: Inode): number | null {
    return readStatedParent(inode, this);
  }

  /** A symlink's target bytes. Throws DamageError, ReadError. */
  linkTarget(inode: Inode): Uint8Array {
    const map = inode.raw.format === FORK_FORMATS.local ? EMPTY_MAP : this.blockMap(inode);
    return readLinkTarget(inode, map, this);
  }

  /** Extended attributes. Throws DamageError, ReadError. */
  attributes(inode: Inode): Attribute[] {
    return readAttributes(inode, this);
  }
}
