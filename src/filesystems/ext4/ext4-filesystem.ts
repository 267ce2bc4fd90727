// ext2, ext3 and ext4 behind the seam of file systems: entries by byte paths, as the kernel's mount would show them.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { DamageError, ReadError, UnsupportedError } from '../../errors.ts';
import type { BytePath, Fault, Stat } from '../../model.ts';
import { childPath } from '../../path.ts';
import { faultOf } from '../fault.ts';
import type { Entry, Extent, Filesystem, Listing, LostEntry, OpenFile, VolumeBlocks } from '../filesystem.ts';
import { Allocation } from './allocation.ts';
import { ownedBlocks } from './block-owners.ts';
import type { DamageLog } from './damage-log.ts';
import { byName, type DirectoryContent, type DirectoryRecord } from './directory.ts';
import { DirectoryTree } from './directory-tree.ts';
import type { Inode } from './inode.ts';
import { type ReplayedJournal, replayedVolume, replayJournal } from './journal-state.ts';
import { INODE_FLAGS, ROOT_INODE } from './layout.ts';
import { Ext4Volume } from './volume.ts';

export interface OpenExt4Options {
  /** Bound of what is kept of metadata. */
  readonly cacheBytes?: number;
  /** Whether a journal that was not checkpointed is replayed in memory, as a mount would do: true unless said otherwise. */
  readonly replay?: boolean;
  /** A replay that another thread has done of the same volume. */
  readonly replayed?: ReplayedJournal;
  /** The device of an external journal. */
  readonly externalJournal?: ByteSource;
}

/**
 * Throws DamageError when there is no sound superblock or no root directory, UnsupportedError for features that would make
 * the content misread, ReadError. A journal that cannot be replayed is damage, and the state without it is shown.
 */
export function openExt4(source: ByteSource, options: OpenExt4Options = {}): Ext4Filesystem {
  const { replay = true, replayed, externalJournal = null, ...volumeOptions } = options;
  const raw = new Ext4Volume(source, volumeOptions);
  if (replayed === undefined && !(replay && raw.superblock.needsRecovery)) return new Ext4Filesystem(raw, null, null);
  try {
    const done = replayed ?? replayJournal(raw, externalJournal);
    if (done === null) return new Ext4Filesystem(raw, null, null);
    return new Ext4Filesystem(replayedVolume(source, done, externalJournal, volumeOptions), done, null);
  } catch (error) {
    const refusal = error instanceof UnsupportedError ? error : raw.damage.keep(error);
    return new Ext4Filesystem(raw, null, refusal.message);
  }
}

export class Ext4Filesystem implements Filesystem {
  readonly kind = 'ext4';
  /** What lies below paths: inodes by number, groups, damage. */
  readonly volume: Ext4Volume;
  /** What the journal's replay found; null when there was none to be done, or none was wanted or possible. */
  readonly replayed: ReplayedJournal | null;
  /** Why a journal that should have been replayed could not be: then the state without it is shown. Null otherwise. */
  readonly notReplayed: string | null;
  readonly root: Entry;
  readonly blocks: VolumeBlocks;
  readonly #tree: DirectoryTree;

  constructor(volume: Ext4Volume, replayed: ReplayedJournal | null, notReplayed: string | null) {
    this.volume = volume;
    this.replayed = replayed;
    this.notReplayed = notReplayed;
    this.#tree = new DirectoryTree(volume);
    const allocation = new Allocation(volume);
    const root = volume.inode(ROOT_INODE);
    if (root.type !== 'directory') throw new DamageError('root inode', root.location, String(root.type), 'directory');
    this.root = entryOf('/', root, null);
    this.blocks = {
      blockBytes: volume.blockSize,
      bytes: volume.source,
      owned: () => ownedBlocks(volume),
      isAllocated: block => isAllocated(volume, allocation, block),
    };
  }

  get damage(): DamageLog {
    return this.volume.damage;
  }

