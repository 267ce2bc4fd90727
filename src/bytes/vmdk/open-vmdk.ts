// VMware's VMDK: a sparse file, a stream of compressed grains, or a text that names flat and sparse extents; with its parents.

import { UnsupportedError } from '../../errors.ts';
import { latin1 } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { CachedBytes, TABLE_CACHE_BYTES, TABLE_PAGE_BYTES } from '../cached-bytes.ts';
import { ClusterCache } from '../cluster-cache.ts';
import type { OpenedContainer } from '../container.ts';
import { damage } from '../damage.ts';
import type { Fact } from '../fact.ts';
import type { ImageFiles } from '../image-files.ts';
import { joinedBytes } from '../joined-bytes.ts';
import { type DiskMap, MappedBytes } from '../mapped-bytes.ts';
import { readExactly } from '../read-exactly.ts';
import { slice } from '../slice.ts';
import type { Tell } from '../tell.ts';
import { type Descriptor, type ExtentLine, parseDescriptor } from './descriptor.ts';
import { GrainMap } from './grain-map.ts';
import { DESCRIPTOR_MAGIC, MAX_DESCRIPTOR_BYTES, VMDK_MAGIC } from './layout.ts';
import { readEmbedded, readSparseHeader, type SparseHeader } from './sparse-header.ts';
import { type SurveyedExtent, surveyExtent } from './survey-vmdk.ts';

/** No chain in use is longer; each link costs an open file and a cache. */
const MAX_CHAIN = 32;
const NO_DATA: DiskMap = { pieceAt: () => ({ kind: 'zero', length: Number.MAX_SAFE_INTEGER, host: 0 }) };

/** Throws UsageError, UnsupportedError, DamageError, ReadError. The files stay with `files`. */
export function openVmdk(file: ByteSource, path: string, files: ImageFiles): OpenedContainer {
  const disk = new VmdkDisk(files);
  const { bytes } = disk.open(file, path, 0);
  const survey = () => [...disk.changedParents, ...disk.extents.flatMap(surveyExtent)];
  return { bytes, facts: disk.facts, survey };
}

interface Link {
  readonly bytes: ByteSource;
  readonly descriptor: Descriptor | null;
}

class VmdkDisk {
  readonly facts: Fact[] = [];
  readonly extents: SurveyedExtent[] = [];
  readonly changedParents: Tell[] = [];
  readonly #files: ImageFiles;
  readonly #plainGrains = new ClusterCache();

  constructor(files: ImageFiles) {
    this.#files = files;
  }

  open(file: ByteSource, path: string, depth: number): Link {
    if (depth >= MAX_CHAIN) throw new UnsupportedError(`${path}: a chain of more than ${MAX_CHAIN} files`);
    this.#files.paths.push(path);
    const isText = startsWith(file, DESCRIPTOR_MAGIC);
    if (!isText && !startsWith(file, VMDK_MAGIC)) throw damage(file, 'VMDK', 0, 'another magic', 'that of VMDK');
    return isText ? this.#openText(file, path, depth) : this.#openSparse(file, path, depth);
  }

