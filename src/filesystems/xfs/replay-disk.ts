// The volume as a replay changes it, in memory: sectors that were written over those that lie there. What version 5 says of
// itself (checksum, LSN) is renewed when a block would be written home, as the kernel's write verifiers do.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { readExactly } from '../../bytes/read-exactly.ts';
import { DamageError, UnsupportedError } from '../../errors.ts';
import type { OverlaidBlock } from '../block-overlay.ts';
import { checksumOf, describeBlock } from './self-description.ts';

export const SECTOR_BYTES = 512;
/** A log of 2 GiB, the largest there is, names no more than this. */
const MOST_SECTORS = 2 ** 23;
const LARGEST_BUFFER_SECTORS = 2 ** 10;

export class ReplayDisk {
  readonly #source: ByteSource;
  readonly #sectors = new Map<number, Uint8Array>();
  /** Buffers that the transactions of one LSN changed, by their first sector. */
  readonly #unstamped = new Map<number, number>();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  /** A copy of sectors as they are by now. Throws DamageError outside the volume, ReadError. */
  read(sector: number, count: number): Uint8Array {
    const end = (sector + count) * SECTOR_BYTES;
    if (!(sector >= 0 && count > 0 && count <= LARGEST_BUFFER_SECTORS && end <= this.#source.size)) {
      throw new DamageError('logged buffer', sector * SECTOR_BYTES, `${count} sectors`, 'those of the volume');
    }
    const bytes = readExactly(this.#source, sector * SECTOR_BYTES, count * SECTOR_BYTES, 'logged buffer');
    for (let index = 0; index < count; index++) {
      const changed = this.#sectors.get(sector + index);
      if (changed !== undefined) bytes.set(changed, index * SECTOR_BYTES);
    }
    return bytes;
  }

  /** Keeps the sectors that differ. Throws UnsupportedError when they become too many. */
  write(sector: number, bytes: Uint8Array): void {
    const before = this.read(sector, bytes.length / SECTOR_BYTES);
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      const piece = bytes.subarray(at, at + SECTOR_BYTES);
      if (Buffer.compare(piece, before.subarray(at, at + SECTOR_BYTES)) === 0) continue;
      this.#sectors.set(sector + at / SECTOR_BYTES, piece.slice());
    }
    if (this.#sectors.size > MOST_SECTORS)
      throw new UnsupportedError(`XFS: its log changes over ${MOST_SECTORS} sectors`);
  }

  /** As write, of a buffer whose description is to be renewed. */
  writeBuffer(sector: number, bytes: Uint8Array): void {
    this.write(sector, bytes);
    this.#unstamped.set(sector, bytes.length / SECTOR_BYTES);
  }

  /** Writes the LSN and the checksum into the buffers that were written since the last call. */
  stamp(lsn: bigint): void {
    for (const [sector, count] of this.#unstamped) {
      const bytes = this.read(sector, count);
      const description = describeBlock(bytes);
      if (description === null) continue;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      view.setBigUint64(description.lsnAt, lsn);
      view.setUint32(description.checksumAt, checksumOf(bytes, description.checksumAt), true);
      this.write(sector, bytes);
    }
    this.#unstamped.clear();
  }

  overlaid(): OverlaidBlock[] {
    return [...this.#sectors].map(([block, content]) => ({ block, content, escaped: false }));
  }
}
