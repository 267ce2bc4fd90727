// XFS, versions 4 and 5, behind the seam of file systems: entries by byte paths, as the kernel's mount would show them.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { ReadError, UnsupportedError } from '../../errors.ts';
import type { BytePath } from '../../model.ts';
import type { Entry, Extent, Filesystem, Listing, OpenFile } from '../filesystem.ts';
import { InodeFile, InodeTree, linkText } from '../inode-tree.ts';
import type { Inode } from './inode.ts';
import { XfsVolume } from './volume.ts';

export interface OpenXfsOptions {
  /** Bound of what is kept of metadata. */
  readonly cacheBytes?: number;
}

/**
 * Throws DamageError when there is no sound superblock or no root directory, UnsupportedError for features that would make
 * the content misread, ReadError.
 */
export function openXfs(source: ByteSource, options: OpenXfsOptions = {}): XfsFilesystem {
  return new XfsFilesystem(new XfsVolume(source, options));
}

export class XfsFilesystem implements Filesystem {
  readonly kind = 'xfs';
  /** What lies below paths: inodes by number, groups, damage. */
  readonly volume: XfsVolume;
  readonly root: Entry;
  readonly #tree: InodeTree<Inode>;

  constructor(volume: XfsVolume) {
    this.volume = volume;
    this.#tree = new InodeTree(volume);
    this.root = this.#tree.root;
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

  close(): void {
    this.volume.source.close?.();
  }
}
