// What a VDI's block map gives away. Blocks are handed out in order and written before the map names them: in a map that lost
// nothing, the places are 0, 1, 2, ... up to the header's count, each once, in any order of the disk.

import type { ByteSource } from '../byte-source.ts';
import { Contradictions } from '../contradictions.ts';
import { hasData } from '../has-data.ts';
import { assertComparable, type Tell } from '../tell.ts';
import { BLOCK_ZERO } from './layout.ts';
import type { VdiHeader } from './open-vdi.ts';

const CHUNK_ENTRIES = 16 * 1024;

interface MapSeen {
  /** By place: 1 + the number of a block of the disk that names it; 0: none. */
  readonly owners: Uint32Array;
  readonly twice: Contradictions<{ readonly block: number; readonly other: number; readonly place: number }>;
  /** Entries that name a place within the file. */
  named: number;
}

/** Throws ReadError. */
export function surveyVdi(file: ByteSource, tables: ByteSource, header: VdiHeader): Tell[] {
  const seen = readMap(file, tables, header);
  return [...twice(seen, header), ...unnamed(file, seen, header), ...countTell(seen, header)];
}

function readMap(file: ByteSource, tables: ByteSource, header: VdiHeader): MapSeen {
  const stride = header.blockBytes + header.extraBytes;
  const places = Math.min(header.blocks, Math.max(0, Math.ceil((file.size - header.dataOffset) / stride)));
  assertComparable(file, places * 4);
  const seen: MapSeen = { owners: new Uint32Array(places), twice: new Contradictions(), named: 0 };
  const chunk = new Uint8Array(CHUNK_ENTRIES * 4);
  for (let first = 0; first < header.blocks; first += CHUNK_ENTRIES) {
    const count = Math.min(CHUNK_ENTRIES, header.blocks - first);
    tables.read(chunk.subarray(0, count * 4), header.mapOffset + first * 4);
    const entries = new DataView(chunk.buffer);
    for (let index = 0; index < count; index++) note(seen, first + index, entries.getUint32(index * 4, true));
  }
  return seen;
}

function note(seen: MapSeen, block: number, place: number): void {
  if (place >= BLOCK_ZERO) return;
  seen.named++;
  if (place >= seen.owners.length) return;
  const other = (seen.owners[place] as number) - 1;
  if (other >= 0) seen.twice.add({ block, other, place });
  else seen.owners[place] = block + 1;
}

function twice({ twice: found }: MapSeen, header: VdiHeader): Tell[] {
  if (found.first === null) return [];
  const { block, other, place } = found.first;
  return [
    {
      rule: 'vdi-block-twice',
      role: 'vdi-block-map',
      confidence: 'likely',
      at: header.mapOffset + block * 4,
      entries: found.count,
      disk: { offset: block * header.blockBytes, length: header.blockBytes },
      detail: `blocks ${other} and ${block} of the disk are said to lie in one place (${place})${found.andMore('pairs')}: a sector of the block map is of an older day`,
    },
  ];
}

/** Places in the file that hold data, below others that are named: their entries in the map were written, and are gone. */
function unnamed(file: ByteSource, { owners }: MapSeen, header: VdiHeader): Tell[] {
  const places = new Contradictions<number>();
  const stride = header.blockBytes + header.extraBytes;
  const last = Math.max(
    owners.findLastIndex(owner => owner > 0),
    Math.min(header.allocated, owners.length) - 1,
  );
  for (let place = 0; place <= last; place++) {
    if (owners[place] !== 0) continue;
    const at = header.dataOffset + place * stride + header.extraBytes;
    if (hasData(file, at, header.blockBytes)) places.add(place);
  }
  const { first, count } = places;
  if (first === null) return [];
  return [
    {
      rule: 'vdi-block-unnamed',
      role: 'vdi-block-map',
      confidence: 'likely',
      at: header.dataOffset + first * stride,
      entries: count,
      disk: null,
      detail: `${count} blocks in the file hold data, yet the block map names them nowhere (the first is ${first}): a sector of the map is of an older day, and parts of the disk show nothing instead of their data`,
    },
  ];
}

function countTell({ named }: MapSeen, header: VdiHeader): Tell[] {
  if (named === header.allocated) return [];
  const older =
    named > header.allocated ? 'the header' : 'the block map (or the header alone was written before a crash)';
  return [
    {
      rule: 'vdi-count-differs',
      role: named > header.allocated ? 'vdi-header' : 'vdi-block-map',
      confidence: named > header.allocated ? 'likely' : 'possible',
      at: 0x184,
      entries: Math.abs(named - header.allocated),
      disk: null,
      detail: `the header counts ${header.allocated} allocated blocks, the block map ${named}: ${older} is of an older day`,
    },
  ];
}
