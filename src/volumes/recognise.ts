// What lies in a volume, by magic numbers alone: enough to name it and to choose a reader, which then checks everything.

import type { ByteSource } from '../bytes/byte-source.ts';
import type { Fact } from '../bytes/fact.ts';
import { DamageError, ReadError } from '../errors.ts';
import { u16be, u16le, u32be, u32le } from '../struct/integers.ts';
import { latin1 } from '../struct/struct.ts';
import { formatUuid } from './uuid.ts';

export const VOLUME_KINDS = [
  'ext2',
  'ext3',
  'ext4',
  'ext-journal',
  'xfs',
  'btrfs',
  'squashfs',
  'ntfs',
  'exfat',
  'fat',
  'lvm2',
  'luks',
  'md',
  'zfs',
  'swap',
  'unknown',
] as const;
export type VolumeKind = (typeof VOLUME_KINDS)[number];

/** Kinds in which files lie, whether or not we can read them: directly, or in what they contain. */
const WITHOUT_FILES: readonly VolumeKind[] = ['ext-journal', 'swap', 'unknown'];

export interface Recognised {
  readonly kind: VolumeKind;
  readonly label: string;
  /** As blkid prints it; null where the kind has none. */
  readonly uuid: string | null;
  readonly holdsFiles: boolean;
  readonly facts: readonly Fact[];
}

interface Match {
  readonly kind: VolumeKind;
  readonly label?: string;
  readonly uuid?: string | null;
  readonly fact?: Fact;
  /** What it contains begins at the volume's start: then that is what the volume is. */
  readonly transparent?: boolean;
}

/** A signature looks at bytes through this: what lies beyond the volume's end is zero. */
type Peek = (at: number, length: number) => Uint8Array;
type Signature = (peek: Peek, size: number) => Match | null;

/** Throws nothing of its own: a head that cannot be read is a fact of an unknown volume. */
export function recognise(volume: ByteSource): Recognised {
  const facts: Fact[] = [];
  const peek = peekerOf(volume, facts);
  const matches = SIGNATURES.flatMap(signature => signature(peek, volume.size) ?? []);
  const match: Match = matches.find(({ transparent }) => transparent !== true) ?? matches[0] ?? { kind: 'unknown' };
  for (const { kind, fact } of matches) {
    if (fact !== undefined) facts.push(fact);
    if (kind !== match.kind) facts.push({ name: 'also-looks-like', detail: kind });
  }
  const { kind, label = '', uuid = null } = match;
  return { kind, label, uuid, holdsFiles: !WITHOUT_FILES.includes(kind), facts };
}

function peekerOf(volume: ByteSource, facts: Fact[]): Peek {
  return (at, length) => {
    const into = new Uint8Array(length);
    try {
      if (at >= 0) volume.read(into, at);
    } catch (error) {
      if (!(error instanceof ReadError || error instanceof DamageError)) throw error;
      const known = facts.some(({ detail }) => detail === error.message);
      if (!known) facts.push({ name: 'unreadable-signature', detail: error.message });
      into.fill(0);
    }
    return into;
  };
}

const hasText = (peek: Peek, at: number, text: string) => latin1(peek(at, text.length), 0, text.length) === text;

/** Text up to its first NUL; UTF-8. */
function textAt(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(bytes.subarray(at, at + length))
    .toString('utf8')
    .replace(/\0.*$/s, '');
}

// Containers come before what may still be lying under them from an earlier life of the disk.
const SIGNATURES: readonly Signature[] = [
  isLuks,
  isLvm2,
  isMd,
  isZfs,
  isXfs,
  isExt,
  isBtrfs,
  isNtfs,
  isExfat,
  isFat,
  isSquashfs,
  isSwap,
];

function isLuks(peek: Peek): Match | null {
  if (!hasText(peek, 0, 'LUKS\xba\xbe')) return null;
  const head = peek(0, 208);
  const label = u16be(head, 6) >= 2 ? textAt(head, 24, 48) : '';
  return { kind: 'luks', label, uuid: textAt(head, 168, 40) || null };
}

/** The label is in one of the first four sectors. */
function isLvm2(peek: Peek): Match | null {
  for (let sector = 0; sector < 4; sector++) {
    const label = peek(sector * 512, 512);
    if (latin1(label, 0, 8) !== 'LABELONE' || latin1(label, 24, 8) !== 'LVM2 001') continue;
    const at = Math.min(u32le(label, 20), 480);
    const id = textAt(label, at, 32);
    return {
      kind: 'lvm2',
      uuid: id.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7') || null,
    };
  }
  return null;
}

const MD_MAGIC = 0xa92b4efc;
const MD_MIRROR = 1;

/** Version 1.1 lies at the start, 1.2 at 4 KiB, 1.0 and 0.90 near the end: the legs of such a mirror read as what it contains. */
function isMd(peek: Peek, size: number): Match | null {
  const near = Math.floor(size / 512) - 16;
  const nearEnd = (near - (near % 8)) * 512;
  for (const at of [0, 4096, nearEnd]) {
    const head = peek(at, 128);
    if (u32le(head, 0) !== MD_MAGIC || u32le(head, 4) !== 1) continue;
    const uuid = formatUuid(head.subarray(16, 32));
    return { label: textAt(head, 32, 32), uuid, ...mdLevel(u32le(head, 72), at === nearEnd) };
  }
  const old = peek(Math.floor(size / 65536) * 65536 - 65536, 128);
  if (u32le(old, 0) !== MD_MAGIC || u32le(old, 4) !== 0) return null;
  return mdLevel(u32le(old, 28), true);
}

