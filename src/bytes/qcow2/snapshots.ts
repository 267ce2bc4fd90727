// The internal snapshots of a qcow2 image: each has an L1 table of its own.

import { UsageError } from '../../errors.ts';
import { latin1, type StructOf } from '../../struct/struct.ts';
import type { ByteSource } from '../byte-source.ts';
import { damage } from '../damage.ts';
import { readExactly, readStruct } from '../read-exactly.ts';
import { bytesPerL1Entry, checkTable, type Qcow2Header, type TablePlace } from './header.ts';
import { MAX_L1_BYTES, MAX_SNAPSHOT_EXTRA_BYTES, snapshotExtra, snapshotHeader } from './layout.ts';

export interface Snapshot {
  readonly id: string;
  readonly name: string;
  readonly takenAtNs: bigint;
  /** Size of the disk as it was; null in old images, which do not keep it. */
  readonly sizeBytes: number | null;
  readonly vmStateBytes: number;
  readonly l1: TablePlace;
  /** Offset of its entry in the image file. */
  readonly at: number;
}

/** All of them, in the table's order, and how long the table is. Throws DamageError, ReadError. */
export function readSnapshotTable(file: ByteSource, header: Qcow2Header): { snapshots: Snapshot[]; bytes: number } {
  const snapshots: Snapshot[] = [];
  let at = header.snapshots.offset;
  for (let left = header.snapshots.count; left > 0; left--) {
    const { snapshot, length } = readSnapshot(file, at);
    snapshots.push(snapshot);
    at += Math.ceil(length / 8) * 8;
  }
  return { snapshots, bytes: at - header.snapshots.offset };
}

function readSnapshot(file: ByteSource, at: number): { snapshot: Snapshot; length: number } {
  const fixed = readStruct(file, snapshotHeader, at);
  const { extraLength, idLength, nameLength } = fixed;
  if (extraLength > MAX_SNAPSHOT_EXTRA_BYTES) {
    throw damage(
      file,
      'qcow2_snapshot_header.extraLength',
      at + 36,
      extraLength,
      `at most ${MAX_SNAPSHOT_EXTRA_BYTES}`,
    );
  }
  const length = snapshotHeader.size + extraLength + idLength + nameLength;
  const entry = readExactly(file, at, length, snapshotHeader.name);
  const idAt = snapshotHeader.size + extraLength;
  const snapshot = {
    id: text(entry, idAt, idLength),
    name: text(entry, idAt + idLength, nameLength),
    takenAtNs: BigInt(fixed.seconds) * 1_000_000_000n + BigInt(fixed.nanoseconds),
    ...sizes(fixed, entry.subarray(snapshotHeader.size, idAt), at),
    l1: { offset: fixed.l1Offset, entries: fixed.l1Size },
    at,
  };
  return { snapshot, length };
}

function sizes(fixed: StructOf<typeof snapshotHeader>, extra: Uint8Array, at: number) {
  if (extra.length < snapshotExtra.size) return { sizeBytes: null, vmStateBytes: fixed.vmStateBytes32 };
  const { sizeBytes, vmStateBytes } = snapshotExtra.at(extra, 0, at + snapshotHeader.size);
  return { sizeBytes, vmStateBytes };
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return Buffer.from(latin1(bytes, at, length), 'latin1').toString('utf8');
}

/** The snapshot with this id, else with this name, its L1 table checked. Throws UsageError, DamageError. */
export function findSnapshot(
  file: ByteSource,
  snapshots: readonly Snapshot[],
  header: Qcow2Header,
  wanted: string,
): Snapshot {
  const found = snapshots.find(({ id }) => id === wanted) ?? snapshots.find(({ name }) => name === wanted);
  if (found === undefined) {
    const known = snapshots.map(({ name }) => name).join(', ') || 'none';
    throw new UsageError(`${file.name}: no internal snapshot "${wanted}" (there: ${known})`);
  }
  checkL1(file, header, found);
  return found;
}

function checkL1(file: ByteSource, header: Qcow2Header, { l1, at, sizeBytes }: Snapshot): void {
  if (l1.entries > MAX_L1_BYTES / 8) {
    throw damage(file, 'qcow2_snapshot_header.l1Size', at + 8, l1.entries, `at most ${MAX_L1_BYTES / 8}`);
  }
  if (l1.entries > 0) checkTable(file, header, snapshotHeader, 'l1Offset', l1.offset, l1.entries * 8, at);
  // Of unknown size: the disk may have grown since, and what the table does not reach is unallocated.
  const needed = sizeBytes === null ? 0 : Math.ceil(sizeBytes / bytesPerL1Entry(header));
  if (l1.entries < needed) {
    throw damage(file, 'qcow2_snapshot_header.l1Size', at + 8, l1.entries, `at least ${needed}`);
  }
}
