// Hyper-V's VHDX: a table from blocks to places in the file, and a log of changes to tables. A log that was not written back is
// replayed in memory. Differencing images are refused.

import type { ByteSource } from '../byte-source.ts';
import { CachedBytes, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES } from '../cached-bytes.ts';
import type { OpenedContainer } from '../container.ts';
import { damage } from '../damage.ts';
import type { Fact } from '../fact.ts';
import { type DiskMap, MappedBytes, type Piece } from '../mapped-bytes.ts';
import { OverlayBytes } from '../overlay-bytes.ts';
import { TableEntries } from '../table-entries.ts';
import { type DiskShape, type Header, type Region, readHeaders, readRegions, readShape } from './header.ts';
import { BLOCK, MIB } from './layout.ts';
import { activeEntries, type LogEntry, readLog } from './log.ts';
import { surveyVhdx } from './survey-vhdx.ts';

const NO_LOG = '0'.repeat(32);
/** In a log that asks for more, zeros are no sectors but an attack: a table has few. */
const MAX_ZERO_RANGES = 1000;

/** Throws UnsupportedError, DamageError, ReadError. */
export function openVhdx(file: ByteSource): OpenedContainer {
  const headers = readHeaders(file);
  const replay = replayed(file, headers.current);
  const disk = replay.file;
  const regions = readRegions(disk);
  const shape = readShape(disk, regions);
  const tables = new CachedBytes(disk, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES);
  const map = new BlockTable(disk, tables, shape, regions.bat);
  return {
    bytes: new MappedBytes({ name: file.name, sizeBytes: shape.sizeBytes, map, data: disk }),
    facts: [...describe(shape), ...replay.facts],
    survey: () => surveyVhdx({ file, disk, headers, regions, shape, isReplayed: replay.entries > 0 }),
  };
}

interface Replay {
  readonly file: ByteSource;
  readonly facts: readonly Fact[];
  readonly entries: number;
}

function replayed(file: ByteSource, { logGuid, logOffset, logLength }: Header): Replay {
  const guid = Buffer.from(logGuid).toString('hex');
  if (guid === NO_LOG) return { file, facts: [], entries: 0 };
  const entries = activeEntries(readLog(file, { offset: logOffset, length: logLength }), guid);
  if (entries.length === 0) {
    const detail = 'was not closed by what last wrote it; its log holds nothing that was lost';
    return { file, facts: [{ name: 'vhdx-log-empty', detail }], entries: 0 };
  }
  const detail = `was not closed by what last wrote it: ${entries.length} entries of its log were replayed in memory`;
  return { file: overlaid(file, entries), facts: [{ name: 'vhdx-log-replayed', detail }], entries: entries.length };
}

function overlaid(file: ByteSource, entries: readonly LogEntry[]): ByteSource {
  const overlay = new OverlayBytes(file);
  let zeroRanges = 0;
  for (const { at, length, sector } of entries.flatMap(entry => entry.changes)) {
    if (sector !== null) overlay.put(at, sector);
    else if (++zeroRanges <= MAX_ZERO_RANGES) overlay.putZeros(at, length);
    else throw damage(file, 'VHDX log', at, 'more zero descriptors', `at most ${MAX_ZERO_RANGES}`);
  }
  return overlay;
}

class BlockTable implements DiskMap {
  readonly #file: ByteSource;
  readonly #shape: DiskShape;
  readonly #region: Region;
  readonly #entries: TableEntries;

  constructor(file: ByteSource, tables: ByteSource, shape: DiskShape, region: Region) {
    this.#file = file;
    this.#shape = shape;
    this.#region = region;
    this.#entries = new TableEntries(tables, 'VHDX block allocation table');
  }

  pieceAt(at: number): Piece {
    const { blockBytes, blocksPerBitmap } = this.#shape;
    const block = Math.floor(at / blockBytes);
    const within = at - block * blockBytes;
    const length = blockBytes - within;
    const entryAt = this.#region.offset + (block + Math.floor(block / blocksPerBitmap)) * 8;
    const { low, high } = this.#entries.u64le(entryAt);
    const state = low % 8;
    if (state <= BLOCK.unmapped) return { kind: 'zero', length, host: 0 };
    if (state !== BLOCK.present)
      throw damage(this.#file, 'VHDX block allocation table', entryAt, `state ${state}`, '0, 1, 2, 3 or 6');
    const place = placeOf(low, high);
    if (place >= MIB && place < this.#file.size) return { kind: 'data', length, host: place + within };
    throw damage(this.#file, 'VHDX block allocation table', entryAt, place, `${MIB} to ${this.#file.size}`);
  }
}

/** Bits 20 to 63: whole MiB. */
function placeOf(low: number, high: number): number {
  return high * 2 ** 32 + (low - (low % MIB));
}

function describe({ blockBytes, logicalSectorBytes, fixed }: DiskShape): Fact[] {
  return [
    { name: 'vhdx-type', detail: fixed ? 'fixed' : 'dynamic' },
    { name: 'vhdx-block-bytes', detail: String(blockBytes) },
    { name: 'vhdx-sector-bytes', detail: String(logicalSectorBytes) },
  ];
}
