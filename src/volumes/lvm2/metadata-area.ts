// A metadata area: a header that points to the committed text, and a ring in which older texts remain, and newer ones whose
// header was never written. Texts begin at sectors, wrap behind the header, and end with a NUL.

import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Fact } from '../../bytes/fact.ts';
import { readExactly } from '../../bytes/read-exactly.ts';
import { DamageError } from '../../errors.ts';
import { rawCrc32 } from '../../struct/crc32.ts';
import { latin1 } from '../../struct/struct.ts';
import {
  CRC_SEED,
  LARGEST_RING_BYTES,
  LONGEST_TEXT_BYTES,
  LVM_SECTOR_BYTES,
  MDA_CRC_FROM,
  MDA_HEADER_BYTES,
  MDA_MAGIC,
  MDA_VERSION,
  mdaHeader,
  RAW_IGNORED,
  RAW_LOCATIONS_AT,
  rawLocation,
} from './layout.ts';
import { parseVolumeGroup, type VolumeGroup } from './volume-group.ts';

export interface AreaContent {
  /** What its text describes; null: it has none that can be used. */
  readonly group: VolumeGroup | null;
  /** Why not, when it ought to. */
  readonly trouble: string | null;
  /** Its header says that the volume is in no group. */
  readonly isEmpty: boolean;
  readonly facts: readonly Fact[];
}

/** Texts of the ring that are read whole, newest first: a ring full of beginnings costs no more than that. */
const TEXTS_TRIED = 16;

/** Throws DamageError for an area without room for a text, ReadError. */
export function readArea(disk: ByteSource, { offset, size }: { offset: number; size: number }): AreaContent {
  if (size < 2 * MDA_HEADER_BYTES)
    throw new DamageError('metadata area', offset, size, `at least ${2 * MDA_HEADER_BYTES}`);
  const ring = new Ring(disk, offset, size);
  const pointer = attempt(() => readPointer(ring));
  if (pointer.value === 'none' || pointer.value === 'ignored')
    return { group: null, trouble: null, isEmpty: pointer.value === 'none', facts: [] };
  const { value: place } = pointer;
  const committed =
    place === null ? { value: null, trouble: pointer.trouble } : attempt(() => committedGroup(ring, place));
  const { value: known } = committed;
  const newest = newestInRing(ring, known, place?.offset ?? null);
  const found = { trouble: null, isEmpty: false } as const;
  if (known !== null) return { ...found, group: known, facts: newest === null ? [] : [newerFact(known, newest)] };
  const damage = { name: 'lvm-area-damaged', detail: committed.trouble };
  if (newest === null) return { ...found, group: null, trouble: committed.trouble, facts: [damage] };
  const detail = `the area at ${offset} points to no text that is whole: the newest of its ring is used, seqno ${newest.seqno}`;
  return { ...found, group: newest, facts: [damage, { name: 'lvm-header-lost', detail }] };
}

function newerFact(known: VolumeGroup, newest: VolumeGroup): Fact {
  const seqnos = `seqno ${newest.seqno}, the header points to ${known.seqno}`;
  return {
    name: 'lvm-newer-in-ring',
    detail: `the ring holds a newer text of ${known.name} (${seqnos}): the header's update was lost, or the change was given up`,
  };
}

interface Attempt<T> {
  readonly value: T | null;
  readonly trouble: string;
}

/** What is damaged gives null, and says how. */
function attempt<T>(act: () => T): Attempt<T> {
  try {
    return { value: act(), trouble: '' };
  } catch (error) {
    if (error instanceof DamageError) return { value: null, trouble: error.message };
    throw error;
  }
}

/** The area's bytes; texts in it go on behind the header when they reach its end. */
class Ring {
  readonly offset: number;
  readonly size: number;
  readonly #disk: ByteSource;

  constructor(disk: ByteSource, offset: number, size: number) {
    this.#disk = disk;
    this.offset = offset;
    this.size = size;
  }

