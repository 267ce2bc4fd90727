// Long runs of random work on XFS, each stopped at some point. Only with LOSTWRITE_LONG_TESTS set.

import { afterAll, describe, expect, it, vi } from 'vitest';
import { scratchDirectory } from '../ext4/loop-mount.ts';
import { randomWork } from '../ext4/random-work.ts';
import { compareWithMount, crash } from './crash.ts';
import { whyNoXfsMount } from './xfs-images.ts';

const reason = process.env.LOSTWRITE_LONG_TESTS ? whyNoXfsMount() : 'LOSTWRITE_LONG_TESTS is not set';
if (reason !== null) process.stderr.write(`xfs/crash-long.test.ts skipped: ${reason}\n`);

const SEEDS = Array.from({ length: Number(process.env.LOSTWRITE_SEEDS ?? 10) }, (_, index) => index + 1);

vi.setConfig({ testTimeout: 600_000, hookTimeout: 600_000 });

describe.skipIf(reason !== null)('random work on XFS, stopped', () => {
  const scratch = scratchDirectory();
  afterAll(() => scratch.remove());

  it.each([
    ['as mkfs makes it', []],
    ['1 KiB blocks, rmapbt', ['-b', 'size=1024', '-m', 'rmapbt=1']],
    ['nrext64, a small log', ['-i', 'nrext64=1', '-l', 'size=16m']],
    ['no reflink, large directory blocks', ['-m', 'reflink=0', '-n', 'size=16384', '-b', 'size=2048']],
  ])('%s', (_name, format) => {
    for (const seed of SEEDS) {
      const crashed = crash(scratch.path, format, root => randomWork(root, seed, 40 + seed * 37, false));
      const replayed = compareWithMount(scratch.path, crashed);
      expect(replayed?.transactions).toBeGreaterThan(0);
    }
  });
});
