// Several sources, one after the other, as one: the pieces of a split image, the extents of a disk.

import type { ByteSource } from './byte-source.ts';

/** `parts` in order; they are not closed with it. A part without `nextData` counts as data throughout. */
export function joinedBytes(name: string, parts: readonly ByteSource[]): ByteSource {
  return new JoinedBytes(name, parts);
}

interface Part {
  readonly source: ByteSource;
  readonly start: number;
  readonly end: number;
}

class JoinedBytes implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #parts: readonly Part[];

  constructor(name: string, parts: readonly ByteSource[]) {
    this.name = name;
    let start = 0;
    this.#parts = parts.map(source => {
      const part = { source, start, end: start + source.size };
      start = part.end;
      return part;
    });
    this.size = start;
  }

  read(into: Uint8Array, at: number): number {
    const wanted = Math.max(0, Math.min(into.length, this.size - at));
    let filled = 0;
    for (let index = this.#indexAt(at); filled < wanted; index++) {
      const { source, start } = this.#parts[index] as Part;
      filled += source.read(into.subarray(filled, wanted), at + filled - start);
    }
    return filled;
  }

  nextData(at: number): number {
    for (let index = this.#indexAt(at); index < this.#parts.length; index++) {
      const { source, start, end } = this.#parts[index] as Part;
      const from = Math.max(at, start);
      const next = source.nextData === undefined ? from - start : source.nextData(from - start);
      if (next < end - start) return start + next;
    }
    return this.size;
  }

  /** The part that holds byte `at`: the last that does not begin behind it. */
  #indexAt(at: number): number {
    let first = 0;
    let beyond = this.#parts.length;
    while (beyond - first > 1) {
      const middle = Math.floor((first + beyond) / 2);
      if ((this.#parts[middle]?.start ?? 0) <= at) first = middle;
      else beyond = middle;
    }
    return first;
  }
}
