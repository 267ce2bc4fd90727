// What can be said of the blocks of a series' images without the scanner: digests, the journal's places, the extents of files.
// debugfs tells the latter two.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { run } from '../../fixtures/incident/processes.ts';
import { BLOCK_BYTES } from './backup-series.ts';

export function digestsOf(image: string): string[] {
  const bytes = readFileSync(image);
  return Array.from({ length: bytes.length / BLOCK_BYTES }, (_, block) =>
    digestOf(bytes.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)),
  );
}

function digestOf(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('base64');
}

export const ZEROS = digestOf(Buffer.alloc(BLOCK_BYTES));

const JOURNAL_INODE = 8;

export function journalOf(image: string): Set<number> {
  const { output } = run('debugfs', ['-R', `blocks <${JOURNAL_INODE}>`, image]);
  return new Set(output.trim().split(/\s+/).map(Number));
}

/** A leaf of `debugfs ex`: level and depth, logical and physical ranges. */
const EXTENT = /^\s*(\d+)\/\s*(\d+)\s+\d+\/\s*\d+\s+(\d+)\s+-\s+(\d+)\s+(\d+)\s+-/gm;

/** Where each block of an inode's content lies: physical by logical. Empty for what debugfs cannot read; `-c`: it is not to mind bitmaps. */
export function placesOf(image: string, inode: number): Map<number, number> {
  const { output } = run('debugfs', ['-c', '-R', `ex <${inode}>`, image], { accept: [1] });
  const places = new Map<number, number>();
  for (const [, level, depth, from, to, physical] of output.matchAll(EXTENT)) {
    if (level !== depth) continue;
    const first = Number(from);
    for (let logical = first; logical <= Number(to); logical++) places.set(logical, Number(physical) + logical - first);
  }
  return places;
}
