// Reads git's index: every name with where its entry stands. Believes nothing that its checksum does not cover; with index.skipHash
// there is none, and the order of names and the shape of the whole must do. Follows gitformat-index(5).

import { createHash } from 'node:crypto';
import { DamageError, UnsupportedError } from '../../errors.ts';
import type { BytePath } from '../../model.ts';
import { u16be, u32be } from '../../struct/integers.ts';
import {
  ENTRY,
  ENTRY_ALIGNMENT,
  EXTENSION,
  FLAG,
  HEADER,
  ID_BYTES,
  SIGNATURE,
  SPARSE_DIRECTORIES,
  SPLIT_INDEX,
  VERSIONS,
} from './index-layout.ts';

export type ObjectFormat = keyof typeof ID_BYTES;

/** Names of version 4 are differences: a small index could hold names without end. Linux's own bound (PATH_MAX), and one for all. */
const NAME_BYTES_AT_MOST = 4096;
const NAMES_BYTES_AT_MOST = 256 * 1024 * 1024;

export interface IndexRecord {
  /** Relative to the working tree. */
  readonly name: BytePath;
  /** Offset of the entry in the index. */
  readonly at: number;
  /** As in its flags; not 0 in a conflict. */
  readonly stage: number;
}

export interface ReadIndex {
  /** In git's order: by name, then stage. */
  readonly records: readonly IndexRecord[];
  /** False with index.skipHash: nothing tells whether a block of the index is of another day. */
  readonly isChecked: boolean;
}

/** Throws DamageError, and UnsupportedError for what is not read (other versions, a split index, unknown extensions). */
export function readIndex(bytes: Uint8Array, format: ObjectFormat): ReadIndex {
  const idBytes = ID_BYTES[format];
  if (textAt(bytes, 0, SIGNATURE.length) !== SIGNATURE) throw damage(0, textAt(bytes, 0, 4), SIGNATURE);
  const end = bytes.length - idBytes;
  if (end < HEADER.bytes) throw damage(0, `${bytes.length} bytes`, `at least ${HEADER.bytes + idBytes}`);
  const isChecked = checkTrailer(bytes, end, format);
  const version = u32be(bytes, HEADER.version);
  if (version < VERSIONS.least || version > VERSIONS.prefixed) {
    throw new UnsupportedError(`an index of version ${version}`);
  }
  const reader = new EntryReader(bytes.subarray(0, end), version, idBytes);
  const records = reader.records(u32be(bytes, HEADER.count));
  checkExtensions(bytes.subarray(0, end), reader.at);
  checkOrder(records);
  return { records, isChecked };
}

function checkTrailer(bytes: Uint8Array, end: number, format: ObjectFormat): boolean {
  const trailer = Buffer.from(bytes.subarray(end));
  if (trailer.every(byte => byte === 0)) return false;
  const digest = createHash(format).update(bytes.subarray(0, end)).digest();
  if (!digest.equals(trailer)) throw damage(end, trailer.toString('hex'), digest.toString('hex'), 'EBADMSG');
  return true;
}

class EntryReader {
  at: number = HEADER.bytes;
  readonly #bytes: Buffer;
  readonly #version: number;
  readonly #idBytes: number;
  #previous: BytePath = '';
  #namesBytes = 0;

  constructor(bytes: Uint8Array, version: number, idBytes: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#version = version;
    this.#idBytes = idBytes;
  }

