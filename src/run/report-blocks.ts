// Blocks that went back, as the report lists them: the file system's own structures, and blocks of files that no path leads
// to. All others are told as ranges of the files' findings.

import type { LoggedState } from '../filesystems/logged-state.ts';
import type { BlockRole } from '../model.ts';
import type { ReportBlock } from '../report/report.ts';
import type { GoneBack } from './block-history.ts';

const WORDS: Readonly<Partial<Record<BlockRole, string>>> = {
  superblock: 'group',
  'group-descriptors': 'group',
  'reserved-descriptors': 'group',
  'block-bitmap': 'bitmap',
  'inode-bitmap': 'bitmap',
  'inode-table': 'inode-table',
  directory: 'directory',
  'block-map': 'extent',
  'free-space-tree': 'bitmap',
  'inode-tree': 'bitmap',
  'free-list': 'bitmap',
  'reverse-map-tree': 'extent',
  'reference-count-tree': 'extent',
  journal: 'log',
  data: 'data',
  symlink: 'data',
  attributes: 'data',
  'attribute-value': 'data',
  quota: 'data',
  'orphan-file': 'data',
};

/** Ascending by block, each once. @param unitsPerBlock how many units of a map a block of the file system has. */
export function reportBlocks(volume: number, found: readonly GoneBack[], unitsPerBlock: number): ReportBlock[] {
  const blocks = new Map<number, ReportBlock>();
  for (const { role, physical, length, backTo, confidence } of found) {
    const word = WORDS[role];
    if (word === undefined) continue;
    for (let unit = physical; unit < physical + length; unit++) {
      const block = Math.floor(unit / unitsPerBlock);
      if (blocks.has(block)) continue;
      blocks.set(block, { volume, block, role: word, rule: `went-back-to:${backTo}`, confidence, entries: 0 });
    }
  }
  return [...blocks.values()];
}

/**
 * Blocks of which the file system's own log has a newer copy. A repair, an offline tool or a crash since the log's end leave
 * such blocks as well: then only those count that stand as an earlier copy has them.
 */
export function outdatedBlocks(volume: number, { blocks, isUndisturbed }: LoggedState): ReportBlock[] {
  return blocks.flatMap(({ block, role, isEarlierCopy, inodes }) => {
    const word = WORDS[role];
    if (word === undefined || !(isUndisturbed || isEarlierCopy)) return [];
    const confidence = isUndisturbed ? 'proven' : 'likely';
    return [{ volume, block, role: word, rule: 'newer-copy-in-journal', confidence, entries: inodes }];
  });
}
