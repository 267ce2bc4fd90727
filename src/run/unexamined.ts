// What of an opened target nobody looks into: volumes that are not read, partitions that a broken table hides, and journals that
// hold a newer state than is shown. And what else is amiss with its container and partition table.

import { byteFigure } from '../figures.ts';
import type { ScanError } from '../model.ts';
import type { OpenedTarget } from '../tree/open-target.ts';

/** Errors of a report; with any of them, the target was not examined whole. */
export function unexamined(target: OpenedTarget): ScanError[] {
  return [...unreadVolumes(target), ...cutVolumes(target), ...troubles(target, HIDING), ...unusedJournals(target)];
}

/** Facts that mean partitions which nobody can find. */
const HIDING = new Set(['partition-unusable', 'mbr-chain-broken', 'gpt-entries-checksum']);
/** Facts of a container or a partition table that lost something, and could be read all the same. */
const ALARMING = new Set([
  'gpt-backup-used',
  'gpt-backup-damaged',
  'gpt-copies-differ',
  'gpt-without-protective-mbr',
  'qcow2-corrupt',
  'qcow2-snapshots-damaged',
  'vhd-first-footer-broken',
  'vmdk-parent-changed',
]);

/** Errors of a report about a target that was examined all the same. */
export function containerTroubles(target: OpenedTarget): ScanError[] {
  return troubles(target, ALARMING);
}

function troubles({ facts }: OpenedTarget, names: ReadonlySet<string>): ScanError[] {
  return facts
    .filter(({ name }) => names.has(name))
    .map(({ name, detail }) => ({ path: '/', code: name, message: detail }));
}

/** Volumes that may hold files and were not looked into. */
function unreadVolumes({ volumes }: OpenedTarget): ScanError[] {
  return volumes
    .filter(({ filesystem, holdsFiles }) => filesystem === null && holdsFiles)
    .map(({ facts, trouble }) => ({
      path: '/',
      code: 'volume-not-examined',
      message: `volume ${facts.index}: ${trouble}`,
    }));
}

/** Volumes that a mount would refuse: blocks of the file system lie beyond what there is. */
function cutVolumes({ volumes }: OpenedTarget): ScanError[] {
  return volumes
    .filter(({ missingBytes }) => missingBytes > 0)
    .map(({ facts, missingBytes }) => ({
      path: '/',
      code: 'volume-cut',
      message: `volume ${facts.index}: the last ${byteFigure(missingBytes)} of the file system are not there: the image was cut, or its superblock is of another day`,
    }));
}

/** Volumes of which a mount would show another state, or which it would refuse. */
function unusedJournals({ volumes }: OpenedTarget): ScanError[] {
  return volumes.flatMap(({ facts, journalTrouble }) =>
    journalTrouble.map(trouble => ({
      path: '/',
      code: 'journal-not-replayed',
      message: `volume ${facts.index}: its journal could not be replayed whole: ${trouble}`,
    })),
  );
}