  list(directory: Entry): Listing {
    try {
      const inode = this.#inodeOf(directory);
      if (inode.type !== 'directory') throw new ReadError(directory.path, 0, 0, 'ENOTDIR');
      const content = this.volume.directory(inode);
      return { entries: this.#entries(directory.path, inode, content), fault: listingFault(content) };
    } catch (error) {
      return { entries: [], fault: faultOf(error) };
    }
  }

  open(file: Entry): OpenFile {
    const inode = this.#inodeOf(file);
    if (inode.type !== 'file') throw new ReadError(file.path, 0, 0, 'EINVAL');
    if (inode.has(INODE_FLAGS.encrypt)) throw new UnsupportedError(`${file.path}: encrypted`, 'ENOKEY');
    return new Ext4File(this.volume.content(inode, file.path), statOf(inode));
  }

  readLink(symlink: Entry): BytePath {
    const inode = this.#inodeOf(symlink);
    if (inode.type !== 'symlink') throw new ReadError(symlink.path, 0, 0, 'EINVAL');
    if (inode.has(INODE_FLAGS.encrypt)) throw new UnsupportedError(`${symlink.path}: encrypted`, 'ENOKEY');
    const target = inode.isFastSymlink ? inode.raw.block : this.#longTarget(inode, symlink.path);
    const size = Math.min(inode.sizeBytes, target.length);
    const text = Buffer.from(target.buffer, target.byteOffset, size).toString('latin1');
    const nul = text.indexOf('\0');
    return nul < 0 ? text : text.slice(0, nul);
  }

  *extents(file: Entry): Iterable<Extent> {
    const { blockSize } = this.volume;
    for (const run of this.volume.blockMap(this.#inodeOf(file)).runs) {
      const { logical, physical, length, unwritten } = run;
      yield { logical: logical * blockSize, physical: physical * blockSize, length: length * blockSize, unwritten };
    }
  }

  bytesAfterEnd(file: Entry): Uint8Array | null {
    const inode = this.#inodeOf(file);
    // What follows the end of a verity file is its Merkle tree, of an encrypted one the encrypted padding.
    return inode.has(INODE_FLAGS.verity) || inode.has(INODE_FLAGS.encrypt) ? null : this.volume.bytesAfterEnd(inode);
  }

  close(): void {
    this.volume.source.close?.();
  }

  #inodeOf(entry: Entry): Inode {
    return this.volume.inode(Number(entry.stat.inode));
  }

  /** A link longer than the inode has room for: within its first block. */
  #longTarget(inode: Inode, path: BytePath): Uint8Array {
    const target = new Uint8Array(Math.min(inode.sizeBytes, this.volume.blockSize));
    this.volume.content(inode, path).read(target, 0);
    return target;
  }

  *#entries(path: BytePath, directory: Inode, content: DirectoryContent): Iterable<Entry | LostEntry> {
    const directories = new Set<number>();
    let previous: DirectoryRecord | null = null;
    for (const record of [...content.records].sort(byName)) {
      if (previous?.name === record.name) this.#duplicate(directory, record);
      else yield this.#entry(path, directory, record, directories);
      previous = record;
    }
  }

  #entry(path: BytePath, directory: Inode, record: DirectoryRecord, directories: Set<number>): Entry | LostEntry {
    const child = childPath(path, record.name);
    try {
      const inode = this.volume.inode(record.inode);
      if (inode.type === 'directory') this.#checkHome(directory, record, inode, !directories.has(inode.number));
      if (inode.type === 'directory') directories.add(inode.number);
      return entryOf(child, inode, record);
    } catch (error) {
      return { path: child, stat: null, direntType: record.type, fault: faultOf(this.volume.damage.keep(error)) };
    }
  }

  #checkHome(directory: Inode, record: DirectoryRecord, child: Inode, first: boolean): void {
    if (this.#tree.isHome(directory.number, record.name, child, first)) return;
    const what = `entry ${JSON.stringify(record.name)} of directory inode ${directory.number}`;
    throw new DamageError(what, child.location, `inode ${child.number}`, 'a directory without another name', 'ELOOP');
  }

  /** A name that a directory holds twice leads where its first entry does. */
  #duplicate(directory: Inode, record: DirectoryRecord): void {
    const what = `entry ${JSON.stringify(record.name)} of directory inode ${directory.number}`;
    this.volume.damage.add(new DamageError(what, directory.location, 'the name twice', 'once'));
  }
}

function isAllocated(volume: Ext4Volume, allocation: Allocation, block: number): boolean | null {
  try {
    return allocation.isBlockInUse(block);
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}

class Ext4File implements OpenFile {
  readonly size: number;
  readonly name: string;
  readonly #content: ByteSource;
  readonly #stat: Stat;

  constructor(content: ByteSource, stat: Stat) {
    this.size = content.size;
    this.name = content.name;
    this.#content = content;
    this.#stat = stat;
  }

  read(into: Uint8Array, at: number): number {
    return this.#content.read(into, at);
  }

  nextData(at: number): number {
    return this.#content.nextData?.(at) ?? at;
  }

  stat(): Stat {
    return this.#stat;
  }

  close(): void {
    // The volume's source stays open for other files.
  }
}

function entryOf(path: BytePath, inode: Inode, record: DirectoryRecord | null): Entry {
  return { path, stat: statOf(inode), direntType: record?.type ?? null, device: 0n, mountPoint: false };
}

/** A checked inode has a type. */
function statOf(inode: Inode): Stat {
  const stat = inode.stat();
  if (stat === null)
    throw new DamageError(`ext4_inode ${inode.number} i_mode`, inode.location, inode.raw.mode, 'a file type');
  return stat;
}

function listingFault(content: DirectoryContent): Fault | null {
  const [first, ...others] = content.faults;
  if (first === undefined) return null;
  const fault = faultOf(first);
  return others.length === 0 ? fault : { ...fault, message: `${fault.message} (and ${others.length} more)` };
}
