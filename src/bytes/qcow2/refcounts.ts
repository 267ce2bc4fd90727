// The counters of a qcow2 image: how often each cluster of the file is said to be in use. A table of blocks of counters, 1 to 64 bits
// wide.

import { n64be, u16be, u32be } from '../../struct/integers.ts';
import type { ByteSource } from '../byte-source.ts';
import type { Qcow2Header } from './header.ts';

/** Greater counts come out as this. */
export const MOST_COUNTED = 0xffff;

export interface Refcounts {
  /** By cluster of the file. */
  readonly counts: Uint16Array;
  /** Offsets of the blocks of counters, 0 where there is none. */
  readonly blocks: readonly number[];
  readonly clustersPerBlock: number;
}

/** Of the first `clusters` clusters. Blocks beyond the end of the file count as zeros. Throws ReadError. */
export function readRefcounts(file: ByteSource, header: Qcow2Header, clusters: number): Refcounts {
  const { clusterBytes, refcountBits, refcountTable } = header;
  const clustersPerBlock = (clusterBytes * 8) / refcountBits;
  const wanted = Math.min(Math.ceil(clusters / clustersPerBlock), (refcountTable.clusters * clusterBytes) / 8);
  const table = new Uint8Array(wanted * 8);
  file.read(table, refcountTable.offset);
  const counts = new Uint16Array(clusters);
  const blocks: number[] = [];
  const block = new Uint8Array(clusterBytes);
  for (let index = 0; index < wanted; index++) {
    const offset = n64be(table, index * 8);
    const usable = offset > 0 && offset % clusterBytes === 0 && offset < file.size;
    blocks.push(usable ? offset : 0);
    if (!usable) continue;
    block.fill(0);
    file.read(block, offset);
    unpack(block, refcountBits, counts.subarray(index * clustersPerBlock, (index + 1) * clustersPerBlock));
  }
  return { counts, blocks, clustersPerBlock };
}

/** Counters narrower than a byte begin at its low bits. */
function unpack(block: Uint8Array, bits: number, into: Uint16Array): void {
  for (let index = 0; index < into.length; index++) into[index] = counterAt(block, bits, index);
}

function counterAt(block: Uint8Array, bits: number, index: number): number {
  if (bits === 16) return u16be(block, index * 2);
  if (bits === 32) return Math.min(MOST_COUNTED, u32be(block, index * 4));
  if (bits === 64) return Math.min(MOST_COUNTED, n64be(block, index * 8));
  const at = index * bits;
  const byte = block[Math.floor(at / 8)] as number;
  return (byte >>> (at % 8)) & (2 ** bits - 1);
}
