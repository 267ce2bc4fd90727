// A physical volume of LVM2: its label, and the copies of the group's metadata text that it keeps. The newest copy whose
// checksum holds is what counts; what else lies in the ring is told.

import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Fact } from '../../bytes/fact.ts';
import { DamageError, ReadError } from '../../errors.ts';
import { rawCrc32 } from '../../struct/crc32.ts';
import {
  CRC_SEED,
  diskLocation,
  LABEL_CRC_FROM,
  LABEL_ID,
  LABEL_SECTORS,
  LABEL_TYPE,
  LVM_SECTOR_BYTES,
  labelHeader,
  pvHeader,
} from './layout.ts';
import { readArea } from './metadata-area.ts';
import type { VolumeGroup } from './volume-group.ts';

export interface PhysicalVolume {
  /** 32 characters, without dashes. */
  readonly uuid: string;
  readonly sizeBytes: number;
  /** The newest description of its group that it has; null: it belongs to none, or keeps no copy. */
  readonly group: VolumeGroup | null;
  /** Why no copy of its metadata can be used, if so. */
  readonly trouble: string | null;
  /** It says of itself that it is in no group. */
  readonly isFree: boolean;
  readonly facts: readonly Fact[];
}

/** Throws DamageError when no label is whole, ReadError. */
export function readPhysicalVolume(disk: ByteSource): PhysicalVolume {
  const { uuid, sizeBytes, areas } = readLabel(disk);
  const copies = areas.map(area => readAnswered(disk, area));
  const facts = copies.flatMap(copy => copy.facts);
  const groups = copies.flatMap(({ group }) => (group === null ? [] : [group]));
  const group = groups.reduce<VolumeGroup | null>(newer, null);
  for (const { seqno } of groups) {
    if (group === null || seqno === group.seqno) continue;
    facts.push({
      name: 'lvm-copies-differ',
      detail: `its own copies of the metadata are of seqno ${seqno} and ${group.seqno}`,
    });
  }
  const troubles = copies.flatMap(({ trouble }) => (trouble === null ? [] : [trouble]));
  const isFree = group === null && copies.some(({ isEmpty }) => isEmpty);
  return { uuid, sizeBytes, group, trouble: group === null ? (troubles[0] ?? null) : null, isFree, facts };
}

function newer(one: VolumeGroup | null, other: VolumeGroup): VolumeGroup {
  return one === null || other.seqno > one.seqno ? other : one;
}

interface Area {
  readonly offset: number;
  readonly size: number;
}

function readAnswered(disk: ByteSource, area: Area): ReturnType<typeof readArea> {
  try {
    return readArea(disk, area);
  } catch (error) {
    if (!(error instanceof DamageError || error instanceof ReadError)) throw error;
    return {
      group: null,
      trouble: error.message,
      isEmpty: false,
      facts: [{ name: 'lvm-area-damaged', detail: error.message }],
    };
  }
}

interface Label {
  readonly uuid: string;
  readonly sizeBytes: number;
  readonly areas: readonly Area[];
}

function readLabel(disk: ByteSource): Label {
  let damage: DamageError | null = null;
  for (let number = 0; number < LABEL_SECTORS; number++) {
    const sector = new Uint8Array(LVM_SECTOR_BYTES);
    if (disk.read(sector, number * LVM_SECTOR_BYTES) < sector.length) break;
    const label = labelHeader.at(sector, 0, number * LVM_SECTOR_BYTES);
    if (label.id !== LABEL_ID || label.type !== LABEL_TYPE) continue;
    const crc = rawCrc32(CRC_SEED, sector.subarray(LABEL_CRC_FROM));
    if (crc === label.crc) return labelOf(disk, sector, number);
    damage ??= new DamageError('label_header.crc', number * LVM_SECTOR_BYTES, label.crc, crc, 'EBADMSG');
  }
  throw damage ?? new DamageError('label_header', 0, 'no label', LABEL_ID);
}

function labelOf(disk: ByteSource, sector: Uint8Array, number: number): Label {
  const origin = number * LVM_SECTOR_BYTES;
  const { offset, sector: own } = labelHeader.at(sector, 0, origin);
  if (own !== number) throw new DamageError('label_header.sector', origin, own, number);
  const { uuid, deviceBytes } = pvHeader.at(sector, offset, origin);
  const data = locationsFrom(sector, offset + pvHeader.size, origin);
  const areas = locationsFrom(sector, data.end, origin).found;
  for (const area of areas) {
    if (area.offset + area.size > disk.size)
      throw new DamageError('disk_locn', origin, `${area.offset}+${area.size}`, `at most ${disk.size}`);
  }
  return { uuid, sizeBytes: deviceBytes, areas };
}

/** A list up to the location at 0, within the sector. */
function locationsFrom(sector: Uint8Array, start: number, origin: number): { found: Area[]; end: number } {
  const found: Area[] = [];
  for (let at = start; ; at += diskLocation.size) {
    const { offset, size } = diskLocation.at(sector, at, origin);
    if (offset === 0) return { found, end: at + diskLocation.size };
    found.push({ offset, size });
  }
}
