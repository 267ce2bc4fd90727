// Scans an incident as a user would: baselines of the good days, the window, the damaged disk mounted read-only.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseSpan, parseWindow } from '../../src/cli/instant.ts';
import { DEFAULT_SCAN } from '../../src/cli/scan-options.ts';
import type { TargetSpec } from '../../src/model.ts';
import { renderJson } from '../../src/report/json.ts';
import type { RunHooks, ScanOptions } from '../../src/run/options.ts';
import { createBaseline, identityOf, scan } from '../../src/run.ts';
import { truthOf, whileMounted } from './incident-case.ts';
import type { ScoredReport } from './score.ts';

export type Generations = readonly ('t0' | 't1')[];

const QUIET: RunHooks = {
  onProgress: () => undefined,
  onNotice: () => undefined,
  signal: new AbortController().signal,
};
const JOBS = 2;

/** The report of the damaged disk against these generations. The store is made anew. */
export async function scanIncident(directory: string, generations: Generations): Promise<ScoredReport> {
  const truth = truthOf(directory);
  const store = { path: join(directory, `store-${generations.join('-')}.db`) };
  for (const suffix of ['', '-wal', '-shm']) rmSync(store.path + suffix, { force: true });
  for (const name of generations) {
    const atNs = parseSpan(name === 't0' ? truth.t0At : truth.t1At, 'at').fromNs;
    await whileMounted(directory, name, async mountpoint => {
      const common = { include: [], exclude: [], crossMounts: false, jobs: JOBS };
      await createBaseline({ target: targetOf(mountpoint), store, name: 'nightly', atNs, ...common }, QUIET);
    });
  }
  return whileMounted(directory, 'disk', mountpoint => scanMounted(mountpoint, store.path, truth.window));
}

/**
 * The report of the damaged disk's image, with the backup image of t0 and nothing else.
 * @param stripeBytes what is known of the host, if anything.
 */
export async function scanImage(directory: string, stripeBytes: number | null = null): Promise<ScoredReport> {
  const { window } = truthOf(directory);
  const image = (name: string): TargetSpec => ({ ...targetOf(join(directory, `${name}.img`)), kind: 'image' });
  const options: ScanOptions = {
    ...DEFAULT_SCAN,
    target: image('disk'),
    before: [image('t0')],
    stripeBytes,
    window: parseWindow(`${window.from}..${window.to}`),
    store: { path: null },
    jobs: JOBS,
    resume: 'never',
  };
  return reportOf(options);
}

async function scanMounted(
  mountpoint: string,
  storePath: string,
  window: { from: string; to: string },
): Promise<ScoredReport> {
  return reportOf({
    ...DEFAULT_SCAN,
    target: targetOf(mountpoint),
    window: parseWindow(`${window.from}..${window.to}`),
    store: { path: existsSync(storePath) ? storePath : null },
    baseline: existsSync(storePath) ? 'nightly' : null,
    jobs: JOBS,
    resume: 'never',
  });
}

async function reportOf(options: ScanOptions): Promise<ScoredReport> {
  const outcome = await scan(options, QUIET);
  try {
    return JSON.parse([...renderJson(outcome.report)].join('')) as ScoredReport;
  } finally {
    outcome.close(false);
  }
}

function targetOf(path: string): TargetSpec {
  return { kind: 'directory', name: path, path, snapshot: null, identity: identityOf(path) };
}
