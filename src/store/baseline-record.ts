// What a baseline keeps of one path, and its packed form. Times of access are not kept.
// Form: flags, path key, inode, link target, why content is missing, digest, short block list.
// Two records of one path are the same if and only if their packed forms are: that is how generations share them.

import { DamageError } from '../errors.ts';
import type { BlockHashes, BytePath, EntryType, Stat } from '../model.ts';
import { ENTRY_TYPES } from '../model.ts';
import { pathKey, pathOfKey } from '../path.ts';
import { literalBlockList, MOST_BLOCKS, packBlockList, unpackBlockList } from './block-list.ts';
import type { Packer } from './packing.ts';
import { Unpacker } from './packing.ts';

export interface BaselineRecord {
  readonly path: BytePath;
  readonly stat: Stat;
  /** Of a symbolic link. */
  readonly linkTarget: BytePath | null;
  /** Of a regular file that was read. */
  readonly content: BaselineContent | null;
  /** Why a regular file has no content. */
  readonly unread: string | null;
}

export interface BaselineContent {
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Empty where none were kept. A record that came from a store fetches or expands a list when it is asked for. */
  readonly blocks: BlockHashes;
}

/** Fetches the block list of the content with this digest. */
export type LongBlocks = (sha256: string) => BlockHashes;

const DIGEST_BYTES = 32;
const SHA256_HEX = /^[0-9a-f]{64}$/;
const BYTE_STRING = /^[\x00-\xff]*$/;
const PATH_BYTES = /^\/[\x01-\xff]*$/;
/** Longer coded lists go into a row of their own, found by digest: a chmod then copies no more than this. */
const INLINE_LIST_BYTES = 132;

const TYPE_COUNT = 8;
const HAS_GENERATION = 8;
const HAS_CRTIME = 16;
const HAS_BLOCKS = 32;
const WIDE_TIMES = 64;
const HAS_LINK_TARGET = 128;
const HAS_CONTENT = 1;
const LONG_BLOCKS = 2;
const IS_UNREAD = 4;

/** The path key. RangeError for what is no absolute path of bytes 1..255. */
export function keyOfPath(path: BytePath): string {
  if (!PATH_BYTES.test(path)) throw new RangeError(`not a path of bytes 1..255: ${JSON.stringify(path)}`);
  return pathKey(path);
}

/**
 * Appends the packed form of `record`, whose path has the key `key`, to `into`. Gives back the coded block list when it
 * is too long to stand in the record: the digest is then its end. RangeError for what no file system could have said.
 */
export function packRecord(into: Packer, key: string, record: BaselineRecord): Buffer | null {
  const start = into.length;
  const wide = hasWideTimes(record.stat);
  into.byte(statFlags(record, wide));
  into.byte(contentFlags(record));
  into.latin1(key);
  packStat(into, record.stat, wide);
  if (record.linkTarget !== null) packBytes(into, record.linkTarget);
  if (record.unread !== null) into.text(record.unread);
  return record.content === null ? null : packContent(into, start, record, record.content);
}

/** The digest of a packed record whose block list is not in it. */
export function digestAtEnd(packed: Buffer): Buffer {
  return packed.subarray(packed.length - DIGEST_BYTES);
}

function statFlags(record: BaselineRecord, wide: boolean): number {
  const { stat } = record;
  return (
    ENTRY_TYPES.indexOf(stat.type) +
    (stat.generation === null ? 0 : HAS_GENERATION) +
    (stat.crtimeNs === null ? 0 : HAS_CRTIME) +
    (stat.blocks512 === null ? 0 : HAS_BLOCKS) +
    (wide ? WIDE_TIMES : 0) +
    (record.linkTarget === null ? 0 : HAS_LINK_TARGET)
  );
}

function contentFlags(record: BaselineRecord): number {
  return (record.content === null ? 0 : HAS_CONTENT) + (record.unread === null ? 0 : IS_UNREAD);
}

/** The block list comes last, so that its length need not be said; a long one is taken out again. */
function packContent(into: Packer, start: number, record: BaselineRecord, content: BaselineContent): Buffer | null {
  if (!SHA256_HEX.test(content.sha256)) throw new RangeError(`not a SHA-256 digest: ${content.sha256}`);
  into.hex(content.sha256);
  const listStart = into.length;
  packBlockList(into, content.blocks);
  if (into.length - listStart <= INLINE_LIST_BYTES) return null;
  const long = Buffer.from(into.view(listStart));
  into.truncate(listStart);
  into.patch(start + 1, contentFlags(record) + LONG_BLOCKS);
  return long;
}

