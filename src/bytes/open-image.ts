// From a file or block device to the disk that it holds. Formats are tried by their magic in one explicit order; what has none of
// them is raw.

import { DamageError, ReadError, UnsupportedError, UsageError } from '../errors.ts';
import type { TargetIdentity } from '../model.ts';
import { latin1 } from '../struct/struct.ts';
import type { ByteSource } from './byte-source.ts';
import { CachedBytes, cacheShareBytes } from './cached-bytes.ts';
import type { OpenedContainer } from './container.ts';
import type { Fact } from './fact.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';
import { ImageFiles } from './image-files.ts';
import { openQcow2 } from './qcow2/open-qcow2.ts';
import type { Snapshot } from './qcow2/snapshots.ts';
import { openSplit } from './split-image.ts';
import type { Tell } from './tell.ts';
import { openVdi } from './vdi/open-vdi.ts';
import { endsLikeVhd, openVhd } from './vhd/open-vhd.ts';
import { openVhdx } from './vhdx/open-vhdx.ts';
import { openVmdk } from './vmdk/open-vmdk.ts';

export type Container = 'raw' | 'split raw' | 'qcow2' | 'vmdk' | 'vhd' | 'vhdx' | 'vdi';

export interface Image {
  readonly container: Container;
  /** The disk. Small reads are cached; closing it closes all files of the image. */
  readonly bytes: ByteSource;
  readonly identity: TargetIdentity;
  readonly facts: readonly Fact[];
  /** Internal ones that could be opened instead. */
  readonly snapshots: readonly Snapshot[];
  /** Every file that was opened, the image first. Host paths. */
  readonly paths: readonly string[];
  /** Reads every table of the container, and tells what in them contradicts. Nothing for raw images. */
  readonly survey: () => Survey;
}

export interface Survey {
  readonly tells: readonly Tell[];
  /** Why the tables were not compared, or not whole. */
  readonly trouble: string | null;
}

export interface ImageOptions {
  /** Id or name of an internal snapshot. Default: the active disk. */
  readonly snapshot?: string | null;
  /** Folders, beside the image's own, in which backing and data files may lie. */
  readonly allowBacking?: readonly string[];
  /** Fail unless the file is still this one. */
  readonly identity?: TargetIdentity | null;
  /** For the page cache. Default: what a process with one worker may take. */
  readonly cacheBytes?: number;
}

/** Throws UsageError, UnsupportedError, DamageError, ReadError. */
export function openImage(path: string, options: ImageOptions = {}): Image {
  const first = openFileBytes(path, options.identity ?? null);
  const split = closingOnError(first, () => openSplit(first, path));
  const file = split?.file ?? first;
  const image = openContainer(file, path, options);
  const bytes = new CachedBytes(image.bytes, options.cacheBytes ?? cacheShareBytes(1));
  const survey = () => surveyed(image.survey);
  const { identity } = first;
  if (split === null) return { ...image, bytes, identity, survey };
  const facts = [{ name: 'split-pieces', detail: String(split.paths.length) }, ...image.facts];
  const container = image.container === 'raw' ? 'split raw' : image.container;
  return { ...image, container, facts, bytes, identity, survey, paths: [...split.paths, ...image.paths.slice(1)] };
}

/** That tables cannot be compared is no reason not to read the disk. */
function surveyed(survey: () => readonly Tell[]): Survey {
  try {
    return { tells: survey(), trouble: null };
  } catch (error) {
    const isAnswer = error instanceof DamageError || error instanceof ReadError || error instanceof UnsupportedError;
    if (!isAnswer) throw error;
    return { tells: [], trouble: error.message };
  }
}

type Opened = Omit<Image, 'identity' | 'survey'> & { readonly survey: () => readonly Tell[] };

/** Closes the file when it throws. */
function openContainer(file: FileBytes, path: string, options: ImageOptions): Opened {
  const snapshot = options.snapshot ?? null;
  const allowBacking = options.allowBacking ?? [];
  const container = closingOnError(file, () => containerOf(file));
  if (container === 'qcow2') return { container, ...openQcow2(file, path, { snapshot, allowBacking }) };
  const files = new ImageFiles(container, file);
  try {
    if (snapshot !== null) throw new UsageError(`${path}: a ${container} image has no internal snapshot "${snapshot}"`);
    if (container === 'vmdk') files.allow(path, allowBacking);
    const { bytes, facts, survey } = openPlain(container, file, path, files);
    const paths = container === 'vmdk' ? files.paths : [path];
    return { container, bytes: closing(bytes, files), facts, snapshots: [], paths, survey };
  } catch (error) {
    files.close();
    throw error;
  }
}

/** Formats without snapshots. */
function openPlain(
  container: Exclude<Container, 'qcow2'>,
  file: FileBytes,
  path: string,
  files: ImageFiles,
): OpenedContainer {
  if (container === 'vmdk') return openVmdk(file, path, files);
  if (container === 'vhd') return openVhd(file);
  if (container === 'vhdx') return openVhdx(file);
  if (container === 'vdi') return openVdi(file);
  return { bytes: file, facts: [], survey: () => [] };
}

/** `bytes`, which close the files. */
function closing(bytes: ByteSource, files: ImageFiles): ByteSource {
  const nextData = bytes.nextData?.bind(bytes);
  return {
    size: bytes.size,
    name: bytes.name,
    read: (into, at) => bytes.read(into, at),
    close: () => files.close(),
    ...(nextData === undefined ? {} : { nextData }),
  };
}

/** In the order of trial. Those without `name` are recognised to be refused: read as raw they would look like an empty disk. */
const CONTAINERS: readonly {
  readonly name?: Exclude<Container, 'raw' | 'split raw'>;
  readonly title: string;
  readonly at: number;
  readonly magic: string;
}[] = [
  { name: 'qcow2', title: 'qcow2', at: 0, magic: 'QFI\xfb' },
  { name: 'vmdk', title: 'VMDK', at: 0, magic: 'KDMV' },
  { title: 'VMDK (ESX sparse)', at: 0, magic: 'COWD' },
  { name: 'vmdk', title: 'VMDK', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'vhdx', title: 'VHDX', at: 0, magic: 'vhdxfile' },
  { name: 'vhd', title: 'VHD', at: 0, magic: 'conectix' },
  { name: 'vdi', title: 'VDI', at: 0x40, magic: '\x7f\x10\xda\xbe' },
  { title: 'QED', at: 0, magic: 'QED\0' },
  { title: 'Parallels', at: 0, magic: 'WithoutFreeSpace' },
  { title: 'Parallels', at: 0, magic: 'WithouFreSpacExt' },
  { title: 'EWF', at: 0, magic: 'EVF\t\r\n\xff\0' },
];
const MAGIC_AREA_BYTES = 128;

function containerOf(file: ByteSource): Exclude<Container, 'split raw'> {
  const head = new Uint8Array(MAGIC_AREA_BYTES);
  file.read(head, 0);
  const found = CONTAINERS.find(({ at, magic }) => latin1(head, at, magic.length) === magic);
  if (found === undefined) return endsLikeVhd(file) ? 'vhd' : 'raw';
  if (found.name !== undefined) return found.name;
  throw new UnsupportedError(
    `${file.name}: ${found.title} images are not supported (qemu-img convert makes them qcow2)`,
  );
}

function closingOnError<T>(file: FileBytes, action: () => T): T {
  try {
    return action();
  } catch (error) {
    file.close();
    throw error;
  }
}
