// VirtualBox's VDI: a header, and one map from each block of the disk to its place in the file. Differencing images are refused.

import { UnsupportedError } from '../../errors.ts';
import type { StructOf } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { CachedBytes, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES } from '../cached-bytes.ts';
import type { OpenedContainer } from '../container.ts';
import { checkField, damage, damageIn } from '../damage.ts';
import type { Fact } from '../fact.ts';
import { type DiskMap, MappedBytes, type Piece } from '../mapped-bytes.ts';
import { readStruct } from '../read-exactly.ts';
import { TableEntries } from '../table-entries.ts';
import { BLOCK_UNALLOCATED, BLOCK_ZERO, IMAGE_TYPES, MAX_BLOCK_BYTES, VDI_VERSION, vdiHeader } from './layout.ts';
import { surveyVdi } from './survey-vdi.ts';

export interface VdiHeader {
  readonly sizeBytes: number;
  readonly blockBytes: number;
  /** Bytes before the data of each block. */
  readonly extraBytes: number;
  readonly blocks: number;
  readonly allocated: number;
  readonly mapOffset: number;
  readonly dataOffset: number;
  readonly type: 'dynamic' | 'static';
}

/** Throws UnsupportedError, DamageError, ReadError. */
export function openVdi(file: ByteSource): OpenedContainer {
  const header = readHeader(file);
  const tables = new CachedBytes(file, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES);
  const map = new BlockMap(file, tables, header);
  return {
    bytes: new MappedBytes({ name: file.name, sizeBytes: header.sizeBytes, map, data: file }),
    facts: describe(header),
    survey: () => surveyVdi(file, tables, header),
  };
}

function readHeader(file: ByteSource): VdiHeader {
  const fixed = readStruct(file, vdiHeader, 0);
  refuse(file, fixed);
  const { diskBytes, blockBytes, blocksInImage, blockMapOffset, dataOffset } = fixed;
  const type = fixed.imageType === 1 ? 'dynamic' : 'static';
  checkField(file, vdiHeader, 'blockBytes', blockBytes, [512, MAX_BLOCK_BYTES]);
  if (blockBytes % 512 !== 0) throw damageIn(file, vdiHeader, 'blockBytes', blockBytes, 'a multiple of 512');
  checkField(file, vdiHeader, 'blockExtraBytes', fixed.blockExtraBytes, [0, MAX_BLOCK_BYTES]);
  checkField(file, vdiHeader, 'blocksInImage', blocksInImage, [Math.ceil(diskBytes / blockBytes), 2 ** 32 - 3]);
  checkField(file, vdiHeader, 'blockMapOffset', blockMapOffset, [vdiHeader.size, file.size - blocksInImage * 4]);
  checkField(file, vdiHeader, 'dataOffset', dataOffset, [blockMapOffset + blocksInImage * 4, Number.MAX_SAFE_INTEGER]);
  return {
    sizeBytes: diskBytes,
    blockBytes,
    extraBytes: fixed.blockExtraBytes,
    blocks: blocksInImage,
    allocated: fixed.blocksAllocated,
    mapOffset: blockMapOffset,
    dataOffset,
    type,
  };
}

function refuse(file: ByteSource, fixed: StructOf<typeof vdiHeader>): void {
  const { version, imageType, sectorBytes } = fixed;
  if (version !== VDI_VERSION) {
    throw new UnsupportedError(`${file.name}: VDI version ${version >>> 16}.${version & 0xffff} is not supported`);
  }
  const kind = IMAGE_TYPES[imageType];
  if (kind === undefined) throw damageIn(file, vdiHeader, 'imageType', imageType, '1 to 4');
  if (imageType > 2) throw new UnsupportedError(`${file.name}: ${kind} VDI images are not supported`);
  checkField(file, vdiHeader, 'sectorBytes', sectorBytes, [512, 512]);
  if (fixed.uuidParent.every(byte => byte === 0) && fixed.uuidLink.every(byte => byte === 0)) return;
  throw new UnsupportedError(`${file.name}: VDI images with a parent are not supported`);
}

/** Offset of a block's data in the file. */
function blockPlace(header: VdiHeader, index: number): number {
  return header.dataOffset + index * (header.blockBytes + header.extraBytes) + header.extraBytes;
}

class BlockMap implements DiskMap {
  readonly #file: ByteSource;
  readonly #header: VdiHeader;
  readonly #entries: TableEntries;

  constructor(file: ByteSource, tables: ByteSource, header: VdiHeader) {
    this.#file = file;
    this.#header = header;
    this.#entries = new TableEntries(tables, 'VDI block map');
  }

  pieceAt(at: number): Piece {
    const { blockBytes, mapOffset } = this.#header;
    const block = Math.floor(at / blockBytes);
    const within = at - block * blockBytes;
    const length = blockBytes - within;
    const entryAt = mapOffset + block * 4;
    const index = this.#entries.u32le(entryAt);
    if (index === BLOCK_UNALLOCATED || index === BLOCK_ZERO) return { kind: 'zero', length, host: 0 };
    const place = blockPlace(this.#header, index);
    if (place < this.#file.size) return { kind: 'data', length, host: place + within };
    throw damage(this.#file, 'VDI block map', entryAt, index, 'a block within the file');
  }
}

function describe(header: VdiHeader): Fact[] {
  return [
    { name: 'vdi-type', detail: header.type },
    { name: 'vdi-block-bytes', detail: String(header.blockBytes) },
    { name: 'vdi-blocks', detail: `${header.allocated} of ${header.blocks} allocated, says the header` },
  ];
}
