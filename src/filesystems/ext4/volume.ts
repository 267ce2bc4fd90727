// An opened ext2/3/4 volume: superblock, groups, inodes, block maps. Nothing of paths: those are ext4-filesystem.ts's.
// What is broken on the way is kept in `damage`; what cannot be read at all is thrown.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { memoryBytes } from '../../bytes/memory-bytes.ts';
import { DamageError, ReadError } from '../../errors.ts';
import { type BlockMap, type BlockRun, EMPTY_MAP, writtenBlock } from '../block-map.ts';
import { ChunkCache } from '../chunk-cache.ts';
import { DamageLog } from '../damage-log.ts';
import type { DirectoryContent, DirectoryRecord } from '../directory-record.ts';
import { MappedBytes } from '../file-bytes.ts';
import type { InodeVolume } from '../inode-volume.ts';
import { attributeName, attributesInBlock, attributesInInode, type StoredAttribute } from './attributes.ts';
import { Checksums } from './checksums.ts';
import { type DirectoryContext, readDirectory, readStatedParent } from './directory.ts';
import { readExtentTree } from './extent-tree.ts';
import type { FastCommitPatches } from './fast-commit-state.ts';
import { GroupTable } from './group-table.ts';
import { readIndirectBlocks } from './indirect-blocks.ts';
import { inlineContent } from './inline-data.ts';
import { Inode } from './inode.ts';
import { checkInode } from './inode-check.ts';
import { inodesInUse } from './inode-scan.ts';
import { INLINE_DATA_ATTRIBUTE, INODE_FLAGS, ROOT_INODE } from './layout.ts';
import { readSuperblock, type Superblock } from './superblock.ts';
import { SystemZones } from './system-zones.ts';

/** Inode tables are read in pieces of this size: many inodes a read, few of them in vain. */
const TABLE_CHUNK = 65536;
/** What the kernel takes for a value at most. */
const LARGEST_ATTRIBUTE = 2 ** 24;
const DEFAULT_CACHE = 16 * 2 ** 20;

/** As getxattr(2) names it; the value as stored. */
export interface Attribute {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface VolumeOptions {
  readonly damage?: DamageLog;
  /** Bound of what is kept of metadata. */
  readonly cacheBytes?: number;
  /** What fast commits say beside the blocks. */
  readonly patches?: FastCommitPatches | null;
}

export class Ext4Volume implements DirectoryContext, InodeVolume<Inode> {
  readonly rootInode = ROOT_INODE;
  readonly source: ByteSource;
  readonly damage: DamageLog;
  readonly superblock: Superblock;
  readonly checksums: Checksums;
  readonly groups: GroupTable;
  readonly zones: SystemZones;
  readonly #blocks: ChunkCache;
  readonly #tables: ChunkCache;

  readonly #patches: FastCommitPatches | null;

