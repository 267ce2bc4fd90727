// What a target is made of: container, volumes, file systems. Nothing is listed or read beyond their heads and the container's
// tables.

import { Ext4Filesystem } from '../filesystems/ext4/ext4-filesystem.ts';
import type { Filesystem } from '../filesystems/filesystem.ts';
import { XfsFilesystem } from '../filesystems/xfs/xfs-filesystem.ts';
import type { TargetSpec } from '../model.ts';
import type { InspectedVolume, Inspection } from '../report/inspection.ts';
import { type OpenedVolume, openTarget } from '../tree/open-target.ts';
import { surveyFacts } from './container-tells.ts';

/** Throws as openTarget does. */
export async function inspect(target: TargetSpec): Promise<Inspection> {
  const opened = openTarget(target);
  try {
    const { container, snapshots } = opened;
    const facts = [...opened.facts, ...surveyFacts(opened.survey())];
    return { container, snapshots, facts, volumes: opened.volumes.map(inspectVolume) };
  } finally {
    opened.close();
  }
}

function inspectVolume({ facts, filesystem, partition, trouble, holdsFiles }: OpenedVolume): InspectedVolume {
  return { ...facts, partition, trouble, holdsFiles, ...superblockOf(filesystem) };
}

function superblockOf(filesystem: Filesystem | null): Pick<InspectedVolume, 'features' | 'times'> {
  if (filesystem instanceof XfsFilesystem) {
    const { features } = filesystem.volume.superblock;
    // The superblock keeps no times: its root directory is as old as the file system.
    return { features, times: { made: filesystem.root.stat.crtimeNs } };
  }
  if (!(filesystem instanceof Ext4Filesystem)) return { features: [], times: {} };
  const { features, mkfsTimeNs, mountTimeNs, writeTimeNs, lastCheckNs } = filesystem.volume.superblock;
  return {
    features,
    times: { made: mkfsTimeNs, mounted: mountTimeNs, written: writeTimeNs, checked: lastCheckNs },
  };
}
