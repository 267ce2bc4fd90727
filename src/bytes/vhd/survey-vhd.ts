// What a dynamic VHD gives away. Its footer stands at the start and at the end and is the same; each new block goes where the footer
// was, which moves behind it, and then the table names it: so blocks follow each other without gaps.

import type { ByteSource } from '../byte-source.ts';
import { Contradictions } from '../contradictions.ts';
import { hasData } from '../has-data.ts';
import { assertComparable, type Tell } from '../tell.ts';
import type { DynamicHeader, VhdHeader } from './header.ts';
import { BLOCK_UNALLOCATED, dynamicHeader, SECTOR_BYTES, vhdFooter } from './layout.ts';

/** A block of the disk and the offset in the file that the table gives for it. */
interface Named {
  readonly block: number;
  readonly place: number;
}

/** Throws UnsupportedError when the table is too large, ReadError. */
export function surveyVhd(file: ByteSource, tables: ByteSource, header: VhdHeader, dynamic: DynamicHeader): Tell[] {
  const named = readTable(tables, file, dynamic);
  return [...footers(file, header), ...overlaps(named, dynamic), ...unnamed(file, named, dynamic)];
}

/** In the order of places; those beyond the end of the file are damage, which reading tells. */
function readTable(tables: ByteSource, file: ByteSource, { entries, tableOffset }: DynamicHeader): Named[] {
  assertComparable(file, entries * 16);
  const table = new Uint8Array(entries * 4);
  tables.read(table, tableOffset);
  const view = new DataView(table.buffer);
  const named: Named[] = [];
  for (let block = 0; block < entries; block++) {
    const sector = view.getUint32(block * 4);
    const place = sector * SECTOR_BYTES;
    if (sector !== BLOCK_UNALLOCATED && place < file.size) named.push({ block, place });
  }
  return named.sort((left, right) => left.place - right.place || left.block - right.block);
}

function footers(file: ByteSource, { first, last }: VhdHeader): Tell[] {
  const at = file.size - SECTOR_BYTES;
  const common = { confidence: 'likely', at, entries: 1, disk: null } as const;
  if (last === null) {
    const detail = 'the last sector is no valid footer, though a copy stands at the start: its last write is lost';
    return [{ ...common, rule: 'vhd-footer-lost', role: 'vhd-footer', detail }];
  }
  if (first === null) {
    const detail = 'the first sector is no valid copy of the footer at the end: it is of an older day, or overwritten';
    return [{ ...common, at: 0, rule: 'vhd-footer-lost', role: 'vhd-footer', detail }];
  }
  const differing = Object.entries(vhdFooter.fields)
    .filter(([, { offset, length }]) => !sameBytes(first.bytes, last.bytes, offset, length))
    .map(([name]) => name);
  if (sameBytes(first.bytes, last.bytes, 0, SECTOR_BYTES)) return [];
  const where = differing.filter(name => name !== 'checksum').join(', ') || 'reserved bytes';
  const detail = `the footer and its copy at the start differ (${where}): one of them is of an older day`;
  return [{ ...common, rule: 'vhd-footers-differ', role: 'vhd-footer', detail }];
}

function sameBytes(left: Uint8Array, right: Uint8Array, at: number, length: number): boolean {
  return Buffer.compare(left.subarray(at, at + length), right.subarray(at, at + length)) === 0;
}

function overlaps(named: readonly Named[], { blockBytes, bitmapBytes, tableOffset }: DynamicHeader): Tell[] {
  const pairs = new Contradictions<readonly [Named, Named]>();
  for (const [index, each] of named.entries()) {
    const before = named[index - 1];
    if (before !== undefined && before.place + bitmapBytes + blockBytes > each.place) pairs.add([before, each]);
  }
  if (pairs.first === null) return [];
  const [left, right] = pairs.first;
  return [
    {
      rule: 'vhd-block-twice',
      role: 'vhd-block-table',
      confidence: 'likely',
      at: tableOffset + right.block * 4,
      entries: pairs.count,
      disk: { offset: right.block * blockBytes, length: blockBytes },
      detail: `blocks ${left.block} and ${right.block} of the disk are said to share bytes of the file${pairs.andMore('pairs')}: a sector of the block table is of an older day`,
    },
  ];
}

/** Room for whole blocks between those that are named, which holds data. */
function unnamed(file: ByteSource, named: readonly Named[], dynamic: DynamicHeader): Tell[] {
  const unit = dynamic.bitmapBytes + dynamic.blockBytes;
  const places = new Contradictions<number>();
  let at = firstPlace(dynamic);
  for (const { place } of [...named, { place: file.size - SECTOR_BYTES }]) {
    for (; at + unit <= place; at += unit) {
      if (hasData(file, at + dynamic.bitmapBytes, dynamic.blockBytes)) places.add(at);
    }
    at = Math.max(at, place + unit);
  }
  const { first, count } = places;
  if (first === null) return [];
  return [
    {
      rule: 'vhd-block-unnamed',
      role: 'vhd-block-table',
      confidence: 'likely',
      at: first,
      entries: count,
      disk: null,
      detail: `${count} blocks in the file hold data, yet the block table names them nowhere (the first is at ${first}): a sector of the table is of an older day, and parts of the disk show zeros instead of their data`,
    },
  ];
}

/** Behind the copy of the footer, the header and the table. */
function firstPlace({ tableOffset, entries }: DynamicHeader): number {
  const tableEnd = tableOffset + Math.ceil((entries * 4) / SECTOR_BYTES) * SECTOR_BYTES;
  return Math.max(SECTOR_BYTES + dynamicHeader.size, tableEnd);
}
