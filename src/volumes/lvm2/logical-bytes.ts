// The bytes of a logical volume: linear and striped segments over the physical volumes that hold them.

import type { ByteSource } from '../../bytes/byte-source.ts';
import { ReadError } from '../../errors.ts';
import type { Segment } from './volume-group.ts';

/** @param members every physical volume that a segment names, with as many bytes as its extents have. Closing it closes none of them. */
export class LogicalBytes implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #segments: readonly Segment[];
  readonly #members: ReadonlyMap<string, ByteSource>;

  constructor(name: string, segments: readonly Segment[], members: ReadonlyMap<string, ByteSource>) {
    this.name = name;
    this.size = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
    this.#segments = segments;
    this.#members = members;
  }

  read(into: Uint8Array, at: number): number {
    const count = Math.max(0, Math.min(into.length, this.size - at));
    for (let done = 0; done < count; ) {
      const { member, physical, left } = this.#place(at + done);
      const part = into.subarray(done, done + Math.min(left, count - done));
      const read = this.#members.get(member)?.read(part, physical) ?? 0;
      // A disk that was cut: what is gone is not zero.
      if (read < part.length) throw new ReadError(this.name, at + done + read, part.length - read);
      done += part.length;
    }
    return count;
  }

  /** Where a byte lies, and how many follow it there. */
  #place(at: number): { member: string; physical: number; left: number } {
    const { startBytes, sizeBytes, stripeBytes, stripes } = this.#segmentAt(at);
    const within = at - startBytes;
    const chunk = Math.floor(within / stripeBytes);
    const inChunk = within % stripeBytes;
    const stripe = stripes[chunk % stripes.length];
    if (stripe === undefined) throw new RangeError(`${this.name}: no stripe at ${at}`);
    const row = Math.floor(chunk / stripes.length);
    const left = Math.min(stripeBytes - inChunk, sizeBytes - within);
    return { member: stripe.member, physical: stripe.startBytes + row * stripeBytes + inChunk, left };
  }

  #segmentAt(at: number): Segment {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#segments[middle]?.startBytes ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    const segment = this.#segments[low];
    if (segment === undefined) throw new RangeError(`${this.name}: no segment at ${at}`);
    return segment;
  }
}
