// Long runs of random work, each cut off at some point. Only with LOSTWRITE_LONG_TESTS set.

import { afterAll, describe, expect, it, vi } from 'vitest';
import { compareWithMount, crash } from './crash.ts';
import { scratchDirectory, whyNoMount } from './loop-mount.ts';
import { randomWork } from './random-work.ts';

const reason = process.env.LOSTWRITE_LONG_TESTS ? whyNoMount() : 'LOSTWRITE_LONG_TESTS is not set';
if (reason !== null) process.stderr.write(`crash-long.test.ts skipped: ${reason}\n`);

const SEEDS = Array.from({ length: Number(process.env.LOSTWRITE_SEEDS ?? 10) }, (_, index) => index + 1);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('random work, cut off', () => {
  const scratch = scratchDirectory();
  afterAll(() => scratch.remove());

  it.each([
    ['ordered', ['-t', 'ext4', '-b', '1024'], 'commit=600'],
    ['data=journal', ['-t', 'ext4'], 'commit=600,data=journal'],
    ['ext3', ['-t', 'ext3', '-b', '1024'], 'commit=600'],
    ['fast commits', ['-t', 'ext4', '-O', 'fast_commit'], 'commit=600'],
    ['fast commits, 4 KiB blocks', ['-t', 'ext4', '-O', 'fast_commit', '-b', '4096'], 'commit=600'],
    ['orphan file', ['-t', 'ext4', '-O', 'orphan_file,inline_data', '-b', '1024'], 'commit=600'],
  ])('%s', (_name, format, mount) => {
    const fast = format.includes('fast_commit');
    let fastCommits = 0;
    for (const seed of SEEDS) {
      const crashed = crash(scratch.path, format, mount, root => randomWork(root, seed, 40 + seed * 37, fast));
      fastCommits += compareWithMount(scratch.path, crashed, fast)?.fastCommits ?? 0;
    }
    expect(fastCommits > 0).toBe(fast);
  });
});
