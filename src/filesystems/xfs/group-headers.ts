// The headers of allocation groups, each in a sector of its own: free space (AGF), inodes (AGI), blocks kept for trees (AGFL).
// Read when asked for. A wrong checksum is noted, and the header used; one of another kind or group is refused.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { readExactly } from '../../bytes/read-exactly.ts';
import { DamageError } from '../../errors.ts';
import { u32be } from '../../struct/integers.ts';
import type { Fields, Struct, StructOf, View } from '../../struct/struct.ts';
import type { DamageLog } from '../damage-log.ts';
import { AGF_MAGIC, AGFL_HEADER_BYTES, AGFL_MAGIC, AGI_MAGIC, agf, agfl, agi } from './layout.ts';
import { checkDescription, DESCRIPTIONS, type SelfDescription } from './self-description.ts';
import type { Superblock } from './superblock.ts';

const SECTOR_OF = { agf: 1, agi: 2, agfl: 3 } as const;

export class GroupHeaders {
  readonly #source: ByteSource;
  readonly #superblock: Superblock;
  readonly #damage: DamageLog;

  constructor(source: ByteSource, superblock: Superblock, damage: DamageLog) {
    this.#source = source;
    this.#superblock = superblock;
    this.#damage = damage;
  }

  get count(): number {
    return this.#superblock.agCount;
  }

  /** From the volume's start. */
  firstBlock(group: number): number {
    return group * this.#superblock.agBlocks;
  }

  /** Byte offset of a header in the volume. */
  headerPlace(group: number, header: keyof typeof SECTOR_OF): number {
    const { blockSize, sectorSize } = this.#superblock;
    return this.firstBlock(group) * blockSize + SECTOR_OF[header] * sectorSize;
  }

  /** Throws DamageError when it is none, ReadError. So do the others. */
  freeSpace(group: number): StructOf<typeof agf> {
    const found = this.#header(group, 'agf', agf, DESCRIPTIONS.agf);
    this.#checkKind(found, AGF_MAGIC, found.number, group);
    return found;
  }

  inodes(group: number): StructOf<typeof agi> {
    const found = this.#header(group, 'agi', agi, DESCRIPTIONS.agi);
    this.#checkKind(found, AGI_MAGIC, found.number, group);
    return found;
  }

  /** Blocks, counted in the group, that are kept for the group's trees to grow. */
  freeList(group: number): number[] {
    const { freeListFirst, freeListCount } = this.freeSpace(group);
    const { sectorSize, summed, agBlocks } = this.#superblock;
    const found = this.#header(group, 'agfl', agfl, DESCRIPTIONS.agfl);
    if (summed) this.#checkKind(found, AGFL_MAGIC, found.number, group);
    const start = summed ? AGFL_HEADER_BYTES : 0;
    const room = Math.floor((sectorSize - start) / 4);
    if (freeListFirst >= room || freeListCount > room) {
      throw new DamageError('xfs_agf agf_flcount', found.origin, freeListCount, `at most ${room}`);
    }
    const slots = Array.from({ length: freeListCount }, (_, index) => (freeListFirst + index) % room);
    return slots.map(slot => u32be(found.bytes, start + 4 * slot)).filter(block => block < agBlocks);
  }

  #header<F extends Fields>(
    group: number,
    header: keyof typeof SECTOR_OF,
    layout: Struct<F>,
    description: SelfDescription,
  ): View<F> {
    const { sectorSize, summed, metaUuid } = this.#superblock;
    const at = this.headerPlace(group, header);
    const bytes = readExactly(this.#source, at, sectorSize, layout.name);
    if (summed) this.#note(() => checkDescription(bytes, description, rightful(group, at, metaUuid)));
    return layout.at(bytes, 0, at);
  }

  #note(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#damage.keep(error);
    }
  }

  #checkKind(found: View<{ magic: typeof agf.fields.magic }>, magic: number, number: number, group: number): void {
    if (found.magic === magic && number === group) return;
    const expected = `magic ${magic} of group ${group}`;
    throw new DamageError('allocation group header', found.origin, `magic ${found.magic} of group ${number}`, expected);
  }
}

function rightful(group: number, at: number, uuid: Uint8Array) {
  return { what: `group ${group}`, at, owner: null, uuid };
}
