// A run that is told to stop, at each of its phases: what it reports is true of what it saw.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TargetSpec } from '../../src/model.ts';
import type { BaselineOptions, Progress, RunHooks, ScanOptions } from '../../src/run/options.ts';
import { createBaseline, identityOf, listBaselines, scan } from '../../src/run.ts';

const DIRECTORIES = 40;
const FILES = 5;
let here = '';
let target: TargetSpec;
beforeAll(() => {
  here = mkdtempSync(join(tmpdir(), 'lwr-stop-'));
  const path = join(here, 'target');
  for (let number = 0; number < DIRECTORIES; number++) {
    mkdirSync(join(path, String(number)), { recursive: true });
    for (let file = 0; file < FILES; file++)
      writeFileSync(join(path, String(number), String(file)), `${number} ${file}`);
  }
  target = { kind: 'directory', name: 'target', path, snapshot: null, identity: identityOf(path) };
}, 120_000);
afterAll(() => rmSync(here, { recursive: true }));

const common = { include: [], exclude: [], crossMounts: false, jobs: 1 } as const;

function baselineOptions(): BaselineOptions {
  return { ...common, target, store: { path: join(here, 'store.db') }, name: 'nightly', atNs: null };
}

function scanOptions(): ScanOptions {
  return {
    ...common,
    target,
    window: null,
    store: { path: join(here, 'store.db') },
    baseline: 'nightly',
    references: [],
    scanners: null,
    metadataOnly: false,
    resume: 'auto',
    failOn: [],
  };
}

/** Hooks of a person who stops the run when it enters a phase. */
function stoppingAt(phase: Progress['phase'] | null): RunHooks & { readonly notices: string[] } {
  const controller = new AbortController();
  const notices: string[] = [];
  return {
    notices,
    signal: controller.signal,
    onNotice: line => void notices.push(line),
    onProgress: progress => void (progress.phase === phase && controller.abort()),
  };
}

describe('a baseline', () => {
  test.each(['listing', 'reading'] as const)('stopped while %s leaves no generation', async phase => {
    const result = await createBaseline(baselineOptions(), stoppingAt(phase));
    expect(result).toMatchObject({ complete: false, entries: 0 });
    expect(await listBaselines({ path: join(here, 'store.db') })).toEqual([]);
  });

  test('goes on after that', async () => {
    const hooks = stoppingAt(null);
    const result = await createBaseline(baselineOptions(), hooks);
    expect(hooks.notices).toEqual(['resuming a run that did not finish']);
    expect(result).toMatchObject({ complete: true, files: DIRECTORIES * FILES, skipped: 0 });
  });
});

describe('a scan against the baseline', () => {
  test.each(['listing', 'reading', 'judging'] as const)(
    'stopped while %s: not complete, and what was not looked at is not missing',
    async phase => {
      const outcome = await scan(scanOptions(), stoppingAt(phase));
      expect(outcome.report.run.complete).toBe(false);
      expect([...outcome.report.findings()]).toEqual([]);
      expect(outcome.report.errors.map(({ code }) => code)).toEqual(['interrupted']);
      outcome.close(true);
    },
  );

  test('goes on after that, and is whole', async () => {
    const hooks = stoppingAt(null);
    const outcome = await scan(scanOptions(), hooks);
    expect(hooks.notices).toEqual(['resuming a run that did not finish']);
    const { run, summary } = outcome.report;
    expect(run.complete).toBe(true);
    expect(outcome.report.errors).toEqual([]);
    expect(summary).toMatchObject({ files: DIRECTORIES * FILES, directories: DIRECTORIES + 1 });
    outcome.close(false);
  });
});

describe('a target', () => {
  test('that becomes another directory during the scan is told as such, not as a bug', async () => {
    const moved = { ...target, identity: { ...target.identity, inode: '1' } };
    await expect(scan({ ...scanOptions(), target: moved }, stoppingAt(null))).rejects.toThrow(
      'target: became another file during the run',
    );
  });
});