  #openText(file: ByteSource, path: string, depth: number): Link {
    const text = readExactly(file, 0, Math.min(file.size, MAX_DESCRIPTOR_BYTES), 'VMDK descriptor');
    const descriptor = parseDescriptor(file, text, 0);
    if (descriptor.extents.length === 0) throw damage(file, 'VMDK descriptor', 0, 'no extents', 'at least one');
    if (depth === 0) this.#describe(descriptor, null);
    const parent = this.#openParent(path, descriptor, depth);
    const opened = new Map<string, { path: string; file: ByteSource }>();
    let start = 0;
    const parts = descriptor.extents.map(line => {
      const part = this.#openExtent(line, {
        image: path,
        file,
        start,
        parent,
        opened,
        count: descriptor.extents.length,
      });
      start += line.sizeBytes;
      return part;
    });
    return { bytes: joinedBytes(path, parts), descriptor };
  }

  /** The whole disk in one file, or an extent that somebody named without its descriptor. */
  #openSparse(file: ByteSource, path: string, depth: number): Link {
    const header = readSparseHeader(file);
    const text = readEmbedded(file, header);
    const descriptor = text === null ? null : parseDescriptor(file, text.bytes, text.at);
    if ((descriptor?.extents.length ?? 0) > 1) throw new UnsupportedError(`${path}: names extents beside itself`);
    if (depth === 0) this.#describe(descriptor, header);
    const parent = descriptor === null ? null : this.#openParent(path, descriptor, depth);
    return { bytes: this.#sparse({ file, name: path, header, parent, start: 0, share: 1 }), descriptor };
  }

  #openExtent(line: ExtentLine, whole: ExtentContext): ByteSource {
    const { image, file, start, parent, opened, count } = whole;
    if (line.kind === 'zero')
      return new MappedBytes({ name: image, sizeBytes: line.sizeBytes, map: NO_DATA, data: file });
    if (line.file === null) throw damage(file, 'VMDK descriptor', 0, 'an extent without a file', 'a name');
    const known = opened.get(line.file) ?? this.#files.open(image, line.file, 'extent');
    if (!opened.has(line.file)) this.#files.paths.push(known.path);
    opened.set(line.file, known);
    if (line.kind === 'flat') return slice(known.file, line.offset, line.sizeBytes, known.path);
    if (!startsWith(known.file, VMDK_MAGIC))
      throw new UnsupportedError(`${known.path}: VMDK extents of this kind are not supported`);
    const header = readSparseHeader(known.file);
    if (header.sizeBytes < line.sizeBytes)
      throw damage(known.file, 'vmdk_sparse_header.capacity', 12, header.sizeBytes, `${line.sizeBytes} bytes`);
    const bytes = this.#sparse({ file: known.file, name: known.path, header, parent, start, share: count });
    return slice(bytes, 0, line.sizeBytes, known.path);
  }

  #sparse({ file, name, header, parent, start, share }: SparseContext): ByteSource {
    const tables = new CachedBytes(file, TABLE_CACHE_BYTES / share, TABLE_PAGE_BYTES);
    const map = new GrainMap({ file, tables, header, plainGrains: this.#plainGrains });
    this.extents.push({ file, header, start });
    const from = Math.min(start, parent?.size ?? 0);
    const below = parent === null ? null : slice(parent, from, parent.size - from, parent.name);
    return new MappedBytes({ name, sizeBytes: header.sizeBytes, map, data: file, parent: below });
  }

  #openParent(image: string, { parent }: Descriptor, depth: number): ByteSource | null {
    if (parent === null) return null;
    const { path, file } = this.#files.open(image, parent.name, 'parent');
    this.facts.push({ name: 'vmdk-parent', detail: path });
    const link = this.open(file, path, depth + 1);
    if (Number.parseInt(link.descriptor?.contentId ?? '', 16) !== Number.parseInt(parent.contentId, 16))
      this.#noteChanged(image, path, parent.contentId, link.descriptor);
    return link.bytes;
  }

  #noteChanged(image: string, path: string, known: string, descriptor: Descriptor | null): void {
    const now = descriptor?.contentId ?? 'none';
    const detail = `${image} was made upon content ${known} of ${path}, which has ${now} now: the parent was written to since, or one of the two descriptors is of an older day`;
    this.facts.push({ name: 'vmdk-parent-changed', detail });
    const rule = 'vmdk-parent-changed';
    this.changedParents.push({
      rule,
      role: 'vmdk-descriptor',
      confidence: 'possible',
      at: 0,
      entries: 1,
      disk: null,
      detail,
    });
  }

  #describe(descriptor: Descriptor | null, header: SparseHeader | null): void {
    const type = descriptor?.createType ?? 'an extent without its descriptor: only this part of the disk is shown';
    this.facts.push({ name: 'vmdk-type', detail: type });
    if (header !== null) this.facts.push({ name: 'vmdk-grain-bytes', detail: String(header.grainBytes) });
    else this.facts.push({ name: 'vmdk-extents', detail: String(descriptor?.extents.length) });
    if (header?.unclean) this.facts.push({ name: 'vmdk-unclean', detail: 'was not closed by what last wrote it' });
  }
}

interface ExtentContext {
  /** The descriptor's path and file. */
  readonly image: string;
  readonly file: ByteSource;
  /** Where the extent begins on the disk. */
  readonly start: number;
  readonly parent: ByteSource | null;
  /** Files of this descriptor, by name: flat extents may share one. */
  readonly opened: Map<string, { path: string; file: ByteSource }>;
  readonly count: number;
}

interface SparseContext {
  readonly file: ByteSource;
  readonly name: string;
  readonly header: SparseHeader;
  readonly parent: ByteSource | null;
  readonly start: number;
  /** How many extents share the cache for tables. */
  readonly share: number;
}

function startsWith(file: ByteSource, magic: string): boolean {
  const head = new Uint8Array(magic.length);
  file.read(head, 0);
  return latin1(head, 0, head.length) === magic;
}