function mdLevel(level: number, atEnd: boolean): Match {
  const fact = { name: 'md-level', detail: String(level | 0) };
  return { kind: 'md', fact, transparent: atEnd && level === MD_MIRROR };
}

/** Uberblocks fill the second half of each label: their slots are 1 KiB, or as large as the pool's sectors. */
function isZfs(peek: Peek): Match | null {
  const ring = peek(128 * 1024, 128 * 1024);
  let uberblocks = 0;
  for (let at = 0; at < ring.length; at += 1024) {
    const little = u32le(ring, at) === 0x00bab10c && u32le(ring, at + 4) === 0;
    const big = u32be(ring, at + 4) === 0x00bab10c && u32be(ring, at) === 0;
    if (little || big) uberblocks++;
  }
  return uberblocks >= 4 ? { kind: 'zfs' } : null;
}

function isXfs(peek: Peek): Match | null {
  if (!hasText(peek, 0, 'XFSB')) return null;
  const superblock = peek(0, 128);
  return { kind: 'xfs', label: textAt(superblock, 108, 12), uuid: formatUuid(superblock.subarray(32, 48)) };
}

const EXT_MAGIC = 0xef53;
const EXT_COMPAT_HAS_JOURNAL = 0x4;
const EXT_INCOMPAT_JOURNAL_DEV = 0x8;
/** FILETYPE, RECOVER, META_BG; SPARSE_SUPER, LARGE_FILE, BTREE_DIR: all that ext3 knows. Anything else makes it ext4. */
const EXT3_INCOMPAT = 0x16;
const EXT3_RO_COMPAT = 0x7;
/** Where group 1 has its copy of the superblock, for blocks of 1, 2 and 4 KiB and groups of the usual size. */
const EXT_BACKUPS = [8193 * 1024, 16384 * 2048, 32768 * 4096];

function isExt(peek: Peek): Match | null {
  const primary = peek(1024, 264);
  if (u16le(primary, 0x38) === EXT_MAGIC) return describeExt(primary);
  for (const at of EXT_BACKUPS) {
    const backup = peek(at, 264);
    if (u16le(backup, 0x38) !== EXT_MAGIC || u16le(backup, 0x5a) !== 1) continue;
    const fact = { name: 'ext-superblock-lost', detail: `only the copy at ${at} can be recognised` };
    return { ...describeExt(backup), fact };
  }
  return null;
}

function describeExt(superblock: Uint8Array): Match {
  const [compat, incompat, roCompat] = [0x5c, 0x60, 0x64].map(at => u32le(superblock, at)) as [number, number, number];
  const journal = (compat & EXT_COMPAT_HAS_JOURNAL) !== 0;
  const newer = (incompat & ~EXT3_INCOMPAT) !== 0 || (roCompat & ~EXT3_RO_COMPAT) !== 0;
  const external = (incompat & EXT_INCOMPAT_JOURNAL_DEV) !== 0;
  const kind = external ? 'ext-journal' : newer ? 'ext4' : journal ? 'ext3' : 'ext2';
  return { kind, label: textAt(superblock, 0x78, 16), uuid: formatUuid(superblock.subarray(0x68, 0x78)) };
}

function isBtrfs(peek: Peek): Match | null {
  if (!hasText(peek, 0x10040, '_BHRfS_M')) return null;
  const superblock = peek(0x10000, 1024);
  return { kind: 'btrfs', label: textAt(superblock, 0x12b, 256), uuid: formatUuid(superblock.subarray(0x20, 0x30)) };
}

function isNtfs(peek: Peek): Match | null {
  if (!hasText(peek, 3, 'NTFS    ')) return null;
  const serial = Buffer.from(peek(72, 8)).reverse().toString('hex').toUpperCase();
  return { kind: 'ntfs', uuid: serial };
}

function isExfat(peek: Peek): Match | null {
  return hasText(peek, 3, 'EXFAT   ') ? { kind: 'exfat', uuid: serialText(u32le(peek(100, 4), 0)) } : null;
}

function isFat(peek: Peek): Match | null {
  const boot = peek(0, 512);
  if (u16le(boot, 510) !== 0xaa55) return null;
  const wide = latin1(boot, 82, 5) === 'FAT32';
  if (!wide && latin1(boot, 54, 4) !== 'FAT1') return null;
  const at = wide ? 67 : 39;
  const label = latin1(boot, at + 4, 11).trimEnd();
  return { kind: 'fat', label: label === 'NO NAME' ? '' : label, uuid: serialText(u32le(boot, at)) };
}

function serialText(serial: number): string {
  const hex = serial.toString(16).toUpperCase().padStart(8, '0');
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}

function isSquashfs(peek: Peek): Match | null {
  return hasText(peek, 0, 'hsqs') && u16le(peek(28, 2), 0) === 4 ? { kind: 'squashfs' } : null;
}

/** At the end of the first page, whatever a page was on the machine that made it. */
function isSwap(peek: Peek): Match | null {
  for (const page of [4096, 8192, 16384, 65536]) {
    if (!hasText(peek, page - 10, 'SWAPSPACE2') && !hasText(peek, page - 10, 'SWAP-SPACE')) continue;
    const head = peek(1024, 44);
    return { kind: 'swap', label: textAt(head, 28, 16), uuid: formatUuid(head.subarray(12, 28)) };
  }
  return null;
}
