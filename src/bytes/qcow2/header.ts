// What a qcow2 header and its extensions say, checked: nothing here is used before it was compared with the file.

import { UnsupportedError } from '../../errors.ts';
import { type Fields, latin1, type Struct, type StructOf } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { checkField, damage } from '../damage.ts';
import { readExactly } from '../read-exactly.ts';
import {
  AUTOCLEAR,
  COMPATIBLE,
  COMPRESSION_TYPES,
  CRYPT_METHODS,
  EXTENSION,
  FEATURE_KIND_INCOMPATIBLE,
  featureName,
  headerExtension,
  INCOMPATIBLE,
  MAX_BACKING_NAME_BYTES,
  MAX_CLUSTER_BITS,
  MAX_L1_BYTES,
  MAX_REFCOUNT_ORDER,
  MAX_REFCOUNT_TABLE_BYTES,
  MAX_SNAPSHOTS,
  MIN_CLUSTER_BITS,
  MIN_EXTENDED_CLUSTER_BITS,
  QCOW2_MAGIC,
  qcow2Header,
  qcow2HeaderCompression,
  qcow2HeaderV3,
  V2_REFCOUNT_ORDER,
} from './layout.ts';

export interface Qcow2Header {
  readonly version: number;
  readonly clusterBytes: number;
  readonly clusterBits: number;
  /** What the guest sees. */
  readonly sizeBytes: number;
  readonly l1: TablePlace;
  readonly refcountTable: { readonly offset: number; readonly clusters: number };
  readonly snapshots: { readonly offset: number; readonly count: number };
  readonly backing: { readonly name: string; readonly format: string | null } | null;
  readonly dataFile: { readonly name: string | null; readonly raw: boolean } | null;
  readonly compression: (typeof COMPRESSION_TYPES)[number];
  readonly extendedL2: boolean;
  readonly dirty: boolean;
  readonly corrupt: boolean;
  readonly lazyRefcounts: boolean;
  /** Width of a cluster's counter. */
  readonly refcountBits: number;
  /** It keeps dirty bitmaps, in clusters of their own. */
  readonly bitmaps: boolean;
}

/** An L1 table: `entries` of eight bytes at `offset`. */
export interface TablePlace {
  readonly offset: number;
  readonly entries: number;
}

type Fixed = StructOf<typeof qcow2Header>;
interface Features {
  readonly incompatible: bigint;
  readonly compatible: bigint;
  readonly autoclear: bigint;
}

const NO_FEATURES: Features = { incompatible: 0n, compatible: 0n, autoclear: 0n };
const KNOWN_INCOMPATIBLE = Object.values(INCOMPATIBLE).reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);

/** Whether the source begins like a qcow2 image. */
export function isQcow2(file: ByteSource): boolean {
  const magic = new Uint8Array(4);
  return file.read(magic, 0) === 4 && Buffer.from(magic).readUInt32BE() === QCOW2_MAGIC;
}

/** Throws DamageError, UnsupportedError (version, encryption, unknown feature), ReadError. */
export function readHeader(file: ByteSource): Qcow2Header {
  const fixed = qcow2Header.at(readExactly(file, 0, qcow2Header.size, qcow2Header.name));
  if (fixed.version !== 2 && fixed.version !== 3) {
    throw new UnsupportedError(`${file.name}: qcow version ${fixed.version} is not supported`);
  }
  checkField(file, qcow2Header, 'clusterBits', fixed.clusterBits, [MIN_CLUSTER_BITS, MAX_CLUSTER_BITS]);
  const clusterBytes = 2 ** fixed.clusterBits;
  const head = readExactly(file, 0, Math.min(clusterBytes, file.size), qcow2Header.name);
  return assemble(file, fixed, head, clusterBytes);
}

