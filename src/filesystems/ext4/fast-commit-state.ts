// What fast commits come to: inodes, names and block maps that a mount would have after it had replayed them.
// A mount inserts the names into directory blocks and the ranges into extent trees, and allocates where they do not fit. Here
// both stay beside the blocks, as plain data that crosses threads: a directory's blocks are shown as they lie on the medium.

import { DamageError, ReadError } from '../../errors.ts';
import { type BlockRun, joinedRuns, runOutside } from '../block-map.ts';
import type { FastCommitChange } from './fast-commit.ts';
import { Inode } from './inode.ts';
import { checkInode } from './inode-check.ts';
import {
  EXTENT_ENTRY_BYTES,
  EXTENT_HEADER_BYTES,
  EXTENT_MAGIC,
  INODE_BLOCK_AT,
  INODE_BLOCK_BYTES,
  INODE_CHECKSUM_HIGH_AT,
  INODE_CHECKSUM_LOW_AT,
  INODE_FLAGS,
  INODE_GENERATION_AT,
  OLD_INODE_BYTES,
} from './layout.ts';
import type { Ext4Volume } from './volume.ts';

/** Beside the blocks: what `Ext4Volume` puts over what it reads. */
export interface FastCommitPatches {
  /** By inode; replaces what the inode's own map says. */
  readonly maps: ReadonlyMap<number, readonly BlockRun[]>;
  /** By directory, by name: the inode, or 0 for a name that is gone. */
  readonly names: ReadonlyMap<number, ReadonlyMap<string, number>>;
  /** New directories' parents. */
  readonly parents: ReadonlyMap<number, number>;
}

export interface FastCommitOutcome {
  readonly patches: FastCommitPatches;
  /** By inode: its slot in the table. */
  readonly slots: ReadonlyMap<number, Uint8Array>;
  /** What a mount would fail with. */
  readonly error: DamageError | ReadError | null;
}

const LINKS_AT = 0x1a;
const BLOCKS_AT = 0x1c;
const LEAST_EXTRA_FOR_WIDE_CHECKSUM = 4;

/** @param volume as the log's replay left it. */
export function applyFastCommits(volume: Ext4Volume, changes: readonly FastCommitChange[]): FastCommitOutcome {
  const state = new FastCommitState(volume);
  try {
    for (const change of changes) state.apply(change);
    return { ...state.outcome(), error: null };
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    return { ...state.outcome(), error };
  }
}

class FastCommitState {
  readonly #volume: Ext4Volume;
  readonly #slots = new Map<number, Uint8Array>();
  readonly #maps = new Map<number, readonly BlockRun[]>();
  readonly #names = new Map<number, Map<string, number>>();
  readonly #parents = new Map<number, number>();
  /** Directories as they lie on the medium. */
  readonly #stored = new Map<number, ReadonlyMap<string, number>>();

  constructor(volume: Ext4Volume) {
    this.#volume = volume;
  }

  outcome(): { readonly patches: FastCommitPatches; readonly slots: ReadonlyMap<number, Uint8Array> } {
    return { patches: { maps: this.#maps, names: this.#names, parents: this.#parents }, slots: this.#slots };
  }

  /** Throws where a mount would give up. */
  apply(change: FastCommitChange): void {
    if (change.kind === 'inode') this.#replaceInode(change.inode, change.bytes);
    else if (change.kind === 'create') this.#create(change);
    else if (this.#usable(change.inode) !== null) this.#applyToUsable(change);
  }

  #applyToUsable(change: Exclude<FastCommitChange, { readonly kind: 'inode' }>): void {
    if (change.kind === 'link') this.#link(change.parent, change.name, change.inode);
    else if (change.kind === 'unlink') this.#unlink(change.parent, change.name, change.inode);
    else if (change.kind === 'add') this.#addRange(change);
    else if (change.kind === 'delete') this.#deleteRange(change.inode, change.logical, change.logical + change.length);
  }

  /** All but the block pointers, which only inline data bring along. */
  #replaceInode(number: number, bytes: Uint8Array): void {
    const slot = this.#slotOf(number);
    slot.set(bytes.subarray(0, INODE_BLOCK_AT));
    slot.set(bytes.subarray(INODE_GENERATION_AT), INODE_GENERATION_AT);
    const inode = this.#inodeIn(number, slot);
    if (inode.has(INODE_FLAGS.extents)) startExtents(slot);
    else if (inode.has(INODE_FLAGS.inlineData)) {
      slot.set(bytes.subarray(INODE_BLOCK_AT, INODE_BLOCK_AT + INODE_BLOCK_BYTES), INODE_BLOCK_AT);
    }
    if (inode.has(INODE_FLAGS.extents)) this.#countBlocks(number, inode, slot);
    this.#keep(number, slot);
  }

  #countBlocks(number: number, inode: Inode, slot: Uint8Array): void {
    const { blockSize } = this.#volume;
    const runs = this.#runsOf(number, inode);
    const mapped = runs.reduce((sum, run) => sum + run.length, this.#parents.has(number) ? 1 : 0);
    const perNode = Math.floor((blockSize - EXTENT_HEADER_BYTES) / EXTENT_ENTRY_BYTES);
    const inInode = Math.floor((INODE_BLOCK_BYTES - EXTENT_HEADER_BYTES) / EXTENT_ENTRY_BYTES);
    const nodes = runs.length > inInode ? Math.ceil(runs.length / perNode) : 0;
    new DataView(slot.buffer).setUint32(BLOCKS_AT, (mapped + nodes) * (blockSize / 512), true);
  }

  #create(change: { readonly parent: number; readonly inode: number; readonly name: string }): void {
    const inode = this.#usable(change.inode);
    if (inode === null) throw new DamageError('ext4_fc_dentry_info', 0, `inode ${change.inode}`, 'an inode in use');
    if (inode.type === 'directory') this.#parents.set(change.inode, change.parent);
    this.#link(change.parent, change.name, change.inode);
    this.#setLinks(change.inode, () => 1);
  }

