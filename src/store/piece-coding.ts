// What the two codings of a block map's pieces share: items of varint(4 * count + kind), and how a piece is told as a
// difference from another. A piece told in full is its difference from the empty one.

import type { Packer, Unpacker } from './packing.ts';

const KINDS = 4;

export interface PieceCoding<Content> {
  /** A piece of its own: `apply` may change it. */
  empty(): Content;
  /** Codes `content` as its difference from `base`: no bytes at all where they are equal. */
  pack(into: Packer, content: Content, base: Content): void;
  /** What `coded` makes of `base`, which may be changed by it. DamageError. */
  apply(coded: Buffer, base: Content): Content;
}

export function packHead(into: Packer, kind: number, count: number): void {
  into.varint(count * KINDS + kind);
}

export function unpackHead(from: Unpacker): { readonly kind: number; readonly count: number } {
  const head = from.varint();
  return { kind: head % KINDS, count: Math.floor(head / KINDS) };
}
