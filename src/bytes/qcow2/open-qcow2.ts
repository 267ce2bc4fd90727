// A qcow2 image with all the files that it needs: backing files, a data file. What they may be is decided here, where they may lie
// in image-files.ts.

import { DamageError, UnsupportedError } from '../../errors.ts';
import type { ByteSource } from '../byte-source.ts';
import { CachedBytes, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES } from '../cached-bytes.ts';
import { ClusterCache } from '../cluster-cache.ts';
import type { Fact } from '../fact.ts';
import type { FileBytes } from '../file-bytes.ts';
import { ImageFiles } from '../image-files.ts';
import type { Tell } from '../tell.ts';
import { isQcow2, type Qcow2Header, readHeader } from './header.ts';
import { Qcow2Bytes } from './qcow2-bytes.ts';
import { findSnapshot, readSnapshotTable, type Snapshot } from './snapshots.ts';
import { surveyQcow2 } from './survey-qcow2.ts';

/** No chain in use is longer; each link costs an open file and a cache. */
const MAX_CHAIN = 32;
/** Names that QEMU gives to drivers of plain bytes. */
const RAW_FORMATS: readonly string[] = ['raw', 'file', 'host_device'];

export interface Qcow2Image {
  readonly bytes: ByteSource;
  readonly header: Qcow2Header;
  readonly snapshots: readonly Snapshot[];
  readonly facts: readonly Fact[];
  /** Every file that was opened, the image first. Host paths. */
  readonly paths: readonly string[];
  readonly survey: () => Tell[];
}

export interface Qcow2Options {
  /** Id or name of an internal snapshot; null: the active disk. */
  readonly snapshot: string | null;
  /** Folders, beside the image's own, in which backing and data files may lie. */
  readonly allowBacking: readonly string[];
}

/**
 * Opens the image in `file` (host path `path`) and its chain. Closing the result's bytes closes every file, `file` too.
 * Throws UsageError, UnsupportedError, DamageError, ReadError; `file` is then closed as well.
 */
export function openQcow2(file: FileBytes, path: string, options: Qcow2Options): Qcow2Image {
  const files = new ImageFiles('qcow2', file);
  try {
    files.allow(path, options.allowBacking);
    const chain = new Chain(files);
    const { bytes, header, snapshots } = chain.open(file, path, options.snapshot);
    const survey = () => chain.images.flatMap(surveyImage);
    return {
      bytes: closing(bytes, files),
      header,
      snapshots,
      facts: chain.facts,
      paths: files.paths,
      survey,
    };
  } catch (error) {
    files.close();
    throw error;
  }
}

/** Of a backing file, what is told names it. Throws DamageError for a broken snapshot table. */
function surveyImage({ file, header }: ChainImage, index: number): Tell[] {
  const { snapshots, bytes } = readSnapshotTable(file, header);
  const tells = surveyQcow2({ file, header, snapshots, snapshotTableBytes: bytes });
  return index === 0 ? tells : tells.map(tell => ({ ...tell, detail: `${file.name}: ${tell.detail}` }));
}

function closing(bytes: Qcow2Bytes, files: ImageFiles): ByteSource {
  return {
    size: bytes.size,
    name: bytes.name,
    read: (into, at) => bytes.read(into, at),
    nextData: at => bytes.nextData(at),
    close: () => files.close(),
  };
}

interface ChainImage {
  readonly file: ByteSource;
  readonly header: Qcow2Header;
}

class Chain {
  readonly facts: Fact[] = [];
  /** The image first. */
  readonly images: ChainImage[] = [];
  readonly #files: ImageFiles;
  readonly #plainClusters = new ClusterCache();

  constructor(files: ImageFiles) {
    this.#files = files;
  }

