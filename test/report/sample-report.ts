// Hand-built reports for the tests of this room.

import type { Finding, Stat, Verdict, VolumeFacts } from '../../src/model.ts';
import type { Report } from '../../src/report/report.ts';
import { MOUNTED_TREE } from '../../src/tree/told-volume.ts';

export const VOLUME: VolumeFacts = {
  ...MOUNTED_TREE.facts,
  filesystem: 'ext4',
  uuid: '0b6f3c1e-90a5-4e0c-8c2b-5d7a4f1f2a10',
};

/** A `likely` stale file, unless told otherwise. */
export function findingOf(overrides: Partial<Finding> & { readonly path: string }): Finding {
  return {
    volume: 0,
    type: 'file',
    verdict: 'stale',
    confidence: 'likely',
    metadataOnly: false,
    window: { file: 'inside', directory: 'outside' },
    ranges: [],
    expected: null,
    observed: null,
    owner: null,
    evidence: [],
    causePath: null,
    foundAt: null,
    recoverable: null,
    remedy: null,
    ...overrides,
  };
}

export function statOf(overrides: Partial<Stat>): Stat {
  return {
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    links: 1,
    inode: 12n,
    generation: null,
    mtimeNs: 0n,
    ctimeNs: 0n,
    crtimeNs: null,
    blocks512: null,
    ...overrides,
  };
}

const NO_VERDICTS: Record<Verdict, number> = {
  unreadable: 0,
  garbage: 0,
  stale: 0,
  missing: 0,
  resurrected: 0,
  altered: 0,
  suspect: 0,
};

/** A complete scan of 2014-06-09T03:00Z without a window; the verdicts are counted from the findings. */
export function reportOf(findings: readonly Finding[], overrides: Partial<Report> = {}): Report {
  const verdicts = { ...NO_VERDICTS };
  for (const { verdict } of findings) verdicts[verdict] += 1;
  return {
    tool: { name: 'lostwrite', version: '0.1.0' },
    run: {
      id: 'b1946ac9',
      startedAtNs: 1_402_282_800_000_000_000n,
      finishedAtNs: 1_402_283_551_000_000_000n,
      complete: true,
    },
    target: { kind: 'directory', name: 'vm042', path: '/mnt/vm042', container: null, volumes: [VOLUME] },
    window: null,
    references: [],
    summary: {
      files: 100,
      directories: 10,
      bytesRead: 4096,
      durationMs: 751_000,
      vouched: 0,
      atRisk: 0,
      hasFindings: findings.length > 0,
      verdicts,
    },
    coverage: { byReference: new Map(), unvouched: 0, skipped: [] },
    findings: () => findings,
    blocks: [],
    orphans: [],
    extents: [],
    errors: [],
    ...overrides,
  };
}
