// How the files of a package speak for or against its manifest while a scan counts them.

import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model.ts';
import { Tally } from '../../src/run/tally.ts';
import { findingOf } from '../judge/finding-of.ts';
import { day, file, manifest, pathCase } from '../judge/path-case-of.ts';

const OWNER = { kind: 'package', name: 'fern', version: '1.0' } as const;
const shipped = manifest(file(1, 'new'), { owner: OWNER, installedAtNs: day(16) });
/** It has other content than the manifest says. */
const known = pathCase({ was: [null, null], is: file(16, 'other'), manifests: [shipped] });

function countsAfter(findings: readonly (Finding | null)[]): unknown {
  const tally = new Tally(null);
  for (const finding of findings) tally.add({ known, judgement: { finding, vouchers: [], atRisk: true } });
  return tally.counters.packages.get('fern');
}

describe('files that differ from their manifest', () => {
  it('speak against it where nothing else is known of them', () => {
    const alone = findingOf('differs-from-manifest', { scanner: 'packages', verdict: 'altered', confidence: 'likely' });
    expect(countsAfter([alone, alone])).toEqual({ files: 2, differing: 2 });
  });

  it('say nothing against it where another witness calls them lost', () => {
    const lost = findingOf('never-landed', { scanner: 'blocks', verdict: 'garbage', confidence: 'likely' });
    const hint = findingOf('written-yet-unchanged', { scanner: 'baseline', verdict: 'stale', confidence: 'possible' });
    expect(countsAfter([lost, hint, null])).toEqual({ files: 3, differing: 2 });
  });
});
