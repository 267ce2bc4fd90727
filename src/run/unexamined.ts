// What of an opened target nobody looks into: volumes that are not read, and journals that hold a newer state than is shown.

import type { ScanError } from '../model.ts';
import type { OpenedTarget } from '../tree/open-target.ts';

/** Errors of a report; with any of them, the target was not examined whole. */
export function unexamined(target: OpenedTarget): ScanError[] {
  return [...unreadVolumes(target), ...unusedJournals(target)];
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
