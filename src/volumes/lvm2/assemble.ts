// Puts volume groups together from the physical volumes at hand: their logical volumes as bytes, or why one is none.

import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Fact } from '../../bytes/fact.ts';
import { LogicalBytes } from './logical-bytes.ts';
import type { PhysicalVolume } from './physical-volume.ts';
import type { GroupMember, LogicalVolume, VolumeGroup } from './volume-group.ts';

/** A physical volume and where it is. */
export interface PlacedVolume {
  readonly bytes: ByteSource;
  readonly physical: PhysicalVolume;
}

export interface AssembledVolume {
  /** `group/volume` */
  readonly name: string;
  readonly uuid: string;
  readonly sizeBytes: number;
  /** Null: it cannot be put together; then `trouble` says why. */
  readonly bytes: ByteSource | null;
  readonly trouble: string | null;
}

export interface Assembled {
  /** Of all groups, by the order of their first disk, then of the text. */
  readonly volumes: readonly AssembledVolume[];
  /** What is told of each physical volume, in the order given. */
  readonly facts: readonly (readonly Fact[])[];
  /** The id of each physical volume's group, in the order given; null: none that is known, or one that it has left. */
  readonly groups: readonly (string | null)[];
}

export function assembleGroups(placed: readonly PlacedVolume[]): Assembled {
  const groups = new Map<string, VolumeGroup>();
  for (const { group } of placed.map(({ physical }) => physical)) {
    const known = group === null ? undefined : groups.get(group.id);
    if (group !== null && (known === undefined || group.seqno > known.seqno)) groups.set(group.id, group);
  }
  const all = [...groups.values()];
  return {
    volumes: all.flatMap(group => volumesOf(group, placed)),
    facts: placed.map(({ physical }) => [...physical.facts, ...membership(physical, all, placed)]),
    groups: placed.map(({ physical }) => groupOf(physical.uuid, all)?.id ?? null),
  };
}

function volumesOf(group: VolumeGroup, placed: readonly PlacedVolume[]): AssembledVolume[] {
  const found = new Map<string, readonly PlacedVolume[]>();
  for (const [name, { uuid }] of group.physicalVolumes) {
    found.set(
      name,
      placed.filter(({ physical }) => physical.uuid === uuid),
    );
  }
  return group.logicalVolumes.filter(({ visible }) => visible).map(volume => assemble(group, volume, found));
}

function assemble(
  group: VolumeGroup,
  volume: LogicalVolume,
  found: ReadonlyMap<string, readonly PlacedVolume[]>,
): AssembledVolume {
  const name = `${group.name}/${volume.name}`;
  const common = { name, uuid: volume.id, sizeBytes: volume.sizeBytes };
  const needed = new Set(volume.segments.flatMap(({ stripes }) => stripes.map(({ member }) => member)));
  const trouble = volume.unsupported ?? troubleOf(group, needed, found);
  if (trouble !== null) return { ...common, bytes: null, trouble: `logical volume ${name}: ${trouble}` };
  const members = new Map(
    [...needed].flatMap(member => found.get(member)?.map(({ bytes }) => [member, bytes] as const) ?? []),
  );
  return { ...common, bytes: new LogicalBytes(`logical volume ${name}`, volume.segments, members), trouble: null };
}

function troubleOf(
  group: VolumeGroup,
  needed: ReadonlySet<string>,
  found: ReadonlyMap<string, readonly PlacedVolume[]>,
): string | null {
  const of = (count: (copies: number) => boolean): string =>
    [...needed]
      .filter(member => count(found.get(member)?.length ?? 0))
      .map(member => wordsOf(group.physicalVolumes.get(member)))
      .join(', ');
  const missing = of(copies => copies === 0);
  if (missing !== '') return `needs physical volume ${missing}, which is not there`;
  const double = of(copies => copies > 1);
  return double === '' ? null : `needs physical volume ${double}, which is there more than once`;
}

function wordsOf(member: GroupMember | undefined): string {
  if (member === undefined) return '(unknown)';
  return `${dashed(member.uuid)}${member.device === '' ? '' : ` (${member.device})`}`;
}

/** As LVM2's tools print it. */
function dashed(uuid: string): string {
  return uuid.replace(/^(.{6})(.{4})(.{4})(.{4})(.{4})(.{4})(.{6})$/, '$1-$2-$3-$4-$5-$6-$7');
}

/** What a physical volume's own copy says against the newest one of its group. */
function membership(
  { uuid, group: own }: PhysicalVolume,
  groups: readonly VolumeGroup[],
  placed: readonly PlacedVolume[],
): Fact[] {
  const group = groupOf(uuid, groups);
  if (group === null) {
    const detail = own === null ? 'belongs to no volume group that is known here' : `${own.name} no longer lists it`;
    return [{ name: 'lvm', detail }];
  }
  const { name, seqno, physicalVolumes, logicalVolumes } = group;
  const visible = logicalVolumes.filter(volume => volume.visible).length;
  const there = [...physicalVolumes.values()].filter(member =>
    placed.some(({ physical }) => physical.uuid === member.uuid),
  );
  const detail = `group ${name}, seqno ${seqno}: ${visible} logical volumes, ${there.length} of ${physicalVolumes.size} physical volumes are here`;
  const facts: Fact[] = [{ name: 'lvm', detail }];
  if (own !== null && own.seqno < seqno) facts.push(staleFact(own, group, uuid));
  return facts;
}

function groupOf(uuid: string, groups: readonly VolumeGroup[]): VolumeGroup | null {
  return groups.find(each => [...each.physicalVolumes.values()].some(member => member.uuid === uuid)) ?? null;
}

function staleFact(own: VolumeGroup, group: VolumeGroup, uuid: string): Fact {
  const member = [...group.physicalVolumes.values()].find(each => each.uuid === uuid);
  const excuse = member?.missing === true ? 'it was not there then' : 'its update was lost, or it was not there then';
  return {
    name: 'lvm-seqno-differs',
    detail: `its metadata of ${group.name} is of seqno ${own.seqno}, another disk's of ${group.seqno}: ${excuse}`,
  };
}
