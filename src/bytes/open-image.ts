// From a file or block device to the disk that it holds. Formats are tried by their magic in one explicit order; what has none of
// them is raw.

import { UnsupportedError, UsageError } from '../errors.ts';
import type { TargetIdentity } from '../model.ts';
import { latin1 } from '../struct/struct.ts';
import type { ByteSource } from './byte-source.ts';
import { CachedBytes, cacheShareBytes } from './cached-bytes.ts';
import type { Fact } from './fact.ts';
import { type FileBytes, openFileBytes } from './file-bytes.ts';
import { openQcow2 } from './qcow2/open-qcow2.ts';
import type { Snapshot } from './qcow2/snapshots.ts';

export interface Image {
  readonly container: 'raw' | 'qcow2';
  /** The disk. Small reads are cached; closing it closes all files of the image. */
  readonly bytes: ByteSource;
  readonly identity: TargetIdentity;
  readonly facts: readonly Fact[];
  /** Internal ones that could be opened instead. */
  readonly snapshots: readonly Snapshot[];
  /** Every file that was opened, the image first. Host paths. */
  readonly paths: readonly string[];
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
  const file = openFileBytes(path, options.identity ?? null);
  const image = openContainer(file, path, options);
  const bytes = new CachedBytes(image.bytes, options.cacheBytes ?? cacheShareBytes(1));
  return { ...image, bytes, identity: file.identity };
}

type Opened = Omit<Image, 'identity'>;

/** Closes the file when it throws. */
function openContainer(file: FileBytes, path: string, options: ImageOptions): Opened {
  const snapshot = options.snapshot ?? null;
  if (closingOnError(file, () => containerOf(file)) === 'qcow2') {
    const image = openQcow2(file, path, { snapshot, allowBacking: options.allowBacking ?? [] });
    return { container: 'qcow2', ...image };
  }
  if (snapshot === null) return { container: 'raw', bytes: file, facts: [], snapshots: [], paths: [path] };
  file.close();
  throw new UsageError(`${path}: a raw image has no internal snapshot "${snapshot}"`);
}

/** In the order of trial. Those without `name` are recognised to be refused: read as raw they would look like an empty disk. */
const CONTAINERS: readonly {
  readonly name?: 'qcow2';
  readonly title: string;
  readonly at: number;
  readonly magic: string;
}[] = [
  { name: 'qcow2', title: 'qcow2', at: 0, magic: 'QFI\xfb' },
  { title: 'VMDK', at: 0, magic: 'KDMV' },
  { title: 'VMDK', at: 0, magic: 'COWD' },
  { title: 'VMDK', at: 0, magic: '# Disk DescriptorFile' },
  { title: 'VHDX', at: 0, magic: 'vhdxfile' },
  { title: 'VHD', at: 0, magic: 'conectix' },
  { title: 'VDI', at: 0x40, magic: '\x7f\x10\xda\xbe' },
  { title: 'QED', at: 0, magic: 'QED\0' },
  { title: 'Parallels', at: 0, magic: 'WithoutFreeSpace' },
  { title: 'Parallels', at: 0, magic: 'WithouFreSpacExt' },
  { title: 'EWF', at: 0, magic: 'EVF\t\r\n\xff\0' },
];
const MAGIC_AREA_BYTES = 128;

function containerOf(file: ByteSource): 'qcow2' | 'raw' {
  const head = new Uint8Array(MAGIC_AREA_BYTES);
  file.read(head, 0);
  const found = CONTAINERS.find(({ at, magic }) => latin1(head, at, magic.length) === magic);
  if (found === undefined) return 'raw';
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
