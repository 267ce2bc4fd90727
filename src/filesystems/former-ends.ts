// Where files ended of which a file system's own log tells: the kernel fills the rest of a file's last block with zeros, so that
// a block which still ends so, in the midst of another file by now, was not written by that one.

/** One state of a regular file. */
export interface FormerEnd {
  readonly inode: number;
  readonly generation: number;
  /** The block that held the file's last bytes. */
  readonly block: number;
  /** How many of them: 1 up to one less than a block has. */
  readonly bytes: number;
  /** By some change in the log, the file had blocks in common with another one. */
  readonly isShared: boolean;
}

/** A state as it is met: whether its file shares blocks may be told later. */
export type MetEnd = Omit<FormerEnd, 'isShared'>;
type FileId = Pick<FormerEnd, 'inode' | 'generation'>;

/** FormerEnds as columns, ascending by block; plain data, its memory is shared between threads. */
export interface FormerEndColumns {
  readonly block: Float64Array;
  readonly inode: Float64Array;
  readonly generation: Uint32Array;
  readonly bytes: Uint32Array;
  /** 1: isShared. */
  readonly shared: Uint8Array;
}

/** More states than this are left out: a log of 2 GiB holds some millions of changes. 25 MiB of memory. */
const MOST_ENDS = 1_000_000;

export class FormerEndCollector {
  readonly #ends: MetEnd[] = [];
  /** Files that ever had blocks in common with others. */
  readonly #sharing = new Set<string>();
  /** By inode: its last one, which most changes of it leave as it is. */
  readonly #last = new Map<number, MetEnd>();

  noteSharing(file: FileId): void {
    this.#sharing.add(keyOf(file));
  }

  note(end: MetEnd): void {
    const last = this.#last.get(end.inode);
    if (last !== undefined && isSame(last, end)) return;
    this.#last.set(end.inode, end);
    if (this.#ends.length < MOST_ENDS) this.#ends.push(end);
  }

  finish(): FormerEndColumns {
    const sorted = this.#ends.sort((left, right) => left.block - right.block);
    const { length } = sorted;
    return {
      block: new Float64Array(new SharedArrayBuffer(8 * length)).map((_, index) => sorted[index]?.block ?? 0),
      inode: new Float64Array(new SharedArrayBuffer(8 * length)).map((_, index) => sorted[index]?.inode ?? 0),
      generation: new Uint32Array(new SharedArrayBuffer(4 * length)).map((_, index) => sorted[index]?.generation ?? 0),
      bytes: new Uint32Array(new SharedArrayBuffer(4 * length)).map((_, index) => sorted[index]?.bytes ?? 0),
      shared: new Uint8Array(new SharedArrayBuffer(length)).map((_, index) => {
        const end = sorted[index];
        return end !== undefined && this.#sharing.has(keyOf(end)) ? 1 : 0;
      }),
    };
  }
}

function keyOf({ inode, generation }: FileId): string {
  return `${inode}:${generation}`;
}

function isSame(left: MetEnd, right: MetEnd): boolean {
  return left.block === right.block && left.bytes === right.bytes && left.generation === right.generation;
}

/** Those in the blocks from `from` up to `to`, which is not among them; block by block, ascending. */
export function* endsWithin(ends: FormerEndColumns, from: number, to: number): Iterable<readonly FormerEnd[]> {
  let ofBlock: FormerEnd[] = [];
  for (let index = firstNotBefore(ends.block, from); index < ends.block.length; index++) {
    const end = endAt(ends, index);
    if (end.block >= to) break;
    if (ofBlock[0] !== undefined && ofBlock[0].block !== end.block) {
      yield ofBlock;
      ofBlock = [];
    }
    ofBlock.push(end);
  }
  if (ofBlock.length > 0) yield ofBlock;
}

function endAt({ block, inode, generation, bytes, shared }: FormerEndColumns, index: number): FormerEnd {
  return {
    block: block[index] ?? 0,
    inode: inode[index] ?? 0,
    generation: generation[index] ?? 0,
    bytes: bytes[index] ?? 0,
    isShared: shared[index] === 1,
  };
}

function firstNotBefore(blocks: Float64Array, block: number): number {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle] ?? 0) < block) low = middle + 1;
    else high = middle;
  }
  return low;
}
