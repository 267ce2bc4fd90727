// From one or more disks to all volumes on them: those of their partition tables, then the logical volumes that LVM2's physical
// volumes make up, within a disk or across several.

import type { ByteSource } from '../bytes/byte-source.ts';
import type { Fact } from '../bytes/fact.ts';
import { slice } from '../bytes/slice.ts';
import { DamageError, ReadError } from '../errors.ts';
import { surveyDisk, type Volume } from './find-volumes.ts';
import { type Assembled, type AssembledVolume, assembleGroups } from './lvm2/assemble.ts';
import { type PhysicalVolume, readPhysicalVolume } from './lvm2/physical-volume.ts';
import { recognise } from './recognise.ts';
import { isBlank, judgeUnrecognised } from './unrecognised.ts';

/** A volume of one of the disks, or one that lies across them. */
export interface DiskVolume extends Volume {
  /** Which of the disks its bytes are a slice of; null: a logical volume, and `offset` says nothing. */
  readonly disk: number | null;
  /** Of a logical volume that could be put together. */
  readonly bytes: ByteSource | null;
  /** Why nobody can look into it, if that is known here. */
  readonly trouble: string | null;
}

export interface Disks {
  /** Logical ones last; `index` counts through all of them. */
  readonly volumes: readonly DiskVolume[];
  /** What concerns the partition tables. */
  readonly facts: readonly Fact[];
  /** Disks that share no volume group with another one: given together for nothing. */
  readonly strangers: readonly number[];
}

/** Throws DamageError when a disk announces a GPT of which no copy can be used, ReadError. */
export function surveyDisks(disks: readonly ByteSource[]): Disks {
  const surveyed = disks.map(disk => surveyDisk(disk));
  const found = surveyed.flatMap(({ volumes }, disk) => volumes.map(volume => ({ ...volume, disk })));
  const heads = found.map(volume => (volume.kind === 'lvm2' ? openPhysical(disks, volume) : null));
  const members = heads.flatMap(head => (head === null || head.physical === null ? [] : [head]));
  const assembled = assembleGroups(members);
  const onDisks = found.map((volume, at) => {
    const head = heads[at] ?? null;
    if (head === null) return onDisk(disks, volume);
    return physicalVolume(volume, head, assembled, head.physical === null ? -1 : members.indexOf(head));
  });
  const volumes = [...onDisks, ...assembled.volumes.map(logicalVolume)];
  return {
    volumes: volumes.map((volume, index) => ({ ...volume, index })),
    facts: surveyed.flatMap(({ facts }) => facts),
    strangers: strangersAmong(disks.length, members, assembled),
  };
}

/** The bytes of a volume: closing them closes no disk. Throws DamageError when it has none. */
export function volumeBytes(disks: readonly ByteSource[], volume: DiskVolume, name: string): ByteSource {
  if (volume.bytes !== null) return volume.bytes;
  const disk = volume.disk === null ? undefined : disks[volume.disk];
  if (disk === undefined) throw new DamageError(name, 0, volume.trouble ?? 'no disk', 'bytes');
  return slice(disk, volume.offset, volume.size, name);
}

function onDisk(disks: readonly ByteSource[], volume: Volume & { readonly disk: number }): DiskVolume {
  const disk = disks[volume.disk];
  const judged = disk === undefined ? { trouble: null } : judgeUnrecognised(volume, disk);
  return { ...volume, bytes: null, ...judged };
}

interface Head {
  readonly disk: number;
  readonly bytes: ByteSource;
  readonly physical: PhysicalVolume;
}
type Opened = Head | { readonly physical: null; readonly trouble: string };

function openPhysical(disks: readonly ByteSource[], volume: Volume & { readonly disk: number }): Opened {
  const bytes = volumeBytes(disks, { ...volume, bytes: null, trouble: null }, `physical volume at ${volume.offset}`);
  try {
    return { disk: volume.disk, bytes, physical: readPhysicalVolume(bytes) };
  } catch (error) {
    if (error instanceof DamageError || error instanceof ReadError) return { physical: null, trouble: error.message };
    throw error;
  }
}

/** Its files lie in logical volumes, which are listed, unless nothing is known of its group. */
function physicalVolume(
  volume: Volume & { readonly disk: number },
  opened: Opened,
  { facts, groups }: Assembled,
  member: number,
): DiskVolume {
  if (opened.physical === null) return { ...volume, bytes: null, trouble: opened.trouble };
  const { isFree, trouble } = opened.physical;
  const isKnown = isFree || (groups[member] ?? null) !== null;
  const unknown = trouble ?? 'a physical volume of LVM2 whose volume group is not known';
  return {
    ...volume,
    holdsFiles: !isKnown,
    facts: [...volume.facts, ...(facts[member] ?? [])],
    bytes: null,
    trouble: isFree ? 'a physical volume in no volume group' : isKnown ? 'its files lie in logical volumes' : unknown,
  };
}

function logicalVolume(volume: AssembledVolume): DiskVolume {
  const { name, uuid, sizeBytes, bytes, trouble } = volume;
  const place = { name: 'logical-volume', detail: name };
  const common = { index: 0, offset: 0, size: sizeBytes, partition: null, disk: null, bytes, trouble };
  if (bytes === null) {
    return { ...common, kind: 'lvm2', label: '', uuid, holdsFiles: true, facts: [place] };
  }
  const recognised = recognise(bytes);
  const isLost = recognised.kind === 'unknown' && !isBlank(bytes);
  return {
    ...common,
    ...recognised,
    holdsFiles: recognised.holdsFiles || isLost,
    facts: [place, ...recognised.facts],
    trouble: isLost ? `no file system is recognised in logical volume ${name} (its superblock may be lost)` : null,
  };
}

function strangersAmong(count: number, members: readonly Head[], { groups }: Assembled): number[] {
  const groupsOf = (disk: number): string[] =>
    members.flatMap((member, at) => (member.disk === disk ? (groups[at] ?? []) : []));
  const disks = Array.from({ length: count }, (_, disk) => disk);
  if (count === 1) return [];
  return disks.filter(disk => {
    const own = groupsOf(disk);
    return !disks.some(other => other !== disk && groupsOf(other).some(group => own.includes(group)));
  });
}