  records(count: number): IndexRecord[] {
    const least = ENTRY.id + this.#idBytes + 2;
    const possible = Math.floor((this.#bytes.length - HEADER.bytes) / least);
    if (count > possible) throw damage(HEADER.count, `${count} entries`, `at most ${possible}`);
    const records: IndexRecord[] = [];
    for (let index = 0; index < count; index++) {
      const { at } = this;
      const flags = this.#flags();
      records.push({ name: this.#name(at, flags), at, stage: flags & FLAG.stage });
    }
    return records;
  }

  /** Goes on to the name. */
  #flags(): number {
    const flagsAt = this.at + ENTRY.id + this.#idBytes;
    const flags = u16be(this.#within(flagsAt, 4), flagsAt);
    const isExtended = (flags & FLAG.extended) !== 0;
    if (isExtended && this.#version < VERSIONS.extended) throw damage(flagsAt, 'extended flags', 'none in version 2');
    this.at = flagsAt + (isExtended ? 4 : 2);
    return flags;
  }

  /** Goes on to the next entry. */
  #name(from: number, flags: number): BytePath {
    const kept = this.#version === VERSIONS.prefixed ? this.#keptOfPrevious() : '';
    const end = this.#bytes.indexOf(0, this.at);
    if (end === -1) throw damage(this.at, 'no end of a name', 'a NUL');
    const length = kept.length + end - this.at;
    const expected = flags & 0xfff;
    if (length > NAME_BYTES_AT_MOST || Math.min(length, 0xfff) !== expected) {
      throw damage(from, `a name of ${length} bytes`, `one of ${expected}`);
    }
    this.#namesBytes += length;
    if (this.#namesBytes > NAMES_BYTES_AT_MOST) throw damage(from, 'names without end', `${NAMES_BYTES_AT_MOST} bytes`);
    const name = kept + this.#bytes.toString('latin1', this.at, end);
    this.at = this.#version === VERSIONS.prefixed ? end + 1 : this.#padded(from, end);
    this.#previous = name;
    return name;
  }

  /** What the name has in common with the previous one. */
  #keptOfPrevious(): BytePath {
    const removed = this.#varint();
    const kept = this.#previous.length - removed;
    if (kept < 0) throw damage(this.at, `${removed} bytes less`, `at most ${this.#previous.length}`);
    return this.#previous.slice(0, kept);
  }

  /** As offsets of packs are written (gitformat-pack(5)): each further byte adds one before it shifts. */
  #varint(): number {
    let value = -1;
    for (let digits = 0; ; digits++) {
      const byte = this.#within(this.at, 1)[this.at] ?? 0;
      this.at++;
      value = (value + 1) * 128 + (byte & 0x7f);
      if ((byte & 0x80) === 0) return value;
      if (digits === 3) throw damage(this.at, 'a length without end', 'at most four bytes');
    }
  }

  #padded(from: number, nameEnd: number): number {
    const length = nameEnd - from;
    const next = from + (Math.floor(length / ENTRY_ALIGNMENT) + 1) * ENTRY_ALIGNMENT;
    const padding = this.#within(nameEnd, next - nameEnd).subarray(nameEnd, next);
    if (padding.some(byte => byte !== 0)) throw damage(nameEnd, padding.toString('hex'), 'NULs');
    return next;
  }

  #within(at: number, length: number): Buffer {
    if (at + length > this.#bytes.length) throw damage(at, 'its end', `${length} bytes`);
    return this.#bytes;
  }
}

/** Strictly by name, then stage. (A split index has entries without names: that was refused by now.) */
function checkOrder(records: readonly IndexRecord[]): void {
  let previous = { name: '', stage: 0 };
  for (const { name, stage, at } of records) {
    const ascends = name > previous.name || (name !== '' && name === previous.name && stage > previous.stage);
    if (!ascends) throw damage(at, JSON.stringify(name), `a name after ${JSON.stringify(previous.name)}`);
    previous = { name, stage };
  }
}

/** @param bytes without the trailer, which the extensions end with. */
function checkExtensions(bytes: Uint8Array, from: number): void {
  let at = from;
  while (at + EXTENSION.bytes <= bytes.length) {
    const signature = textAt(bytes, at, EXTENSION.length);
    if (signature === SPLIT_INDEX) throw new UnsupportedError('a split index: its entries stand in another file');
    const mayBeSkipped = /^[A-Z]/.test(signature) || signature === SPARSE_DIRECTORIES;
    if (!mayBeSkipped) throw new UnsupportedError(`an index with the extension ${JSON.stringify(signature)}`);
    at += EXTENSION.bytes + u32be(bytes, at + EXTENSION.length);
  }
  if (at !== bytes.length) throw damage(at, 'the end of an extension', `the checksum at ${bytes.length}`);
}

function textAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length)).toString('latin1');
}

function damage(at: number, found: string, expected: string, code: 'EUCLEAN' | 'EBADMSG' = 'EUCLEAN'): DamageError {
  return new DamageError('git index', at, found, expected, code);
}
