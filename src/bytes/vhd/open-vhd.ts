// Connectix' and Microsoft's VHD: fixed (the disk and a footer), or dynamic (a table from blocks to sectors). Differencing disks are
// refused.

import { latin1 } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { CachedBytes, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES } from '../cached-bytes.ts';
import type { OpenedContainer } from '../container.ts';
import { damage } from '../damage.ts';
import type { Fact } from '../fact.ts';
import { type DiskMap, MappedBytes, type Piece } from '../mapped-bytes.ts';
import { slice } from '../slice.ts';
import { TableEntries } from '../table-entries.ts';
import { type DynamicHeader, readHeader, type VhdHeader } from './header.ts';
import { BLOCK_UNALLOCATED, SECTOR_BYTES, VHD_MAGIC } from './layout.ts';
import { surveyVhd } from './survey-vhd.ts';

/** Whether the last sector is a VHD's footer: a fixed disk has nothing else to be known by. */
export function endsLikeVhd(file: ByteSource): boolean {
  const cookie = new Uint8Array(VHD_MAGIC.length);
  if (file.size < SECTOR_BYTES) return false;
  file.read(cookie, file.size - SECTOR_BYTES);
  return latin1(cookie, 0, cookie.length) === VHD_MAGIC;
}

/** Throws UnsupportedError, DamageError, ReadError. */
export function openVhd(file: ByteSource): OpenedContainer {
  const header = readHeader(file);
  const facts = describe(header);
  const { dynamic, sizeBytes } = header;
  if (dynamic === null) return { bytes: slice(file, 0, sizeBytes, file.name), facts, survey: () => [] };
  const tables = new CachedBytes(file, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES);
  const map = new BlockTable(file, tables, dynamic);
  return {
    bytes: new MappedBytes({ name: file.name, sizeBytes, map, data: file }),
    facts,
    survey: () => surveyVhd(file, tables, header, dynamic),
  };
}

class BlockTable implements DiskMap {
  readonly #file: ByteSource;
  readonly #header: DynamicHeader;
  readonly #entries: TableEntries;

  constructor(file: ByteSource, tables: ByteSource, header: DynamicHeader) {
    this.#file = file;
    this.#header = header;
    this.#entries = new TableEntries(tables, 'VHD block table');
  }

  /** The bitmap before a block says which sectors were written; the others are zeros, as QEMU and Hyper-V leave them. */
  pieceAt(at: number): Piece {
    const { blockBytes, bitmapBytes, tableOffset, entries } = this.#header;
    const block = Math.floor(at / blockBytes);
    const within = at - block * blockBytes;
    const length = blockBytes - within;
    if (block >= entries) return { kind: 'zero', length, host: 0 };
    const entryAt = tableOffset + block * 4;
    const sector = this.#entries.u32be(entryAt);
    if (sector === BLOCK_UNALLOCATED) return { kind: 'zero', length, host: 0 };
    const place = sector * SECTOR_BYTES + bitmapBytes;
    if (sector > 0 && place < this.#file.size) return { kind: 'data', length, host: place + within };
    throw damage(this.#file, 'VHD block table', entryAt, sector, 'a sector within the file');
  }
}

function describe({ dynamic, sizeBytes, creator, geometryBytes, first, last }: VhdHeader): Fact[] {
  const facts: (Fact & { readonly applies: boolean })[] = [
    { applies: true, name: 'vhd-type', detail: dynamic === null ? 'fixed' : 'dynamic' },
    { applies: true, name: 'vhd-creator', detail: creator },
    { applies: dynamic !== null, name: 'vhd-block-bytes', detail: String(dynamic?.blockBytes) },
    {
      applies: geometryBytes < sizeBytes,
      name: 'vhd-geometry',
      detail: `cylinders, heads and sectors make ${geometryBytes} bytes of ${sizeBytes}: Virtual PC shows only those`,
    },
    {
      applies: dynamic !== null && first === null,
      name: 'vhd-first-footer-broken',
      detail: 'the last sector was used',
    },
    { applies: last?.savedState === 1, name: 'vhd-saved-state', detail: 'a suspended machine goes with the disk' },
  ];
  return facts.filter(({ applies }) => applies).map(({ name, detail }) => ({ name, detail }));
}
