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
  if (ends === null || blocks === undefined) return [];
  const extents = unlessRefused(() => [...(filesystem.extents?.(entry) ?? [])]) ?? [];
  const found = extents.flatMap(extent => foreignEndsIn(extent, stat, blocks, ends));
  if (found.length === 0) return [];
  const [first] = found;
  const whose = first === undefined ? '' : `inode ${first.end.inode}`;
  const detail = `${found.length} of its blocks end as another file did there (${whose}, by the file system's log), with zeros after that end.`;
  const ranges = found.map(({ range }) => range);
  return [{ scanner: 'journal', rule: 'ends-as-another-file', path: entry.path, supports: true, detail, ranges }];
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
    const foreign = foreignAmong(all, stat, blocks).filter(({ bytes }) => length - bytes >= FEWEST_ZEROS);
    const used = foreign.length === 0 ? null : usedBytes(blocks, block, length);
    const end = foreign.find(({ bytes }) => bytes === used);
    if (end !== undefined) found.push({ end, range: { offset, length } });
  }
  return found;
}

/**
 * A file that ended there itself has grown since, by zeros as well as by content. One that shares blocks may have been given
 * this one by another that shares some, end and all.
 */
function foreignAmong(ends: readonly FormerEnd[], stat: Stat, blocks: VolumeBlocks): FormerEnd[] {
  const isOwn = ({ inode, generation }: FormerEnd) => inode === Number(stat.inode) && generation === stat.generation;
  const own = new Set(ends.filter(isOwn).map(({ bytes }) => bytes));
  const foreign = ends.filter(end => !isOwn(end) && !own.has(end.bytes));
  const mayShare = foreign.length > 0 && blocks.mayShareBlocks?.(Number(stat.inode)) === true;
  return mayShare ? foreign.filter(({ isShared }) => !isShared) : foreign;
}

/** How many of the first `length` bytes of the block stand before zeros alone; null where they cannot be read. */
function usedBytes({ bytes, blockBytes }: VolumeBlocks, block: number, length: number): number | null {
  const content = new Uint8Array(length);
  const count = unlessRefused(() => bytes.read(content, block * blockBytes));
  return count === length ? content.findLastIndex(byte => byte !== 0) + 1 : null;
}