function assemble(file: ByteSource, fixed: Fixed, head: Uint8Array, clusterBytes: number): Qcow2Header {
  const { features, headerBytes, compressionType, refcountOrder } = readVersion3(file, fixed, head);
  const extensions = readExtensions(file, fixed, head, headerBytes);
  refuseUnknown(file, features, extensions);
  refuseEncryption(file, fixed);
  const has = (set: bigint, bit: number) => ((set >> BigInt(bit)) & 1n) === 1n;
  const header: Qcow2Header = {
    version: fixed.version,
    clusterBytes,
    clusterBits: fixed.clusterBits,
    sizeBytes: fixed.sizeBytes,
    l1: { offset: fixed.l1Offset, entries: fixed.l1Size },
    refcountTable: { offset: fixed.refcountTableOffset, clusters: fixed.refcountTableClusters },
    snapshots: { offset: fixed.snapshotsOffset, count: fixed.snapshotCount },
    backing: readBacking(file, fixed, head, extensions),
    dataFile: has(features.incompatible, INCOMPATIBLE.externalDataFile)
      ? {
          name: extensions.get(EXTENSION.dataFileName) ?? null,
          raw: has(features.autoclear, AUTOCLEAR.rawExternalData),
        }
      : null,
    compression: compressionOf(file, has(features.incompatible, INCOMPATIBLE.compressionType), compressionType),
    extendedL2: has(features.incompatible, INCOMPATIBLE.extendedL2),
    dirty: has(features.incompatible, INCOMPATIBLE.dirty),
    corrupt: has(features.incompatible, INCOMPATIBLE.corrupt),
    lazyRefcounts: has(features.compatible, COMPATIBLE.lazyRefcounts),
    refcountBits: 2 ** refcountOrder,
    bitmaps: extensions.has(EXTENSION.bitmaps),
  };
  checkPlaces(file, header);
  return header;
}

function readVersion3(file: ByteSource, fixed: Fixed, head: Uint8Array) {
  if (fixed.version === 2)
    return {
      features: NO_FEATURES,
      headerBytes: qcow2Header.size,
      compressionType: 0,
      refcountOrder: V2_REFCOUNT_ORDER,
    };
  const view = qcow2HeaderV3.at(head);
  checkField(file, qcow2HeaderV3, 'headerLength', view.headerLength, [qcow2HeaderV3.size, head.length]);
  checkField(file, qcow2HeaderV3, 'refcountOrder', view.refcountOrder, [0, MAX_REFCOUNT_ORDER]);
  const hasType = view.headerLength >= qcow2HeaderCompression.size;
  return {
    features: {
      incompatible: view.incompatibleFeatures,
      compatible: view.compatibleFeatures,
      autoclear: view.autoclearFeatures,
    },
    headerBytes: view.headerLength,
    refcountOrder: view.refcountOrder,
    compressionType: hasType ? qcow2HeaderCompression.at(head).compressionType : 0,
  };
}

/** The content of each extension as latin1, by type. They end with type 0, or where the backing file's name begins. */
function readExtensions(file: ByteSource, fixed: Fixed, head: Uint8Array, start: number): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const end = fixed.backingFileOffset === 0 ? head.length : Math.min(head.length, fixed.backingFileOffset);
  for (let at = start; at + headerExtension.size <= end; ) {
    const extension = headerExtension.at(head, at);
    if (extension.type === EXTENSION.end) break;
    const content = at + headerExtension.size;
    checkField(file, headerExtension, 'length', extension.length, [0, end - content], at);
    found.set(extension.type, latin1(head, content, extension.length));
    at = content + Math.ceil(extension.length / 8) * 8;
  }
  return found;
}

function refuseUnknown(file: ByteSource, features: Features, extensions: ReadonlyMap<number, string>): void {
  const unknown = features.incompatible & ~KNOWN_INCOMPATIBLE;
  if (unknown === 0n) return;
  const table = Buffer.from(extensions.get(EXTENSION.featureNames) ?? '', 'latin1');
  const names = Array.from({ length: 64 }, (_, bit) => bit)
    .filter(bit => ((unknown >> BigInt(bit)) & 1n) === 1n)
    .map(bit => nameOfFeature(table, bit) ?? `bit ${bit}`);
  throw new UnsupportedError(`${file.name}: needs qcow2 features that are not supported: ${names.join(', ')}`);
}

function nameOfFeature(table: Uint8Array, bit: number): string | null {
  for (let at = 0; at + featureName.size <= table.length; at += featureName.size) {
    const entry = featureName.at(table, at);
    if (entry.kind === FEATURE_KIND_INCOMPATIBLE && entry.bit === bit) return entry.name;
  }
  return null;
}

