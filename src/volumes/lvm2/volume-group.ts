// From a metadata text to the volume group that it describes: which extents of which physical volumes make up which logical
// volume. Every number is checked against what it counts in.

import { DamageError } from '../../errors.ts';
import { type ConfigSection, type ConfigValue, parseConfig } from './config-text.ts';
import { LVM_SECTOR_BYTES } from './layout.ts';

export interface VolumeGroup {
  readonly name: string;
  readonly id: string;
  /** Counts the changes of the group: every copy of one state has the same. */
  readonly seqno: number;
  readonly extentBytes: number;
  /** By the name that segments use (`pv0`). */
  readonly physicalVolumes: ReadonlyMap<string, GroupMember>;
  readonly logicalVolumes: readonly LogicalVolume[];
}

export interface GroupMember {
  /** Without dashes, as the label has it. */
  readonly uuid: string;
  /** Where it was when the text was written. */
  readonly device: string;
  /** Of its first extent, and how many there are. */
  readonly startBytes: number;
  readonly extents: number;
  /** It was not there when the text was written. */
  readonly missing: boolean;
}

export interface LogicalVolume {
  readonly name: string;
  readonly id: string;
  /** Seen by users of the group; what is not makes up another one. */
  readonly visible: boolean;
  readonly sizeBytes: number;
  /** In order, without gaps. */
  readonly segments: readonly Segment[];
  /** Why it cannot be put together, whatever is there; null: it can. */
  readonly unsupported: string | null;
}

export interface Segment {
  /** From the logical volume's start. */
  readonly startBytes: number;
  readonly sizeBytes: number;
  /** Bytes of one stripe; the segment's size when there is one only. */
  readonly stripeBytes: number;
  readonly stripes: readonly { readonly member: string; readonly startBytes: number }[];
}

/** One group, the only section of the text. Throws DamageError. */
export function parseVolumeGroup(text: string, structure: string): VolumeGroup {
  const reader = new GroupReader(structure);
  const root = parseConfig(text, structure);
  const groups = [...root].filter(([, value]) => isSection(value));
  const [named] = groups;
  if (named === undefined || groups.length > 1) throw reader.wrong('volume groups', groups.length, 1);
  const [name, group] = named;
  const extentBytes = reader.count(reader.section(group, name), 'extent_size', MOST_SECTORS) * LVM_SECTOR_BYTES;
  if (extentBytes === 0) throw reader.wrong('extent_size', 0, 'more than 0');
  return reader.group(name, reader.section(group, name), extentBytes);
}

/** 2^53 bytes in sectors. */
const MOST_SECTORS = 2 ** 44;
const MOST_SEGMENTS = 1_000_000;

function isSection(value: ConfigValue | undefined): value is ConfigSection {
  return value instanceof Map;
}

class GroupReader {
  readonly #structure: string;

  constructor(structure: string) {
    this.#structure = structure;
  }

