// The packed form in which walked entries cross threads and wait in the spool: a head of 88 bytes, the name, and a text
// (a symlink's target, or the fault as JSON), padded to 8. In memory only; nothing of it is kept across versions.

import type { Entry } from '../filesystems/filesystem.ts';
import { type BytePath, ENTRY_TYPES, type EntryType, type Fault, type Stat } from '../model.ts';
import { baseName, bytesOfText } from '../path.ts';

/** mount: another file system's root, not entered. What it hides cannot be seen, so nothing is said of it. */
export type RecordKind = 'entry' | 'lost' | 'continued' | 'excluded' | 'mount';
const KINDS: readonly RecordKind[] = ['entry', 'lost', 'continued', 'excluded', 'mount'];

/** One walked name. `depth` 0 is the target's root. */
export interface EntryRecord {
  readonly kind: RecordKind;
  readonly depth: number;
  readonly name: BytePath;
  readonly direntType: EntryType | null;
  /** Null for kinds other than `entry`. */
  readonly stat: Stat | null;
  readonly device: bigint;
  readonly mountPoint: boolean;
  /** As in Entry. */
  readonly viaSecondName: boolean;
  readonly linkTarget: BytePath | null;
  /** Why the inode (`lost`), the listing or the link (`entry`) could not be had. */
  readonly fault: Fault | null;
  /** For `continued`: which of the walk's deferred directories follows here. */
  readonly ordinal: number;
}

const HEAD_BYTES = 88;
const HAS_LINK = 1;
const HAS_FAULT = 2;
const HAS_CRTIME = 4;
const HAS_GENERATION = 8;
const IS_MOUNT_POINT = 16;
const VIA_SECOND_NAME = 32;
/** Parts are of about this size, so that neither messages nor rows grow with a directory. */
const PART_BYTES = 256 * 1024;

/** Packs records into parts. No object is made per record: a walk writes millions. */
export class RecordWriter {
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = new Uint8Array(0);
  #u32 = new Uint32Array(0);
  #f64 = new Float64Array(0);
  #i64 = new BigInt64Array(0);
  #at = 0;

  /** An inode. @param fault what its listing or its link refused; a link that was refused has no target. */
  entry(
    depth: number,
    { path, stat, direntType, device, mountPoint, viaSecondName }: Entry,
    link: BytePath | null,
    fault: Fault | null,
  ) {
    let flags = fault === null ? 0 : HAS_FAULT;
    if (link !== null) flags |= HAS_LINK;
    if (stat.crtimeNs !== null) flags |= HAS_CRTIME;
    if (stat.generation !== null) flags |= HAS_GENERATION;
    if (mountPoint) flags |= IS_MOUNT_POINT;
    if (viaSecondName) flags |= VIA_SECOND_NAME;
    const types = ENTRY_TYPES.indexOf(stat.type) + direntNibble(direntType);
    const at = this.#add(baseName(path), link ?? textOfFault(fault), {
      kind: 'entry',
      depth,
      types,
      flags,
      mode: stat.mode,
    });
    this.#writeStat(at, stat, device);
  }

  /** A name without its inode. @param ordinal for `continued`: which of the walk's deferred directories follows here. */
  name(kind: Exclude<RecordKind, 'entry'>, depth: number, named: Named, fault: Fault | null, ordinal = 0): void {
    const flags = (fault === null ? 0 : HAS_FAULT) | (named.viaSecondName ? VIA_SECOND_NAME : 0);
    const tags = { kind, depth, types: direntNibble(named.direntType), flags, mode: 0 };
    const at = this.#add(baseName(named.path), textOfFault(fault), tags);
    this.#u32[at / 4 + 4] = ordinal;
  }

  /** The parts so far, each with a buffer of its own; the writer starts afresh. */
  finish(): Uint8Array<ArrayBuffer>[] {
    const parts = this.#parts;
    if (this.#at > 0) parts.push(this.#bytes.slice(0, this.#at));
    this.#parts = [];
    this.#at = 0;
    return parts;
  }

  /** Writes what all records have. @returns where the record starts. */
  #add(name: BytePath, text: string, { kind, depth, types, flags, mode }: Tags): number {
    const size = (HEAD_BYTES + name.length + text.length + 7) & ~7;
    if (this.#at + size > this.#bytes.length) this.#startPart(size);
    const at = this.#at;
    const word = at / 4;
    this.#u32[word] = size;
    this.#u32[word + 1] = depth + KINDS.indexOf(kind) * 0x10000 + types * 0x1000000;
    this.#u32[word + 2] = mode + flags * 0x10000;
    this.#u32[word + 3] = name.length + text.length * 0x10000;
    this.#writeText(name, at + HEAD_BYTES);
    this.#writeText(text, at + HEAD_BYTES + name.length);
    this.#at += size;
    return at;
  }

  #writeStat(at: number, stat: Stat, device: bigint): void {
    const word = at / 4;
    const long = at / 8;
    this.#u32[word + 4] = stat.uid;
    this.#u32[word + 5] = stat.gid;
    this.#u32[word + 6] = stat.links;
    this.#u32[word + 7] = stat.generation ?? 0;
    this.#f64[long + 4] = stat.sizeBytes;
    this.#f64[long + 5] = stat.blocks512 ?? -1;
    this.#i64[long + 6] = stat.inode;
    this.#i64[long + 7] = device;
    this.#i64[long + 8] = stat.mtimeNs;
    this.#i64[long + 9] = stat.ctimeNs;
    this.#i64[long + 10] = stat.crtimeNs ?? 0n;
  }

  /** One byte a character. For the length of a name this is faster than a call of Buffer.write. */
  #writeText(text: string, at: number): void {
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
  }

  #startPart(firstSize: number): void {
    if (this.#at > 0) this.#parts.push(this.#bytes.subarray(0, this.#at));
    const buffer = new ArrayBuffer(Math.max(PART_BYTES, firstSize));
    this.#bytes = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#i64 = new BigInt64Array(buffer);
    this.#at = 0;
  }
}

