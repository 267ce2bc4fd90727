// Columns of owned runs: a row of them, some of them, and columns that grow.

import type { OwnerColumns } from '../digest/block-owners.ts';

export type OwnerRow = { readonly [Column in keyof OwnerColumns]: number };

const LEAST_ROWS = 16;

export function ownerColumns(length: number): OwnerColumns {
  return {
    inode: new Float64Array(length),
    generation: new Uint32Array(length),
    role: new Uint8Array(length),
    logical: new Float64Array(length),
    physical: new Float64Array(length),
    length: new Float64Array(length),
  };
}

export function rowOf(columns: OwnerColumns, at: number): OwnerRow {
  const { inode, generation, role, logical, physical, length } = columns;
  return {
    inode: inode[at] ?? 0,
    generation: generation[at] ?? 0,
    role: role[at] ?? 0,
    logical: logical[at] ?? 0,
    physical: physical[at] ?? 0,
    length: length[at] ?? 0,
  };
}

/** A view of some rows. */
export function rowsOf(columns: OwnerColumns, first: number, end: number): OwnerColumns {
  return {
    inode: columns.inode.subarray(first, end),
    generation: columns.generation.subarray(first, end),
    role: columns.role.subarray(first, end),
    logical: columns.logical.subarray(first, end),
    physical: columns.physical.subarray(first, end),
    length: columns.length.subarray(first, end),
  };
}

/** Columns that grow, row by row or by those of others. */
export class OwnerRows {
  #columns: OwnerColumns;
  #count = 0;

  constructor(room = 0) {
    this.#columns = ownerColumns(room);
  }

  /** A view of what was added so far. */
  get columns(): OwnerColumns {
    return this.#columns.inode.length === this.#count ? this.#columns : rowsOf(this.#columns, 0, this.#count);
  }

  push(row: OwnerRow): void {
    this.#reserve(1);
    const { inode, generation, role, logical, physical, length } = this.#columns;
    const at = this.#count++;
    inode[at] = row.inode;
    generation[at] = row.generation;
    role[at] = row.role;
    logical[at] = row.logical;
    physical[at] = row.physical;
    length[at] = row.length;
  }

  add(rows: OwnerColumns): void {
    this.#reserve(rows.inode.length);
    copyRows(this.#columns, this.#count, rows);
    this.#count += rows.inode.length;
  }

  #reserve(count: number): void {
    const needed = this.#count + count;
    if (needed <= this.#columns.inode.length) return;
    const grown = ownerColumns(Math.max(LEAST_ROWS, this.#count * 2, needed));
    copyRows(grown, 0, this.columns);
    this.#columns = grown;
  }
}

function copyRows(into: OwnerColumns, at: number, from: OwnerColumns): void {
  into.inode.set(from.inode, at);
  into.generation.set(from.generation, at);
  into.role.set(from.role, at);
  into.logical.set(from.logical, at);
  into.physical.set(from.physical, at);
  into.length.set(from.length, at);
}
