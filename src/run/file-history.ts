// Blocks that went back, by the file that has them now; and those of which no path can tell.

import type { GoneBackSpan } from '../judge/block-witness.ts';
import type { Nanoseconds, Stat } from '../model.ts';
import type { GoneBack } from './block-history.ts';
import type { SpoolEntry } from './spool.ts';

export class FileHistory {
  readonly #found: readonly GoneBack[];
  readonly #unitBytes: number;
  readonly #offset: number;
  /** Blocks of content that inodes have now. */
  readonly #byInode = new Map<string, GoneBack[]>();

  /** @param offset where the volume begins in its container, in bytes. */
  constructor(found: readonly GoneBack[], unitBytes: number, offset: number) {
    this.#found = found;
    this.#unitBytes = unitBytes;
    this.#offset = offset;
    for (const run of found.filter(isOfFile)) {
      const key = keyOf(run.inode, run.generation);
      const runs = this.#byInode.get(key);
      if (runs === undefined) this.#byInode.set(key, [run]);
      else runs.push(run);
    }
  }

  /** Of a file, up to its end, ascending. */
  spansOf({ type, inode, generation, sizeBytes }: Stat): GoneBackSpan[] {
    if (this.#byInode.size === 0 || type !== 'file') return [];
    const runs = this.#byInode.get(keyOf(Number(inode), generation ?? 0)) ?? [];
    const spans = runs.map(run => this.#span(run)).filter(({ offset }) => offset < sizeBytes);
    return spans
      .map(span => ({ ...span, length: Math.min(span.length, sizeBytes - span.offset) }))
      .sort((left, right) => left.offset - right.offset);
  }

  #span({ logical, physical, length, backTo, isOwn, confidence }: GoneBack): GoneBackSpan {
    return {
      offset: logical * this.#unitBytes,
      length: length * this.#unitBytes,
      physical: this.#offset + physical * this.#unitBytes,
      backTo,
      isOwn,
      isTelling: confidence !== 'possible',
    };
  }

  /**
   * All that is not of a file among these entries: structures, blocks that nobody has, files without a name. A directory that
   * nothing has touched since the newest map did not come back by ordinary work, unless its inode is what went back.
   * @param newestNs what time the newest map stands for.
   */
  async untold(entries: AsyncIterable<SpoolEntry>, newestNs: Nanoseconds | null): Promise<GoneBack[]> {
    if (this.#found.length === 0) return [];
    const wanted = new Set(this.#found.map(run => keyOf(run.inode, run.generation)));
    const [named, untouched] = [new Set<string>(), new Set<string>()];
    const inodesHeld = this.#found.every(({ role }) => role !== 'inode-table');
    for await (const { stat, viaSecondName } of entries) {
      const key = stat === null ? '' : keyOf(Number(stat.inode), stat.generation ?? 0);
      if (stat === null || viaSecondName || !wanted.has(key)) continue;
      if (stat.type === 'file') named.add(key);
      if (stat.type === 'directory' && newestNs !== null && stat.ctimeNs <= newestNs) untouched.add(key);
    }
    return this.#found.flatMap(run => {
      const key = keyOf(run.inode, run.generation);
      if (isOfFile(run) && named.has(key)) return [];
      const isTelling = run.role === 'directory' && run.isOwned && inodesHeld && untouched.has(key);
      return [isTelling ? { ...run, confidence: 'likely' } : run];
    });
  }
}

export const NO_HISTORY = new FileHistory([], 1, 0);

function isOfFile({ role, isOwned }: GoneBack): boolean {
  return role === 'data' && isOwned;
}

function keyOf(inode: number, generation: number): string {
  return `${inode} ${generation}`;
}