type Named = Pick<Entry, 'path' | 'direntType' | 'viaSecondName'>;

interface Tags {
  readonly kind: RecordKind;
  readonly depth: number;
  /** Low nibble: the inode's type; high nibble: the directory record's type plus one, 0 when it states none. */
  readonly types: number;
  readonly flags: number;
  readonly mode: number;
}

function direntNibble(type: EntryType | null): number {
  return type === null ? 0 : (ENTRY_TYPES.indexOf(type) + 1) * 16;
}

function textOfFault(fault: Fault | null): string {
  return fault === null ? '' : bytesOfText(JSON.stringify(fault));
}

/** Unpacks one part, in order. */
export function* readRecords(part: Uint8Array): Iterable<EntryRecord> {
  const aligned = part.byteOffset % 8 === 0 ? part : Uint8Array.from(part);
  const views = {
    text: Buffer.from(aligned.buffer, aligned.byteOffset, aligned.byteLength),
    u32: new Uint32Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 4)),
    f64: new Float64Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 8)),
    i64: new BigInt64Array(aligned.buffer, aligned.byteOffset, Math.floor(aligned.byteLength / 8)),
  };
  for (let at = 0; at < aligned.byteLength; ) {
    yield readRecord(views, at);
    at += views.u32[at / 4] ?? aligned.byteLength;
  }
}

interface Views {
  readonly text: Buffer;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly i64: BigInt64Array;
}

function readRecord(views: Views, at: number): EntryRecord {
  const word = at / 4;
  const tags = views.u32[word + 1] ?? 0;
  const modeAndFlags = views.u32[word + 2] ?? 0;
  const lengths = views.u32[word + 3] ?? 0;
  const flags = modeAndFlags >>> 16;
  const nameEnd = at + HEAD_BYTES + (lengths & 0xffff);
  const textEnd = nameEnd + (lengths >>> 16);
  const kind = KINDS[(tags >>> 16) & 0xff] ?? 'lost';
  return {
    kind,
    depth: tags & 0xffff,
    name: views.text.toString('latin1', at + HEAD_BYTES, nameEnd),
    direntType: ENTRY_TYPES[(tags >>> 28) - 1] ?? null,
    stat: kind === 'entry' ? readStat(views, at, tags, modeAndFlags) : null,
    device: kind === 'entry' ? (views.i64[at / 8 + 7] ?? 0n) : 0n,
    mountPoint: (flags & IS_MOUNT_POINT) !== 0,
    viaSecondName: (flags & VIA_SECOND_NAME) !== 0,
    linkTarget: flags & HAS_LINK ? views.text.toString('latin1', nameEnd, textEnd) : null,
    fault: flags & HAS_FAULT ? (JSON.parse(views.text.toString('utf8', nameEnd, textEnd)) as Fault) : null,
    ordinal: kind === 'continued' ? (views.u32[word + 4] ?? 0) : 0,
  };
}

function readStat(views: Views, at: number, tags: number, modeAndFlags: number): Stat {
  const { u32, f64, i64 } = views;
  const word = at / 4;
  const long = at / 8;
  const flags = modeAndFlags >>> 16;
  const blocks512 = f64[long + 5] ?? -1;
  return {
    type: ENTRY_TYPES[(tags >>> 24) & 0xf] ?? 'file',
    mode: modeAndFlags & 0xffff,
    uid: u32[word + 4] ?? 0,
    gid: u32[word + 5] ?? 0,
    sizeBytes: f64[long + 4] ?? 0,
    links: u32[word + 6] ?? 0,
    inode: BigInt.asUintN(64, i64[long + 6] ?? 0n),
    generation: flags & HAS_GENERATION ? (u32[word + 7] ?? 0) : null,
    mtimeNs: i64[long + 8] ?? 0n,
    ctimeNs: i64[long + 9] ?? 0n,
    crtimeNs: flags & HAS_CRTIME ? (i64[long + 10] ?? 0n) : null,
    blocks512: blocks512 < 0 ? null : blocks512,
  };
}
