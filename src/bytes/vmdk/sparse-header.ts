// What the header of a sparse extent says, checked; of a stream that was written in one go, what its footer says.

import { UnsupportedError } from '../../errors.ts';
import type { StructOf } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { checkField, damageIn } from '../damage.ts';
import { readExactly, readStruct } from '../read-exactly.ts';
import {
  COMPRESSION_DEFLATE,
  DIRECTORY_IN_FOOTER,
  FLAG,
  FOOTER_FROM_END,
  LINE_ENDS,
  MAX_DESCRIPTOR_BYTES,
  MAX_GRAIN_BYTES,
  MAX_TABLE_ENTRIES,
  SECTOR_BYTES,
  sparseHeader,
  VMDK_MAGIC,
} from './layout.ts';

export interface SparseHeader {
  readonly sizeBytes: number;
  readonly grainBytes: number;
  readonly entriesPerTable: number;
  readonly directoryEntries: number;
  /** Offset of the grain directory. */
  readonly directory: number;
  /** That of its copy; null: there is none. */
  readonly redundantDirectory: number | null;
  readonly compressed: boolean;
  readonly markers: boolean;
  readonly zeroGrains: boolean;
  readonly unclean: boolean;
  readonly descriptor: { readonly offset: number; readonly length: number } | null;
}

type Fixed = StructOf<typeof sparseHeader>;

/** Throws UnsupportedError, DamageError, ReadError. */
export function readSparseHeader(file: ByteSource): SparseHeader {
  const head = readStruct(file, sparseHeader, 0);
  const inFooter = head.directory === DIRECTORY_IN_FOOTER;
  const footerAt = file.size - FOOTER_FROM_END;
  if (inFooter && footerAt < 0)
    throw damageIn(file, sparseHeader, 'directory', 'in the footer', 'a file with a footer');
  const fixed = inFooter ? readStruct(file, sparseHeader, footerAt) : head;
  if (fixed.magic !== VMDK_MAGIC) throw damageIn(file, sparseHeader, 'magic', 'another', VMDK_MAGIC, fixed.origin);
  refuse(file, fixed);
  return assemble(file, fixed, descriptorPlace(file, head));
}

function refuse(file: ByteSource, fixed: Fixed): void {
  const { version, flags, compression, lineEnds } = fixed;
  if (version < 1 || version > 3) throw new UnsupportedError(`${file.name}: VMDK version ${version} is not supported`);
  if (!LINE_ENDS.every((byte, index) => lineEnds[index] === byte)) {
    const found = Buffer.from(lineEnds).toString('hex');
    throw damageIn(
      file,
      sparseHeader,
      'lineEnds',
      found,
      '0a200d0a (a text-mode copy changed line ends)',
      fixed.origin,
    );
  }
  if (!has(flags, FLAG.compressed) || compression === COMPRESSION_DEFLATE) return;
  throw new UnsupportedError(`${file.name}: VMDK compression ${compression} is not supported`);
}

function assemble(file: ByteSource, fixed: Fixed, descriptor: SparseHeader['descriptor']): SparseHeader {
  const { capacity, grainSectors, entriesPerTable, flags, redundantDirectory, origin } = fixed;
  const most = MAX_GRAIN_BYTES / SECTOR_BYTES;
  checkField(file, sparseHeader, 'grainSectors', grainSectors, [1, most], origin);
  if (!Number.isInteger(Math.log2(grainSectors)))
    throw damageIn(file, sparseHeader, 'grainSectors', grainSectors, 'a power of two', origin);
  checkField(file, sparseHeader, 'entriesPerTable', entriesPerTable, [1, MAX_TABLE_ENTRIES], origin);
  checkField(file, sparseHeader, 'capacity', capacity, [0, Number.MAX_SAFE_INTEGER / SECTOR_BYTES], origin);
  const directoryEntries = Math.ceil(capacity / (grainSectors * entriesPerTable));
  const directory = Number(fixed.directory) * SECTOR_BYTES;
  const end = file.size - directoryEntries * 4;
  if (!(directory >= SECTOR_BYTES && directory <= end))
    throw damageIn(
      file,
      sparseHeader,
      'directory',
      fixed.directory,
      `a sector up to ${Math.floor(end / SECTOR_BYTES)}`,
      origin,
    );
  const redundant = has(flags, FLAG.redundantTables) && redundantDirectory > 0 && fixed.at === 0;
  if (redundant)
    checkField(file, sparseHeader, 'redundantDirectory', redundantDirectory, [1, end / SECTOR_BYTES], origin);
  return {
    sizeBytes: capacity * SECTOR_BYTES,
    grainBytes: grainSectors * SECTOR_BYTES,
    entriesPerTable,
    directoryEntries,
    directory,
    redundantDirectory: redundant ? redundantDirectory * SECTOR_BYTES : null,
    compressed: has(flags, FLAG.compressed),
    markers: has(flags, FLAG.markers),
    zeroGrains: has(flags, FLAG.zeroGrains),
    unclean: fixed.uncleanShutdown !== 0,
    descriptor,
  };
}

function descriptorPlace(file: ByteSource, { descriptorOffset, descriptorSectors }: Fixed): SparseHeader['descriptor'] {
  if (descriptorOffset === 0 || descriptorSectors === 0) return null;
  checkField(file, sparseHeader, 'descriptorSectors', descriptorSectors, [1, MAX_DESCRIPTOR_BYTES / SECTOR_BYTES]);
  const length = descriptorSectors * SECTOR_BYTES;
  const most = Math.floor((file.size - length) / SECTOR_BYTES);
  checkField(file, sparseHeader, 'descriptorOffset', descriptorOffset, [1, most]);
  return { offset: descriptorOffset * SECTOR_BYTES, length };
}

/** The text inside a sparse extent; null where there is none: extents of a split disk keep room for one, full of zeros. */
export function readEmbedded(file: ByteSource, { descriptor }: SparseHeader): { bytes: Uint8Array; at: number } | null {
  if (descriptor === null) return null;
  const { offset, length } = descriptor;
  const bytes = readExactly(file, offset, length, 'VMDK descriptor');
  return bytes[0] === 0 ? null : { bytes, at: offset };
}

function has(flags: number, bit: number): boolean {
  return Math.floor(flags / 2 ** bit) % 2 === 1;
}
