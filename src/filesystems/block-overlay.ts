// Blocks of a volume that read as something else than what stands in their place: what a replayed journal says.
// Plain data in shared memory, so that a replay is done once for all threads; and the source that reads through it.

import type { ByteSource } from '../bytes/byte-source.ts';
import { ReadError } from '../errors.ts';

/** Structured clone keeps the memory shared. */
export interface BlockOverlay {
  readonly blockSize: number;
  /** Ascending block numbers. */
  readonly blocks: Float64Array;
  /** For each block, the byte offset of its content in the log's source; or -1 - k: the k-th block of `made`. */
  readonly places: Float64Array;
  /** 1: the content's first word is the journal's magic, whatever stands in the log. */
  readonly escaped: Uint8Array;
  /** Content that stands nowhere on the medium. */
  readonly made: Uint8Array;
}

export interface OverlaidBlock {
  readonly block: number;
  /** Byte offset in the log's source, or the content itself. */
  readonly content: number | Uint8Array;
  readonly escaped: boolean;
}

const MAGIC = Uint8Array.of(0xc0, 0x3b, 0x39, 0x98);

/** @param blocks each block once, in any order. */
export function makeOverlay(blockSize: number, blocks: readonly OverlaidBlock[]): BlockOverlay {
  const sorted = [...blocks].sort((left, right) => left.block - right.block);
  const made = sorted.filter(({ content }) => typeof content !== 'number').length;
  const overlay = {
    blockSize,
    blocks: new Float64Array(new SharedArrayBuffer(8 * sorted.length)),
    places: new Float64Array(new SharedArrayBuffer(8 * sorted.length)),
    escaped: new Uint8Array(new SharedArrayBuffer(sorted.length)),
    made: new Uint8Array(new SharedArrayBuffer(blockSize * made)),
  };
  let next = 0;
  for (const [index, { block, content, escaped }] of sorted.entries()) {
    overlay.blocks[index] = block;
    overlay.escaped[index] = escaped ? 1 : 0;
    if (typeof content === 'number') {
      overlay.places[index] = content;
    } else {
      overlay.made.set(content, next * blockSize);
      overlay.places[index] = -1 - next++;
    }
  }
  return overlay;
}

export class OverlaidBytes implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly overlay: BlockOverlay;
  readonly #base: ByteSource;
  readonly #log: ByteSource;

  /** @param log what the overlay's places are offsets of: the volume itself, or an external journal. */
  constructor(base: ByteSource, overlay: BlockOverlay, log: ByteSource = base) {
    this.name = base.name;
    this.size = base.size;
    this.overlay = overlay;
    this.#base = base;
    this.#log = log;
  }

  read(into: Uint8Array, at: number): number {
    const { blockSize, blocks } = this.overlay;
    let index = this.#firstFrom(Math.floor(at / blockSize));
    const wanted = Math.max(0, Math.min(into.length, this.size - at));
    let filled = 0;
    while (filled < wanted) {
      const next = (blocks[index] ?? Number.POSITIVE_INFINITY) * blockSize;
      const here = at + filled;
      if (here < next) {
        const piece = into.subarray(filled, Math.min(wanted, filled + next - here));
        const got = this.#base.read(piece, here);
        filled += got;
        if (got < piece.length) break;
      } else {
        const piece = into.subarray(filled, Math.min(wanted, filled + next + blockSize - here));
        this.#copy(piece, index++, here - next);
        filled += piece.length;
      }
    }
    return filled;
  }

  nextData(at: number): number {
    const { blockSize, blocks } = this.overlay;
    const overlaid = (blocks[this.#firstFrom(Math.floor(at / blockSize))] ?? Number.POSITIVE_INFINITY) * blockSize;
    return Math.min(this.#base.nextData?.(at) ?? at, Math.max(at, overlaid));
  }

  close(): void {
    this.#base.close?.();
  }

  /** @param skip bytes of the block before `piece`. */
  #copy(piece: Uint8Array, index: number, skip: number): void {
    const { blockSize, places, escaped, made } = this.overlay;
    const place = places[index] as number;
    if (place < 0) {
      const start = (-1 - place) * blockSize + skip;
      piece.set(made.subarray(start, start + piece.length));
    } else if (this.#log.read(piece, place + skip) < piece.length) {
      throw new ReadError(this.#log.name, place + skip, piece.length);
    }
    if (escaped[index] === 1 && skip < MAGIC.length) piece.set(MAGIC.subarray(skip, skip + piece.length));
  }

  /** Index of the first overlaid block >= `block`. */
  #firstFrom(block: number): number {
    const { blocks } = this.overlay;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((blocks[middle] as number) >= block) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
