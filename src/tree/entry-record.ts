// The packed form in which walked entries cross threads and wait in the spool: a head of 88 bytes, the name, and a text
// (a symlink's target, or the fault as JSON), padded to 8. In memory only; nothing of it is kept across versions.

import { type BytePath, ENTRY_TYPES, type EntryType, type Fault, type Stat } from '../model.ts';

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
const INITIAL_BYTES = 256 * 1024;
/** Parts are cut at about this size, so that neither messages nor rows grow with a directory. */
const PART_BYTES = 4 * 1024 * 1024;

/** Packs records into parts of a few MiB. */
export class RecordWriter {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #bytes = new Uint8Array(INITIAL_BYTES);
  #text = Buffer.from(this.#bytes.buffer);
  #u32 = new Uint32Array(this.#bytes.buffer);
  #f64 = new Float64Array(this.#bytes.buffer);
  #i64 = new BigInt64Array(this.#bytes.buffer);
  #at = 0;

  add(record: EntryRecord): void {
    const text = record.fault === null ? record.linkTarget : JSON.stringify(record.fault);
    const textBytes = text === null ? Buffer.alloc(0) : Buffer.from(text, record.fault === null ? 'latin1' : 'utf8');
    const size = (HEAD_BYTES + record.name.length + textBytes.length + 7) & ~7;
    this.#reserve(size);
    this.#writeHead(record, size, textBytes.length);
    this.#text.write(record.name, this.#at + HEAD_BYTES, 'latin1');
    this.#bytes.set(textBytes, this.#at + HEAD_BYTES + record.name.length);
    this.#at += size;
  }

  /** The parts so far; the writer starts afresh. */
  finish(): Uint8Array<ArrayBuffer>[] {
    if (this.#at > 0) this.#cut();
    return this.#parts.splice(0);
  }

  #writeHead(record: EntryRecord, size: number, textBytes: number): void {
    const u32 = this.#u32;
    const word = this.#at / 4;
    u32[word] = size;
    u32[word + 1] = record.depth + KINDS.indexOf(record.kind) * 0x10000 + typeByte(record) * 0x1000000;
    u32[word + 2] = (record.stat?.mode ?? 0) + flagsOf(record) * 0x10000;
    u32[word + 3] = record.name.length + textBytes * 0x10000;
    if (record.stat === null) u32[word + 4] = record.ordinal;
    else this.#writeStat(record.stat, record.device);
  }

  #writeStat(stat: Stat, device: bigint): void {
    const word = this.#at / 4;
    const long = this.#at / 8;
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

  #reserve(size: number): void {
    if (this.#at + size > PART_BYTES && this.#at > 0) this.#cut();
    if (this.#at + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + size));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#adopt(grown);
  }

  #cut(): void {
    this.#parts.push(this.#bytes.slice(0, this.#at));
    this.#at = 0;
  }

  #adopt(bytes: Uint8Array<ArrayBuffer>): void {
    this.#bytes = bytes;
    this.#text = Buffer.from(bytes.buffer);
    const whole = bytes.length - (bytes.length % 8);
    this.#u32 = new Uint32Array(bytes.buffer, 0, whole / 4);
    this.#f64 = new Float64Array(bytes.buffer, 0, whole / 8);
    this.#i64 = new BigInt64Array(bytes.buffer, 0, whole / 8);
  }
}

function flagsOf(record: EntryRecord): number {
  let flags = 0;
  if (record.linkTarget !== null && record.fault === null) flags |= HAS_LINK;
  if (record.fault !== null) flags |= HAS_FAULT;
  if (record.stat !== null && record.stat.crtimeNs !== null) flags |= HAS_CRTIME;
  if (record.stat !== null && record.stat.generation !== null) flags |= HAS_GENERATION;
  if (record.mountPoint) flags |= IS_MOUNT_POINT;
  return flags;
}

/** Low nibble: the inode's type; high nibble: the directory record's type plus one, 0 when it states none. */
function typeByte(record: EntryRecord): number {
  const type = record.stat === null ? 0 : ENTRY_TYPES.indexOf(record.stat.type);
  const dirent = record.direntType === null ? 0 : ENTRY_TYPES.indexOf(record.direntType) + 1;
  return type + dirent * 16;
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