  open(file: FileBytes, path: string, snapshotName: string | null) {
    const isTop = this.#files.paths.length === 0;
    this.#files.paths.push(path);
    const header = readHeader(file);
    this.images.push({ file, header });
    const tables = new CachedBytes(file, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES);
    const snapshots = isTop ? this.#snapshots(tables, header, snapshotName !== null) : [];
    const snapshot = snapshotName === null ? null : findSnapshot(file, snapshots, header, snapshotName);
    this.facts.push(...(isTop ? describe(header, snapshots) : []), ...warnings(path, header));
    const bytes = new Qcow2Bytes({
      name: snapshot === null ? path : `${path}@${snapshot.name}`,
      header,
      sizeBytes: snapshot?.sizeBytes ?? header.sizeBytes,
      l1: snapshot?.l1 ?? header.l1,
      file,
      tables,
      data: header.dataFile === null ? file : this.#openData(path, header.dataFile.name),
      backing: header.backing === null ? null : this.#openBacking(path, header.backing),
      plainClusters: this.#plainClusters,
    });
    return { bytes, header, snapshots };
  }

  /** A broken snapshot table is no reason not to read the disk itself. */
  #snapshots(tables: ByteSource, header: Qcow2Header, needed: boolean): Snapshot[] {
    try {
      return readSnapshotTable(tables, header).snapshots;
    } catch (error) {
      if (needed || !(error instanceof DamageError)) throw error;
      this.facts.push({ name: 'qcow2-snapshots-damaged', detail: error.message });
      return [];
    }
  }

  #openData(image: string, name: string | null): ByteSource {
    if (name === null) throw new UnsupportedError(`${image}: keeps its data in another file, which it does not name`);
    const { path, file } = this.#files.open(image, name, 'data file');
    this.#files.paths.push(path);
    this.facts.push({ name: 'qcow2-data-file', detail: path });
    return file;
  }

  #openBacking(image: string, { name, format }: NonNullable<Qcow2Header['backing']>): ByteSource {
    if (this.#files.paths.length >= MAX_CHAIN)
      throw new UnsupportedError(`${image}: a chain of more than ${MAX_CHAIN} files`);
    const { path, file } = this.#files.open(image, name, 'backing file');
    const isImage = isQcow2Backing(file, image, format);
    const known = format ?? `${isImage ? 'qcow2' : 'raw'} by its first bytes`;
    this.facts.push({ name: 'qcow2-backing-file', detail: `${path} (${known})` });
    if (isImage) return this.open(file, path, null).bytes;
    this.#files.paths.push(path);
    return file;
  }
}

/** Without a recorded format the first bytes decide, between these two only: a raw disk's guest may have written them. */
function isQcow2Backing(file: ByteSource, image: string, format: string | null): boolean {
  if (format !== null && RAW_FORMATS.includes(format)) return false;
  if (format !== null && format !== 'qcow2') {
    throw new UnsupportedError(`${image}: backing files of format "${format}" are not supported`);
  }
  const isImage = isQcow2(file);
  if (isImage || format === null) return isImage;
  throw new DamageError(`${file.name}: qcow2_header.magic`, 0, 'another magic', 'that of qcow2');
}

function describe(header: Qcow2Header, snapshots: readonly Snapshot[]): Fact[] {
  return [
    { name: 'qcow2-version', detail: String(header.version) },
    { name: 'qcow2-cluster-bytes', detail: String(header.clusterBytes) },
    { name: 'qcow2-compression', detail: header.compression },
    ...snapshots.map(({ id, name }) => ({ name: 'qcow2-snapshot', detail: `${id} ${name}` })),
  ];
}

function warnings(path: string, header: Qcow2Header): Fact[] {
  const facts: readonly (Fact & { readonly applies: boolean })[] = [
    {
      applies: header.extendedL2,
      name: 'qcow2-extended-l2',
      detail: `${path}: clusters are divided into 32 subclusters`,
    },
    {
      applies: header.lazyRefcounts,
      name: 'qcow2-lazy-refcounts',
      detail: `${path}: refcounts may lag behind the tables`,
    },
    { applies: header.dirty, name: 'qcow2-dirty', detail: `${path} was not closed: its refcounts may be wrong` },
    { applies: header.corrupt, name: 'qcow2-corrupt', detail: `${path} is marked as corrupt by what last wrote it` },
    { applies: header.dataFile?.raw === true, name: 'qcow2-raw-data-file', detail: 'the data file is the disk itself' },
  ];
  return facts.filter(({ applies }) => applies).map(({ name, detail }) => ({ name, detail }));
}
