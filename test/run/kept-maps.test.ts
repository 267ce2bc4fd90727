// The block maps that captures of images keep, on real ext4 with writes lost. Needs root (loop mounts) and e2fsprogs.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Incident, incidentObstacle, makeIncident } from '../../fixtures/incident/incident.ts';
import type { TargetSpec } from '../../src/model.ts';
import type { RunHooks } from '../../src/run/options.ts';
import { createBaseline, identityOf, scan, showBaseline } from '../../src/run.ts';

const obstacle = incidentObstacle();
if (obstacle !== null) process.stdout.write(`skipped: kept block maps: ${obstacle}\n`);

const PATIENCE_MS = 120_000;
const QUIET: RunHooks = {
  onProgress: () => undefined,
  onNotice: () => undefined,
  signal: new AbortController().signal,
};
const ALL = { include: [], exclude: [], crossMounts: false, jobs: 2 };

describe.skipIf(obstacle !== null)('the block map of a captured image', { timeout: PATIENCE_MS }, () => {
  let scratch = '';
  let incident: Incident;

  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'lostwrite-maps-test-'));
    incident = await makeIncident({ seed: 11, mode: 'data', out: join(scratch, 'incident') });
  }, PATIENCE_MS);

  afterAll(() => {
    rmSync(scratch, { recursive: true });
  });

  function target(path: string, kind: 'image' | 'directory' = 'image'): TargetSpec {
    return { kind, name: path, path, snapshot: null, identity: identityOf(path) };
  }

  async function findings(options: { readonly baseline: string | null; readonly before: readonly TargetSpec[] }) {
    const common = {
      window: null,
      references: [],
      scanners: null,
      metadataOnly: false,
      resume: 'never',
      failOn: [],
    } as const;
    const disk = target(incident.images.disk);
    const outcome = await scan({ target: disk, store, ...ALL, ...common, ...options }, QUIET);
    try {
      return [...outcome.report.findings()].map(
        ({ path, verdict, confidence, evidence }) =>
          `${path} ${verdict} ${confidence} ${evidence.map(({ rule }) => rule).join(' ')}`,
      );
    } finally {
      outcome.close(false);
    }
  }

  function changedBlocks(left: string, right: string): number {
    const [before, after] = [readFileSync(left), readFileSync(right)];
    let count = 0;
    for (let at = 0; at < after.length; at += 4096) {
      if (before.compare(after, at, at + 4096, at, at + 4096) !== 0) count++;
    }
    return count;
  }

  let store = { path: '' };
  beforeAll(() => {
    store = { path: join(scratch, 'store.db') };
  });

  test('makes a scan with the baseline say what a scan beside the image itself says', async () => {
    const { t0 } = incident.images;
    await createBaseline({ target: target(t0), store, name: 'kept', atNs: null, ...ALL }, QUIET);
    const kept = await findings({ baseline: 'kept', before: [] });
    expect(kept).toEqual(await findings({ baseline: null, before: [target(t0)] }));
    expect(kept.filter(line => line.includes('never-landed')).length).toBeGreaterThan(0);
  });

  test('takes at most 16 bytes for each block that changed until the next one, and a directory has none', async () => {
    const { t0, tm, t1 } = incident.images;
    for (const image of [t0, tm, t1]) {
      await createBaseline({ target: target(image), store, name: 'days', atNs: null, ...ALL }, QUIET);
    }
    const sizes = (await showBaseline(store, 'days')).map(({ mapBytes }) => mapBytes);
    const [, second = 0, third = 0] = sizes;
    expect(second ?? 0).toBeGreaterThan(0);
    expect((second ?? 0) / changedBlocks(t0, tm)).toBeLessThan(16);
    expect((third ?? 0) / changedBlocks(tm, t1)).toBeLessThan(16);
    await createBaseline({ target: target(scratch, 'directory'), store, name: 'tree', atNs: null, ...ALL }, QUIET);
    expect((await showBaseline(store, 'tree')).map(({ mapBytes }) => mapBytes)).toEqual([null]);
  });
});