  #link(parent: number, name: string, inode: number): void {
    if (this.#usable(parent) === null || this.#lookUp(parent, name) !== 0) return;
    this.#setName(parent, name, inode);
    this.#setLinks(inode, links => links + 1);
  }

  #unlink(parent: number, name: string, inode: number): void {
    if (this.#usable(parent) === null) return;
    const found = this.#lookUp(parent, name);
    if (found === 0) return;
    if (found === inode) this.#setName(parent, name, 0);
    this.#setLinks(inode, links => Math.max(0, links - 1));
    if (new DataView(this.#slotOf(inode).buffer).getUint16(LINKS_AT, true) === 0) this.#evict(inode);
  }

  /** Without its last name an inode loses its blocks: the next that gets its number begins with none. */
  #evict(number: number): void {
    const slot = this.#slotOf(number);
    if (this.#inodeIn(number, slot).has(INODE_FLAGS.extents)) {
      slot.fill(0, INODE_BLOCK_AT, INODE_BLOCK_AT + INODE_BLOCK_BYTES);
      startExtents(slot);
    }
    new DataView(slot.buffer).setUint32(BLOCKS_AT, 0, true);
    this.#maps.set(number, []);
    this.#keep(number, slot);
  }

  #addRange(change: FastCommitChange & { readonly kind: 'add' }): void {
    const { inode, logical, physical, length, unwritten } = change;
    this.#deleteRange(inode, logical, logical + length);
    const runs = [...(this.#maps.get(inode) ?? []), { logical, physical, length, unwritten }];
    this.#maps.set(inode, joinedRuns(runs));
  }

  #deleteRange(number: number, start: number, end: number): void {
    const inode = this.#usable(number);
    if (inode === null) return;
    this.#maps.set(
      number,
      this.#runsOf(number, inode).flatMap(run => runOutside(run, start, end)),
    );
  }

  #runsOf(number: number, inode: Inode): readonly BlockRun[] {
    const changed = this.#maps.get(number);
    if (changed !== undefined) return changed;
    try {
      return this.#volume.blockMap(inode).runs;
    } catch (error) {
      this.#volume.damage.keep(error);
      return [];
    }
  }

  #lookUp(directory: number, name: string): number {
    return this.#names.get(directory)?.get(name) ?? this.#storedNames(directory).get(name) ?? 0;
  }

  #storedNames(directory: number): ReadonlyMap<string, number> {
    let names = this.#stored.get(directory);
    if (names === undefined) {
      const isNew = this.#parents.has(directory);
      const records = isNew ? [] : this.#volume.directory(this.#inodeIn(directory, this.#slotOf(directory))).records;
      names = new Map(records.map(record => [record.name, record.inode]));
      this.#stored.set(directory, names);
    }
    return names;
  }

  #setName(directory: number, name: string, inode: number): void {
    const names = this.#names.get(directory) ?? new Map<string, number>();
    names.set(name, inode);
    this.#names.set(directory, names);
  }

  #setLinks(number: number, change: (links: number) => number): void {
    const slot = this.#slotOf(number);
    const view = new DataView(slot.buffer);
    view.setUint16(LINKS_AT, change(view.getUint16(LINKS_AT, true)), true);
    this.#keep(number, slot);
  }

  /** Null for what a mount could not load. */
  #usable(number: number): Inode | null {
    try {
      const inode = this.#inodeIn(number, this.#slotOf(number));
      checkInode(inode, this.#volume.superblock, this.#volume);
      return inode;
    } catch (error) {
      if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
      return null;
    }
  }

  /** A copy of the slot as it stands by now. */
  #slotOf(number: number): Uint8Array {
    const { raw } = this.#volume.rawInode(number);
    const slot = this.#slots.get(number) ?? raw.bytes.subarray(raw.at, raw.at + this.#volume.superblock.inodeSize);
    return slot.slice();
  }

  #inodeIn(number: number, slot: Uint8Array): Inode {
    return new Inode(this.#volume.superblock, number, slot, 0, this.#volume.inodeLocation(number));
  }

  /** With its checksum made right. */
  #keep(number: number, slot: Uint8Array): void {
    if (this.#volume.checksums.on) {
      const view = new DataView(slot.buffer);
      const crc = this.#volume.checksums.inodeChecksum(number, slot, 0);
      view.setUint16(INODE_CHECKSUM_LOW_AT, crc & 0xffff, true);
      const wide =
        slot.length > OLD_INODE_BYTES && view.getUint16(OLD_INODE_BYTES, true) >= LEAST_EXTRA_FOR_WIDE_CHECKSUM;
      if (wide) view.setUint16(INODE_CHECKSUM_HIGH_AT, crc >>> 16, true);
    }
    this.#slots.set(number, slot);
  }
}

/** An empty root where the slot's former user left none. */
function startExtents(slot: Uint8Array): void {
  const view = new DataView(slot.buffer);
  if (view.getUint16(INODE_BLOCK_AT, true) === EXTENT_MAGIC) return;
  slot.fill(0, INODE_BLOCK_AT, INODE_BLOCK_AT + EXTENT_HEADER_BYTES);
  view.setUint16(INODE_BLOCK_AT, EXTENT_MAGIC, true);
  view.setUint16(INODE_BLOCK_AT + 4, (INODE_BLOCK_BYTES - EXTENT_HEADER_BYTES) / EXTENT_ENTRY_BYTES, true);
}
