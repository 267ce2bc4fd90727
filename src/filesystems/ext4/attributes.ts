// Extended attributes: entries in the inode's slot, in a block of their own, and values in inodes of their own.
// Values are those stored: an ACL is in its on-disk form, not in the one that getxattr(2) gives.

import { DamageError } from '../../errors.ts';
import { u32le } from '../../struct/integers.ts';
import { latin1 } from '../../struct/struct.ts';
import type { Inode } from './inode.ts';
import {
  ATTRIBUTE_ENTRY_BYTES,
  ATTRIBUTE_INODE_HEADER_BYTES,
  ATTRIBUTE_MAGIC,
  ATTRIBUTE_PREFIXES,
  attributeBlockHeader,
  attributeEntry,
  INLINE_DATA_ATTRIBUTE,
  OLD_INODE_BYTES,
} from './layout.ts';

/** An attribute as it is stored. */
export interface StoredAttribute {
  readonly nameIndex: number;
  /** Bytes after the prefix that `nameIndex` stands for, one character a byte. */
  readonly name: string;
  /** Inode that holds the value; 0: the value is here. */
  readonly valueInode: number;
  readonly valueBytes: number;
  /** Null when the value lies in an inode of its own. */
  readonly value: Uint8Array | null;
}

/** As getxattr(2) names it: `user.mime_type`. */
export function attributeName(attribute: StoredAttribute): string {
  return (ATTRIBUTE_PREFIXES[attribute.nameIndex] ?? `${attribute.nameIndex}.`) + attribute.name;
}

/** Where entries lie in `bytes`. */
interface Table {
  readonly bytes: Uint8Array;
  /** First entry. */
  readonly first: number;
  /** What value offsets count from. */
  readonly base: number;
  readonly end: number;
  /** Offset of `bytes` in the volume, for messages. */
  readonly origin: number;
  readonly owner: string;
}

const LARGEST_VALUE = 2 ** 24;

/** Throws DamageError (EUCLEAN) when an entry does not fit its inode. */
export function attributesInInode(inode: Inode): StoredAttribute[] {
  const table = tableInInode(inode);
  return table === null ? [] : [...entriesOf(table)];
}

/** The part of an inline file or directory that does not fit beside the block pointers; null when there is none. */
export function inlineContinuation(inode: Inode): Uint8Array | null {
  const { nameIndex, name } = INLINE_DATA_ATTRIBUTE;
  const found = attributesInInode(inode).find(entry => entry.nameIndex === nameIndex && entry.name === name);
  return found?.value ?? null;
}

/** Cheap: whether the inode's slot holds attributes at all. */
export function hasAttributesInInode(inode: Inode): boolean {
  return tableInInode(inode) !== null;
}

/** @param block its number, `bytes` its content. Throws DamageError (EUCLEAN). The checksum is the caller's to check. */
export function attributesInBlock(block: number, bytes: Uint8Array, owner: Inode): StoredAttribute[] {
  const origin = block * bytes.length;
  const header = attributeBlockHeader.at(bytes, 0, origin);
  if (header.magic !== ATTRIBUTE_MAGIC) {
    throw new DamageError(`ext4_xattr_header h_magic of inode ${owner.number}`, origin, header.magic, ATTRIBUTE_MAGIC);
  }
  if (header.blocks !== 1) {
    throw new DamageError(`ext4_xattr_header h_blocks of inode ${owner.number}`, origin, header.blocks, 1);
  }
  const { size } = attributeBlockHeader;
  return [...entriesOf({ bytes, first: size, base: 0, end: bytes.length, origin, owner: `inode ${owner.number}` })];
}

function tableInInode(inode: Inode): Table | null {
  const { bytes, at } = inode.raw;
  const header = at + OLD_INODE_BYTES + inode.extraBytes;
  const end = at + inode.slotBytes;
  if (inode.extraBytes === 0 || header + ATTRIBUTE_INODE_HEADER_BYTES + 4 > end) return null;
  if (u32le(bytes, header) !== ATTRIBUTE_MAGIC) return null;
  const first = header + ATTRIBUTE_INODE_HEADER_BYTES;
  return { bytes, first, base: first, end, origin: inode.location - at, owner: `inode ${inode.number}` };
}

function* entriesOf(table: Table): Iterable<StoredAttribute> {
  const namesEnd = endOfNames(table);
  let at = table.first;
  while (at < namesEnd) {
    const entry = attributeEntry.at(table.bytes, at);
    const name = latin1(table.bytes, at + ATTRIBUTE_ENTRY_BYTES, entry.nameLength);
    const value = entry.valueInode === 0 ? valueAt(table, at, namesEnd) : null;
    yield { nameIndex: entry.nameIndex, name, valueInode: entry.valueInode, valueBytes: entry.valueSize, value };
    at += entryBytes(entry.nameLength);
  }
}

function entryBytes(nameLength: number): number {
  return (ATTRIBUTE_ENTRY_BYTES + nameLength + 3) & ~3;
}

/** Where the word of zeros stands that ends the entries. */
function endOfNames(table: Table): number {
  let at = table.first;
  while (at + 4 <= table.end && u32le(table.bytes, at) !== 0) {
    const length = table.bytes[at] as number;
    const next = at + entryBytes(length);
    if (next + 4 > table.end) throw broken(table, at, 'e_name_len', length);
    const name = table.bytes.subarray(at + ATTRIBUTE_ENTRY_BYTES, at + ATTRIBUTE_ENTRY_BYTES + length);
    if (name.includes(0)) throw broken(table, at, 'e_name', 'a NUL');
    at = next;
  }
  return at;
}

function valueAt(table: Table, at: number, namesEnd: number): Uint8Array {
  const { valueOffset, valueSize } = attributeEntry.at(table.bytes, at);
  if (valueSize === 0) return new Uint8Array(0);
  const start = table.base + valueOffset;
  const padded = (valueSize + 3) & ~3;
  const fits = valueSize <= LARGEST_VALUE && start >= namesEnd + 4 && start + padded <= table.end;
  if (!fits) throw broken(table, at, 'e_value_offs', `${valueOffset}, ${valueSize} bytes`);
  return table.bytes.subarray(start, start + valueSize);
}

function broken(table: Table, at: number, field: string, found: string | number): DamageError {
  return new DamageError(`ext4_xattr_entry ${field} of ${table.owner}`, table.origin + at, found, 'inside its table');
}
