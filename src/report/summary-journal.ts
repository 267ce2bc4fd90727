// How far back the journals of an image's volumes reach, where that is not far enough: names that were made in the suspect time
// and lost are then known to nobody.

import { countOf } from '../figures.ts';
import type { Nanoseconds, VolumeFacts, Window } from '../model.ts';
import { timeForPeople } from './time.ts';
import type { VolumeSuffix } from './volume-name.ts';

/** Of a mounted tree nothing is said: no journal shows there. */
const WITH_JOURNALS: ReadonlySet<string> = new Set(['ext4', 'xfs']);

/** A sentence for each such volume; none without a beginning of the suspect time. */
export function journalSentences(
  volumes: readonly VolumeFacts[],
  window: Window | null,
  volumeOf: VolumeSuffix,
): string[] {
  const fromNs = window?.fromNs ?? null;
  if (fromNs === null) return [];
  const journals = volumes.filter(({ filesystem }) => WITH_JOURNALS.has(filesystem));
  return journals.flatMap(({ log, index }) => {
    const why = whyNotAll(log, fromNs);
    return why === null ? [] : [`The journal${volumeOf(index)} ${why} and lost are known to nobody.`];
  });
}

function whyNotAll(log: VolumeFacts['log'], fromNs: Nanoseconds): string | null {
  if (log === null || log.fromNs === null) {
    const why = 'emptied by a repair, in use, or there is none';
    return `tells nothing of the suspect time (${why}): names that were made then`;
  }
  if (log.fromNs > fromNs)
    return `goes back to ${timeForPeople(log.fromNs)} only: names that were made in the suspect time before that`;
  return log.holes === 0 ? null : `has ${countOf(log.holes, 'gap')}: names that were made in them`;
}
