// Whether files may lie in a volume that no reader opens, and why nobody looks into it: its partition's type says what its content
// does not. UEFI specification 2.10, section 13.3 (the EFI system partition); the Discoverable Partitions Specification.

import type { ByteSource } from '../bytes/byte-source.ts';
import { slice } from '../bytes/slice.ts';
import { DamageError, ReadError } from '../errors.ts';
import type { Recognised } from './recognise.ts';

/** What is said of such a volume. `trouble` null: its kind says it all. */
export interface Unrecognised {
  readonly holdsFiles: boolean;
  readonly trouble: string | null;
}

/** The parts of a volume of a partition table that decide. */
interface Placed extends Recognised {
  readonly offset: number;
  readonly size: number;
  readonly partition: { readonly type: string; readonly typeName: string | null } | null;
}

const EFI_SYSTEM = new Set(['c12a7328-f81f-11d2-ba4b-00a0c93ec93b', '0xef']);

/** Partitions in which no file system is expected: boot code, swap, room that is kept free. */
const WITHOUT_FILES = new Set([
  '21686148-6449-6e6f-744e-656564454649',
  '9e1a2d38-c612-4316-aa26-8b49521e5a8b',
  'e3c9e316-0b5c-4db8-817d-f92df00215ae',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f',
  '0x41',
  '0x82',
]);

/** For file systems of Linux: what nobody recognises in one has lost its superblock rather than never had one. */
const FILESYSTEM_TYPES = new Set([
  '0x83',
  '0fc63daf-8483-4772-8e79-3d69d8477de4',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709',
  'b921b045-1df0-41c3-af44-4c6f280d3fae',
  '933ac7e1-2eb4-4f13-b844-0e14e2aef915',
  '3b8f8425-20e0-4f3b-907f-1a25a76f98e8',
  'bc13c2ff-59e6-4262-a352-b275fd6f7172',
]);

/** @param disk what the volume lies on. */
export function judgeUnrecognised(volume: Placed, disk: ByteSource): Unrecognised {
  const { kind, partition, holdsFiles } = volume;
  if (partition === null) return { holdsFiles, trouble: kind === 'unknown' ? 'nothing in it is recognised' : null };
  if (kind === 'fat' && EFI_SYSTEM.has(partition.type)) {
    return { holdsFiles: false, trouble: 'an EFI system partition: it holds what starts the machine, and is not read' };
  }
  if (kind !== 'unknown') return { holdsFiles, trouble: null };
  return volume.size === 0 ? judgeCutOff(volume, partition.type, disk) : judgeUnknown(volume, partition, disk);
}

function judgeCutOff({ offset }: Placed, type: string, disk: ByteSource): Unrecognised {
  const trouble = `it begins at byte ${offset}, and the disk ends at ${disk.size}: the image was cut`;
  return { holdsFiles: !WITHOUT_FILES.has(type) && !EFI_SYSTEM.has(type), trouble };
}

function judgeUnknown(
  { offset, size }: Placed,
  { type, typeName }: NonNullable<Placed['partition']>,
  disk: ByteSource,
): Unrecognised {
  if (WITHOUT_FILES.has(type)) {
    return { holdsFiles: false, trouble: `a partition of type ${typeName ?? type}: it holds no files` };
  }
  if (FILESYSTEM_TYPES.has(type)) {
    const trouble = 'a partition for a Linux file system in which none is recognised (its superblock may be lost)';
    return { holdsFiles: true, trouble };
  }
  if (isBlank(slice(disk, offset, size, disk.name))) {
    return { holdsFiles: false, trouble: 'nothing is recognised in it: it begins with zeros' };
  }
  return { holdsFiles: true, trouble: 'nothing is recognised in it (its superblock may be lost)' };
}

/** A new volume begins with zeros, and so does one that was never formatted. */
const HEAD_BYTES = 65_536;

export function isBlank(bytes: ByteSource): boolean {
  const head = new Uint8Array(HEAD_BYTES);
  try {
    return head.subarray(0, bytes.read(head, 0)).every(byte => byte === 0);
  } catch (error) {
    if (error instanceof ReadError || error instanceof DamageError) return false;
    throw error;
  }
}
