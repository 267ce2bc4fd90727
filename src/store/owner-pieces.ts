// The owned runs of some inodes, coded: runs that are as in the base, runs of the base that are left out, new ones.
// A new run is told by its difference from the run before it, taken or left out: flags and length, then what they call for.

import type { OwnerColumns } from '../digest/block-owners.ts';
import { DamageError } from '../errors.ts';
import { BLOCK_ROLES } from '../model.ts';
import { type OwnerRow, OwnerRows, ownerColumns, rowOf, rowsOf } from './owner-rows.ts';
import { Packer, Unpacker } from './packing.ts';
import { type PieceCoding, packHead, unpackHead } from './piece-coding.ts';

const SAME = 0;
const DROPPED = 1;
const NEW = 2;

const AS_KIND = 1;
const AS_INODE = 2;
const FOLLOWS_IN_FILE = 4;
const FOLLOWS_ON_DISK = 8;
const FLAGS = 16;
/** Lengths below stand beside the flags; 0: the length follows. */
const SHORT = 16;
const UNWRITTEN = 128;
const BLOCK_MAP = BLOCK_ROLES.indexOf('block-map');
const ATTRIBUTES = BLOCK_ROLES.indexOf('attributes');

const NOBODY: OwnerRow = { inode: 0, generation: 0, role: 0, logical: 0, physical: 0, length: 0 };

export const ownerCoding: PieceCoding<OwnerColumns> = {
  empty: () => ownerColumns(0),
  pack: packOwnerRuns,
  apply: applyOwnerRuns,
};

/** One kind of step after another; what is as in the base up to the end need not be said. */
function packOwnerRuns(into: Packer, runs: OwnerColumns, base: OwnerColumns): void {
  const news = new Packer();
  let before = NOBODY;
  let [kind, count] = [SAME, 0];
  const flush = (next: number): void => {
    if (count > 0) packHead(into, kind, count);
    if (kind === NEW) into.raw(news.view());
    news.clear();
    [kind, count] = [next, 0];
  };
  for (const { step, row } of stepsBetween(base, runs)) {
    if (step !== kind) flush(step);
    count++;
    if (step === NEW) packRow(news, row, before);
    before = row;
  }
  if (kind !== SAME) flush(SAME);
}

interface Step {
  readonly step: number;
  readonly row: OwnerRow;
}

/** Both are in the order of owners: what is not in both is left out or new. */
function* stepsBetween(base: OwnerColumns, runs: OwnerColumns): Iterable<Step> {
  let [old, at] = [0, 0];
  while (old < base.inode.length || at < runs.inode.length) {
    const order = orderOf(base, old, runs, at);
    if (order === 0 && isSame(base, old, runs, at)) {
      yield { step: SAME, row: rowOf(runs, at) };
      old++;
      at++;
    } else if (order <= 0) yield { step: DROPPED, row: rowOf(base, old++) };
    else yield { step: NEW, row: rowOf(runs, at++) };
  }
}

/** Below 0: the run of the base comes first. */
function orderOf(base: OwnerColumns, old: number, runs: OwnerColumns, at: number): number {
  if (old >= base.inode.length) return 1;
  if (at >= runs.inode.length) return -1;
  return (
    (base.inode[old] ?? 0) - (runs.inode[at] ?? 0) ||
    rankOf(base.role[old] ?? 0) - rankOf(runs.role[at] ?? 0) ||
    (base.logical[old] ?? 0) - (runs.logical[at] ?? 0)
  );
}

/** As columns are ordered: an inode's content before what describes it. */
function rankOf(role: number): number {
  return role === BLOCK_MAP || role === ATTRIBUTES ? 1 : 0;
}

function isSame(base: OwnerColumns, old: number, runs: OwnerColumns, at: number): boolean {
  return (
    base.physical[old] === runs.physical[at] &&
    base.length[old] === runs.length[at] &&
    base.role[old] === runs.role[at] &&
    base.generation[old] === runs.generation[at]
  );
}

function packRow(into: Packer, row: OwnerRow, before: OwnerRow): void {
  const asInode = row.inode === before.inode && row.generation === before.generation;
  const logical = row.logical - nextInFile(before, asInode);
  const physical = row.physical - before.physical - before.length;
  const isShort = row.length > 0 && row.length < SHORT;
  const flags =
    (row.role === before.role ? AS_KIND : 0) +
    (asInode ? AS_INODE : 0) +
    (logical === 0 ? FOLLOWS_IN_FILE : 0) +
    (physical === 0 ? FOLLOWS_ON_DISK : 0);
  into.byte(flags + FLAGS * (isShort ? row.length : 0));
  if (row.role !== before.role) into.byte(row.role);
  if (!asInode) packInode(into, row, before);
  if (logical !== 0) into.signedVarint(logical);
  if (physical !== 0) into.signedVarint(physical);
  if (!isShort) into.varint(row.length);
}

function packInode(into: Packer, row: OwnerRow, before: OwnerRow): void {
  into.signedVarint(row.inode - before.inode);
  into.uint32(row.generation);
}

function nextInFile(before: OwnerRow, asInode: boolean): number {
  return asInode ? before.logical + before.length : 0;
}

function applyOwnerRuns(coded: Buffer, base: OwnerColumns): OwnerColumns {
  const from = new Unpacker(coded);
  const runs = new OwnerRows(base.inode.length);
  let [old, before] = [0, NOBODY];
  while (!from.atEnd) {
    const { kind, count } = unpackHead(from);
    const left = kind === NEW ? coded.length - from.position : base.inode.length - old;
    if (kind > NEW || count > left) throw new DamageError('owners', from.position, count, `at most ${left} runs`);
    if (kind === SAME) runs.add(rowsOf(base, old, old + count));
    if (kind === NEW) {
      for (let index = 0; index < count; index++) {
        before = unpackRow(from, before);
        runs.push(before);
      }
    } else {
      old += count;
      before = rowOf(base, old - 1);
    }
  }
  runs.add(rowsOf(base, old, base.inode.length));
  return runs.columns;
}

function unpackRow(from: Unpacker, before: OwnerRow): OwnerRow {
  const head = from.byte();
  const role = has(head, AS_KIND) ? before.role : from.byte();
  if (role % UNWRITTEN >= BLOCK_ROLES.length) throw new DamageError('owners', from.position, role, 'a role');
  const asInode = has(head, AS_INODE);
  const inode = before.inode + (asInode ? 0 : from.signedVarint());
  const generation = asInode ? before.generation : from.uint32();
  const logical = nextInFile(before, asInode) + (has(head, FOLLOWS_IN_FILE) ? 0 : from.signedVarint());
  const physical = before.physical + before.length + (has(head, FOLLOWS_ON_DISK) ? 0 : from.signedVarint());
  const length = Math.floor(head / FLAGS) || from.varint();
  return { inode, generation, role, logical, physical, length };
}

function has(head: number, flag: number): boolean {
  return (head & flag) !== 0;
}