/** Damaged inodes may hold times far beyond the 64 bits of the usual form (years 1677 to 2262). */
function hasWideTimes(stat: Stat): boolean {
  return !isInt64(stat.mtimeNs) || !isInt64(stat.ctimeNs) || (stat.crtimeNs !== null && !isInt64(stat.crtimeNs));
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

function packStat(into: Packer, stat: Stat, wide: boolean): void {
  into.varint(stat.mode);
  into.varint(stat.uid);
  into.varint(stat.gid);
  into.varint(stat.sizeBytes);
  into.varint(stat.links);
  into.bigVarint(stat.inode);
  if (stat.generation !== null) into.varint(stat.generation);
  packTime(into, stat.mtimeNs, wide);
  packTime(into, stat.ctimeNs, wide);
  if (stat.crtimeNs !== null) packTime(into, stat.crtimeNs, wide);
  if (stat.blocks512 !== null) into.varint(stat.blocks512);
}

function packTime(into: Packer, timeNs: bigint, wide: boolean): void {
  if (wide) into.signedBigVarint(timeNs);
  else into.int64(timeNs);
}

function packBytes(into: Packer, value: string): void {
  if (!BYTE_STRING.test(value)) throw new RangeError(`not a string of bytes: ${JSON.stringify(value)}`);
  into.latin1(value);
}

/** The key of a packed record. */
export function packedKey(packed: Buffer): string {
  const unpacker = new Unpacker(packed);
  unpacker.raw(2);
  return unpacker.latin1();
}

/** The record of packed bytes; `longBlocks` is asked for a list that does not stand in them. DamageError. */
export function unpackRecord(packed: Buffer, longBlocks: LongBlocks): BaselineRecord {
  const from = new Unpacker(packed);
  const { content: tail, ...record } = unpackAllButContent(from);
  const content = tail === null ? null : unpackContent(tail, longBlocks);
  return { ...record, content };
}

/** Path and coded block list of packed bytes, nothing expanded; `longBlocks` gives a coded list. DamageError. */
export function unpackPathAndBlocks(
  packed: Buffer,
  longBlocks: (sha256: string) => Buffer,
): { readonly path: BytePath; readonly coded: Buffer | null } {
  const { path, content } = unpackAllButContent(new Unpacker(packed));
  if (content === null) return { path, coded: null };
  return { path, coded: content.coded ?? longBlocks(content.sha256) };
}

interface PackedContent {
  readonly sha256: string;
  /** Null when the list is too long to stand in the record. */
  readonly coded: Buffer | null;
}

function unpackAllButContent(from: Unpacker): Omit<BaselineRecord, 'content'> & { content: PackedContent | null } {
  const flags = from.byte();
  const more = from.byte();
  const path = pathOfKey(from.latin1());
  const stat = unpackStat(from, flags);
  const linkTarget = has(flags, HAS_LINK_TARGET) ? from.latin1() : null;
  const unread = has(more, IS_UNREAD) ? from.text() : null;
  const content = has(more, HAS_CONTENT)
    ? { sha256: from.hex(DIGEST_BYTES), coded: has(more, LONG_BLOCKS) ? null : from.rest() }
    : null;
  if (!from.atEnd) throw new DamageError('store record', 0, 'further bytes', 'its end');
  return { path, stat, linkTarget, content, unread };
}

function has(flags: number, flag: number): boolean {
  return (flags & flag) !== 0;
}

function unpackStat(from: Unpacker, flags: number): Stat {
  const wide = has(flags, WIDE_TIMES);
  return {
    type: entryType(flags % TYPE_COUNT),
    mode: from.varint(),
    uid: from.varint(),
    gid: from.varint(),
    sizeBytes: from.varint(),
    links: from.varint(),
    inode: from.bigVarint(),
    generation: has(flags, HAS_GENERATION) ? from.varint() : null,
    mtimeNs: unpackTime(from, wide),
    ctimeNs: unpackTime(from, wide),
    crtimeNs: has(flags, HAS_CRTIME) ? unpackTime(from, wide) : null,
    blocks512: has(flags, HAS_BLOCKS) ? from.varint() : null,
  };
}

function entryType(index: number): EntryType {
  const type = ENTRY_TYPES[index];
  if (type === undefined) throw new DamageError('store record', 0, index, 'an entry type');
  return type;
}

function unpackTime(from: Unpacker, wide: boolean): bigint {
  return wide ? from.signedBigVarint() : from.int64();
}

function unpackContent({ sha256, coded }: PackedContent, longBlocks: LongBlocks): BaselineContent {
  if (coded === null) return lazyContent(sha256, longBlocks);
  const blocks = literalBlockList(coded);
  if (blocks !== null) return { sha256, blocks };
  return lazyContent(sha256, () => unpackBlockList(coded, MOST_BLOCKS));
}

/** A list may expand to gigabytes, and is wanted for few of the files. */
function lazyContent(sha256: string, unpack: LongBlocks): BaselineContent {
  let unpacked: BlockHashes | null = null;
  return {
    sha256,
    get blocks(): BlockHashes {
      unpacked ??= unpack(sha256);
      return unpacked;
    },
  };
}