  /** Throws DamageError when no sound superblock is found, UnsupportedError, ReadError. */
  constructor(source: ByteSource, options: VolumeOptions = {}) {
    const { damage = new DamageLog(), cacheBytes = DEFAULT_CACHE, patches = null } = options;
    this.source = source;
    this.damage = damage;
    this.#patches = patches;
    this.superblock = readSuperblock(source, damage);
    this.checksums = new Checksums(this.superblock);
    this.#blocks = new ChunkCache(source, this.superblock.blockSize, cacheBytes / 2);
    this.#tables = new ChunkCache(source, TABLE_CHUNK, cacheBytes / 2);
    this.groups = new GroupTable(this.superblock, this.checksums, damage, block => this.readBlock(block));
    this.zones = new SystemZones(this.superblock, this.groups, damage, () => this.#journalRuns());
  }

  get blockSize(): number {
    return this.superblock.blockSize;
  }

  /** A metadata block, cached: not to be written to. Throws DamageError outside the volume, ReadError. */
  readBlock(block: number): Uint8Array {
    const { blockSize, blocksCount } = this.superblock;
    if (!(block >= 0 && block < blocksCount)) throw new DamageError('block number', 0, block, `below ${blocksCount}`);
    const bytes = this.#blocks.chunk(block);
    if (bytes.length < blockSize) throw new ReadError(this.source.name, block * blockSize, blockSize);
    return bytes;
  }

  /** Byte offset of an inode in the volume. Throws DamageError for a number or group that is none. */
  inodeLocation(number: number): number {
    const { inodesCount, inodesPerGroup, inodeSize, blockSize } = this.superblock;
    if (!(number >= 1 && number <= inodesCount))
      throw new DamageError('inode number', 0, number, `1 to ${inodesCount}`);
    const index = (number - 1) % inodesPerGroup;
    return this.groups.group(Math.floor((number - 1) / inodesPerGroup)).inodeTable * blockSize + index * inodeSize;
  }

  /** The inode as it lies there, unchecked. Throws DamageError, ReadError. */
  rawInode(number: number): Inode {
    const location = this.inodeLocation(number);
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
    if (number < this.superblock.firstInode && number !== ROOT_INODE) {
      throw new DamageError('inode number', 0, number, `${this.superblock.firstInode} or more`);
    }
    const inode = this.rawInode(number);
    checkInode(inode, this.superblock, this);
    return inode;
  }

  /** Where a file's blocks lie; empty for what has none. Throws DamageError when the map's root is broken. */
  blockMap(inode: Inode): BlockMap {
    const patched = this.#patches?.maps.get(inode.number);
    if (patched !== undefined) return { runs: patched, lost: [], nodes: [] };
    if (!hasBlocks(inode)) return EMPTY_MAP;
    if (inode.has(INODE_FLAGS.extents)) return readExtentTree(inode, this);
    return readIndirectBlocks(inode, this, Math.ceil(inode.sizeBytes / this.blockSize));
  }

  /** Like blockMap, with blocks beyond the file's end too: an extent tree has them anyway, pointers have after a crash. */
  wholeBlockMap(inode: Inode): BlockMap {
    const pointers = hasBlocks(inode) && !inode.has(INODE_FLAGS.extents) && !this.#patches?.maps.has(inode.number);
    return pointers ? readIndirectBlocks(inode, this, Number.POSITIVE_INFINITY) : this.blockMap(inode);
  }

  /**
   * What follows a file's end in its last block: zeros on a sound volume. Null where the file ends with its block, and where
   * that block is none of its own (a hole, unwritten, inline). Throws like blockMap, ReadError.
   */
  bytesAfterEnd(inode: Inode): Uint8Array | null {
    const used = inode.sizeBytes % this.blockSize;
    if (used === 0) return null;
    const last = Math.floor(inode.sizeBytes / this.blockSize);
    const block = writtenBlock(this.blockMap(inode), last);
    if (block === null) return null;
    const rest = new Uint8Array(this.blockSize - used);
    const at = block * this.blockSize + used;
    if (this.source.read(rest, at) < rest.length) throw new ReadError(this.source.name, at, rest.length);
    return rest;
  }

  /** The bytes of a file, of a directory or of a long symlink. Throws DamageError when its map or inline data is broken. */
  content(inode: Inode, name: string): ByteSource {
    if (inode.has(INODE_FLAGS.inlineData)) return memoryBytes(name, inlineContent(inode));
    return new MappedBytes(this.source, this.blockMap(inode), this.blockSize, inode.sizeBytes, name);
  }

  /** Throws DamageError when the directory's map is broken. */
  directory(inode: Inode): DirectoryContent {
    const content = readDirectory(inode, this);
    const parent = this.#patches?.parents.get(inode.number) ?? content.parent;
    const names = this.#patches?.names.get(inode.number);
    return names === undefined
      ? { ...content, parent }
      : { ...content, parent, records: this.#renamed(content, names) };
  }

  /** Extended attributes, without the one that holds inline data. Throws DamageError, ReadError. */
  attributes(inode: Inode): Attribute[] {
    const stored = [...attributesInInode(inode), ...this.#attributesInBlock(inode)];
    return stored
      .filter(
        ({ nameIndex, name }) => nameIndex !== INLINE_DATA_ATTRIBUTE.nameIndex || name !== INLINE_DATA_ATTRIBUTE.name,
      )
      .map(entry => ({ name: attributeName(entry), value: entry.value ?? this.#valueInInode(entry, inode) }));
  }

  #attributesInBlock(inode: Inode): StoredAttribute[] {
    const block = inode.attributeBlock;
    if (block === 0) return [];
    const bytes = this.readBlock(block);
    const mismatch = this.checksums.attributeBlock(block, bytes);
    if (mismatch === null) return attributesInBlock(block, bytes, inode);
    const what = `ext4_xattr_header checksum of inode ${inode.number}`;
    throw new DamageError(what, block * this.blockSize, mismatch.found, mismatch.expected, 'EBADMSG');
  }

  #valueInInode(entry: StoredAttribute, owner: Inode): Uint8Array {
    const holder = this.rawInode(entry.valueInode);
    const sound = holder.has(INODE_FLAGS.eaInode) && holder.inUse && holder.sizeBytes === entry.valueBytes;
    if (!sound || entry.valueBytes > LARGEST_ATTRIBUTE) {
      const found = `inode ${entry.valueInode}, ${holder.sizeBytes} bytes`;
      throw new DamageError(
        `ext4_xattr_entry of inode ${owner.number}`,
        holder.location,
        found,
        `${entry.valueBytes} bytes`,
      );
    }
    const value = new Uint8Array(entry.valueBytes);
    this.content(holder, `inode ${entry.valueInode}`).read(value, 0);
    return value;
  }

  /** The inode that a directory's ".." names; null when that cannot be had. Throws like directory. */
  statedParent(inode: Inode): number | null {
    return this.#patches?.parents.get(inode.number) ?? readStatedParent(inode, this);
  }

  inodesInUse(): Iterable<Inode> {
    return inodesInUse(this);
  }

  #journalRuns(): readonly BlockRun[] {
    if (this.superblock.journalInode === 0) return [];
    try {
      return this.blockMap(this.rawInode(this.superblock.journalInode)).runs;
    } catch (error) {
      this.damage.keep(error);
      return [];
    }
  }

  #renamed(content: DirectoryContent, names: ReadonlyMap<string, number>): DirectoryRecord[] {
    const kept = content.records.filter(({ name }) => !names.has(name));
    const added = [...names].filter(([, inode]) => inode !== 0);
    return [...kept, ...added.map(([name, inode]) => ({ name, inode, type: this.rawInode(inode).type }))];
  }
}

function hasBlocks(inode: Inode): boolean {
  if (inode.has(INODE_FLAGS.inlineData) || inode.isFastSymlink) return false;
  return inode.type === 'file' || inode.type === 'directory' || inode.type === 'symlink';
}
