// ext2, ext3 and ext4 behind the seam of file systems: entries by byte paths, as the kernel's mount would show them.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { ReadError, UnsupportedError, unlessRefused } from '../../errors.ts';
import type { BytePath } from '../../model.ts';
import type { DamageLog } from '../damage-log.ts';
import {
  DEFAULT_HABITS,
  type Entry,
  type Extent,
  type Filesystem,
  type InodeHabits,
  type Listing,
  type OpenFile,
  type VolumeBlocks,
} from '../filesystem.ts';
import { InodeFile, InodeTree, linkText } from '../inode-tree.ts';
import type { LoggedState } from '../logged-state.ts';
import { Allocation } from './allocation.ts';
import { ownedBlocks } from './block-owners.ts';
import type { Inode } from './inode.ts';
import { type ReplayedJournal, replayedVolume, replayJournal } from './journal-state.ts';
import { INODE_FLAGS } from './layout.ts';
import { loggedVolume } from './logged-state.ts';
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
  readonly inodeHabits: InodeHabits;
  readonly #tree: InodeTree<Inode>;

  constructor(volume: Ext4Volume, replayed: ReplayedJournal | null, notReplayed: string | null) {
    this.volume = volume;
    this.replayed = replayed;
    this.notReplayed = notReplayed;
    this.#tree = new InodeTree(volume);
    this.root = this.#tree.root;
    const allocation = new Allocation(volume);
    this.blocks = {
      blockBytes: volume.blockSize,
      bytes: volume.source,
      owned: () => ownedBlocks(volume),
      isAllocated: block => isAllocated(volume, allocation, block),
      inodeAt: inode => unlessRefused(() => volume.inodeLocation(inode)),
    };
    const perBlock = Math.floor(volume.blockSize / volume.superblock.inodeSize);
    this.inodeHabits = { ...DEFAULT_HABITS, perBlock };
  }

  get damage(): DamageLog {
    return this.volume.damage;
  }

  list(directory: Entry): Listing {
    return this.#tree.list(directory);
  }

  open(file: Entry): OpenFile {
    const inode = this.#tree.inodeOf(file);
    if (inode.type !== 'file') throw new ReadError(file.path, 0, 0, 'EINVAL');
    if (inode.has(INODE_FLAGS.encrypt)) throw new UnsupportedError(`${file.path}: encrypted`, 'ENOKEY');
    return new InodeFile(this.volume.content(inode, file.path), inode);
  }

  readLink(symlink: Entry): BytePath {
    const inode = this.#tree.inodeOf(symlink);
    if (inode.type !== 'symlink') throw new ReadError(symlink.path, 0, 0, 'EINVAL');
    if (inode.has(INODE_FLAGS.encrypt)) throw new UnsupportedError(`${symlink.path}: encrypted`, 'ENOKEY');
    const target = inode.isFastSymlink ? inode.raw.block : this.#longTarget(inode, symlink.path);
    return linkText(target.subarray(0, inode.sizeBytes));
  }

  *extents(file: Entry): Iterable<Extent> {
    const { blockSize } = this.volume;
    for (const run of this.volume.blockMap(this.#tree.inodeOf(file)).runs) {
      const { logical, physical, length, unwritten } = run;
      yield { logical: logical * blockSize, physical: physical * blockSize, length: length * blockSize, unwritten };
    }
  }

  bytesAfterEnd(file: Entry): Uint8Array | null {
    const inode = this.#tree.inodeOf(file);
    // What follows the end of a verity file is its Merkle tree, of an encrypted one the encrypted padding.
    return inode.has(INODE_FLAGS.verity) || inode.has(INODE_FLAGS.encrypt) ? null : this.volume.bytesAfterEnd(inode);
  }

  logged(): LoggedState | null {
    const logged = loggedVolume(this.volume);
    return logged === null ? null : { ...logged, view: logged.view === null ? null : treeOf(logged.view) };
  }

  close(): void {
    this.volume.source.close?.();
  }

  /** A link longer than the inode has room for: within its first block. */
  #longTarget(inode: Inode, path: BytePath): Uint8Array {
    const target = new Uint8Array(Math.min(inode.sizeBytes, this.volume.blockSize));
    this.volume.content(inode, path).read(target, 0);
    return target;
  }
}

/** Null where it has no root directory. */
function treeOf(volume: Ext4Volume): Ext4Filesystem | null {
  try {
    return new Ext4Filesystem(volume, null, null);
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}

function isAllocated(volume: Ext4Volume, allocation: Allocation, block: number): boolean | null {
  try {
    return allocation.isBlockKnown(block) ? allocation.isBlockInUse(block) : null;
  } catch (error) {
    volume.damage.keep(error);
    return null;
  }
}