function refuseEncryption(file: ByteSource, fixed: Fixed): void {
  if (fixed.cryptMethod === 0) return;
  const method = CRYPT_METHODS[fixed.cryptMethod] ?? `method ${fixed.cryptMethod}`;
  throw new UnsupportedError(`${file.name}: the image is encrypted (${method})`);
}

function readBacking(
  file: ByteSource,
  fixed: Fixed,
  head: Uint8Array,
  extensions: ReadonlyMap<number, string>,
): Qcow2Header['backing'] {
  const { backingFileOffset: offset, backingFileLength: length } = fixed;
  if (offset === 0) return null;
  checkField(file, qcow2Header, 'backingFileLength', length, [1, MAX_BACKING_NAME_BYTES]);
  checkField(file, qcow2Header, 'backingFileOffset', offset, [qcow2Header.size, head.length - length]);
  const name = Buffer.from(latin1(head, offset, length), 'latin1').toString('utf8');
  return { name, format: extensions.get(EXTENSION.backingFormat)?.replace(/\0.*$/s, '') ?? null };
}

function compressionOf(file: ByteSource, announced: boolean, type: number): Qcow2Header['compression'] {
  const compression = COMPRESSION_TYPES[type];
  if (compression === undefined) throw new UnsupportedError(`${file.name}: compression type ${type} is not supported`);
  if (announced === (type !== 0)) return compression;
  const expected = announced ? 'not zlib, as the feature bit says' : 'zlib, as the feature bit is clear';
  throw damage(file, 'qcow2_header_v3.compressionType', 104, compression, expected);
}

/** Every table that the header names lies within the file and is large enough for the disk. */
function checkPlaces(file: ByteSource, header: Qcow2Header): void {
  const { clusterBytes, l1, refcountTable, snapshots } = header;
  const leastBits = header.extendedL2 ? MIN_EXTENDED_CLUSTER_BITS : MIN_CLUSTER_BITS;
  checkField(file, qcow2Header, 'clusterBits', header.clusterBits, [leastBits, MAX_CLUSTER_BITS]);
  const neededEntries = Math.ceil(header.sizeBytes / bytesPerL1Entry(header));
  checkField(file, qcow2Header, 'l1Size', l1.entries, [neededEntries, MAX_L1_BYTES / 8]);
  const mostClusters = Math.max(1, MAX_REFCOUNT_TABLE_BYTES / clusterBytes);
  checkField(file, qcow2Header, 'refcountTableClusters', refcountTable.clusters, [1, mostClusters]);
  checkField(file, qcow2Header, 'snapshotCount', snapshots.count, [0, MAX_SNAPSHOTS]);
  if (l1.entries > 0) checkTable(file, header, qcow2Header, 'l1Offset', l1.offset, l1.entries * 8);
  checkTable(file, header, qcow2Header, 'refcountTableOffset', refcountTable.offset, clusterBytes);
  if (snapshots.count > 0) checkTable(file, header, qcow2Header, 'snapshotsOffset', snapshots.offset, 0);
  if (header.dataFile?.raw && header.backing !== null) {
    throw damage(file, 'qcow2_header.backingFileOffset', 8, 'a backing file', 'none beside a raw data file');
  }
}

/** How much of the disk an L2 table maps. */
export function bytesPerL1Entry(header: Pick<Qcow2Header, 'clusterBytes' | 'extendedL2'>): number {
  return (header.clusterBytes / (header.extendedL2 ? 16 : 8)) * header.clusterBytes;
}

/** Throws DamageError unless the table that `field` points to begins on a cluster, is not the header, and ends within the file. */
export function checkTable<F extends Fields>(
  file: ByteSource,
  { clusterBytes }: Pick<Qcow2Header, 'clusterBytes'>,
  struct: Struct<F>,
  field: keyof F & string,
  offset: number,
  bytes: number,
  base = 0,
): void {
  const at = base + (struct.fields[field]?.offset ?? 0);
  const what = `${struct.name}.${field}`;
  if (offset % clusterBytes !== 0) throw damage(file, what, at, offset, `a multiple of ${clusterBytes}`);
  if (offset >= clusterBytes && offset + bytes <= file.size) return;
  throw damage(file, what, at, offset, `${clusterBytes} to ${file.size - bytes}`);
}
