// What of a volume is known to be the newest there is: blocks of directories and clusters of inodes that are in the log, and that
// are in place no older than there (by LSN). Both are written whole: with a later change come all earlier ones.

import { unlessRefused } from '../../errors.ts';
import { everyBlock } from '../block-map.ts';
import type { KnownNewest, NewestInode } from '../logged-state.ts';
import { FORK_FORMATS } from './layout.ts';
import { SECTOR_BYTES } from './replay-disk.ts';
import type { XfsVolume } from './volume.ts';

export class NewestBlocks implements KnownNewest {
  readonly #volume: XfsVolume;
  readonly #logged = new Set<number>();
  readonly #behind = new Set<number>();

  constructor(volume: XfsVolume) {
    this.#volume = volume;
  }

  /** The log holds a change of the buffer. In sectors. */
  noteLogged(sector: number, count: number): void {
    this.#add(this.#logged, sector, count);
  }

  /** What is in place is older, or was changed by something that does not use the log. */
  noteBehind(sector: number, count: number): void {
    this.#add(this.#behind, sector, count);
  }

  #add(blocks: Set<number>, sector: number, count: number): void {
    const { blockSize } = this.#volume;
    const end = Math.ceil(((sector + count) * SECTOR_BYTES) / blockSize);
    for (let block = Math.floor((sector * SECTOR_BYTES) / blockSize); block < end; block++) blocks.add(block);
  }

  inode(number: number): NewestInode {
    const location = unlessRefused(() => this.#volume.inode(number).location);
    return location !== null && this.#isNewest(Math.floor(location / this.#volume.blockSize)) ? 'in-place' : 'unknown';
  }

  names(directory: number): boolean {
    return this.inode(directory) === 'in-place' && (unlessRefused(() => this.#hasBlocksOf(directory)) ?? false);
  }

  #hasBlocksOf(directory: number): boolean {
    const inode = this.#volume.inode(directory);
    if (inode.raw.format === FORK_FORMATS.local) return true;
    return everyBlock(this.#volume.blockMap(inode), block => this.#isNewest(block));
  }

  #isNewest(block: number): boolean {
    return this.#logged.has(block) && !this.#behind.has(block);
  }
}
