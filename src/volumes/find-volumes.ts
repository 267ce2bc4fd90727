// From a disk to its volumes: partitions of a GPT or an MBR, or the whole disk as one. Volumes that lie in others (LVM2, md, LUKS)
// are named here, not opened.

import type { ByteSource } from '../bytes/byte-source.ts';
import type { Fact } from '../bytes/fact.ts';
import { slice } from '../bytes/slice.ts';
import { readGpt } from './gpt.ts';
import { readMbr } from './mbr.ts';
import type { Partition, PartitionTable } from './partition.ts';
import { type Recognised, recognise } from './recognise.ts';

export interface Volume extends Recognised {
  /** 0, 1, ... in the order of `findVolumes`: what the report calls the volume. */
  readonly index: number;
  /** Bytes of the disk, within its size; of a partition that begins beyond the disk's end `size` is 0. */
  readonly offset: number;
  readonly size: number;
  /** Null: the whole disk. */
  readonly partition: Partition | null;
}

export interface Disk {
  /** Null: no partition table, one volume. */
  readonly scheme: 'gpt' | 'mbr' | null;
  readonly volumes: readonly Volume[];
  /** What concerns the partition table. */
  readonly facts: readonly Fact[];
}

/** The volumes of a disk, in the order of their partitions' numbers. Throws as surveyDisk does. */
export function findVolumes(disk: ByteSource): readonly Volume[] {
  return surveyDisk(disk).volumes;
}

/** Throws DamageError when the disk announces a GPT of which no copy can be used, ReadError. */
export function surveyDisk(disk: ByteSource): Disk {
  const whole = recognise(disk);
  const table = tableOf(disk, whole);
  if (table === null) {
    const volume: Volume = { ...whole, index: 0, offset: 0, size: disk.size, partition: null };
    return { scheme: null, volumes: disk.size === 0 ? [] : [volume], facts: [] };
  }
  const placed = [...table.partitions]
    .sort((left, right) => left.number - right.number)
    .map(partition => place(disk, partition));
  const volumes = placed.map((volume, index) => ({
    ...volume,
    index,
    facts: [...volume.facts, ...overlaps(volume, placed)],
  }));
  return { scheme: table.scheme, volumes, facts: table.facts };
}

/**
 * Which table counts, when leftovers of others are about. An announced GPT does. Otherwise whoever last wrote the first sector is
 * right: an MBR's writer, or that of a file system which keeps its boot sector there. A GPT that nothing announces comes last, and
 * its backup alone only where nothing else is recognised.
 */
function tableOf(disk: ByteSource, whole: Recognised): PartitionTable | null {
  const gpt = readGpt(disk);
  if (gpt?.announced) return gpt;
  const bootSectorIsData = BOOT_SECTOR_KINDS.includes(whole.kind);
  const mbr = bootSectorIsData ? null : readMbr(disk);
  if (mbr !== null) {
    const ignored = { name: 'gpt-ignored', detail: 'a GPT is there too, but the first sector does not announce it' };
    return gpt === null ? mbr : { ...mbr, facts: [...mbr.facts, ignored] };
  }
  return gpt !== null && (gpt.hasFirst || whole.kind === 'unknown') ? gpt : null;
}

const BOOT_SECTOR_KINDS: readonly string[] = ['fat', 'exfat', 'ntfs'];

/** The partition as a volume: an empty one when it begins beyond the disk's end. */
function place(disk: ByteSource, partition: Partition): Omit<Volume, 'index'> {
  const { number, offset } = partition;
  const size = Math.max(0, Math.min(partition.size, disk.size - offset));
  const start = Math.min(offset, disk.size);
  const recognised = recognise(slice(disk, start, size, `${disk.name} partition ${number}`));
  const missing = partition.size - size;
  const cut = { name: 'partition-cut', detail: `the last ${missing} bytes lie beyond the end of the disk` };
  const facts = missing > 0 ? [...recognised.facts, cut] : recognised.facts;
  return { ...recognised, offset, size, partition, facts };
}

/** At most one fact: hostile tables have thousands of partitions at one place. */
function overlaps(volume: Omit<Volume, 'index'>, all: readonly Omit<Volume, 'index'>[]): Fact[] {
  const end = volume.offset + volume.size;
  const other = all.find(each => each !== volume && each.offset < end && volume.offset < each.offset + each.size);
  if (other === undefined) return [];
  return [{ name: 'partition-overlaps', detail: `shares bytes with partition ${other.partition?.number}` }];
}
