// A block of a file that ends as another file ended there, by the file system's log: its bytes up to that very place, then zeros.
// What this file wrote to the block did not arrive. Needs no reference, only the log.

import { unlessRefused } from '../src/errors.ts';
import type { Entry, Extent, Filesystem, VolumeBlocks } from '../src/filesystems/filesystem.ts';
import { endsWithin, type FormerEnd, type FormerEndColumns } from '../src/filesystems/former-ends.ts';
import type { ByteRange, Observation, Stat } from '../src/model.ts';

/** So many zeros at least follow the other file's end: fewer may be content. */
const FEWEST_ZEROS = 16;

/** @param stat the file's inode, with its generation. */
export function foreignEndsOf(
  filesystem: Filesystem,
  entry: Entry,
  stat: Stat,
  ends: FormerEndColumns | null,
): Observation[] {
  const { blocks } = filesystem;
  if (ends === null || blocks === undefined || mayOweToSharing(blocks, stat, ends)) return [];
  const extents = unlessRefused(() => [...(filesystem.extents?.(entry) ?? [])]) ?? [];
  const found = extents.flatMap(extent => foreignEndsIn(extent, stat, blocks, ends));
  if (found.length === 0) return [];
  const [first] = found;
  const whose = first === undefined ? '' : `inode ${first.end.inode}`;
  const detail = `${found.length} of its blocks end as another file did there (${whose}, by the file system's log), with zeros after that end.`;
  const ranges = found.map(({ range }) => range);
  return [{ scanner: 'journal', rule: 'ends-as-another-file', path: entry.path, supports: true, detail, ranges }];
}

/**
 * Blocks in common with another file are that file's as well, with its end: a file that was given them has had that end too,
 * which the log tells only of one that it has known from its birth.
 */
function mayOweToSharing(blocks: VolumeBlocks, { inode, crtimeNs }: Stat, { sinceNs }: FormerEndColumns): boolean {
  return blocks.mayShareBlocks?.(Number(inode)) === true && (crtimeNs === null || crtimeNs <= sinceNs);
}

interface ForeignEnd {
  readonly end: FormerEnd;
  /** The block, up to the file's own end. */
  readonly range: ByteRange;
}

function foreignEndsIn(extent: Extent, stat: Stat, blocks: VolumeBlocks, ends: FormerEndColumns): ForeignEnd[] {
  if (extent.unwritten) return [];
  const { blockBytes } = blocks;
  const first = extent.physical / blockBytes;
  const found: ForeignEnd[] = [];
  for (const all of endsWithin(ends, first, first + extent.length / blockBytes)) {
    const block = all[0]?.block ?? 0;
    const offset = extent.logical + (block - first) * blockBytes;
    const length = Math.min(blockBytes, stat.sizeBytes - offset);
    const end = length <= 0 ? null : foreignEnd(all, stat, length, () => readBlock(blocks, block));
    if (end !== null) found.push({ end, range: { offset, length } });
  }
  return found;
}

/** A file that ended there itself has grown since, by zeros as well as by content. */
function foreignEnd(
  ends: readonly FormerEnd[],
  stat: Stat,
  length: number,
  read: () => Uint8Array | null,
): FormerEnd | null {
  const isOwn = ({ inode, generation }: FormerEnd) => inode === Number(stat.inode) && generation === stat.generation;
  const own = new Set(ends.filter(isOwn).map(({ bytes }) => bytes));
  const others = ends.filter(end => !isOwn(end) && !own.has(end.bytes) && length - end.bytes >= FEWEST_ZEROS);
  const content = others.length === 0 ? null : read()?.subarray(0, length);
  if (content == null) return null;
  const end = content.findLastIndex(byte => byte !== 0) + 1;
  return others.find(({ bytes }) => bytes === end) ?? null;
}

function readBlock({ bytes, blockBytes }: VolumeBlocks, block: number): Uint8Array | null {
  const content = new Uint8Array(blockBytes);
  const count = unlessRefused(() => bytes.read(content, block * blockBytes));
  return count === blockBytes ? content : null;
}
