// The inodes of a generation by number, as packed columns: what a block map's owners were.

import type { FormerInode } from '../judge/block-witness.ts';
import type { Expectation } from '../model.ts';

/** Inodes without a generation number (of a mounted tree) are left out: they own no blocks in a map. */
export class FormerInodes {
  readonly #place = new Map<number, number>();
  #generation = new Uint32Array(1024);
  #sizeBytes = new Float64Array(1024);
  #times = new BigInt64Array(2048);
  #count = 0;

  add({ stat }: Expectation): void {
    if (stat === null || stat.generation === null) return;
    if (this.#count === this.#generation.length) this.#grow();
    const at = this.#count++;
    this.#place.set(Number(stat.inode), at);
    this.#generation[at] = stat.generation;
    this.#sizeBytes[at] = stat.sizeBytes;
    this.#times[2 * at] = stat.mtimeNs;
    this.#times[2 * at + 1] = stat.ctimeNs;
  }

  /** The same inode and generation; null when that day had it not. */
  at(inode: number, generation: number): FormerInode | null {
    const at = this.#place.get(inode);
    if (at === undefined || this.#generation[at] !== generation) return null;
    const [mtimeNs = 0n, ctimeNs = 0n] = this.#times.subarray(2 * at, 2 * at + 2);
    return { sizeBytes: this.#sizeBytes[at] ?? 0, mtimeNs, ctimeNs };
  }

  #grow(): void {
    const grown = <T extends { set(from: T): void }>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    const room = this.#count * 2;
    this.#generation = grown(this.#generation, new Uint32Array(room));
    this.#sizeBytes = grown(this.#sizeBytes, new Float64Array(room));
    this.#times = grown(this.#times, new BigInt64Array(2 * room));
  }
}
