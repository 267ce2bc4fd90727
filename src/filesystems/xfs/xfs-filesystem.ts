// XFS, versions 4 and 5, behind the seam of file systems: entries by byte paths, as the kernel's mount would show them.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { ReadError, UnsupportedError, unlessRefused } from '../../errors.ts';
import type { BytePath } from '../../model.ts';
import type { DamageLog } from '../damage-log.ts';
import type { Entry, Extent, Filesystem, InodeHabits, Listing, OpenFile, VolumeBlocks } from '../filesystem.ts';
import { InodeFile, InodeTree, linkText } from '../inode-tree.ts';
import type { LoggedState } from '../logged-state.ts';
import { Allocation } from './allocation.ts';
import { ownedBlocks } from './block-owners.ts';
import type { Inode } from './inode.ts';
import { type LogMemory, rememberedInLog } from './log-memory.ts';
import { logEnds, type ReplayedLog, replayedVolume, replayLog } from './log-state.ts';
import { type VolumeOptions, XfsVolume } from './volume.ts';

export interface OpenXfsOptions {
  /** Bound of what is kept of metadata. */
  readonly cacheBytes?: number;
  /** Whether a log that holds what was not written home is replayed in memory: true unless said otherwise. */
  readonly replay?: boolean;
  /** A replay that another thread has done of the same volume. */
  readonly replayed?: ReplayedLog;
}

/** What the log says of the volume's state. */
interface LogState {
  readonly isDirty: boolean | null;
  readonly replayed: ReplayedLog | null;
  readonly notReplayed: string | null;
}

/**
 * Throws DamageError when there is no sound superblock or no root directory, UnsupportedError for features that would make
 * the content misread, ReadError. A log that cannot be replayed is damage, and the state without it is shown.
 */
export function openXfs(source: ByteSource, options: OpenXfsOptions = {}): XfsFilesystem {
  const { replay = true, replayed, ...volumeOptions } = options;
  if (replayed !== undefined) return withReplay(source, replayed, volumeOptions);
  const raw = new XfsVolume(source, volumeOptions);
  let isDirty: boolean | null = null;
  try {
    const ends = logEnds(raw);
    isDirty = !ends.clean;
    if (isDirty && replay) return withReplay(source, replayLog(raw, ends), volumeOptions);
  } catch (error) {
    const refusal = error instanceof UnsupportedError ? error : raw.damage.keep(error);
    return new XfsFilesystem(raw, { isDirty, replayed: null, notReplayed: refusal.message });
  }
  return new XfsFilesystem(raw, { isDirty, replayed: null, notReplayed: null });
}

function withReplay(source: ByteSource, replayed: ReplayedLog, options: VolumeOptions): XfsFilesystem {
  return new XfsFilesystem(replayedVolume(source, replayed, options), { isDirty: true, replayed, notReplayed: null });
}

export class XfsFilesystem implements Filesystem {
  readonly kind = 'xfs';
  /** What lies below paths: inodes by number, groups, damage. */
  readonly volume: XfsVolume;
  /** Whether its log holds what was not written home; null where that cannot be told. */
  readonly isDirty: boolean | null;
  /** What the log's replay found; null when there was none to be done, or none was wanted or possible. */
  readonly replayed: ReplayedLog | null;
  /** Why a log that should have been replayed could not be: then the state without it is shown. Null otherwise. */
  readonly notReplayed: string | null;
  readonly root: Entry;
  readonly blocks: VolumeBlocks;
  readonly inodeHabits: InodeHabits;
  readonly #tree: InodeTree<Inode>;

  constructor(volume: XfsVolume, { isDirty, replayed, notReplayed }: LogState) {
    this.volume = volume;
    this.isDirty = isDirty;
    this.replayed = replayed;
    this.notReplayed = notReplayed;
    this.#tree = new InodeTree(volume);
    this.root = this.#tree.root;
    const allocation = new Allocation(volume);
    this.blocks = {
      blockBytes: volume.blockSize,
      bytes: volume.source,
      owned: () => ownedBlocks(volume),
      isAllocated: block => allocation.isBlockInUse(block),
      mayShareBlocks: inode => volume.mayShareBlocks(inode),
      inodeAt: inode => unlessRefused(() => volume.rawInode(inode).location),
    };
    this.inodeHabits = {
      perBlock: volume.superblock.inodesPerBlock,
      first: 0,
      stampsExchange: false,
      reusesNumbers: true,
    };
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
    return new InodeFile(this.volume.content(inode, file.path), inode);
  }

  readLink(symlink: Entry): BytePath {
    const inode = this.#tree.inodeOf(symlink);
    if (inode.type !== 'symlink') throw new ReadError(symlink.path, 0, 0, 'EINVAL');
    return linkText(this.volume.linkTarget(inode));
  }

  *extents(file: Entry): Iterable<Extent> {
    const { blockSize } = this.volume;
    const inode = this.#tree.inodeOf(file);
    if (inode.isRealtime) throw new UnsupportedError(`${file.path}: its content is on a realtime device`);
    for (const { logical, physical, length, unwritten } of this.volume.blockMap(inode).runs) {
      yield { logical: logical * blockSize, physical: physical * blockSize, length: length * blockSize, unwritten };
    }
  }

  bytesAfterEnd(file: Entry): Uint8Array | null {
    return this.volume.bytesAfterEnd(this.#tree.inodeOf(file));
  }

  /** Null as well while the log is not written home: what is behind it then may be a copy that was made in use. */
  logged(): LoggedState | null {
    const memory = this.isDirty === false ? rememberedInLog(this.volume) : null;
    if (memory === null) return null;
    const { overlay, ...known } = memory;
    return { ...known, view: overlay.blocks.length === 0 ? null : this.#with(memory) };
  }

  #with(memory: LogMemory): Filesystem {
    const volume = replayedVolume(this.volume.source, memory, {});
    return new XfsFilesystem(volume, { isDirty: false, replayed: null, notReplayed: null });
  }

  close(): void {
    this.volume.source.close?.();
  }
}
