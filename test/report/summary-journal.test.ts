// What the summary says of journals that do not reach back to the beginning of the suspect time.

import { describe, expect, it } from 'vitest';
import type { VolumeFacts, Window } from '../../src/model.ts';
import { journalSentences } from '../../src/report/summary-journal.ts';
import { volumeSuffixes } from '../../src/report/volume-name.ts';
import { day } from '../judge/path-case-of.ts';
import { VOLUME } from './sample-report.ts';

const WINDOW: Window = { fromNs: day(15), toNs: day(18) };
const volume = (log: VolumeFacts['log'], parts: Partial<VolumeFacts> = {}): VolumeFacts => ({
  ...VOLUME,
  filesystem: 'xfs',
  log,
  ...parts,
});
const said = (volumes: readonly VolumeFacts[], window: Window | null = WINDOW) =>
  journalSentences(volumes, window, volumeSuffixes(volumes));

describe('of a journal', () => {
  it('that holds all since before the suspect time nothing is said, nor without such a time', () => {
    expect(said([volume({ fromNs: day(14), toNs: day(19), holes: 0 })])).toEqual([]);
    expect(said([volume(null)], null)).toEqual([]);
    expect(said([volume(null)], { fromNs: null, toNs: day(18) })).toEqual([]);
  });

  it('that shows nowhere, below a mount, nothing is said', () => {
    expect(said([volume(null, { filesystem: 'host' })])).toEqual([]);
  });

  it('that is empty, late or torn it is said what it cannot know', () => {
    expect(said([volume(null)])).toEqual([
      'The journal tells nothing of the suspect time (emptied by a repair, in use, or there is none): names that were made then and lost are known to nobody.',
    ]);
    expect(said([volume({ fromNs: day(16), toNs: day(19), holes: 0 })])).toEqual([
      'The journal goes back to 1970-01-17 00:00:00.123456789 UTC only: names that were made in the suspect time before that and lost are known to nobody.',
    ]);
    expect(said([volume({ fromNs: day(14), toNs: day(19), holes: 2 })])).toEqual([
      'The journal has 2 gaps: names that were made in them and lost are known to nobody.',
    ]);
  });

  it('of one of several volumes the volume is named', () => {
    expect(
      said([volume({ fromNs: day(14), toNs: day(19), holes: 0 }), volume(null, { index: 1, label: 'data' })]),
    ).toEqual([expect.stringMatching(/^The journal \(volume 1, "data"\) tells nothing/)]);
  });
});
