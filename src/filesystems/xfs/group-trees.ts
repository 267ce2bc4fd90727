// Which trees a group has, and where their roots are. What its headers do not tell is in the volume's damage.

import type { TreeRoot } from './group-tree.ts';
import { RO_COMPAT } from './layout.ts';
import type { XfsVolume } from './volume.ts';

/** In the order of the headers; none of a header that cannot be had. */
export function groupTrees(volume: XfsVolume, group: number): TreeRoot[] {
  return [...guarded(volume, () => spaceTrees(volume, group)), ...guarded(volume, () => inodeTrees(volume, group))];
}

function guarded(volume: XfsVolume, read: () => TreeRoot[]): TreeRoot[] {
  try {
    return read();
  } catch (error) {
    volume.damage.keep(error);
    return [];
  }
}

function spaceTrees(volume: XfsVolume, group: number): TreeRoot[] {
  const header = volume.groups.freeSpace(group);
  const trees: TreeRoot[] = [
    { group, kind: 'byBlock', root: header.byBlockRoot, levels: header.byBlockLevels },
    { group, kind: 'bySize', root: header.bySizeRoot, levels: header.bySizeLevels },
  ];
  if (has(volume, RO_COMPAT.rmapbt))
    trees.push({ group, kind: 'reverseMap', root: header.reverseMapRoot, levels: header.reverseMapLevels });
  if (has(volume, RO_COMPAT.reflink))
    trees.push({ group, kind: 'referenceCount', root: header.referenceCountRoot, levels: header.referenceCountLevels });
  return trees;
}

function inodeTrees(volume: XfsVolume, group: number): TreeRoot[] {
  const header = volume.groups.inodes(group);
  const trees: TreeRoot[] = [{ group, kind: 'inodes', root: header.root, levels: header.levels }];
  if (has(volume, RO_COMPAT.finobt))
    trees.push({ group, kind: 'freeInodes', root: header.freeRoot, levels: header.freeLevels });
  return trees;
}

function has({ superblock }: XfsVolume, feature: number): boolean {
  return superblock.summed && (superblock.raw.roCompat & feature) !== 0;
}
