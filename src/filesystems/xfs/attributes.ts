// Extended attributes: short ones in the inode, else in leaves, whose large values lie in blocks of their own.
// Values are those stored: an ACL is in its on-disk form, not in the one that getxattr(2) gives.

import { DamageError } from '../../errors.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import { latin1 } from '../../struct/struct.ts';
import type { BlockMap } from '../block-map.ts';
import type { MapContext } from './extent-map.ts';
import type { Inode } from './inode.ts';
import {
  ATTRIBUTE_FLAGS,
  ATTRIBUTE_LEAF_HEADER_BYTES,
  DA_MAGICS,
  DEEPEST_TREE,
  daInfo,
  daNode,
  FORK_FORMATS,
  REMOTE_HEADER_BYTES,
  REMOTE_MAGIC,
  remoteHeader,
} from './layout.ts';
import { type MappedBlock, readMapped } from './mapped-block.ts';
import { checkDescription, DESCRIPTIONS } from './self-description.ts';

/** As getxattr(2) names it; the value as stored. */
export interface Attribute {
  readonly name: string;
  readonly value: Uint8Array;
}

export interface AttributeContext extends MapContext {
  attributeMap(inode: Inode): BlockMap;
}

const LARGEST_VALUE = 65536;
const SHORT_HEADER_BYTES = 4;
const SHORT_ENTRY_BYTES = 3;
const LEAF_ENTRY_BYTES = 8;
/** A leaf has at least an entry of twelve bytes, a node points to as many children as it has room for. */
const MOST_LEAVES = 2 ** 20;
/** Of all values of an inode together: entries of a broken leaf may all claim one large value. */
const MOST_BYTES = 64 * 2 ** 20;

/** Throws DamageError where an entry, a leaf or a value is broken; ReadError. */
export function readAttributes(inode: Inode, context: AttributeContext): Attribute[] {
  const fork = inode.attributeFork;
  if (fork === null) return [];
  if (fork.format === FORK_FORMATS.local) return shortAttributes(inode, fork.bytes);
  const map = context.attributeMap(inode);
  return map.runs.length === 0 && map.lost.length === 0 ? [] : new LeafReader(inode, map, context).run();
}

function shortAttributes(inode: Inode, bytes: Uint8Array): Attribute[] {
  const found: Attribute[] = [];
  const end = Math.min(bytes.length, u16be(bytes, 0));
  const count = bytes[2] ?? 0;
  let at = SHORT_HEADER_BYTES;
  for (let index = 0; index < count; index++) {
    const nameLength = bytes[at] ?? 0;
    const valueLength = bytes[at + 1] ?? 0;
    const name = at + SHORT_ENTRY_BYTES;
    const next = name + nameLength + valueLength;
    if (!(next <= end)) {
      const what = `xfs_attr_sf_entry ${index} of inode ${inode.number}`;
      throw new DamageError(what, inode.location, `ends at ${next}`, `at most ${end}`);
    }
    const named = attributeName(bytes[at + 2] as number, latin1(bytes, name, nameLength));
    if (named !== null) found.push({ name: named, value: bytes.slice(name + nameLength, next) });
    at = next;
  }
  return found;
}

/** Null for what getxattr(2) does not show: pointers to parents, and what was just being written. */
function attributeName(flags: number, name: string): string | null {
  if (flags & (ATTRIBUTE_FLAGS.incomplete | ATTRIBUTE_FLAGS.parent)) return null;
  if (flags & ATTRIBUTE_FLAGS.root) return `trusted.${name}`;
  return flags & ATTRIBUTE_FLAGS.secure ? `security.${name}` : `user.${name}`;
}

class LeafReader {
  readonly #inode: Inode;
  readonly #map: BlockMap;
  readonly #context: AttributeContext;
  readonly #form: 'plain' | 'summed';
  #remoteBytes = 0;

  constructor(inode: Inode, map: BlockMap, context: AttributeContext) {
    this.#inode = inode;
    this.#map = map;
    this.#context = context;
    this.#form = context.superblock.summed ? 'summed' : 'plain';
  }

