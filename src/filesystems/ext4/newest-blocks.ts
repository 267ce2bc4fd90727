// Of which blocks of a volume the journal has the newest copy, and which inodes in them are another one in place.

import { unlessRefused } from '../../errors.ts';
import { everyBlock } from '../block-map.ts';
import type { KnownNewest, NewestInode } from '../logged-state.ts';
import { INODE_FLAGS } from './layout.ts';
import type { Ext4Volume } from './volume.ts';

export class NewestBlocks implements KnownNewest {
  readonly #view: Ext4Volume;
  readonly #blocks: ReadonlySet<number>;
  readonly #outdated: ReadonlySet<number>;

  /**
   * @param view the volume with the newest copies in their places.
   * @param blocks whose newest copy is in the log.
   * @param outdated inodes that are another one in place.
   */
  constructor(view: Ext4Volume, blocks: ReadonlySet<number>, outdated: ReadonlySet<number>) {
    this.#view = view;
    this.#blocks = blocks;
    this.#outdated = outdated;
  }

  inode(number: number): NewestInode {
    const location = unlessRefused(() => this.#view.inodeLocation(number));
    if (location === null || !this.#blocks.has(Math.floor(location / this.#view.blockSize))) return 'unknown';
    return this.#outdated.has(number) ? 'in-log' : 'in-place';
  }

  names(directory: number): boolean {
    return this.inode(directory) !== 'unknown' && (unlessRefused(() => this.#hasBlocksOf(directory)) ?? false);
  }

  #hasBlocksOf(directory: number): boolean {
    const inode = this.#view.inode(directory);
    if (inode.has(INODE_FLAGS.inlineData)) return true;
    return everyBlock(this.#view.blockMap(inode), block => this.#blocks.has(block));
  }
}