  group(name: string, fields: ConfigSection, extentBytes: number): VolumeGroup {
    const physicalVolumes = new Map<string, GroupMember>();
    for (const [member, value] of this.#sections(fields, 'physical_volumes')) {
      physicalVolumes.set(member, this.#member(this.section(value, member)));
    }
    const volumes = [...this.#sections(fields, 'logical_volumes')];
    const layers = volumes.flatMap(([volume, value]) => this.#stores(this.section(value, volume)));
    const context = { extentBytes, physicalVolumes, layers: new Map(layers) };
    return {
      name,
      id: this.#text(fields, 'id'),
      seqno: this.count(fields, 'seqno', 2 ** 32 - 1),
      extentBytes,
      physicalVolumes,
      logicalVolumes: volumes.map(([volume, value]) => this.#volume(volume, this.section(value, volume), context)),
    };
  }

  #member(fields: ConfigSection): GroupMember {
    return {
      uuid: this.#text(fields, 'id').replaceAll('-', ''),
      device: this.#textOr(fields, 'device', ''),
      startBytes: this.count(fields, 'pe_start', MOST_SECTORS) * LVM_SECTOR_BYTES,
      extents: this.count(fields, 'pe_count', MOST_SECTORS),
      missing: [...this.#words(fields, 'status'), ...this.#words(fields, 'flags')].includes('MISSING'),
    };
  }

  /** Volumes that hold what a snapshot keeps of its origin: by themselves they are no file system. */
  #stores(fields: ConfigSection): [store: string, origin: string][] {
    return this.#segments(fields)
      .filter(segment => this.#type(segment) === 'snapshot')
      .map(segment => [this.#textOr(segment, 'cow_store', ''), this.#textOr(segment, 'origin', '')]);
  }

  #volume(name: string, fields: ConfigSection, context: GroupContext): LogicalVolume {
    const sections = this.#segments(fields);
    const origin = context.layers.get(name);
    const odd = sections.map(segment => this.#type(segment)).find(type => type !== 'striped' && type !== 'linear');
    const unsupported =
      origin !== undefined ? `a snapshot of ${origin}` : odd !== undefined ? `of type ${KINDS.get(odd) ?? odd}` : null;
    const extents = sections.reduce((sum, segment) => sum + this.count(segment, 'extent_count', MOST_SECTORS), 0);
    const common = {
      name,
      id: this.#textOr(fields, 'id', ''),
      // As lvm2's own lists have it: a snapshot is seen by the volume that keeps its blocks, whatever the flags of either say.
      visible: origin !== undefined || (odd !== 'snapshot' && this.#words(fields, 'status').includes('VISIBLE')),
      sizeBytes: this.#size(extents, context.extentBytes),
    };
    if (unsupported !== null) return { ...common, segments: [], unsupported };
    if (sections.some(segment => this.#standsOnOthers(segment, context)))
      return { ...common, segments: [], unsupported: 'made of other logical volumes' };
    return { ...common, segments: this.#contiguous(sections, context), unsupported: null };
  }

  #segments(fields: ConfigSection): ConfigSection[] {
    const count = this.count(fields, 'segment_count', MOST_SEGMENTS);
    const found = [...fields].filter(([name]) => /^segment\d+$/.test(name));
    if (found.length !== count) throw this.wrong('segment_count', count, found.length);
    return Array.from({ length: count }, (_, index) => this.section(fields.get(`segment${index + 1}`), 'segment'));
  }

  /** Without what follows a plus: flags of the type. */
  #type(segment: ConfigSection): string {
    return this.#text(segment, 'type').replace(/\+.*$/s, '');
  }

  #standsOnOthers(segment: ConfigSection, { physicalVolumes }: GroupContext): boolean {
    return this.#stripePairs(segment).some(([member]) => !physicalVolumes.has(member));
  }

  #contiguous(sections: readonly ConfigSection[], context: GroupContext): Segment[] {
    let startBytes = 0;
    return sections.map(fields => {
      const segment = this.#segment(fields, context);
      if (segment.startBytes !== startBytes) throw this.wrong('start_extent', segment.startBytes, startBytes);
      startBytes += segment.sizeBytes;
      return segment;
    });
  }

  #segment(fields: ConfigSection, { extentBytes, physicalVolumes }: GroupContext): Segment {
    const pairs = this.#stripePairs(fields);
    const extents = this.count(fields, 'extent_count', MOST_SECTORS);
    const each = extents / pairs.length;
    if (!Number.isInteger(each) || each === 0)
      throw this.wrong('extent_count', extents, `a multiple of ${pairs.length}`);
    const sizeBytes = this.#size(extents, extentBytes);
    const stripes = pairs.map(([name, first]) => {
      const member = physicalVolumes.get(name);
      if (member === undefined || first + each > member.extents)
        throw this.wrong('stripes', `${name}: ${first}+${each}`, `at most ${member?.extents ?? 0} extents`);
      return { member: name, startBytes: this.#size(first, extentBytes) + member.startBytes };
    });
    const startBytes = this.#size(this.count(fields, 'start_extent', MOST_SECTORS), extentBytes);
    const stripeBytes = pairs.length === 1 ? sizeBytes : this.#stripeBytes(fields, each * extentBytes);
    return { startBytes, sizeBytes, stripeBytes, stripes };
  }

  #stripeBytes(fields: ConfigSection, areaBytes: number): number {
    const bytes = this.count(fields, 'stripe_size', MOST_SECTORS) * LVM_SECTOR_BYTES;
    if (bytes > 0 && areaBytes % bytes === 0) return bytes;
    throw this.wrong('stripe_size', bytes, `a divisor of ${areaBytes}`);
  }

  #stripePairs(fields: ConfigSection): [member: string, firstExtent: number][] {
    const values = this.#list(fields, 'stripes');
    const count = this.count(fields, 'stripe_count', values.length);
    if (count === 0 || values.length !== 2 * count) throw this.wrong('stripes', values.length, 2 * count);
    return Array.from({ length: count }, (_, index) => {
      const [member, first] = [values[2 * index], values[2 * index + 1]];
      if (typeof member === 'string' && typeof first === 'bigint' && first >= 0n && first <= BigInt(MOST_SECTORS))
        return [member, Number(first)];
      throw this.wrong('stripes', `${member}, ${first}`, 'a name and an extent');
    });
  }

  #size(extents: number, extentBytes: number): number {
    const bytes = extents * extentBytes;
    if (bytes <= Number.MAX_SAFE_INTEGER) return bytes;
    throw this.wrong('extents', extents, `at most ${Math.floor(Number.MAX_SAFE_INTEGER / extentBytes)}`);
  }

  section(value: ConfigValue | undefined, name: string): ConfigSection {
    if (isSection(value)) return value;
    throw this.wrong(name, value === undefined ? 'nothing' : 'a value', 'a section');
  }

  #sections(fields: ConfigSection, name: string): ConfigSection {
    const value = fields.get(name);
    return value === undefined ? new Map() : this.section(value, name);
  }

  count(fields: ConfigSection, name: string, most: number): number {
    const value = fields.get(name);
    if (typeof value === 'bigint' && value >= 0n && value <= BigInt(most)) return Number(value);
    throw this.wrong(name, typeof value === 'bigint' ? value : 'no number', `a number up to ${most}`);
  }

  #text(fields: ConfigSection, name: string): string {
    const value = fields.get(name);
    if (typeof value === 'string') return value;
    throw this.wrong(name, 'no text', 'a text');
  }

  #textOr(fields: ConfigSection, name: string, other: string): string {
    const value = fields.get(name);
    return typeof value === 'string' ? value : other;
  }

  #list(fields: ConfigSection, name: string): readonly (string | bigint)[] {
    const value = fields.get(name);
    if (Array.isArray(value)) return value;
    throw this.wrong(name, 'no list', 'a list');
  }

  #words(fields: ConfigSection, name: string): readonly unknown[] {
    const value = fields.get(name);
    return Array.isArray(value) ? value : [];
  }

  wrong(what: string, found: string | number | bigint, expected: string | number): DamageError {
    return new DamageError(`${this.#structure} ${what}`, 0, found, expected);
  }
}

interface GroupContext {
  readonly extentBytes: number;
  readonly physicalVolumes: ReadonlyMap<string, GroupMember>;
  /** What snapshots keep of their origins, by the volume that holds it. */
  readonly layers: ReadonlyMap<string, string>;
}

/** Types of segments that are known and not read, in words. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ['thin', 'thin (its blocks lie in a thin pool)'],
  ['thin-pool', 'thin pool'],
  ['cache', 'cache'],
  ['cache-pool', 'cache pool'],
  ['writecache', 'writecache'],
  ['integrity', 'integrity'],
  ['mirror', 'mirror'],
  ['vdo', 'VDO'],
  ['vdo-pool', 'VDO pool'],
  ['snapshot', 'snapshot'],
]);