  /** Through the leaves, which are a list. */
  run(): Attribute[] {
    const found: Attribute[] = [];
    const visited = new Set<number>();
    let next = this.#firstLeaf();
    do {
      if (visited.has(next) || visited.size > MOST_LEAVES) throw this.#wrong('leaf', 0, next, 'each once', 'ELOOP');
      visited.add(next);
      const leaf = this.#block(next);
      this.#expectMagic(leaf, DA_MAGICS.attributeLeaf);
      found.push(...this.#leaf(leaf));
      next = daInfo.at(leaf.bytes).next;
    } while (next !== 0);
    return found;
  }

  /** Down the first pointers of the nodes. */
  #firstLeaf(): number {
    let logical = 0;
    for (let depth = 0; depth < DEEPEST_TREE; depth++) {
      const block = this.#block(logical);
      if (daInfo.at(block.bytes).magic !== DA_MAGICS.node[this.#version]) return logical;
      if (u16be(block.bytes, daNode.countAt[this.#form]) === 0)
        throw this.#wrong('node', block.at, 0, '1 entry or more');
      logical = u32be(block.bytes, daNode[this.#form] + 4);
    }
    throw this.#wrong('node', 0, DEEPEST_TREE, 'fewer levels', 'ELOOP');
  }

  get #version(): 0 | 1 {
    return this.#form === 'summed' ? 1 : 0;
  }

  #block(logical: number): MappedBlock {
    const block = readMapped(this.#map, logical, 1, this.#context);
    if (this.#form === 'summed') {
      const what = `attribute block ${logical} of inode ${this.#inode.number}`;
      const { metaUuid } = this.#context.superblock;
      checkDescription(block.bytes, DESCRIPTIONS.da, { what, at: block.at, owner: this.#inode.number, uuid: metaUuid });
    }
    return block;
  }

  #expectMagic({ bytes, at }: MappedBlock, magics: readonly [number, number]): void {
    const { magic } = daInfo.at(bytes);
    if (magic !== magics[this.#version]) throw this.#wrong('magic', at, magic, magics[this.#version]);
  }

  *#leaf({ bytes, at }: MappedBlock): Iterable<Attribute> {
    const header = ATTRIBUTE_LEAF_HEADER_BYTES[this.#form];
    const count = u16be(bytes, this.#form === 'summed' ? 56 : 12);
    const room = Math.floor((bytes.length - header) / LEAF_ENTRY_BYTES);
    if (count > room) throw this.#wrong('count', at, count, `at most ${room}`);
    for (let index = 0; index < count; index++) {
      const entry = header + index * LEAF_ENTRY_BYTES;
      const attribute = this.#entry(bytes, u16be(bytes, entry + 4), bytes[entry + 6] as number, at);
      if (attribute !== null) yield attribute;
    }
  }

  #entry(bytes: Uint8Array, at: number, flags: number, origin: number): Attribute | null {
    const local = (flags & ATTRIBUTE_FLAGS.local) !== 0;
    const nameAt = at + (local ? 3 : 9);
    const nameLength = bytes[nameAt - 1] ?? 0;
    const valueLength = local ? u16be(bytes, at) : u32be(bytes, at + 4);
    const end = nameAt + nameLength + (local ? valueLength : 0);
    if (!(end <= bytes.length) || valueLength > LARGEST_VALUE) {
      throw this.#wrong('entry', origin + at, `${valueLength} bytes`, 'what its block holds');
    }
    const name = attributeName(flags, latin1(bytes, nameAt, nameLength));
    if (name === null) return null;
    if (local) return { name, value: bytes.slice(nameAt + nameLength, end) };
    return { name, value: this.#remoteValue(u32be(bytes, at), valueLength) };
  }

  #remoteValue(first: number, length: number): Uint8Array {
    this.#remoteBytes += length;
    if (this.#remoteBytes > MOST_BYTES)
      throw this.#wrong('values', this.#inode.location, this.#remoteBytes, `at most ${MOST_BYTES}`);
    const value = new Uint8Array(length);
    let filled = 0;
    for (let logical = first; filled < length; logical++) {
      const piece = this.#remotePiece(logical, filled, length - filled);
      value.set(piece, filled);
      filled += piece.length;
    }
    return value;
  }

  /** As much as a block has room for: only the last one may hold less. */
  #remotePiece(logical: number, offset: number, left: number): Uint8Array {
    const { bytes, at } = readMapped(this.#map, logical, 1, this.#context);
    if (this.#form === 'plain') return bytes.subarray(0, left);
    const what = `attribute value of inode ${this.#inode.number}`;
    const { metaUuid } = this.#context.superblock;
    checkDescription(bytes, DESCRIPTIONS.remote, { what, at, owner: this.#inode.number, uuid: metaUuid });
    const header = remoteHeader.at(bytes, 0, at);
    const length = Math.min(left, bytes.length - REMOTE_HEADER_BYTES);
    if (header.magic !== REMOTE_MAGIC || header.offset !== offset || header.length !== length) {
      const found = `${header.length} bytes from ${header.offset}`;
      throw this.#wrong('xfs_attr3_rmt_hdr', at, found, `${length} bytes from ${offset}`);
    }
    return bytes.subarray(REMOTE_HEADER_BYTES, REMOTE_HEADER_BYTES + length);
  }

  #wrong(
    field: string,
    at: number,
    found: number | string,
    expected: number | string,
    code: 'EUCLEAN' | 'ELOOP' = 'EUCLEAN',
  ): DamageError {
    return new DamageError(`attribute ${field} of inode ${this.#inode.number}`, at, found, expected, code);
  }
}
