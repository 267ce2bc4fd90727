// Who owned which units of a volume: runs of (role, inode, generation, logical unit), packed in columns so that millions of
// them fit and cross threads. Several owners of one unit (reflinks, or two that both claim it) are several runs.

import { BLOCK_ROLES, type OwnedRun } from '../model.ts';

/** The runs as parallel columns, in the order of inodes as the file system told them. Plain data. */
export interface OwnerColumns {
  readonly inode: Float64Array<ArrayBuffer>;
  readonly generation: Uint32Array<ArrayBuffer>;
  /** Index of the role; 128 more when unwritten. */
  readonly role: Uint8Array<ArrayBuffer>;
  readonly logical: Float64Array<ArrayBuffer>;
  readonly physical: Float64Array<ArrayBuffer>;
  readonly length: Float64Array<ArrayBuffer>;
}

const UNWRITTEN = 128;

/** @param unitsPerBlock how many units a block of the file system has. */
export function packOwners(runs: Iterable<OwnedRun>, unitsPerBlock: number): OwnerColumns {
  const sorted = [...runs].sort(byOwner);
  const of = <T>(pick: (run: OwnedRun) => T) => sorted.map(pick);
  return {
    inode: Float64Array.from(of(run => run.inode)),
    generation: Uint32Array.from(of(run => run.generation)),
    role: Uint8Array.from(of(run => BLOCK_ROLES.indexOf(run.role) + (run.unwritten ? UNWRITTEN : 0))),
    logical: Float64Array.from(of(run => run.logical * (run.inode === 0 ? 1 : unitsPerBlock))),
    physical: Float64Array.from(of(run => run.physical * unitsPerBlock)),
    length: Float64Array.from(of(run => run.length * unitsPerBlock)),
  };
}

function byOwner(left: OwnedRun, right: OwnedRun): number {
  return left.inode - right.inode || rank(left) - rank(right) || left.logical - right.logical;
}

/** Content before what describes it. */
function rank({ role }: OwnedRun): number {
  return role === 'block-map' || role === 'attributes' ? 1 : 0;
}

export class BlockOwners {
  readonly columns: OwnerColumns;
  #byPhysical: Uint32Array | null = null;
  /** The greatest end of all runs up to each in the order of places: how far back an owner of a unit may start. */
  #reach: Float64Array | null = null;

  constructor(columns: OwnerColumns) {
    this.columns = columns;
  }

  get count(): number {
    return this.columns.inode.length;
  }

  /** Runs of an inode's content and of what describes it, ascending by logical unit; empty when it had another generation. */
  of(inode: number, generation: number): OwnedRun[] {
    const runs: OwnedRun[] = [];
    for (let index = this.#firstOf(inode); index < this.count && this.columns.inode[index] === inode; index++) {
      if (this.columns.generation[index] === generation) runs.push(this.#run(index));
    }
    return runs;
  }

  /** Everybody who owned a unit. */
  at(unit: number): OwnedRun[] {
    const { order, reach } = this.#places();
    const { physical, length } = this.columns;
    const found: OwnedRun[] = [];
    for (let place = lastNotAfter(order, physical, unit); place >= 0 && (reach[place] ?? 0) > unit; place--) {
      const index = order[place] ?? 0;
      if ((physical[index] ?? 0) + (length[index] ?? 0) > unit) found.push(this.#run(index));
    }
    return found;
  }

  /** All runs that overlap the units from `from` up to `to`, which is not among them; ascending by place. */
  within(from: number, to: number): OwnedRun[] {
    const { order, reach } = this.#places();
    const { physical, length } = this.columns;
    const found: OwnedRun[] = [];
    for (let place = lastNotAfter(order, physical, to - 1); place >= 0 && (reach[place] ?? 0) > from; place--) {
      const index = order[place] ?? 0;
      if ((physical[index] ?? 0) + (length[index] ?? 0) > from) found.push(this.#run(index));
    }
    return found.reverse();
  }

  /** All runs, ascending by place. */
  *byPlace(): Iterable<OwnedRun> {
    for (const index of this.#places().order) yield this.#run(index);
  }

  #places(): { order: Uint32Array; reach: Float64Array } {
    if (this.#byPhysical !== null && this.#reach !== null) return { order: this.#byPhysical, reach: this.#reach };
    const { physical, length } = this.columns;
    const order = Uint32Array.from(physical.keys()).sort((a, b) => (physical[a] ?? 0) - (physical[b] ?? 0));
    const reach = new Float64Array(order.length);
    let furthest = 0;
    for (const [place, index] of order.entries()) {
      furthest = Math.max(furthest, (physical[index] ?? 0) + (length[index] ?? 0));
      reach[place] = furthest;
    }
    this.#byPhysical = order;
    this.#reach = reach;
    return { order, reach };
  }

  #firstOf(inode: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if ((this.columns.inode[middle] ?? 0) < inode) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #run(index: number): OwnedRun {
    const { inode, generation, role, logical, physical, length } = this.columns;
    const kind = role[index] ?? 0;
    return {
      role: BLOCK_ROLES[kind % UNWRITTEN] ?? 'data',
      inode: inode[index] ?? 0,
      generation: generation[index] ?? 0,
      logical: logical[index] ?? 0,
      physical: physical[index] ?? 0,
      length: length[index] ?? 0,
      unwritten: kind >= UNWRITTEN,
    };
  }
}

/** The last place in `order` whose run starts at or before the unit; -1 when there is none. */
function lastNotAfter(order: Uint32Array, physical: Float64Array, unit: number): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((physical[order[middle] ?? 0] ?? 0) <= unit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