  header(): Uint8Array {
    return readExactly(this.#disk, this.offset, MDA_HEADER_BYTES, 'mda_header');
  }

  /** What is looked through for texts that nothing points to. */
  beginning(): Uint8Array {
    return readExactly(this.#disk, this.offset, Math.min(this.size, LARGEST_RING_BYTES), 'metadata area');
  }

  text(at: number, length: number): Uint8Array {
    const first = Math.min(length, this.size - at);
    const head = readExactly(this.#disk, this.offset + at, first, 'metadata text');
    if (first === length) return head;
    return Buffer.concat([
      head,
      readExactly(this.#disk, this.offset + MDA_HEADER_BYTES, length - first, 'metadata text'),
    ]);
  }
}

interface Pointer {
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
}

/** Where the header says that the committed text is. Throws DamageError. */
function readPointer(ring: Ring): Pointer | 'none' | 'ignored' {
  const bytes = ring.header();
  const header = mdaHeader.at(bytes, 0, ring.offset);
  const crc = rawCrc32(CRC_SEED, bytes.subarray(MDA_CRC_FROM));
  if (header.crc !== crc) throw new DamageError('mda_header.crc', ring.offset, header.crc, crc, 'EBADMSG');
  if (header.magic !== MDA_MAGIC || header.version !== MDA_VERSION)
    throw new DamageError(
      'mda_header',
      ring.offset,
      `version ${header.version}`,
      `version ${MDA_VERSION} and its magic`,
    );
  if (header.start !== ring.offset) throw new DamageError('mda_header.start', ring.offset, header.start, ring.offset);
  if (header.size !== ring.size) throw new DamageError('mda_header.size', ring.offset, header.size, ring.size);
  const { offset, size, crc: ofText, flags } = rawLocation.at(bytes, RAW_LOCATIONS_AT, ring.offset);
  if ((flags & RAW_IGNORED) !== 0) return 'ignored';
  if (offset === 0 || size === 0) return 'none';
  const longest = Math.min(ring.size - MDA_HEADER_BYTES, LONGEST_TEXT_BYTES);
  if (offset < MDA_HEADER_BYTES || offset >= ring.size || size > longest)
    throw new DamageError('raw_locn', ring.offset + RAW_LOCATIONS_AT, `${offset}+${size}`, `within ${ring.size}`);
  return { offset, size, crc: ofText };
}

/** Throws DamageError. */
function committedGroup(ring: Ring, { offset, size, crc }: Pointer): VolumeGroup {
  const text = ring.text(offset, size);
  const found = rawCrc32(CRC_SEED, text);
  if (found !== crc) throw new DamageError('metadata text', ring.offset + offset, found, crc, 'EBADMSG');
  return parseVolumeGroup(latin1(text, 0, text.length), `metadata text at ${ring.offset + offset}`);
}

const BEGINNING = /^[A-Za-z0-9_+.-]{1,128} \{\nid = "([A-Za-z0-9!#-]{38})"\nseqno = (\d{1,10})\n/;
const BEGINNING_BYTES = 256;

/**
 * The newest whole text, newer than `known` and of the same group; of any group when nothing is known.
 * @param damagedAt a text that fails its checksum, and may look whole all the same.
 */
function newestInRing(ring: Ring, known: VolumeGroup | null, damagedAt: number | null): VolumeGroup | null {
  const bytes = ring.beginning();
  const candidates: { at: number; seqno: number }[] = [];
  for (let at = MDA_HEADER_BYTES; at < bytes.length; at += LVM_SECTOR_BYTES) {
    const head = latin1(bytes, at, Math.min(BEGINNING_BYTES, bytes.length - at));
    const [, id, digits] = BEGINNING.exec(head) ?? [];
    if (id === undefined || at === damagedAt || (known !== null && id !== known.id)) continue;
    const seqno = Number(digits);
    if (known === null || seqno > known.seqno) candidates.push({ at, seqno });
  }
  candidates.sort((left, right) => right.seqno - left.seqno);
  for (const { at } of candidates.slice(0, TEXTS_TRIED)) {
    const { value } = attempt(() => textInRing(ring, at));
    if (value !== null) return value;
  }
  return null;
}

/** Up to its NUL. Throws DamageError when it has none or is no text. */
function textInRing(ring: Ring, at: number): VolumeGroup {
  const bytes = ring.text(at, Math.min(ring.size - MDA_HEADER_BYTES, LONGEST_TEXT_BYTES));
  const end = bytes.indexOf(0);
  if (end < 0) throw new DamageError('metadata text', ring.offset + at, 'no end', 'a NUL');
  return parseVolumeGroup(latin1(bytes, 0, end), `metadata text at ${ring.offset + at}`);
}
